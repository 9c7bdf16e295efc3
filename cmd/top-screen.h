/* The terminal of spfs top: what is drawn there, by ncurses. */
#pragma once

#include "top-model.h"
#include "top-page.h"

enum top_prompt { TOP_NO_PROMPT, TOP_FILTER, TOP_SEARCH, TOP_DELAY };

struct top_screen {
	size_t first;  /* row that is shown at the top */
	size_t cursor; /* row that is chosen */
	char *chosen;  /* its id, by which it is found after a refresh; NULL: none */
	bool paused;
	bool anew; /* the next drawing is of all: a terminal of another size may show anything */
	double delay;
	enum top_prompt prompt;
	char input[64]; /* what was typed at the prompt */
	enum top_page_kind page;
	struct top_page lines; /* of the page that covers the list */
};

/* Takes the terminal. Returns 0, or -1 where it cannot be driven. */
int top_screen_start(void);

/* Gives the terminal back as it was. */
void top_screen_end(void);

void top_screen_draw(struct top_screen *s, const struct top_model *m);

/* Rows of the list or lines of the page that there is room for. */
size_t top_screen_room(void);

/* Follows the chosen row to where it is now. */
void top_screen_find(struct top_screen *s, const struct top_model *m);

/* Chooses the row @at, or the last where there are fewer. */
void top_screen_choose(struct top_screen *s, const struct top_model *m, size_t at);
