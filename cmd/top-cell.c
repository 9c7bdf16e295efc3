#include "top-cell.h"

#include <ncurses.h>
#include <stdlib.h>
#include <wchar.h>

/* Writes what of @text has room in @width cells, if @write. Returns the cells. */
static int top_cell_put(const char *text, int width, bool write)
{
	mbstate_t state = { 0 };
	int cells = 0;

	while (*text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		bool known = n != (size_t)-1 && n != (size_t)-2;
		int w = known ? wcwidth(c) : -1;

		if (!known) {
			state = (mbstate_t){ 0 };
			n = 1;
		}
		if (cells + (w < 0 ? 1 : w) > width)
			break;
		if (write)
			addnstr(w < 0 ? "?" : text, w < 0 ? 1 : (int)n); /* the locale cannot show it */
		cells += w < 0 ? 1 : w;
		text += n;
	}
	return cells;
}

void top_cell_print(const char *text, int width, bool right)
{
	int cells = top_cell_put(text, width, false);

	if (right)
		printw("%*s", width - cells, "");
	top_cell_put(text, width, true);
	if (!right)
		printw("%*s", width - cells, "");
}
