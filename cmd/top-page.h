/* Lines of text that cover the list of spfs top: its keys, or all there is to know of a channel. */
#pragma once

#include "top-rows.h"

enum top_page_kind { TOP_LIST, TOP_HELP, TOP_DETAILS };

struct top_page {
	char **lines; /* printable */
	size_t count;
	size_t first; /* that is shown */
};

/* Each replaces the lines; out of memory, some are missing. */
void top_page_help(struct top_page *page);
void top_page_details(struct top_page *page, const struct sample *s);

void top_page_free(struct top_page *page);
