/*
 * A chunk's way from the origin to every tap; an only tap gets it without the way through the stage, unless it is to be kept
 * for replay or must be of the size of a step. What is copied loses the bounds of messages. The length asked for is larger
 * than any ring: only whole references move.
 */
#include "channel-parts.h"

#include <errno.h>
#include <string.h>

#include "broadcast.h"
#include "log.h"
#include "pipe.h"
#include "sys.h"
#include "worker.h"

/* From the stage into memory; as it is, where the kernel refuses. Returns whether it was copied. */
static bool channel_copy_chunk(struct channel *ch, struct chunk *chunk)
{
	struct worker *w = ch->worker;
	size_t got = 0;
	ssize_t n = 1;

	while (got < chunk->len && n > 0) {
		n = sys.read(w->stage.rd, w->buffer + got, chunk->len - got);
		got += n > 0 ? (size_t)n : 0;
	}
	if (!got)
		return false;
	if (got < chunk->len) {
		log_user_err(ch->user, "%s: lost %zu bytes: %s", ch->label, chunk->len - got,
			     strerror(n < 0 ? (int)-n : EIO));
		ch->lost += chunk->len - got;
		ch->seen -= chunk->len - got < ch->seen ? chunk->len - got : ch->seen;
		worker_clear_stage(w, chunk->len - got);
	}
	chunk->stage = -1;
	chunk->mem = w->buffer;
	chunk->len = got;
	ch->line_ended = w->buffer[got - 1] == '\n';
	return true;
}

/* How what comes next begins. */
static struct chunk_start channel_chunk_start(const struct channel *ch)
{
	uint64_t record = channel_record(ch), past = record_past(record, ch->position);

	return (struct chunk_start){
		.ahead = record_has_size(record) && past ? (size_t)(record - past) : 0,
		.loose = past && record == RECORD_LINE && !ch->line_ended,
		.first = !ch->position,
	};
}

static void channel_keep_prologue(struct channel *ch, const struct chunk *chunk)
{
	int err = prologue_take(&ch->prologue, chunk);

	if (err < 0)
		log_user_err(ch->user, "%s: this stream has no prologue: %s", ch->label, pipe_error(err));
}

static void channel_count(struct channel *ch, size_t bytes)
{
	ch->bytes_in += bytes;
	ch->position += bytes;
	ch->line_ended = false;
}

ssize_t channel_move_chunk(struct channel *ch, size_t waiting)
{
	struct worker *w = ch->worker;
	struct chunk chunk = { .stage = w->stage.rd, .sink = w->null };
	struct tap *tap = TAILQ_FIRST(&ch->taps);
	bool packets = ch->settings.value[SETTING_PACKETS];
	bool awaits = broadcasts_await(ch), begins = prologue_wants(&ch->prologue, ch->position);
	bool staged = !tap || TAILQ_NEXT(tap, entry) || ch->replay.size || ch->rate_limit.rate || awaits || begins;
	ssize_t n;

	chunk.start = channel_chunk_start(ch);

	if ((waiting >= SMALL_CHUNK || packets) && !staged) {
		n = tap_move(tap, ch->in, waiting, chunk.start);
		if (n > 0) {
			channel_count(ch, (size_t)n);
			ch->chunks_ref++;
			return n;
		}
		if (tap->stalled)
			return n;
	}
	n = sys.splice(ch->in, w->stage.wr, 1 << 30);
	if (n <= 0)
		return n;
	chunk.len = (size_t)n;
	if (awaits && watcher_has_news(&w->watcher)) /* (they begin where it does) */
		broadcasts_admit(ch);
	channel_count(ch, chunk.len);
	if (n < SMALL_CHUNK && !packets && channel_copy_chunk(ch, &chunk))
		ch->chunks_copy++;
	else
		ch->chunks_ref++;
	if (begins)
		channel_keep_prologue(ch, &chunk);
	TAILQ_FOREACH(tap, &ch->taps, entry)
		tap_take(tap, &chunk);
	if (TAILQ_EMPTY(&ch->taps))
		broadcasts_miss(ch, chunk.len);
	if (replay_take(&ch->replay, &chunk) < 0)
		log_user_err(ch->user, "%s: the replay has lost what it had", ch->label);
	if (chunk.stage >= 0)
		worker_clear_stage(w, chunk.len);
	replay_trim(&ch->replay, w, channel_record(ch));
	return (ssize_t)chunk.len;
}
