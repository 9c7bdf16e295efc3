#include "number.h"

#include <string.h>

#include "fifo.h"

void number_forget(struct context *ctx, uint64_t id)
{
	char name[FIFO_NAME_MAX];

	fifo_name(name, id);
	fuse_lowlevel_notify_inval_entry(ctx->session, ctx->numbers->id, name, strlen(name));
}
