// top_screen.c - keys and ncurses; what is shown is laid out elsewhere.
//
// The terminal is given back on every way out, also where we crash: then by the three things that a
// signal handler may do, with what terminfo said while all was well.
#include "cli/top_screen.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/interrupt.h"
#include "cli/open_map.h"
#include "cli/terminal.h"
#include "render/text_top.h"

#include <curses.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

enum { KEY_WAIT_MS = 100, FILTER_MAX = 200, KEY_ESCAPE = 27, ESCAPE_WAIT_MS = 50 };

static const double EVERY_MIN_S = 0.5, EVERY_MAX_S = 60;

enum mode { TABLE, FILTER, OPENED, HELP };

struct top_screen {
	struct ms_top_look *look;
	struct ms_text_style style;
	enum mode mode;
	struct ms_top_report report; // Its rows.
	enum ms_top_sort sort;
	bool expanded, frozen, over;
	size_t selected, first;
	char filter[FILTER_MAX], typed[FILTER_MAX];
	struct ms_row_filter row_filter;
	char *message;       // On the last line until the next key.
	ms_addr opened;      // The map of mode OPENED.
	struct ms_sink page; // Its text, or the help's.
	size_t page_first;
	bool page_due; // It is to be read again.
	double due;
};

// --- The terminal. ---

static struct termios terminal_before;
static char leave_bytes[64];
static size_t leave_size;
static bool is_elsewhere; // The terminal has a second screen, which we are on.

static void leave_crashed(int number)
{
	(void)!write(STDOUT_FILENO, leave_bytes, leave_size);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void leave_add(const char *bytes)
{
	size_t size;

	if (!bytes || bytes == (const char *)-1)
		return; // This terminal has none.
	size = strlen(bytes);
	if (leave_size + size > sizeof(leave_bytes))
		return;
	memcpy(leave_bytes + leave_size, bytes, size);
	leave_size += size;
}

static struct ms_error *terminal_enter(const struct ms_text_style *style)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	char *term = getenv("TERM");

	bool is_there =
	    tcgetattr(STDIN_FILENO, &terminal_before) == 0 && newterm(term, stdout, stdin);

	if (is_there && !tigetstr("cup")) { // What cannot place a character, as TERM=dumb.
		(void)endwin();
		is_there = false;
	}
	if (!is_there)
		return ms_error_new(MS_ERR_USAGE,
				    "this terminal (TERM=%s) cannot show a screen; type mapscope "
				    "top --batch PID",
				    term ? term : "");
	leave_add(tigetstr("cnorm"));
	leave_add(tigetstr("sgr0"));
	leave_add(tigetstr("rmcup"));
	is_elsewhere = tigetstr("rmcup") != NULL;
	for (size_t i = 0; i < MS_ARRAY_SIZE(crashes); i++)
		(void)signal(crashes[i], leave_crashed);
	(void)cbreak();
	(void)noecho();
	(void)curs_set(0);
	(void)keypad(stdscr, TRUE);
	(void)set_escdelay(ESCAPE_WAIT_MS);
	timeout(KEY_WAIT_MS);
	if (style->color == MS_COLOR_ON && has_colors()) {
		(void)start_color();
		(void)use_default_colors();
		(void)init_pair(1, COLOR_YELLOW, -1);
	}
	return NULL;
}

static attr_t attributes_of(const struct top_screen *s, enum ms_screen_look look)
{
	bool is_colored = s->style.color == MS_COLOR_ON && has_colors();

	switch (look) {
	case MS_LOOK_BOLD:
		return A_BOLD;
	case MS_LOOK_DIM:
		return A_DIM;
	case MS_LOOK_REVERSE:
		return A_REVERSE;
	case MS_LOOK_YELLOW:
		return is_colored ? (attr_t)COLOR_PAIR(1) : A_BOLD;
	default:
		return A_NORMAL;
	}
}

static void draw_line(const struct top_screen *s, int y, const char *text, enum ms_screen_look look)
{
	attr_t attributes = attributes_of(s, look);

	(void)attrset((int)attributes);
	(void)mvaddstr(y, 0, text);
	if (look == MS_LOOK_REVERSE) {
		for (int x = getcurx(stdscr); getcury(stdscr) == y && x < COLS; x++)
			(void)addch(' ');
	}
	(void)attrset(A_NORMAL);
}

// --- Pages. ---

static struct ms_error *row_to_page(struct top_screen *s)
{
	const struct ms_census_report *census = &s->look->maps.census;
	const struct ms_map_row *row = ms_census_row_at(census, s->opened);
	const struct ms_text_style style = { (unsigned)COLS, MS_COLOR_OFF, s->style.charset };
	const struct ms_inspect_view view = { 0 };
	struct ms_inspect_report report;
	struct ms_error *err;

	ms_sink_deinit(&s->page);
	ms_sink_init_memory(&s->page);
	if (!row) {
		ms_sink_puts(&s->page, "This map is gone since the last census.\n");
		return NULL;
	}
	err = ms_open_map(s->look->session, census, row, &report);
	if (err && ms_error_code(err) != MS_ERR_GONE) {
		ms_sink_puts(&s->page, ms_error_message(err));
		ms_sink_puts(&s->page, "\n");
		ms_error_free(err);
		return NULL;
	}
	if (err)
		return err;
	err = ms_render_inspect_text(&report, &view, &style, &s->page);
	ms_inspect_report_deinit(&report);
	return err;
}

static void help_to_page(struct top_screen *s)
{
	ms_sink_deinit(&s->page);
	ms_sink_init_memory(&s->page);
	ms_sink_puts(&s->page,
		     "Keys of mapscope top\n"
		     "\n"
		     "  g b s w e     sort by growth, bytes, slack, waiting, entries\n"
		     "  < >           the sort before, the next one\n"
		     "  /             show owners and types like a regular expression\n"
		     "  m             single maps, or all maps of an owner as one row\n"
		     "  space         freeze the page, and go on\n"
		     "  up, down, page up, page down, home, end\n"
		     "  enter         open the map of the row: mapscope inspect\n"
		     "  + -           look less often, more often\n"
		     "  q             quit, or back from a page\n"
		     "\n"
		     "entries and +/s are as of this look; bytes, slack and load as of the\n"
		     "last census, whose age stands above. A row is yellow while a map of it\n"
		     "is being moved to another table, and \"moved\" says how far that is.\n"
		     "\"wait\": goroutines that wait for a lock of it.\n");
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; text && *text; text++)
		count += *text == '\n';
	return count;
}

static void draw_page(struct top_screen *s)
{
	const char *at = ms_sink_text(&s->page);
	size_t room = LINES > 1 ? (size_t)LINES - 1 : 0, total = count_lines(at), line = 0;

	if (s->page_first + room > total)
		s->page_first = total > room ? total - room : 0;
	while (at && *at) {
		const char *end = strchrnul(at, '\n');

		if (line >= s->page_first && line < s->page_first + room)
			(void)mvaddnstr((int)(line - s->page_first), 0, at, (int)(end - at));
		line++;
		at = *end ? end + 1 : end;
	}
	draw_line(s, LINES - 1, "q back  up and down scroll", MS_LOOK_DIM);
}

// --- The table. ---

/** The table begins where the selected row is on the screen. */
static void follow_selected(struct top_screen *s)
{
	size_t room = ms_screen_row_room((unsigned)LINES);

	if (s->selected < s->first)
		s->first = s->selected;
	if (room && s->selected >= s->first + room)
		s->first = s->selected - room + 1;
}

static struct ms_error *rows_make(struct top_screen *s)
{
	size_t room = ms_screen_row_room((unsigned)LINES);
	const struct ms_live_view view = { .sort = s->sort,
					   .expanded = s->expanded,
					   .top = s->first + 2 * room + 1,
					   .filter = &s->row_filter };
	struct ms_top_report report;
	struct ms_error *err = ms_top_look_report(s->look, &view, &report);

	if (err)
		return err;
	free(s->report.rows);
	s->report = report;
	if (s->selected >= report.row_count)
		s->selected = report.row_count ? report.row_count - 1 : 0;
	follow_selected(s);
	return NULL;
}

static struct ms_error *draw_table(struct top_screen *s)
{
	MS_AUTO_FREE char *prompt = NULL;
	struct ms_screen screen = { 0 };
	struct ms_error *err = rows_make(s);

	if (err)
		return err;
	if (s->mode == FILTER &&
	    asprintf(&prompt, "filter (a regular expression): %s_", s->typed) < 0)
		return ms_error_no_memory();
	const struct ms_screen_view view = {
		.width = (unsigned)COLS,
		.height = (unsigned)LINES,
		.charset = s->style.charset,
		.first = s->first,
		.selected = s->selected,
		.frozen = s->frozen,
		.filter = s->filter,
		.prompt = prompt             ? prompt
			  : s->message       ? s->message
			  : s->look->trouble ? s->look->trouble
					     : NULL,
	};
	err = ms_render_top_screen(&s->report, &view, &screen);
	for (size_t i = 0; !err && i < screen.count && (int)i < LINES; i++)
		draw_line(s, (int)i, screen.items[i].text, screen.items[i].look);
	ms_screen_deinit(&screen);
	return err;
}

static struct ms_error *draw(struct top_screen *s)
{
	struct ms_error *err = NULL;

	(void)erase();
	if (COLS < MS_SCREEN_WIDTH_MIN || LINES < MS_SCREEN_HEIGHT_MIN) {
		(void)mvaddstr(0, 0, "too small: 40x8 is needed");
	} else if (s->mode == OPENED || s->mode == HELP) {
		if (s->mode == OPENED && s->page_due)
			err = row_to_page(s);
		s->page_due = false;
		draw_page(s);
	} else {
		err = draw_table(s);
	}
	(void)refresh();
	return err;
}

// --- Keys. ---

static void say(struct top_screen *s, const char *text)
{
	free(s->message);
	s->message = text ? strdup(text) : NULL;
}

static void filter_set(struct top_screen *s)
{
	struct ms_row_filter fresh = { 0 };
	struct ms_error *err = ms_row_filter_init_either(&fresh, s->typed[0] ? s->typed : NULL);

	s->mode = TABLE;
	if (err) {
		say(s, ms_error_message(err));
		ms_error_free(err);
		return;
	}
	memcpy(s->filter, s->typed, sizeof(s->filter));
	ms_row_filter_deinit(&s->row_filter);
	s->row_filter = fresh;
	s->first = s->selected = 0;
}

static void on_filter_key(struct top_screen *s, int key)
{
	size_t length = strlen(s->typed);

	if (key == KEY_ESCAPE) {
		s->mode = TABLE;
	} else if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		filter_set(s);
	} else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
		if (length)
			s->typed[length - 1] = '\0';
	} else if (key >= ' ' && key < 127 && length + 1 < sizeof(s->typed)) {
		s->typed[length] = (char)key;
		s->typed[length + 1] = '\0';
	}
}

static void on_page_key(struct top_screen *s, int key)
{
	size_t room = LINES > 2 ? (size_t)LINES - 2 : 1;

	switch (key) {
	case 'q':
	case KEY_ESCAPE:
	case '\n':
	case KEY_ENTER:
		s->mode = TABLE;
		break;
	case KEY_UP:
	case 'k':
		s->page_first -= s->page_first > 0;
		break;
	case KEY_DOWN:
	case 'j':
		s->page_first++;
		break;
	case KEY_PPAGE:
		s->page_first -= s->page_first < room ? s->page_first : room;
		break;
	case KEY_NPAGE:
	case ' ':
		s->page_first += room;
		break;
	default:
		break;
	}
}

static void sort_by(struct top_screen *s, enum ms_top_sort sort)
{
	s->sort = sort;
	s->first = s->selected = 0;
}

static void on_open(struct top_screen *s)
{
	if (!s->report.row_count)
		return;
	s->opened = s->report.rows[s->selected].address;
	s->mode = OPENED;
	s->page_first = 0;
	s->page_due = true;
}

static void on_move(struct top_screen *s, int key)
{
	size_t room = ms_screen_row_room((unsigned)LINES);

	if (key == KEY_UP || key == 'k')
		s->selected -= s->selected > 0;
	else if (key == KEY_DOWN || key == 'j')
		s->selected++;
	else if (key == KEY_PPAGE)
		s->selected -= s->selected < room ? s->selected : room;
	else if (key == KEY_NPAGE)
		s->selected += room;
	else if (key == KEY_HOME)
		s->selected = 0;
	else if (key == KEY_END && s->report.rows_passed)
		s->selected = s->report.rows_passed - 1;
	if (s->report.rows_passed && s->selected >= s->report.rows_passed)
		s->selected = s->report.rows_passed - 1;
	follow_selected(s);
}

static void on_every(struct top_screen *s, double factor)
{
	struct ms_options *o = &s->look->options;
	char text[64];

	o->every_s = fmin(fmax(o->every_s * factor, EVERY_MIN_S), EVERY_MAX_S);
	s->look->every_s = fmax(o->every_s, s->look->least_s);
	s->due = 0;
	snprintf(text, sizeof(text), "a look every %.1f s", s->look->every_s);
	say(s, text);
}

static void on_table_key(struct top_screen *s, int key)
{
	static const char sort_keys[] = "gbswe";
	const char *sort = key > 0 && key < 127 ? strchr(sort_keys, key) : NULL;

	if (sort) {
		sort_by(s, (enum ms_top_sort)(sort - sort_keys));
		return;
	}
	switch (key) {
	case 'q':
		s->over = true;
		break;
	case '>':
	case '<':
		sort_by(s, (enum ms_top_sort)(
			       ((unsigned)s->sort + (key == '>' ? 1 : MS_TOP_SORT_COUNT_ - 1)) %
			       MS_TOP_SORT_COUNT_));
		break;
	case 'm':
		s->expanded = !s->expanded;
		s->first = s->selected = 0;
		break;
	case ' ':
		s->frozen = !s->frozen;
		break;
	case '/':
		s->mode = FILTER;
		memcpy(s->typed, s->filter, sizeof(s->typed));
		break;
	case '?':
	case 'h':
		s->mode = HELP;
		s->page_first = 0;
		help_to_page(s);
		break;
	case '+':
	case '-':
		on_every(s, key == '+' ? 2 : 0.5);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		on_open(s);
		break;
	default:
		on_move(s, key);
	}
}

static void on_key(struct top_screen *s, int key)
{
	if (key != KEY_RESIZE)
		say(s, NULL);
	if (s->mode == FILTER)
		on_filter_key(s, key);
	else if (s->mode == TABLE)
		on_table_key(s, key);
	else
		on_page_key(s, key);
}

// --- The loop. ---

static struct ms_error *look_when_due(struct top_screen *s, bool *ret_looked)
{
	struct ms_error *err;

	*ret_looked = !s->frozen && ms_clock_now() >= s->due;
	if (!*ret_looked)
		return NULL;
	err = ms_top_look_now(s->look);
	s->due = ms_clock_now() + s->look->every_s;
	s->page_due = s->mode == OPENED;
	return err;
}

static struct ms_error *loop(struct top_screen *s)
{
	bool is_new = true;
	struct ms_error *err = NULL;

	while (!s->over && !ms_interrupted()) {
		bool has_looked;
		int key;

		err = look_when_due(s, &has_looked);
		if (!err && (is_new || has_looked))
			err = draw(s);
		if (err)
			return err;
		key = getch();
		is_new = key != ERR;
		if (is_new)
			on_key(s, key);
	}
	return NULL;
}

struct ms_error *ms_top_screen_run(struct ms_top_look *look)
{
	const struct ms_options *o = &look->options;
	struct top_screen s = { .look = look,
				.style = ms_terminal_style(stdout, o),
				.sort = o->looks.sort,
				.expanded = o->view.rows == MS_ROWS_EXPANDED };
	struct ms_error *err = ms_row_filter_init(&s.row_filter, o->owner, o->type);

	if (err)
		return err;
	snprintf(s.filter, sizeof(s.filter), "%s", o->owner ? o->owner : o->type ? o->type : "");
	ms_sink_init_memory(&s.page);
	err = ms_top_look_now(
	    look); // Before the screen: what fails at once is said below the prompt.
	s.due = ms_clock_now() + look->every_s;
	if (!err)
		err = terminal_enter(&s.style);
	if (!err) {
		err = loop(&s);
		(void)endwin();
		if (!is_elsewhere) // The screen stays where it is, with us behind its end.
			(void)!write(STDOUT_FILENO, "\n", 1);
	}
	free(s.report.rows);
	free(s.message);
	ms_row_filter_deinit(&s.row_filter);
	ms_sink_deinit(&s.page);
	return err;
}
