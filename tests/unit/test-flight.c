#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "flight.h"

TestSuite(flight, .timeout = 60);

static unsigned open_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static bool is_closed(int wr)
{
	return poll(&(struct pollfd){ .fd = wr }, 1, 0) == 1; /* POLLERR: nobody can read it */
}

Test(flight, keeps_a_file_open_without_a_descriptor)
{
	struct flight f;
	unsigned before;
	int p[2], fd;
	uid_t uid;

	flight_init(&f);
	cr_assert_eq(pipe(p), 0);
	before = open_count();
	cr_expect_eq(flight_look(&f, &fd, &uid), -ENOENT);
	cr_assert_eq(flight_put(&f, p[0], 7), 0);
	fd_close(&p[0]);
	cr_expect(!is_closed(p[1]));
	cr_assert_eq(flight_look(&f, &fd, &uid), 0);
	cr_expect_eq(uid, 7);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	flight_drop(&f);
	cr_expect(!is_closed(p[1]));
	close(fd);
	cr_expect(is_closed(p[1]));
	cr_expect_eq(flight_look(&f, &fd, &uid), -ENOENT);
	cr_expect_eq(open_count(), before - 1, "its own sockets are gone, too");
	close(p[1]);
}

/* More than one socket's buffer takes, but for those that may not have so many in flight (ETOOMANYREFS). */
Test(flight, keeps_the_order_and_costs_few_descriptors)
{
	enum { MANY = 30000 };
	struct flight f;
	unsigned before;
	uid_t uid, n = 0;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fd, err = 0;

	flight_init(&f);
	before = open_count();
	while (n < MANY && err == 0) {
		err = flight_put(&f, null, n);
		n += err == 0;
	}
	cr_assert(err == 0 || (err == -ETOOMANYREFS && n > 500), "%d after %u", err, n);
	cr_expect_eq(f.count, n);
	cr_expect_leq(open_count(), before + 2 + n / 200);
	for (uid_t i = 0; i < n; i++) {
		cr_assert_eq(flight_look(&f, &fd, &uid), 0);
		cr_assert_eq(uid, i);
		flight_drop(&f);
		close(fd);
	}
	cr_expect_eq(f.count, 0);
	cr_expect_eq(open_count(), before);
	close(null);
}

/* The message is not lost with its file where there is no place for it. */
Test(flight, waits_for_a_free_descriptor)
{
	struct rlimit limit, low;
	struct flight f;
	int p[2], fd;
	uid_t uid;

	flight_init(&f);
	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(flight_put(&f, p[0], 1), 0);
	fd_close(&p[0]);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = (struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	cr_expect_eq(flight_look(&f, &fd, &uid), -EMFILE);
	cr_expect_neq(flight_put(&f, p[1], 2), -EMFILE, "it needs none");
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect(!is_closed(p[1]));
	cr_assert_eq(flight_look(&f, &fd, &uid), 0);
	flight_drop(&f);
	close(fd);
	cr_expect(is_closed(p[1]));
	while (flight_look(&f, &fd, &uid) == 0) { /* the other, if there was memory for it */
		flight_drop(&f);
		close(fd);
	}
}
