#include "sink-options.h"

#include <errno.h>

#include "channel.h"
#include "port-stream.h"

/* Seconds, where on-error says retry and nobody says when. */
#define RETRY_SECONDS 1

#define UNSAID UINT64_MAX

static int sink_options_parse(enum setting_key key, const char *text, uint64_t *value)
{
	char why[SETTING_TEXT_MAX];

	return setting_parse(key, text, value, why);
}

static int sink_options_parse_on_error(const struct uri_option *option, const char *text, uint64_t *value)
{
	return sink_options_parse(SETTING_ON_ERROR, text, value);
}

static int sink_options_parse_policy(const struct uri_option *option, const char *text, uint64_t *value)
{
	return sink_options_parse(SETTING_POLICY, text, value);
}

static int sink_options_parse_depth(const struct uri_option *option, const char *text, uint64_t *value)
{
	return sink_options_parse(SETTING_DEPTH, text, value);
}

const struct uri_option sink_on_error = {
	.name = "on-error",
	.dirs = PORT_SINKS,
	.parse = sink_options_parse_on_error,
	.what = "discard, hold or retry",
	.preset = ON_ERROR_AUTO,
};

const struct uri_option sink_retry = {
	.name = "retry",
	.dirs = PORT_SINKS,
	.parse = uri_option_number,
	.what = "seconds",
	.max = URI_SECONDS_MAX,
};

const struct uri_option sink_policy = {
	.name = "policy",
	.dirs = PORT_SINKS,
	.parse = sink_options_parse_policy,
	.what = "block, drop-new or drop-old",
	.preset = UNSAID,
};

const struct uri_option sink_depth = {
	.name = "depth",
	.dirs = PORT_SINKS,
	.parse = sink_options_parse_depth,
	.what = "a size",
	.preset = UNSAID,
};

static uint64_t sink_options_seconds(const struct uri *uri)
{
	uint64_t seconds = uri_value(uri, &sink_retry);

	return seconds ? seconds : uri_value(uri, &stream_retry);
}

int sink_options_check(const struct uri *uri, char why[URI_WHY_MAX])
{
	uint64_t on_error = uri_value(uri, &sink_on_error);

	if ((on_error != ON_ERROR_DISCARD && on_error != ON_ERROR_HOLD) || !sink_options_seconds(uri))
		return 0;
	return uri_refuse(why, -EINVAL, "option 'retry': it goes with on-error=retry alone");
}

int sink_options_limit(struct port_config *config, bool private, char why[URI_WHY_MAX])
{
	uint64_t policy = uri_value(&config->uri, &sink_policy), depth = uri_value(&config->uri, &sink_depth);
	uint64_t rate = uri_value(&config->uri, &uri_rate);
	uint64_t *settings = config->limits.settings.value;

	if (!private && (policy != UNSAID || depth != UNSAID))
		return uri_refuse(why, -EINVAL,
				  "policy and depth of a tap that has a name are its own: set them there");
	if (policy == POLICY_BLOCK && !config->holds)
		return uri_refuse(why, -EACCES, "policy: who may not write the channel cannot hold its writer back");
	if (policy != UNSAID)
		settings[SETTING_POLICY] = policy;
	if (depth != UNSAID)
		settings[SETTING_DEPTH] = depth;
	if (rate)
		settings[SETTING_RATE] = rate;
	return 0;
}

/* What the channel or the tap says of its sinks that do not say it themselves. */
static enum on_error sink_options_setting(const struct port *p)
{
	const struct channel *ch = p->channel;
	const struct tap *tap = channel_find_tap(ch, p->config.node);
	uint64_t value = (tap ? &tap->settings : &ch->settings)->value[SETTING_ON_ERROR];

	if (value != ON_ERROR_AUTO)
		return (enum on_error)value;
	return p->config.node == ch->origin.id ? ON_ERROR_DISCARD : ON_ERROR_HOLD;
}

enum on_error sink_options_on_error(const struct port *p)
{
	const struct uri *uri = &p->config.uri;
	uint64_t said = uri_value(uri, &sink_on_error);

	if (said == ON_ERROR_AUTO && sink_options_seconds(uri))
		return ON_ERROR_RETRY;
	if (said != ON_ERROR_AUTO)
		return (enum on_error)said;
	return p->config.dir == PORT_SINK ? sink_options_setting(p) : ON_ERROR_HOLD;
}

uint64_t sink_options_retry(const struct port *p)
{
	uint64_t seconds = sink_options_seconds(&p->config.uri);

	return seconds ? seconds : RETRY_SECONDS;
}
