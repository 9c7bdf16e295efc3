/* Instead of libFuzzer: runs the target with each file of the folders that it is given, once. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"

#define REPLAY_MAX (1 << 20)

static void replay_file(int dir, const char *name)
{
	static uint8_t data[REPLAY_MAX];
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, data, sizeof(data));

	fuzz_check(n >= 0, "%s cannot be read", name);
	fprintf(stderr, "%s\n", name);
	LLVMFuzzerTestOneInput(data, (size_t)n);
}

int main(int argc, char **argv)
{
	unsigned count = 0;

	LLVMFuzzerTestOneInput(NULL, 0);
	for (int i = 1; i < argc; i++) {
		DIR *dir = argv[i][0] == '-' ? NULL : opendir(argv[i]);
		const struct dirent *entry;

		if (argv[i][0] == '-') /* libFuzzer's */
			continue;
		fuzz_check(dir, "%s is no folder", argv[i]);
		while ((entry = readdir(dir)))
			if (*entry->d_name != '.') {
				replay_file(dirfd(dir), entry->d_name);
				count++;
			}
		closedir(dir);
	}
	printf("%u inputs\n", count);
	return count ? 0 : 1;
}
