/* What a sink has is opened anew: which port is asked, and who may ask. */
#include "port.h"

#include <errno.h>
#include <linux/capability.h>

#include "channel.h"
#include "port-ops.h"

/* Who may read the channel may end a sink; but with another file one that is kept goes, and that is its attacher's. */
static bool port_reopen_may(const struct port *p, const struct rights *who)
{
	return who->uid == p->config.rights.uid || (who->uid == 0 && rights_have(who, CAP_DAC_OVERRIDE));
}

int port_reopen(struct channel *ch, unsigned id, const struct rights *who,
		void (*reopened)(void *data, int err, const char *why), void *data)
{
	struct port_list *list = port_list_of(ch);
	struct port *p = list ? port_list_find(list, id) : NULL;

	if (!p || p->over)
		return -ENOENT;
	if (!port_reopen_may(p, who))
		return -EACCES;
	return p->ops->reopen ? p->ops->reopen(p, reopened, data) : -EOPNOTSUPP;
}

void port_reopen_forget(struct channel *ch, const void *data)
{
	struct port_list *list = port_list_of(ch);
	struct port *p;

	if (!list)
		return;
	TAILQ_FOREACH(p, &list->ports, entry)
		if (p->ops->reopen_forget && !p->over)
			p->ops->reopen_forget(p, data);
}

unsigned port_reopen_next(struct channel *ch, unsigned after, const struct rights *who)
{
	struct port_list *list = port_list_of(ch);
	struct port *p;

	if (list)
		TAILQ_FOREACH(p, &list->ports, entry)
			if (p->id > after && !p->over && p->ops->reopen && port_reopen_may(p, who))
				return p->id;
	return 0;
}
