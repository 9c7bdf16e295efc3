#include "top-keys.h"

#include <ncurses.h>
#include <stdlib.h>
#include <string.h>

#include "argument.h"

static void top_keys_arrange(struct top_screen *s, struct top_model *m)
{
	top_model_arrange(m);
	top_screen_find(s, m);
}

/* The next row after the chosen one with the text in its name. */
static void top_keys_search(struct top_screen *s, const struct top_model *m, size_t from)
{
	const struct top_rows *rows = &m->rows;

	for (size_t i = 0; i < rows->visible; i++) {
		size_t at = (from + i) % rows->visible;

		if (strcasestr(rows->shown[at]->name, s->input)) {
			top_screen_choose(s, m, at);
			return;
		}
	}
}

static void top_keys_take_prompt(struct top_screen *s, struct top_model *m, int key)
{
	size_t len = strlen(s->input);

	if (key == '\r' || key == '\n' || key == KEY_ENTER || key == 27) {
		if (s->prompt == TOP_DELAY && key != 27)
			argument_read_seconds(s->input, TOP_DELAY_MIN, TOP_DELAY_MAX, &s->delay);
		if (s->prompt == TOP_FILTER && key == 27)
			m->view.filter[0] = '\0';
		s->prompt = TOP_NO_PROMPT;
	} else if (key == KEY_BACKSPACE || key == 127 || key == 8) {
		while (len > 0 && ((unsigned char)s->input[--len] & 0xc0) == 0x80)
			;
		s->input[len] = '\0';
	} else if (key >= ' ' && key < 256 && len + 1 < sizeof(s->input)) {
		s->input[len] = (char)key; /* a byte of a character */
		s->input[len + 1] = '\0';
	}
	if (s->prompt == TOP_FILTER) {
		strcpy(m->view.filter, s->input);
	} else if (s->prompt == TOP_SEARCH && *s->input) {
		top_keys_search(s, m, s->cursor);
	}
	top_keys_arrange(s, m);
}

static void top_keys_take_page(struct top_screen *s, int key)
{
	struct top_page *page = &s->lines;
	size_t room = LINES > 1 ? (size_t)LINES - 1 : 1;

	switch (key) {
	case KEY_UP:
		page->first -= page->first > 0;
		break;
	case KEY_DOWN:
		page->first++;
		break;
	case KEY_PPAGE:
		page->first -= page->first < room ? page->first : room;
		break;
	case KEY_NPAGE:
		page->first += room;
		break;
	case KEY_HOME:
		page->first = 0;
		break;
	case KEY_END:
		page->first = page->count;
		break;
	case 'q':
	case 'h':
	case '?':
	case 27:
	case '\r':
	case '\n':
	case KEY_ENTER:
	case KEY_F(1):
	case KEY_F(10):
		s->page = TOP_LIST;
		break;
	}
}

void top_keys_details(struct top_screen *s, const struct top_model *m)
{
	const struct top_rows *rows = &m->rows;

	if (s->cursor < rows->visible)
		top_page_details(&s->lines, rows->shown[s->cursor]->sample);
}

static void top_keys_open_page(struct top_screen *s, const struct top_model *m, enum top_page_kind kind)
{
	s->page = kind;
	s->lines.first = 0;
	if (kind == TOP_HELP)
		top_page_help(&s->lines);
	else
		top_keys_details(s, m);
}

static void top_keys_prompt(struct top_screen *s, const struct top_model *m, enum top_prompt kind)
{
	s->prompt = kind;
	s->input[0] = '\0';
	if (kind == TOP_FILTER)
		strcpy(s->input, m->view.filter);
}

/* Returns false: the end. */
static bool top_keys_take_list(struct top_screen *s, struct top_model *m, int key)
{
	struct top_view *view = &m->view;
	size_t room = top_screen_room();
	size_t at = s->cursor;

	switch (key) {
	case 'q':
	case KEY_F(10):
		return false;
	case 'h':
	case '?':
	case KEY_F(1):
		top_keys_open_page(s, m, TOP_HELP);
		return true;
	case '\r':
	case '\n':
	case KEY_ENTER:
		if (m->rows.visible)
			top_keys_open_page(s, m, TOP_DETAILS);
		return true;
	case KEY_UP:
		at -= at > 0;
		break;
	case KEY_DOWN:
		at++;
		break;
	case KEY_PPAGE:
		at -= at < room ? at : room;
		break;
	case KEY_NPAGE:
		at += room;
		break;
	case KEY_HOME:
		at = 0;
		break;
	case KEY_END:
		at = m->rows.visible;
		break;
	case '<':
		view->sort = view->sort ? view->sort - 1 : TOP_COLUMNS - 1;
		break;
	case '>':
	case KEY_F(6):
		view->sort = (view->sort + 1) % TOP_COLUMNS;
		break;
	case 'r':
	case 'I':
		view->reverse = !view->reverse;
		break;
	case 't':
	case KEY_F(5):
		view->flat = !view->flat;
		break;
	case '/':
	case KEY_F(4):
		top_keys_prompt(s, m, TOP_FILTER);
		return true;
	case KEY_F(3):
		top_keys_prompt(s, m, TOP_SEARCH);
		return true;
	case 'n':
		if (*s->input)
			top_keys_search(s, m, s->cursor + 1);
		return true;
	case 'd':
	case 's':
		top_keys_prompt(s, m, TOP_DELAY);
		return true;
	case ' ':
		s->paused = !s->paused;
		return true;
	default:
		return true;
	}
	if (at != s->cursor)
		top_screen_choose(s, m, at);
	top_keys_arrange(s, m);
	return true;
}

bool top_keys_take(struct top_screen *s, struct top_model *m)
{
	bool more = true;
	int key;

	while (more && (key = getch()) != ERR) {
		if (key == KEY_RESIZE || key == ('L' & 0x1f))
			s->anew = true;
		else if (s->page != TOP_LIST)
			top_keys_take_page(s, key);
		else if (s->prompt)
			top_keys_take_prompt(s, m, key);
		else
			more = top_keys_take_list(s, m, key);
	}
	return more;
}
