#include <criterion/criterion.h>
#include <stdint.h>

#include "gids.h"

Test(gids, are_put_in_order_and_found)
{
	gid_t gids[] = { 7, 3, UINT32_MAX, 0, 3, 12 };
	const gid_t sorted[] = { 0, 3, 3, 7, 12, UINT32_MAX };
	const size_t count = sizeof(gids) / sizeof(gids[0]);

	gids_sort(gids, count);
	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(gids[i], sorted[i]);
		cr_expect(gids_have(gids, count, sorted[i]));
	}
	cr_expect_eq(gids_place(gids, count, 0), 0);
	cr_expect_eq(gids_place(gids, count, 4), 3);
	cr_expect_eq(gids_place(gids, count, UINT32_MAX), count - 1);
	cr_expect_not(gids_have(gids, count, 4));
	cr_expect_not(gids_have(gids, count, 13));
	cr_expect_not(gids_have(gids, count - 1, UINT32_MAX));
}

Test(gids, none)
{
	gids_sort(NULL, 0);
	cr_expect_not(gids_have(NULL, 0, 0));
}
