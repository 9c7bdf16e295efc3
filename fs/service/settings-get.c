#include "settings-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"

/* What the kernel gives a FIFO (pipe(7)). */
#define FIFO_SIZE 65536

static int settings_copy_prologue(struct settings_ask *a)
{
	const struct prologue *p = &hold_channel(&a->hold)->prologue;

	a->prologue = malloc(p->len);
	if (!a->prologue)
		return -ENOMEM;
	memcpy(a->prologue, p->bytes, p->len);
	return 0;
}

static void settings_work_get(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	for (int key = 0; a->err == 0 && key < SETTINGS; key++)
		if (a->has[key])
			a->err = channel_get(hold_channel(&a->hold), a->tap, (enum setting_key)key, &a->value[key]);
	if (a->err == 0 && a->has[SETTING_PROLOGUE] && (a->value[SETTING_PROLOGUE] & PROLOGUE_GIVEN))
		a->err = settings_copy_prologue(a);
	if (a->err < 0)
		settings_refuse(a, a->err, "%s", strerror(-a->err));
}

/* Of a ring that nobody has open, its size is what it will be. */
static void settings_ring_looked_at(struct ring_resize *ring)
{
	struct settings_ask *a = container_of(ring, struct settings_ask, ring);

	a->size_unknown = ring->err < 0;
	if (ring->granted > 0)
		a->value[SETTING_SIZE] = (uint64_t)ring->granted;
	else if (!a->value[SETTING_SIZE])
		a->value[SETTING_SIZE] = FIFO_SIZE;
	settings_end(a);
}

static void settings_look(struct settings_ask *a)
{
	if (a->err == 0 && settings_plain(a->node))
		ring_resize_start(&a->ring, &a->hold, 0, a->until, settings_ring_looked_at);
	else
		settings_end(a);
}

void settings_get(struct settings_ask *a)
{
	struct context *ctx = a->ctx;

	a->err = settings_begin(a);
	if (a->err < 0) {
		settings_end(a);
		return;
	}
	for (int key = 0; key < SETTINGS; key++)
		a->has[key] = settings_has(ctx, a->node, (enum setting_key)key);
	if (hold_stands(&a->hold)) {
		a->err = settings_refuse(a, -ETIMEDOUT, "the channel's worker does not answer");
		settings_end(a);
		return;
	}
	if (hold_channel(&a->hold)) {
		settings_post(a, settings_work_get, settings_look);
		return;
	}
	memcpy(a->value, ctx->defaults.value, sizeof(a->value));
	a->value[SETTING_PACKETS] = a->node->inode->packets;
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		a->value[setting_of_resource(of)] = ctx->quotas.of[of].preset;
	settings_look(a);
}
