/*
 * A request through the control socket: one JSON object, answered by one.
 *
 *   {"op": "attach", "channel": PATH, "dir": "source" | "sink", "uri": URI}   {"id": N}
 *       a descriptor passed along takes the place of "uri"
 *   {"op": "detach", "channel": PATH, "id": N}                                {}
 *   {"op": "reopen", "channel": PATH, "id": N}                                {}
 *       a file sink goes on in the file that its path names now; without "id" all
 *   {"op": "ports", "channel": PATH}                                          {"ports": [...]}
 *   {"op": "wait", "channel": PATH, "id": N, "timeout": MILLISECONDS}         {"port": {...}}
 *       once the port has ended, or as it is after "timeout", where that is given
 *   {"op": "tee", "channel": PATH, "name": PATH, "each": true, "settings": {NAME: VALUE...}}  {}
 *       "each", for a broadcast name, and "settings", which it has before it is seen, may be missing; the name is relative to
 *       the channel's folder, or absolute and inside the mount
 *   {"op": "set", "channel": PATH, "settings": {NAME: VALUE...}}              {}
 *       all values are looked at before the first is set
 *   {"op": "get", "channel": PATH}                                            {"settings": {NAME: VALUE...}}
 *       "size" is null where who has the channel open keeps its ring locked
 *   {"op": "flush", "channel": PATH}                                          {}
 *       what waits in the tap goes, or for a channel's first name what it replays
 *   {"op": "quota"}                                                           {"quotas": [...]}, see accounts.h
 *   {"op": "watch", "channel": PATH}                                          {}
 *       and then an object each time that something happens, until the client goes; the last is {"event": "gone"}
 *   {"op": "enter", "folder": PATH}                                           {}
 *       with an O_PATH descriptor of that folder, the first request of who is confined (control-socket.h): from here on, the
 *       root of every PATH is that folder, and requests without a channel, or about the mount, are refused
 *   {"op": "reload"}                                                          {"applied": [...], "not": [...]}
 *       the configuration (reload.h), for root and the daemon's own user
 *
 * PATH is the channel's from the mount's root, with bytes that are not UTF-8 as text_to_utf8() has them; to set and get,
 * "/" is the mount. What fails is answered {"errno": NAME, "error": TEXT} (json_of_error()).
 */
#pragma once

#include "attach.h"
#include "events.h"
#include "port-wait.h"
#include "reception.h"
#include "settings.h"
#include "tee.h"

/* What of the mount who asks gets to see; it stays from one request to the next. */
struct request_view {
	uid_t closer; /* on whose account what he passes is closed: root's in a container is not root's */
	bool confined;
	uint64_t folder; /* if confined: the node of the folder that it has shown; 0: none yet */
};

/* The account of closings of who is confined or not: nobody has the number of root who is confined. */
static inline uid_t request_closer(uid_t uid, bool confined)
{
	return confined && uid == 0 ? (uid_t)-2 : uid;
}

struct request {
	/* Set before request_start(). */
	struct context *ctx;
	const struct rights *rights; /* who asks; kept until done() */
	int process;                 /* who asks (rights.h); kept likewise. Negative: it is not known */
	struct request_view *view;
	struct file_id shown; /* what the descriptor is of */
	int fd;               /* what was passed; taken. -1: nothing */
	/* Exactly once, perhaps at once. Takes @answer, which is NULL when out of memory. */
	void (*done)(struct request *r, json_t *answer);
	/* Answers that come before the last one, which is done()'s. Takes @answer; sends it, or counts it as lost. */
	void (*more)(struct request *r, json_t *answer);
	/*
	 * The answer is @answer, taken, though what it is about is still under way: done() follows, some day, with what
	 * nobody waits for any more.
	 */
	void (*late)(struct request *r, json_t *answer);

	/* Private: */
	json_t *json;
	void (*cancel)(struct request *r);
	union {
		struct attach attach;
		struct ports_ask ask;
		struct port_wait wait;
		struct settings_ask settings;
		struct tee_request tee;
		struct events_watch watch;
	};
};

void request_start(struct request *r, const char *text, size_t len);

/* Nobody waits for the answer any more: done() follows, perhaps at once. */
void request_cancel(struct request *r);
