#include "client-groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "control-client.h"
#include "errand.h"
#include "peer.h"

/* What the thread works with: it waits for nobody, so the client, and its socket, stay that long. */
struct groups_reading {
	struct errand errand;
	struct client *client;
	int socket;
	struct rights rights; /* of which the groups alone */
	int err;
};

static void groups_reading_run(struct errand *e)
{
	struct groups_reading *g = container_of(e, struct groups_reading, errand);

	g->err = peer_groups(g->socket, &g->rights);
}

static void groups_reading_free(struct errand *e)
{
	struct groups_reading *g = container_of(e, struct groups_reading, errand);

	rights_finish(&g->rights);
	free(g);
}

static void groups_reading_done(struct errand *e);

/* Returns 0 or a negative errno. */
static int groups_reading_start(struct client *cl)
{
	struct groups_reading *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return -ENOMEM;
	g->client = cl;
	g->socket = cl->fd;
	g->errand.run = groups_reading_run;
	g->errand.done = groups_reading_done;
	g->errand.free = groups_reading_free;
	g->errand.loop = cl->clients->ctx->loop;
	g->errand.uid = cl->view.closer;
	err = errand_start(&g->errand, 0);
	if (err < 0)
		free(g);
	else
		cl->groups = CLIENT_GROUPS_READ;
	return err;
}

/* Of @user's clients, the one whose turn it is. NULL: none waits, or one is being read. */
static struct client *client_groups_next(struct clients *c, uid_t user)
{
	struct client *cl, *next = NULL;

	LIST_FOREACH(cl, &c->all, entry) {
		if (cl->view.closer != user || cl->groups == CLIENT_GROUPS_KNOWN)
			continue;
		if (cl->groups == CLIENT_GROUPS_READ)
			return NULL;
		next = cl; /* the last one has come first */
	}
	return next;
}

static void client_groups_are_known(struct client *cl, int err)
{
	cl->groups = CLIENT_GROUPS_KNOWN;
	control_client_known(cl, err);
}

static void client_groups_go_on(struct clients *c, uid_t user)
{
	struct client *cl;

	while ((cl = client_groups_next(c, user))) {
		int err = groups_reading_start(cl);

		if (err < 0)
			client_groups_are_known(cl, err);
	}
}

static void groups_reading_done(struct errand *e)
{
	struct groups_reading *g = container_of(e, struct groups_reading, errand);
	struct client *cl = g->client;
	struct clients *c = cl->clients;
	uid_t user = cl->view.closer;

	cl->rights.groups = g->rights.groups;
	cl->rights.count = g->rights.count;
	g->rights = (struct rights){ 0 };
	client_groups_are_known(cl, g->err);
	client_groups_go_on(c, user);
}

void client_groups_read(struct client *cl)
{
	ssize_t count = peer_count_groups(cl->fd);

	if (count < 0) {
		client_groups_are_known(cl, (int)count);
	} else if (count <= CLIENT_GROUPS_FEW) {
		client_groups_are_known(cl, peer_groups(cl->fd, &cl->rights));
	} else {
		cl->groups = CLIENT_GROUPS_WAIT;
		client_groups_go_on(cl->clients, cl->view.closer);
	}
}
