#include <criterion/criterion.h>
#include <time.h>

#include "clock.h"

Test(clock, counts_nanoseconds_and_never_goes_back)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t before = clock_nsec(), after;

	nanosleep(&pause, NULL);
	after = clock_nsec();
	cr_expect_geq(after - before, 20000000);
	cr_expect_lt(after - before, 60 * NSEC_PER_SEC);
}

Test(clock, tells_the_date_of_now)
{
	uint64_t tick = clock_tick(), now = clock_now();
	struct timespec ts = clock_timespec(now);
	int64_t day = clock_day();

	cr_expect_leq(tick, now);
	cr_expect_lt(now - tick, 60 * NSEC_PER_SEC);
	cr_expect_leq((int64_t)ts.tv_sec, day);
	cr_expect_eq((uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec, now);
}

Test(clock, tells_the_date_of_a_moment)
{
	uint64_t ago = 10 * NSEC_PER_SEC;
	double then = (double)time(NULL) - 10, date = clock_date(clock_nsec() - ago);

	cr_expect(date > then - 60 && date < then + 60, "%f, not %f", date, then);
}
