/*
 * What every sink may be told, whatever its kind: what becomes of what it has not moved when it fails, and how its private
 * tap is. What is not written is the channel's or the tap's to say (setting.h), or the attacher's limits.
 */
#pragma once

#include "port-ops.h"
#include "uri-option.h"

/*
 * on-error=discard|hold|retry, retry=SECONDS, and of the private tap policy=, depth= and rate= (uri-option.h). Kinds that
 * connect have stream_retry instead of sink_retry, for their sources have it as well.
 */
extern const struct uri_option sink_on_error, sink_retry, sink_policy, sink_depth;

/* Those of kinds whose sinks are one end, and fail with it. */
#define SINK_OPTIONS &sink_on_error, &sink_policy, &sink_depth, &uri_rate

/* Whether they go together. Returns 0, or -EINVAL with the reason in @why. */
int sink_options_check(const struct uri *uri, char why[URI_WHY_MAX]);

/*
 * Puts policy, depth and rate into config->limits. @private: the sink has taps of its own. Returns 0, or with the reason in
 * @why -EINVAL (the tap has a name, and settings of its own) or -EACCES (policy: who attaches may not hold the writer back).
 */
int sink_options_limit(struct port_config *config, bool private, char why[URI_WHY_MAX]);

/* What becomes of @p when it fails: never ON_ERROR_AUTO. Of a source RETRY or HOLD. */
enum on_error sink_options_on_error(const struct port *p);

/* For ON_ERROR_RETRY: seconds until it tries again. */
uint64_t sink_options_retry(const struct port *p);
