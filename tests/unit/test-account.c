#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>

#include "account.h"

Test(account, a_limit_holds_for_all_of_a_user_s_charges)
{
	struct accounts list = { 0 };
	struct account *a = accounts_of(&list, 7);
	struct charge one = { .account = a }, two = { .account = accounts_of(&list, 7) };

	atomic_store(&a->of[ACCOUNT_BYTES].limit, 100);
	cr_assert_eq(charge_set(&one, 60), 0);
	cr_assert_eq(charge_set(&two, 41), -EDQUOT);
	cr_assert_eq(two.amount, 0);
	cr_assert_eq(charge_set(&two, 40), 0);
	cr_assert_eq(charge_set(&one, 61), -EDQUOT);
	cr_assert_eq(one.amount, 60);
	atomic_store(&a->of[ACCOUNT_BYTES].limit, 10);
	cr_assert_eq(charge_set(&one, 50), 0, "less is always possible");
	charge_finish(&one);
	charge_finish(&two);
	cr_assert_eq(atomic_load(&a->of[ACCOUNT_BYTES].used), 0);
	accounts_finish(&list);
}

Test(account, users_do_not_share)
{
	struct accounts list = { 0 };
	struct charge one = { .account = accounts_of(&list, 1) }, two = { .account = accounts_of(&list, 2) };

	cr_assert_neq(one.account, two.account);
	atomic_store(&one.account->of[ACCOUNT_BYTES].limit, 10);
	cr_assert_eq(charge_set(&one, UINT64_MAX), -EDQUOT);
	cr_assert_eq(charge_set(&two, 1 << 30), 0);
	charge_finish(&one);
	charge_finish(&two);
	accounts_finish(&list);
}

Test(account, nobody_pays_for_what_has_no_account)
{
	struct charge c = { 0 };

	cr_assert_eq(charge_set(&c, 1 << 30), 0);
	cr_assert_eq(charge_set(&c, 1), 0);
	charge_finish(&c);
}

static void *spend(void *data)
{
	struct charge c = { .account = data };

	for (int i = 0; i < 100000; i++) {
		charge_set(&c, (uint64_t)(i % 7) * 10);
		cr_assert_leq(atomic_load(&c.account->of[ACCOUNT_BYTES].used), 100);
	}
	charge_finish(&c);
	return NULL;
}

Test(account, nobody_may_hold_more_than_the_memory)
{
	struct account root = { .uid = 0 };
	struct charge c = { .account = &root };

	cr_assert_eq(charge_set(&c, 1 << 20), 0);
	cr_assert_eq(charge_set(&c, UINT64_MAX), -EDQUOT);
	cr_assert_eq(atomic_load(&root.of[ACCOUNT_BYTES].used), 1 << 20);
	charge_finish(&c);
	cr_assert_eq(atomic_load(&root.of[ACCOUNT_BYTES].used), 0);
	cr_assert_eq(charge_set(&(struct charge){ 0 }, UINT64_MAX), -EDQUOT);
}

Test(account, threads_may_charge_at_once)
{
	struct accounts list = { 0 };
	struct account *a = accounts_of(&list, 7);
	pthread_t threads[4];

	atomic_store(&a->of[ACCOUNT_BYTES].limit, 100);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, spend, a), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(atomic_load(&a->of[ACCOUNT_BYTES].used), 0);
	accounts_finish(&list);
}

Test(account, resources_are_counted_each_for_itself)
{
	struct account a = { .of[ACCOUNT_NODES].limit = 2 };
	struct charge bytes = { .account = &a }, nodes = { .account = &a, .of = ACCOUNT_NODES };

	cr_assert_eq(charge_set(&bytes, 100), 0);
	cr_assert_eq(charge_set(&nodes, 2), 0);
	cr_assert_eq(charge_raise(&nodes, 3), -EDQUOT);
	cr_assert_eq(charge_raise(&nodes, 1), 0);
	cr_assert_eq(nodes.amount, 2);
	charge_note(&nodes, 5);
	cr_assert_eq(a.of[ACCOUNT_NODES].used, 5);
	charge_finish(&nodes);
	charge_finish(&bytes);
	cr_assert_eq(a.of[ACCOUNT_NODES].used, 0);
	cr_assert_eq(a.of[ACCOUNT_BYTES].used, 0);
}

Test(account, all_ordinary_users_together_leave_some_to_root)
{
	struct accounts list = { .shared[ACCOUNT_DESCRIPTORS].limit = 10 };
	struct charge one = { .account = accounts_of(&list, 4001), .of = ACCOUNT_DESCRIPTORS };
	struct charge two = { .account = accounts_of(&list, 4002), .of = ACCOUNT_DESCRIPTORS };
	struct charge root = { .account = accounts_of(&list, 0), .of = ACCOUNT_DESCRIPTORS };

	atomic_store(&two.account->of[ACCOUNT_DESCRIPTORS].limit, 100);
	cr_assert_eq(charge_set(&one, 7), 0);
	cr_assert_eq(charge_set(&two, 4), -EDQUOT);
	cr_assert_eq(two.account->of[ACCOUNT_DESCRIPTORS].used, 0);
	cr_assert_eq(charge_set(&root, 1000), 0);
	cr_assert_eq(charge_set(&two, 3), 0);
	charge_finish(&one);
	charge_finish(&two);
	charge_finish(&root);
	cr_assert_eq(list.shared[ACCOUNT_DESCRIPTORS].used, 0);
	accounts_finish(&list);
}

Test(account, one_is_over_where_a_limit_was_lowered)
{
	struct accounts list = { 0 };
	struct charge one = { .account = accounts_of(&list, 4001), .of = ACCOUNT_NODES };
	struct charge two = { .account = accounts_of(&list, 4002), .of = ACCOUNT_BYTES };

	cr_assert_eq(charge_set(&one, 5), 0);
	cr_assert_eq(charge_set(&two, 5), 0);
	atomic_store(&one.account->of[ACCOUNT_NODES].limit, 5);
	cr_assert_not(account_is_over(one.account));
	atomic_store(&one.account->of[ACCOUNT_NODES].limit, 4);
	cr_assert(account_is_over(one.account));
	cr_assert_not(account_is_over(two.account));
	atomic_store(&list.shared[ACCOUNT_BYTES].limit, 4);
	cr_assert(account_is_over(two.account));
	cr_assert_eq(charge_set(&two, 4), 0);
	cr_assert_not(account_is_over(two.account));
	charge_finish(&one);
	charge_finish(&two);
	accounts_finish(&list);
}
