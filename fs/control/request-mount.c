/* What is asked of the mount through the control socket: quotas, and the configuration. */
#include "request-parts.h"

#include <errno.h>
#include <unistd.h>

#include "accounts.h"
#include "json.h"
#include "reload.h"

void request_quota(struct request *r, struct node *node)
{
	json_t *quotas;

	if (!request_unpack(r, "{}"))
		return;
	quotas = accounts_json(r->ctx, r->rights);
	request_finish(r, quotas ? json_pack("{so}", "quotas", quotas) : NULL);
}

static void request_reloaded(void *data, json_t *answer)
{
	request_finish(data, answer);
}

void request_reload(struct request *r, struct node *node)
{
	if (!request_unpack(r, "{}"))
		return;
	if (r->rights->uid != 0 && r->rights->uid != geteuid())
		request_refuse(r, -EPERM, "reload is for root and the daemon's own user");
	else
		reload_start(r->ctx, request_reloaded, r);
}
