/* What the files of requests share: nobody else calls these. */
#pragma once

#include "request.h"

/* Answers, with @answer, which it takes. */
void request_finish(struct request *r, json_t *answer);

/* Answers that it fails with @err, and logs it: for what nobody else has logged. */
void request_refuse(struct request *r, int err, const char *text);

/* The channel that the caller names. NULL: refused. */
struct node *request_find(struct request *r, const char *path);

/* Whether the caller may be told what goes on in the channel; else refused. */
bool request_may_tell(struct request *r, const struct node *node);

/* request-watch.c */
void request_watch(struct request *r);

/* request-settings.c */
void request_set(struct request *r);
void request_get(struct request *r);
void request_quota(struct request *r);
