#include "opened.h"

#include "deferred-close.h"

void opened_close(struct opened *o, uid_t uid)
{
	if (o->ops)
		o->ops->close(o->state);
	else
		deferred_close(&o->fd, uid);
	*o = OPENED_NONE;
}
