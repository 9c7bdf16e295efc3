/* Preloaded: posix_spawn(3) comes back long after the program runs. Then it makes the file that SLOW_SPAWN names. */
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[],
		    char *const[]) = dlsym(RTLD_NEXT, "posix_spawn");
	int err = real(pid, path, actions, attributes, argv, envp);
	struct timespec until;
	const char *file = getenv("SLOW_SPAWN");

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL)) /* (whoever is given up is interrupted) */
		;
	if (file)
		close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return err;
}
