#include "flow.h"

const char *flow_word(enum flow flow)
{
	static const char *const words[FLOWS] = {
		[FLOW_IDLE] = "idle",
		[FLOW_OPEN] = "open",
		[FLOW_FLOWING] = "flowing",
		[FLOW_WRITER] = "waiting for writer",
		[FLOW_READER] = "waiting for reader",
		[FLOW_BLOCKED] = "blocked",
		[FLOW_BLOCKS] = "blocks the writer",
		[FLOW_DROPS] = "drops",
		[FLOW_LIMITED] = "rate limited",
		[FLOW_STARVED] = "out of resources",
		[FLOW_STANDS] = "worker stands",
		[FLOW_STUCK] = "stuck",
		[FLOW_ENDED] = "ended",
	};

	return words[flow];
}
