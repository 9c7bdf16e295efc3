#include "settings.h"

#include <errno.h>
#include <unistd.h>

#include "access.h"
#include "accounts.h"

int settings_terms(struct server *s, const struct rights *r, const struct inode *inode, struct terms *terms)
{
	terms->settings = s->defaults;
	terms->account = account_of_caller(s, r);
	if (access_check(r, inode, W_OK) < 0)
		terms->settings.value[SETTING_POLICY] = POLICY_DROP_OLD;
	return terms->account ? 0 : -ENOMEM;
}
