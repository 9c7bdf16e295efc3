/*
 * Everything is drawn anew, and ncurses sends what has changed. Names come here printable. A window may be of any
 * size, down to one cell: what has no room is left out, lines first, then columns.
 */
#include "top-screen.h"

#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "size.h"
#include "top-cell.h"

#define NAME_MIN 16
#define HEAD 3 /* totals, note, titles */

enum { PAIR_LOW = 1, PAIR_HALF, PAIR_FULL, PAIR_TAP, PAIR_PORT };

static const struct {
	const char *title;
	int width;
	int keep; /* the smaller, the sooner it goes where there is no room */
} top_fields[TOP_COLUMNS] = {
	[TOP_NAME] = { "NAME", NAME_MIN, 99 }, [TOP_IN] = { "IN/S", 6, 9 },      [TOP_OUT] = { "OUT/S", 6, 10 },
	[TOP_FILL] = { "FILL", 10, 8 },        [TOP_WAITING] = { "WAIT", 6, 2 }, [TOP_LOST] = { "LOST", 6, 6 },
	[TOP_DROPS] = { "DROPS", 5, 1 },       [TOP_READERS] = { "RD", 3, 5 },   [TOP_WRITERS] = { "WR", 3, 4 },
	[TOP_PEERS] = { "PEERS", 5, 3 },       [TOP_STATE] = { "STATE", 17, 7 },
};

static SCREEN *top_screen_terminal;

int top_screen_start(void)
{
	top_screen_terminal = newterm(NULL, stdout, stdin);
	if (!top_screen_terminal)
		return -1;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_LOW, COLOR_GREEN, -1);
		init_pair(PAIR_HALF, COLOR_YELLOW, -1);
		init_pair(PAIR_FULL, COLOR_RED, -1);
		init_pair(PAIR_TAP, COLOR_CYAN, -1);
		init_pair(PAIR_PORT, COLOR_MAGENTA, -1);
	}
	return 0;
}

void top_screen_end(void)
{
	endwin();
	delscreen(top_screen_terminal);
	top_screen_terminal = NULL;
}

size_t top_screen_room(void)
{
	return LINES > HEAD + 2 ? (size_t)(LINES - HEAD - 1) : 1;
}

/* 0: the column is left out. What there is more room for is names', and what the state says of them. */
static void top_screen_choose_columns(int widths[TOP_COLUMNS])
{
	int width = -1;

	for (size_t i = 0; i < TOP_COLUMNS; i++) {
		widths[i] = top_fields[i].width;
		width += widths[i] + 1;
	}
	while (width > COLS) {
		size_t least = TOP_NAME;

		for (size_t i = 0; i < TOP_COLUMNS; i++)
			if (widths[i] && top_fields[i].keep < top_fields[least].keep)
				least = i;
		if (least == TOP_NAME)
			break;
		width -= widths[least] + 1;
		widths[least] = 0;
	}
	if (widths[TOP_STATE])
		widths[TOP_STATE] += (COLS - width) / 2;
	widths[TOP_NAME] += COLS - width - (widths[TOP_STATE] ? (COLS - width) / 2 : 0);
}

static int top_screen_attribute(int pair)
{
	return has_colors() ? (int)COLOR_PAIR(pair) : 0;
}

static void top_screen_draw_fill(double percent, bool chosen)
{
	int look = top_screen_attribute(percent >= 90 ? PAIR_FULL : percent >= 50 ? PAIR_HALF : PAIR_LOW);
	char text[16] = "-";

	if (percent < 0) {
		top_cell_print(text, top_fields[TOP_FILL].width, true);
		return;
	}
	for (int i = 0; i < 5; i++)
		text[i] = i * 20 < (int)percent ? '#' : '.';
	snprintf(text + 5, sizeof(text) - 5, " %3d%%", (int)percent);
	if (!chosen)
		attron(look);
	top_cell_print(text, top_fields[TOP_FILL].width, true);
	if (!chosen)
		attroff(look);
}

static void top_screen_draw_row(const struct top_row *row, const struct top_view *view, const int widths[TOP_COLUMNS],
				bool chosen)
{
	int indent = view->flat ? 0 : 2 * (int)row->level;
	int colour = top_screen_attribute(row->kind == TOP_TAP ? PAIR_TAP : PAIR_PORT);
	int look = chosen ? (int)A_REVERSE : row->kind == TOP_CHANNEL ? (int)A_BOLD : colour;

	if (indent > widths[TOP_NAME])
		indent = widths[TOP_NAME];
	attron(look);
	printw("%*s", indent, "");
	top_cell_print(view->flat ? row->name : row->leaf, widths[TOP_NAME] - indent, false);
	if (!chosen)
		attroff(look);
	for (size_t i = TOP_NAME + 1; i < TOP_COLUMNS; i++) {
		char text[SIZE_TEXT_MAX];

		if (!widths[i])
			continue;
		addch(' ');
		if (i == TOP_FILL)
			top_screen_draw_fill(row->value[i], chosen);
		else if (i == TOP_STATE)
			top_cell_print(row->state, widths[i], false);
		else
			top_cell_print(row->value[i] < 0 ? "-" : size_print_round(text, row->value[i]), widths[i],
				       true);
	}
	attroff(look);
}

static void top_screen_draw_titles(const struct top_view *view, const int widths[TOP_COLUMNS])
{
	attron(A_REVERSE);
	for (size_t i = 0; i < TOP_COLUMNS; i++) {
		char title[16];

		if (!widths[i])
			continue;
		if (i > TOP_NAME)
			addch(' ');
		snprintf(title, sizeof(title), "%s", top_fields[i].title);
		if (i == view->sort)
			attron(A_BOLD | A_UNDERLINE);
		top_cell_print(title, widths[i], i != TOP_NAME && i != TOP_STATE);
		attroff(A_BOLD | A_UNDERLINE);
	}
	attroff(A_REVERSE);
}

/* Line @y, if there is one. Returns whether there is. */
static bool top_screen_line(int y)
{
	return y >= 0 && y < LINES && move(y, 0) != ERR;
}

static void top_screen_draw_head(const struct top_screen *s, const struct top_model *m)
{
	struct top_totals t = top_model_totals(m);
	char in[SIZE_TEXT_MAX], out[SIZE_TEXT_MAX], lost[SIZE_TEXT_MAX], text[512], clock[16];
	time_t now = (time_t)clock_day();

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	snprintf(text, sizeof(text), "spfs top %s  %zu channels, %zu taps, %zu ports  in %s/s  out %s/s  lost %s%s",
		 clock, t.channels, t.taps, t.ports, t.in < 0 ? "-" : size_print_round(in, t.in),
		 t.out < 0 ? "-" : size_print_round(out, t.out), size_print_round(lost, t.lost),
		 s->paused ? "  PAUSED" : "");
	if (top_screen_line(0))
		top_cell_print(text, COLS, false);
	snprintf(text, sizeof(text), m->missing > 1 ? "%s (and %zu more)" : "%s", m->note, m->missing - 1);
	if (m->missing)
		attron(A_BOLD | top_screen_attribute(PAIR_FULL));
	if (LINES > HEAD && top_screen_line(1))
		top_cell_print(text, COLS, false);
	attroff(A_BOLD | top_screen_attribute(PAIR_FULL));
}

static void top_screen_draw_foot(const struct top_screen *s, const struct top_model *m)
{
	static const char *const prompts[] = {
		[TOP_FILTER] = "Filter",
		[TOP_SEARCH] = "Search",
		[TOP_DELAY] = "Seconds",
	};
	char text[256];

	if (s->prompt)
		snprintf(text, sizeof(text), "%s: %s_", prompts[s->prompt], s->input);
	else if (*m->view.filter)
		snprintf(text, sizeof(text), "F1 Help  / Filter: %s  q Quit", m->view.filter);
	else
		snprintf(text, sizeof(text), "F1 Help  F3 Search  F4 Filter  F5 Tree  F6 Sort  Space Pause  q Quit");
	if (LINES > HEAD + 1 && top_screen_line(LINES - 1))
		top_cell_print(text, COLS, false);
}

static void top_screen_draw_page(struct top_page *page)
{
	size_t room = LINES > 0 ? (size_t)LINES : 1;

	if (page->first + room > page->count)
		page->first = page->count > room ? page->count - room : 0;
	for (size_t i = 0; i < room && page->first + i < page->count && top_screen_line((int)i); i++)
		top_cell_print(page->lines[page->first + i], COLS, false);
}

void top_screen_draw(struct top_screen *s, const struct top_model *m)
{
	int widths[TOP_COLUMNS];
	size_t room = top_screen_room();
	int head = LINES > HEAD ? HEAD : LINES > 1 ? 1 : 0;

	/* (not where the key is taken: the next getch(3) might draw what was there before, and need it no more) */
	if (s->anew)
		clearok(curscr, TRUE);
	s->anew = false;
	erase();
	if (s->page != TOP_LIST) {
		top_screen_draw_page(&s->lines);
		refresh();
		return;
	}
	top_screen_choose_columns(widths);
	if (s->cursor < s->first)
		s->first = s->cursor;
	if (s->cursor >= s->first + room)
		s->first = s->cursor - room + 1;
	if (head)
		top_screen_draw_head(s, m);
	if (LINES > HEAD && top_screen_line(2))
		top_screen_draw_titles(&m->view, widths);
	for (size_t i = 0; i < room && s->first + i < m->rows.visible && top_screen_line(head + (int)i); i++)
		top_screen_draw_row(m->rows.shown[s->first + i], &m->view, widths, s->first + i == s->cursor);
	top_screen_draw_foot(s, m);
	refresh();
}

void top_screen_choose(struct top_screen *s, const struct top_model *m, size_t at)
{
	free(s->chosen);
	s->chosen = NULL;
	s->cursor = at < m->rows.visible ? at : m->rows.visible ? m->rows.visible - 1 : 0;
	if (m->rows.visible)
		s->chosen = strdup(m->rows.shown[s->cursor]->id);
}

void top_screen_find(struct top_screen *s, const struct top_model *m)
{
	for (size_t i = 0; s->chosen && i < m->rows.visible; i++)
		if (!strcmp(m->rows.shown[i]->id, s->chosen)) {
			s->cursor = i;
			return;
		}
	top_screen_choose(s, m, s->cursor);
}
