/*
 * The flow of a stream: what a channel, a tap or a port is at, in a few words that are the same wherever they are shown.
 *
 * It is so at one moment: a stream that runs waits for its writer or for a reader most of the time.
 */
#pragma once

enum flow {
	FLOW_IDLE,    /* no stream yet */
	FLOW_OPEN,    /* the kernel moves the bytes, and somebody has either side open */
	FLOW_FLOWING, /* bytes are on their way */
	FLOW_WRITER,  /* all of it is with the readers */
	FLOW_READER,  /* who reads has bytes to read, or is to come; the writer goes on meanwhile */
	FLOW_BLOCKED, /* of a channel: bytes wait in it for a tap that is full */
	FLOW_BLOCKS,  /* of that tap, or of the sink that reads it */
	FLOW_DROPS,   /* full, a tap drops */
	FLOW_LIMITED, /* by the rate that was set */
	FLOW_STARVED, /* no descriptors, no memory, or the kernel refuses */
	FLOW_STANDS,  /* the worker does not answer */
	FLOW_STUCK,   /* nothing would wake it, a fault */
	FLOW_ENDED,   /* the latest stream is over, and all of it with the readers */
};
#define FLOWS (FLOW_ENDED + 1)

/* "idle", "blocks the writer" ...: static, in English. */
const char *flow_word(enum flow flow);
