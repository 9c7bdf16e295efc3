/*
 * Preloaded: who knows users by name answers nothing while the file SLOW_NAMES is there, as a directory server may, and
 * who knows machines by name neither.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_names(void)
{
	const char *slow = getenv("SLOW_NAMES");

	while (slow && access(slow, F_OK) == 0)
		usleep(10000);
}

struct passwd *getpwnam(const char *name)
{
	struct passwd *(*real)(const char *) = (struct passwd * (*)(const char *)) dlsym(RTLD_NEXT, "getpwnam");

	wait_for_names();
	return real(name);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	wait_for_names();
	return EAI_AGAIN;
}
