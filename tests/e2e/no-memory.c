/* Preloaded: while the file that NO_MEMORY names is there, calloc(3) of anything small fails. Not with a sanitizer's own. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
	static const char *name;
	static int asked;

	if (!asked) {
		asked = 1;
		name = getenv("NO_MEMORY");
	}
	if (!name || count * size > 1000 || access(name, F_OK) < 0)
		return __libc_calloc(count, size);
	errno = ENOMEM;
	return NULL;
}
