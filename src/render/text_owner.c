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
#include "render/escape.h"
#include "render/text.h"

#include <string.h>

static const char step_mark[] = " <- ";

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

/** Append up to @p steps steps of @p owner with their packages shortened. */
static void put_short(struct ms_sink *sink, const char *owner, const char *dots, unsigned steps)
{
	for (const char *step = owner; steps > 0; steps--) {
		const char *end = step_end(step);
		const char *name = package_name(step, end);

		if (name > step)
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
	static const unsigned tries[] = { UINT32_MAX, 1 };
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
	struct ms_sink escaped;

	ms_sink_init_memory(&escaped);
	ms_escape_text(&escaped, owner, t->style->charset);
	if (ms_sink_text(&escaped))
		put_fitting(&t->line, ms_sink_text(&escaped),
			    t->style->charset == MS_CHARSET_ASCII ? "..." : "…", columns);
	else
		ms_sink_fail_no_memory(&t->line);
	ms_sink_deinit(&escaped);
}
