/* What the files of requests share: nobody else calls these. */
#pragma once

#include "request.h"

/* Answers, with @answer, which it takes. */
void request_finish(struct request *r, json_t *answer);

/* Answers that it fails with @err, and logs it: for what nobody else has logged. */
void request_refuse(struct request *r, int err, const char *text);

/* With -ETIMEDOUT. */
#define REQUEST_LATE "the channel's worker does not answer; the log may say what it waits for"

/* Answers that the channel's worker does not come to it; the request is over when request_finish() is called, too. */
void request_late(struct request *r);

/*
 * Unpacks what the request says besides its op and channel, as json_unpack(3) does; every member must be taken. Returns
 * false where it is not so: refused.
 */
bool request_unpack(struct request *r, const char *format, ...);

/*
 * The ops. @node: the name of the channel that is asked for, which the caller may find; where the table says so, whose
 * state they may be told, or the mount's root; NULL for ops about neither.
 */
void request_attach(struct request *r, struct node *node);
void request_detach(struct request *r, struct node *node);
void request_reopen(struct request *r, struct node *node);
void request_tee(struct request *r, struct node *node);
void request_ports(struct request *r, struct node *node);
void request_wait(struct request *r, struct node *node);
void request_set(struct request *r, struct node *node);
void request_get(struct request *r, struct node *node);
void request_flush(struct request *r, struct node *node);
void request_quota(struct request *r, struct node *node);
void request_watch(struct request *r, struct node *node);
void request_reload(struct request *r, struct node *node);
void request_enter(struct request *r, struct node *node);
