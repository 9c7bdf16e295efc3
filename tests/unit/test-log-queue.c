/* The log while somebody else writes it: a FIFO is its file, which takes what fits until it is read. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "clock.h"
#include "log.h"
#include "log-queue.h"

static char dir[] = "/tmp/spfs-log.XXXXXX";
static char path[64];
static FILE *reader;

static void start(void)
{
	int fd;

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC); /* (open(2) of a FIFO does not wait then) */
	cr_assert_geq(fd, 0);
	reader = fdopen(fd, "r");
	cr_assert(reader);
	cr_assert_eq(log_open("test", -1, path), 0);
	log_defer();
}

static void stop(void)
{
	fclose(reader);
	unlink(path);
	rmdir(dir);
}

TestSuite(log_queue, .init = start, .fini = stop, .timeout = 60);

/* The next line, behind its time. */
static const char *next(void)
{
	static char line[LOG_LINE_MAX + 64];

	cr_assert(fgets(line, sizeof(line), reader));
	line[strcspn(line, "\n")] = '\0';
	cr_assert_gt(strlen(line), 20, "%s", line);
	return line + 20;
}

/* Each line has its place, or is counted at it. Returns how many are lost before @count, of which the last was read. */
static unsigned read_up_to(unsigned count, const char *format)
{
	unsigned at = 0, lost = 0;

	while (at + lost < count) {
		const char *line = next();
		unsigned n;

		if (sscanf(line, "%u line%*s %*s lost here", &n) == 1 && strstr(line, "lost here"))
			lost += n;
		else
			cr_assert(sscanf(line, format, &n) == 1 && n == at++ + lost, "%s", line);
	}
	return lost;
}

static void say_lines(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		log_wanted(LOG_INFO, "line %u", i);
}

Test(log_queue, keeps_the_order_from_before_its_thread)
{
	say_lines(0, 500);
	cr_assert_eq(log_start(), 0);
	say_lines(500, 1000);
	cr_expect_eq(read_up_to(1000, "line %u"), 0);
}

Test(log_queue, full_it_counts_and_nobody_waits)
{
	unsigned lost;

	cr_assert_eq(log_start(), 0);
	for (unsigned i = 0; i < 200000; i++)
		log_wanted(LOG_INFO, "a line of the daemon's own %u", i);
	lost = read_up_to(200000, "a line of the daemon's own %u");
	cr_expect_gt(lost, 100000);
	cr_expect_lt(lost, 200000 - LOG_QUEUE_BYTES / 100);
	/* Nothing is counted twice. */
	log_wanted(LOG_INFO, "after");
	cr_expect_str_eq(next(), "after");
}

#define FLOOD(n) log_user_err(user, "%0900u " #n, i)

Test(log_queue, users_leave_room_for_the_daemon)
{
	const char *line;
	unsigned lost = 0;
	char own[16];

	cr_assert_eq(log_start(), 0);
	for (uid_t user = 1; user < 50; user++)
		for (unsigned i = 0; i < 50; i++) {
			FLOOD(1);
			FLOOD(2);
			FLOOD(3);
		}
	for (unsigned i = 0; i < 100; i++)
		log_wanted(LOG_INFO, "own %u", i);
	while (strcmp(line = next(), "own 0") != 0)
		lost += strstr(line, "lost here") != NULL;
	cr_expect_gt(lost, 0);
	for (unsigned i = 1; i < 100; i++) {
		snprintf(own, sizeof(own), "own %u", i);
		cr_assert_str_eq(next(), own);
	}
}

Test(log_queue, a_line_has_the_time_when_it_was_said)
{
	char before[32], after[32], line[LOG_LINE_MAX];
	time_t said = time(NULL);

	strftime(before, sizeof(before), "%F %T ", localtime(&said));
	log_wanted(LOG_INFO, "said");
	said = (time_t)clock_day();
	strftime(after, sizeof(after), "%F %T ", localtime(&said));
	while (time(NULL) < said + 2)
		usleep(10000);
	cr_assert_eq(log_start(), 0);
	cr_assert(fgets(line, sizeof(line), reader));
	cr_expect_geq(strncmp(line, before, strlen(before)), 0, "%s is before %s", line, before);
	cr_expect_leq(strncmp(line, after, strlen(after)), 0, "%s is after %s", line, after);
}

Test(log_queue, the_end_writes_what_is_left)
{
	say_lines(0, 100);
	log_end(); /* (there was no thread before) */
	cr_expect_eq(read_up_to(100, "line %u"), 0);
}

Test(log_queue, the_end_waits_for_a_while)
{
	uint64_t begin;

	cr_assert_eq(log_start(), 0);
	say_lines(0, 10000);
	begin = clock_nsec();
	log_end();
	cr_expect_geq(clock_nsec() - begin, LOG_END_SECONDS * NSEC_PER_SEC);
	log_wanted(LOG_INFO, "into the void");
	log_end();
}

static void *say(void *arg)
{
	for (unsigned i = 0; i < 10000; i++)
		log_wanted(LOG_INFO, "thread %u", i);
	return NULL;
}

Test(log_queue, threads_share_it)
{
	unsigned lines = 0, lost = 0;
	pthread_t threads[4];

	cr_assert_eq(log_start(), 0);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, say, NULL), 0);
	while (lines + lost < 40000) {
		const char *line = next();
		unsigned n;

		if (strstr(line, "lost here") && sscanf(line, "%u", &n) == 1)
			lost += n;
		else
			lines += !strncmp(line, "thread ", 7);
	}
	cr_expect_eq(lines + lost, 40000);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

Test(log_queue, copies_go_at_once_to_who_started_it)
{
	char got[4096] = "";
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	log_set_level(LOG_INFO);
	cr_assert_eq(log_open("test", LOG_WARNING, path), 0);
	log_copy_to(ends[1]);
	log_warn("before");
	cr_assert_eq(log_start(), 0);
	log_info("nothing for a terminal");
	log_err("after");
	log_copy_to(-1);
	log_err("later");
	cr_assert_gt(read(ends[0], got, sizeof(got) - 1), 0);
	cr_expect_str_eq(got, "test: before\ntest: after\n");
	cr_expect_str_eq(next(), "before");
	cr_expect_str_eq(next(), "nothing for a terminal");
	cr_expect_str_eq(next(), "after");
	cr_expect_str_eq(next(), "later");
	close(ends[0]);
	close(ends[1]);
}
