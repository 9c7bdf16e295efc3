/* Preloaded: who knows users by name answers nothing while the file SLOW_NAMES is there, as a directory server may. */
#include <dlfcn.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

struct passwd *getpwnam(const char *name)
{
	struct passwd *(*real)(const char *) = (struct passwd * (*)(const char *)) dlsym(RTLD_NEXT, "getpwnam");
	const char *slow = getenv("SLOW_NAMES");

	while (slow && access(slow, F_OK) == 0)
		usleep(10000);
	return real(name);
}
