/* Settings of a channel and its taps, as they change. */
#include "channel-parts.h"

#include <errno.h>

int channel_set(struct channel *ch, uint64_t id, enum setting_key key, uint64_t value)
{
	struct tap *tap = id ? channel_find_tap(ch, id) : NULL;

	if (id && !tap)
		return -ENOENT;
	if (!(settings_table[key].of & (id ? SETTING_OF_TAP : SETTING_OF_CHANNEL)))
		return -EINVAL;
	(tap ? &tap->settings : &ch->settings)->value[key] = value;
	return 0;
}

int channel_get(const struct channel *ch, uint64_t id, enum setting_key key, uint64_t *value)
{
	const struct tap *tap = id ? channel_find_tap(ch, id) : NULL;

	if (id && !tap)
		return -ENOENT;
	if (!(settings_table[key].of & (id ? SETTING_OF_TAP : SETTING_OF_CHANNEL)))
		return -EINVAL;
	*value = (tap ? &tap->settings : &ch->settings)->value[key];
	return 0;
}
