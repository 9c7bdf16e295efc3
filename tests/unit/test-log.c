#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base.h"
#include "log.h"
#include "log-limit.h"
#include "log-output.h"
#include "text.h"

static char path[] = "/tmp/spfs-log.XXXXXX";
static char text[4 << 20];

static void start(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(log_open("test", -1, path), 0);
}

static void stop(void)
{
	unlink(path);
}

TestSuite(log, .init = start, .fini = stop, .timeout = 60);

/* What is in the log. Returns how many lines. */
static unsigned lines(void)
{
	FILE *f = fopen(path, "re");
	size_t n;
	unsigned count = 0;

	cr_assert(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	for (const char *c = text; *c; c++)
		count += *c == '\n';
	return count;
}

static unsigned has(const char *part)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		count++;
	return count;
}

Test(log, a_line_has_a_length)
{
	static char name[300000];

	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	log_info("before %s: the reason", name);
	cr_assert_eq(lines(), 1);
	cr_expect_leq(strlen(text), LOG_LINE_MAX + 32);
	cr_expect(strstr(text, "before \xc3\xa9"));
	cr_expect(strstr(text, "\xc3\xa9[... "));
	cr_expect(strstr(text, " bytes ...]\xc3\xa9"));
	cr_expect(strstr(text, "\xc3\xa9: the reason\n"));
	cr_expect_null(strchr(text, '?'));
}

Test(log, what_is_left_out_of_a_line_is_counted)
{
	char out[400], expected[400];

	for (size_t len = 64; len < 300; len++) {
		int shown;
		size_t left;

		memset(out, 'a', len);
		out[len] = '\0';
		text_shorten(out, 64);
		cr_expect_leq(strlen(out), 64);
		if (len == 64)
			continue;
		cr_assert_eq(sscanf(out, "%*[a][... %d bytes ...]%s", &shown, expected), 2, "%s", out);
		left = strspn(out, "a") + strlen(expected);
		cr_expect_eq((size_t)shown + left, len, "%s", out);
	}
}

static void flood(uid_t user, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		log_user_err(user, "flood %u of %u", i, user);
}

Test(log, a_flood_is_cut_short_and_counted_once)
{
	flood(1000, 20000);
	cr_expect_eq(lines(), LOG_KIND_LINES);
	/* Others are heard, and so is the same user with something else. */
	flood(1001, 1);
	log_user_info(1000, "else");
	log_err("the daemon's");
	cr_expect_eq(lines(), LOG_KIND_LINES + 3, "%s", text);
	log_flush();
	cr_expect_eq(lines(), LOG_KIND_LINES + 4);
	cr_expect_eq(has("19950 more lines like this: flood 19999 of 1000\n"), 1, "%s", text);
	log_flush();
	cr_expect_eq(lines(), LOG_KIND_LINES + 4);
}

#define KIND(n) log_user_info(1000, "kind " #n " %u", i)

Test(log, a_user_has_a_limit_over_all_kinds)
{
	for (unsigned i = 0; i < 1000; i++) {
		KIND(1);
		KIND(2);
		KIND(3);
		KIND(4);
		KIND(5);
		KIND(6);
		KIND(7);
		KIND(8);
	}
	cr_expect_eq(lines(), LOG_USER_LINES);
	log_flush();
	cr_expect_eq(lines(), LOG_USER_LINES + 8);
}

#define UNKNOWN(n) log_user_warn(LOG_SOMEBODY, "kind " #n " %u", i)

/* What users cause does not leave out the daemon's own lines, also where nobody knows who it was. */
Test(log, the_daemon_is_heard_above_somebody)
{
	for (unsigned i = 0; i < 100; i++) {
		UNKNOWN(1);
		UNKNOWN(2);
		UNKNOWN(3);
		UNKNOWN(4);
		UNKNOWN(5);
	}
	cr_expect_eq(lines(), LOG_USER_LINES);
	log_err("the daemon's");
	cr_expect_eq(lines(), LOG_USER_LINES + 1);
}

Test(log, more_users_than_there_is_room_for_share)
{
	for (uid_t user = 0; user < 10000; user++)
		flood(user, 3);
	cr_expect_lt(lines(), 3 * 600);
	log_flush();
	cr_expect_lt(lines(), 3 * 600 + 600);
	cr_expect(has("more lines like this"));
}

Test(log, what_the_administrator_wants_is_not_limited)
{
	for (int i = 0; i < 5000; i++)
		log_wanted(LOG_INFO, "line %d", i);
	cr_expect_eq(lines(), 5000);
}

Test(log, a_debugging_log_has_all)
{
	log_set_level(LOG_DEBUG);
	flood(1000, 5000);
	cr_expect_eq(lines(), 5000);
}

static unsigned told;

static void count(void *data)
{
	told++;
}

Test(log, somebody_is_told_that_something_was_left_out)
{
	log_set_left_out(count, NULL);
	flood(1000, LOG_KIND_LINES);
	cr_expect_eq(told, 0);
	flood(1000, 1000);
	flood(1001, 1000);
	cr_expect_eq(told, 1);
	log_flush();
	flood(1001, 1000);
	cr_expect_eq(told, 2);
	log_set_left_out(NULL, NULL);
	log_flush();
	flood(1001, 1000);
	cr_expect_eq(told, 2);
}

static void *flood_beside(void *arg)
{
	for (unsigned i = 0; i < 5000; i++)
		log_user_err(*(uid_t *)arg, "thread %u", i);
	return NULL;
}

Test(log, threads_share_it)
{
	uid_t users[] = { 1, 2, 3, 1 };
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, flood_beside, &users[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(lines(), 3 * LOG_KIND_LINES, "%u", lines());
	log_flush();
	cr_expect_eq(lines(), 3 * LOG_KIND_LINES + 3);
}

/* Files take so many bytes, as if the disk were full then. */
static void file_size(rlim_t bytes)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#define STAMP strlen("2026-01-31 12:00:00 ")

Test(log, a_line_behind_a_torn_one_is_a_line)
{
	time_t now = time(NULL);

	for (size_t room = 1; room < STAMP + 10; room++) {
		cr_assert_eq(truncate(path, 0), 0);
		file_size(room);
		cr_expect_eq(log_output_write(LOG_INFO, now, "the first"), -EFBIG);
		cr_expect_eq(log_output_write(LOG_INFO, now, "another"), -EFBIG);
		/* There is room for its end alone. */
		file_size(room + 1);
		cr_expect_eq(log_output_write(LOG_INFO, now, "one more"), -EFBIG);
		file_size(RLIM_INFINITY);
		cr_expect_eq(log_output_write(LOG_INFO, now, "whole"), 0);
		cr_expect_eq(log_output_write(LOG_INFO, now, "after"), 0);
		cr_expect_eq(lines(), 3, "%zu: %s", room, text);
		cr_expect_eq(strcspn(text, "\n"), room, "%zu: %s", room, text);
		cr_expect_eq(strncmp(text + room + 1 + STAMP, "whole\n", 6), 0, "%zu: %s", room, text);
	}
}

/* The log's thread copies a line before it writes it, and after it has written all before: waits until it does so. */
static void copied(FILE *copies, const char *line)
{
	char copy[LOG_LINE_MAX];

	do
		cr_assert(fgets(copy, sizeof(copy), copies));
	while (!strstr(copy, line));
}

Test(log, what_a_file_did_not_take_is_told_with_the_reason)
{
	int ends[2], error = dup(STDERR_FILENO);
	FILE *copies;

	cr_assert_eq(pipe(ends), 0);
	copies = fdopen(ends[0], "r");
	cr_assert(copies);
	cr_assert_eq(log_open("test", LOG_DEBUG, path), 0);
	dup2(ends[1], STDERR_FILENO);
	file_size(STAMP + strlen("taken\n") + STAMP);
	log_defer();
	cr_assert_eq(log_start(), 0);
	log_info("taken");
	for (int i = 0; i < 3; i++)
		log_info("in vain");
	log_info("later");
	copied(copies, "later"); /* which may be in vain as well */
	file_size(RLIM_INFINITY);
	log_info("at last");
	copied(copies, "could not be written");
	copied(copies, "at last");
	log_end();
	dup2(error, STDERR_FILENO);
	lines();
	cr_expect_eq(has(" 3 lines could not be written: File too large\n") +
			     has(" 4 lines could not be written: File too large\n"),
		     1, "%s", text);
	cr_expect_eq(has("could not be written"), 1, "%s", text);
	cr_expect_eq(has("lost here"), 0, "%s", text);
	cr_expect_eq(has("at last\n"), 1, "%s", text);
	fclose(copies);
	close(ends[1]);
	close(error);
}
