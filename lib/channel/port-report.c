#include "port-report.h"

#include <stdio.h>
#include <stdlib.h>

const char *port_state_name(enum port_state state)
{
	static const char *const names[] = {
		[PORT_WAITING] = "waiting",   [PORT_RUNNING] = "running", [PORT_LISTENING] = "listening",
		[PORT_RETRYING] = "retrying", [PORT_DONE] = "done",       [PORT_FAILED] = "failed",
	};

	return names[state];
}

void port_report_how(struct port_report *r, const char *how)
{
	snprintf(r->how, sizeof(r->how), "%s", how);
}

void port_report_finish(struct port_report *r)
{
	free(r->uri);
	free(r->format);
	free(r->file);
	free(r->error);
}
