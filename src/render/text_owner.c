// text_owner.c - an owner's path in the columns that are left for it.
//
// What tells owners apart is at the end: the type and the field, then the variable at the root.
// What is long and the same for all is at the beginning: where the package comes from.  So a path
// is shortened from the front, step by step, until it fits:
//
//	example.org/shop/session.Registry.byConn <- example.org/shop.registry
//	…/session.Registry.byConn <- …/shop.registry
//	…/session.Registry.byConn
//	…ry.byConn
//
// A variable without a name is its address and up to three functions; a page shows the first:
//
//	global 0x5a3e20 (example.org/shop.load, example.org/shop.find)
//	global 0x5a3e20 (example.org/shop.load, …)
//	global 0x5a3e20 (…/shop.load, …)
//	global (…/shop.load, …)
//	(…/shop.load, …)
#include "render/escape.h"
#include "render/text.h"

#include <string.h>

static const char step_mark[] = " <- ";
static const char nameless_mark[] = "global 0x"; // As walk/names.c begins it.
static const char function_mark[] = ", ";

/** Where the package's own name begins in [text, end): behind the last slash before brackets. */
static const char *package_name(const char *text, const char *end)
{
	const char *name = text;

	for (const char *p = text; p < end && *p != '[' && *p != ' '; p++) {
		if (*p == '/')
			name = p + 1;
	}
	return name;
}

static const char *step_end(const char *step)
{
	const char *mark = strstr(step, step_mark);

	return mark ? mark : step + strlen(step);
}

/** Where the functions of a variable without a name begin in [step, end); NULL for any other. */
static const char *nameless_functions(const char *step, const char *end)
{
	const char *p;

	if (strncmp(step, nameless_mark, strlen(nameless_mark)) != 0)
		return NULL;
	for (p = step; p < end && *p != '('; p++)
		;
	return p + 1 < end ? p + 1 : NULL;
}

/** Append @p owner with one function at most for each variable without a name. */
static void put_one_function(struct ms_sink *sink, const char *owner, const char *dots)
{
	for (const char *step = owner; *step;) {
		const char *end = step_end(step), *close = end;
		const char *functions = nameless_functions(step, end);
		const char *comma = functions ? strstr(functions, function_mark) : NULL;

		while (close > step && *close != ')')
			close--;
		if (comma && comma < close) {
			ms_sink_write(sink, step, (size_t)(comma - step));
			ms_sink_printf(sink, "%s%s", function_mark, dots);
			ms_sink_write(sink, close, (size_t)(end - close));
		} else {
			ms_sink_write(sink, step, (size_t)(end - step));
		}
		if (*end)
			ms_sink_puts(sink, step_mark);
		step = *end ? end + strlen(step_mark) : end;
	}
}

/** How far a path is shortened. */
struct shortening {
	unsigned steps; // Those that stay.
	enum { SHOW_ADDRESS, SHOW_GLOBAL, SHOW_FUNCTION } nameless;
};

/** Append @p owner with its packages shortened. */
static void put_short(struct ms_sink *sink, const char *owner, const char *dots,
		      struct shortening how)
{
	const char *step = owner;

	for (unsigned steps = how.steps; steps > 0; steps--) {
		const char *end = step_end(step);
		const char *functions = nameless_functions(step, end);
		const char *first = functions ? functions : step;
		const char *name = package_name(first, end);

		if (functions && how.nameless == SHOW_ADDRESS)
			ms_sink_write(sink, step, (size_t)(functions - step));
		else if (functions)
			ms_sink_puts(sink, how.nameless == SHOW_GLOBAL ? "global (" : "(");
		if (name > first)
			ms_sink_printf(sink, "%s/", dots);
		ms_sink_write(sink, name, (size_t)(end - name));
		if (!*end)
			return;
		if (steps > 1)
			ms_sink_puts(sink, step_mark);
		step = end + strlen(step_mark);
	}
}

/** Append the last @p columns characters of @p text, the first of them dots. */
static void put_end(struct ms_sink *sink, const char *text, const char *dots, size_t columns)
{
	size_t all = ms_text_columns(text), dots_columns = ms_text_columns(dots);
	size_t keep = columns > dots_columns ? columns - dots_columns : 0;

	ms_sink_puts(sink, dots);
	ms_sink_puts(sink, text + ms_text_prefix(text, all - keep));
}

/** Append @p text, which is escaped, in at most @p columns. */
static void put_fitting(struct ms_sink *sink, const char *text, const char *dots, size_t columns)
{
	static const struct shortening tries[] = {
		{ UINT32_MAX, SHOW_ADDRESS },
		{ UINT32_MAX, SHOW_GLOBAL },
		{ UINT32_MAX, SHOW_FUNCTION },
		{ 1, SHOW_ADDRESS },
		{ 1, SHOW_GLOBAL },
		{ 1, SHOW_FUNCTION },
	};
	struct ms_sink cut;

	if (columns == 0 || ms_text_columns(text) <= columns) {
		ms_sink_puts(sink, text);
		return;
	}
	ms_sink_init_memory(&cut);
	for (size_t i = 0; i < MS_ARRAY_SIZE(tries); i++) {
		cut.size = 0;
		put_short(&cut, text, dots, tries[i]);
		if (ms_sink_text(&cut) && ms_text_columns(ms_sink_text(&cut)) <= columns)
			break;
	}
	if (!ms_sink_text(&cut))
		ms_sink_fail_no_memory(sink);
	else if (ms_text_columns(ms_sink_text(&cut)) <= columns)
		ms_sink_puts(sink, ms_sink_text(&cut));
	else
		put_end(sink, ms_sink_text(&cut), dots, columns);
	ms_sink_deinit(&cut);
}

void ms_text_owner(struct ms_text *t, const char *owner, size_t columns)
{
	const char *dots = t->style->charset == MS_CHARSET_ASCII ? "..." : "…";
	struct ms_sink escaped, text;

	ms_sink_init_memory(&escaped);
	ms_sink_init_memory(&text);
	ms_escape_text(&escaped, owner, t->style->charset);
	if (ms_sink_text(&escaped))
		put_one_function(&text, ms_sink_text(&escaped), dots);
	if (ms_sink_text(&text))
		put_fitting(&t->line, ms_sink_text(&text), dots, columns);
	else
		ms_sink_fail_no_memory(&t->line);
	ms_sink_deinit(&escaped);
	ms_sink_deinit(&text);
}
