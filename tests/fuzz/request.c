/*
 * A request of the control socket, as any client may send it. The requests are the daemon's, and so is the table of
 * names that they ask about; what they ask for is this file's: it looks at what it is given, and answers at once, later,
 * or once it is cancelled.
 *
 * Every request is answered once, by what is JSON; what was passed with it is taken or closed; nothing is left.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "deferred-close.h"
#include "log.h"
#include "prologue.h"
#include "reload.h"
#include "request.h"

/* What comes with a message; no such descriptor is open. */
#define PASSED_FD 1000000

/* What is asked for does then. */
enum request_way { ANSWER, FAIL, WAIT, WAYS };

static struct context ctx;
static struct rights rights;
static enum request_way way;
static struct request request;
static struct request_view view;
static struct node *shown;
static unsigned answers, closed, taken;

/* ---- what is asked for ---- */

static struct attach *attach_waits;
static struct ports_ask *ports_wait;
static struct port_wait *port_waits;
static struct settings_ask *settings_wait;
static void (*reload_waits)(void *data, json_t *answer);

static void request_check_node(const struct node *node, bool mount)
{
	bool below = !view.confined;

	for (const struct node *dir = node->parent; dir; dir = dir->parent)
		below |= dir->id == view.folder;
	fuzz_check(below, "out of the folder that is all there is to be seen");
	fuzz_check(node == ctx.nodes.root ? mount : node->kind == NODE_FIFO && !node->pending, "of node %ju",
		   (uintmax_t)node->id);
	for (const struct node *dir = node->parent; dir && (!view.confined || dir->id != view.folder);
	     dir = dir->parent)
		fuzz_check(access_check(&rights, dir->inode, 1) == 0, "below a folder that is shut");
}

static void attach_end(struct attach *a, int err)
{
	attach_waits = NULL;
	a->err = err;
	a->id = 7;
	strcpy(a->why, err < 0 ? "no" : "");
	rights_finish(&a->rights);
	a->done(a);
}

void attach_start(struct attach *a)
{
	request_check_node(a->node, false);
	fuzz_check(!a->text == (a->fd == PASSED_FD), "a URI %s, descriptor %d", a->text ? a->text : "-", a->fd);
	fuzz_check(a->dir == PORT_SOURCE || a->dir == PORT_SINK, "%d", (int)a->dir);
	fuzz_check(a->rights.uid == rights.uid && a->rights.count == rights.count, "not with the rights of who asks");
	taken += a->fd >= 0;
	attach_waits = a;
	if (way != WAIT)
		attach_end(a, way == FAIL ? -EACCES : 0);
}

void attach_cancel(struct attach *a)
{
	fuzz_check(a == attach_waits, "it had been answered");
}

static bool ports_told; /* they are what was asked for */

static void ports_end(struct ports_ask *a, int err)
{
	ports_wait = NULL;
	a->err = err;
	a->why = err < 0 ? "no" : NULL;
	a->ports = err < 0 || !ports_told ? NULL : json_array();
	a->done(a);
}

static void ports_ask(struct ports_ask *a)
{
	fuzz_check(a->inode && a->done, "it asks for nothing");
	ports_wait = a;
	if (way != WAIT)
		ports_end(a, way == FAIL ? -ENOENT : 0);
}

void ports_tell(struct ports_ask *a)
{
	fuzz_check(!a->id, "of port %u alone", a->id);
	ports_told = true;
	ports_ask(a);
}

void ports_detach(struct ports_ask *a, const struct rights *r)
{
	fuzz_check(a->id && r == &rights, "of port %u", a->id);
	ports_told = false;
	ports_ask(a);
}

void ports_reopen(struct ports_ask *a, const struct rights *r)
{
	fuzz_check(r == &rights, "by whom?");
	ports_told = false;
	ports_ask(a);
}

void ports_forget(struct ports_ask *a)
{
	fuzz_check(a == ports_wait, "it had been answered");
}

int ports_may_tell(const struct rights *r, const struct inode *inode)
{
	return access_check(r, inode, 4) == 0 || access_check(r, inode, 2) == 0 ? 0 : -EACCES;
}

static void port_wait_end(struct port_wait *w, int err)
{
	port_waits = NULL;
	w->ask.err = err;
	w->ask.why = err < 0 ? "no" : NULL;
	w->ask.ports = err < 0 ? NULL : json_pack("[{}]");
	w->done(w);
}

void port_wait_start(struct port_wait *w, uint64_t nsec)
{
	fuzz_check(w->ask.id && nsec <= UINT64_C(1000000) * INT32_MAX + 1, "port %u, %ju ns", w->ask.id,
		   (uintmax_t)nsec);
	port_waits = w;
	if (way != WAIT)
		port_wait_end(w, way == FAIL ? -ENOENT : 0);
}

void port_wait_cancel(struct port_wait *w)
{
	fuzz_check(w == port_waits, "it had been answered");
}

static void settings_end(struct settings_ask *a, int err)
{
	char *prologue = a->prologue;

	settings_wait = NULL;
	a->err = err;
	if (err < 0)
		strcpy(a->why, "no");
	a->done(a);
	free(prologue);
}

void settings_set(struct settings_ask *a, const struct rights *r)
{
	unsigned count = 0;

	fuzz_check(r == &rights, "not with the rights of who asks");
	request_check_node(a->node, true);
	for (int key = 0; key < SETTINGS; key++) {
		count += a->has[key];
		fuzz_check(!a->has[key] || (settings_has(&ctx, a->node, (enum setting_key)key) &&
					    a->value[key] >= settings_table[key].min &&
					    prologue_size(a->value[key]) <= settings_table[key].max),
			   "%s: %ju", settings_table[key].name, (uintmax_t)a->value[key]);
	}
	fuzz_check(count, "nothing is set");
	settings_wait = a;
	if (way != WAIT)
		settings_end(a, way == FAIL ? -EDQUOT : 0);
}

void settings_flush(struct settings_ask *a, const struct rights *r)
{
	fuzz_check(r == &rights, "not with the rights of who asks");
	request_check_node(a->node, false);
	settings_wait = a;
	if (way != WAIT)
		settings_end(a, way == FAIL ? -EACCES : 0);
}

void settings_get(struct settings_ask *a)
{
	request_check_node(a->node, true);
	for (int key = 0; key < SETTINGS; key++) {
		a->has[key] = settings_has(&ctx, a->node, (enum setting_key)key);
		a->value[key] = settings_table[key].max;
	}
	settings_wait = a;
	if (way != WAIT)
		settings_end(a, way == FAIL ? -ENOENT : 0);
}

static struct tee_request *tee_waits;

bool tee_is_allowed(const struct rights *r, const struct inode *inode)
{
	return access_check(r, inode, 2) == 0;
}

int tee_place(struct tee_request *t, const struct rights *r, const char *path)
{
	fuzz_check(r == &rights && path && t->node->kind == NODE_FIFO, "a tap %s", path);
	t->dir = ctx.nodes.root;
	t->name = path;
	return *path ? 0 : -EEXIST;
}

int tee_set(struct tee_request *t, const char *name, const char *text)
{
	fuzz_check(*name && text, "a setting '%s'", name);
	return setting_find(name) < 0 ? -EINVAL : 0;
}

static void tee_end(struct tee_request *t, int err)
{
	tee_waits = NULL;
	t->err = err;
	t->done(t);
}

int tee_start(struct tee_request *t, const struct rights *r)
{
	fuzz_check(t->dir && t->name && r == &rights, "of no place");
	if (way == FAIL)
		return -EDQUOT;
	tee_waits = t;
	if (way == ANSWER)
		tee_end(t, 0);
	return 0;
}

static struct events_watch *events_watch;

int events_start(struct events_watch *w)
{
	if (way == FAIL)
		return -EDQUOT;
	events_watch = w;
	return 0;
}

void events_stop(struct events_watch *w)
{
	fuzz_check(w == events_watch, "it watches nothing");
	events_watch = NULL;
}

void reload_start(struct context *c, void (*done)(void *data, json_t *answer), void *data)
{
	fuzz_check(rights.uid == 0 && !view.confined, "by user %u", rights.uid);
	if (way == WAIT)
		reload_waits = done;
	else
		done(data, way == FAIL ? NULL : json_object());
}

/* Of the linker: the library's own is not taken. */
void __wrap_deferred_close(int *fd, uid_t uid);

void __wrap_deferred_close(int *fd, uid_t uid)
{
	fuzz_check(*fd == -1 || *fd == PASSED_FD, "%d", *fd);
	closed += *fd >= 0;
	*fd = -1;
}

/* ---- who asks ---- */

static void request_look(json_t *answer, bool last)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	const char *error = json_string_value(json_object_get(answer, "error"));

	fuzz_check(!answer || (text && json_is_object(answer)), "this is no answer");
	fuzz_check(!json_object_get(answer, "errno") == !error, "an error without a reason: %s", text);
	fuzz_check(!error || *error, "an empty reason: %s", text);
	fuzz_check(last || !error, "an error, and more: %s", text);
	free(text);
	json_decref(answer);
}

static void request_done(struct request *r, json_t *answer)
{
	answers++;
	request_look(answer, true);
}

static void request_more(struct request *r, json_t *answer)
{
	fuzz_check(!answers, "more behind the last answer");
	request_look(answer, false);
}

/* What has kept its answer back gives it. */
static void request_end_waiting(void)
{
	if (attach_waits)
		attach_end(attach_waits, -EINTR);
	else if (ports_wait)
		ports_end(ports_wait, -ENOTCONN);
	else if (port_waits)
		port_wait_end(port_waits, -ENOTCONN);
	else if (settings_wait)
		settings_end(settings_wait, 0);
	else if (tee_waits)
		tee_end(tee_waits, -EMFILE);
	else if (reload_waits)
		reload_waits(&request, NULL);
	else if (events_watch)
		events_watch->happened(events_watch, json_pack("{ss}", "event", "gone"), true);
	reload_waits = NULL;
}

/* ---- the mount ---- */

static struct node *mount_make(struct node *dir, const char *name, mode_t mode, struct inode *inode)
{
	enum node_kind kind = S_ISDIR(mode) ? NODE_DIR : NODE_FIFO;
	struct node *node = node_create(&ctx.nodes, kind, inode, mode, 0, 0);

	fuzz_check(node && node_attach(&ctx.nodes, node, dir, name) == 0, "out of memory");
	if (kind == NODE_FIFO && !inode)
		node->inode->origin = node;
	return node;
}

/* /c and its tap /t; /p, pending; /d/c; /x/c in a folder, and /s itself, that are shut for others than root. */
static void mount_start(void)
{
	struct node *c, *dir;

	log_set_level(-1);
	fuzz_check(node_table_init(&ctx.nodes, 0755, 0, 0) == 0, "out of memory");
	ctx.mountpoint = "/m";
	c = mount_make(ctx.nodes.root, "c", S_IFIFO | 0666, NULL);
	mount_make(ctx.nodes.root, "t", S_IFIFO | 0666, c->inode)->maker = 1000;
	mount_make(ctx.nodes.root, "p", S_IFIFO | 0666, NULL)->pending = true;
	mount_make(ctx.nodes.root, "s", S_IFIFO | 0600, NULL);
	dir = mount_make(ctx.nodes.root, "d", S_IFDIR | 0755, NULL);
	mount_make(dir, "c", S_IFIFO | 0666, NULL);
	shown = dir;
	dir = mount_make(ctx.nodes.root, "x", S_IFDIR | 0700, NULL);
	mount_make(dir, "c", S_IFIFO | 0666, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned flags = fuzz_byte(&in);
	bool passed = flags & 4, cancelled = flags & 8;

	if (!ctx.nodes.root)
		mount_start();
	way = (enum request_way)((flags & 3) % WAYS);
	rights = (struct rights){ .uid = flags & 16 ? 1000 : 0,
				  .gid = flags & 16 ? 1000 : 0,
				  .caps = flags & 16 ? 0 : RIGHTS_ALL };
	ctx.leaving = flags & 32;
	view = (struct request_view){ .confined = flags & 64, .folder = (flags & 192) == 192 ? shown->id : 0 };
	answers = closed = taken = 0;
	request = (struct request){
		.ctx = &ctx,
		.rights = &rights,
		.process = -1,
		.view = &view,
		.shown = { .ino = passed ? shown->inode->ino : 0 },
		.fd = passed ? PASSED_FD : -1,
		.done = request_done,
		.more = request_more,
	};
	request_start(&request, (const char *)in.at, in.left);
	fuzz_check(answers <= 1, "%u answers", answers);
	if (!answers && cancelled)
		request_cancel(&request);
	if (!answers)
		request_end_waiting();
	fuzz_check(answers == 1, "%u answers", answers);
	fuzz_check(closed + taken == passed, "%u closed and %u taken", closed, taken);
	fuzz_check(!events_watch, "it goes on watching");
	fuzz_check(!view.folder || (view.confined && view.folder == shown->id), "in a folder that was not shown");
	return 0;
}
