// text_doctor.c - the page of `mapscope doctor`: a list of checks, a verdict, one change.
#include "base/types.h"
#include "render/text.h"

#include <stdio.h>
#include <string.h>

enum { STATE_COLUMNS = 7, NAME_COLUMNS_MAX = 20 }; // "limited"

static enum ms_text_color state_color(enum ms_check_state state)
{
	switch (state) {
	case MS_CHECK_OK:
		return MS_TEXT_GREEN;
	case MS_CHECK_LIMITED:
		return MS_TEXT_YELLOW;
	case MS_CHECK_NO:
		break;
	}
	return MS_TEXT_RED;
}

static void text_check(struct ms_text *t, const struct ms_check *check, size_t name_columns)
{
	const char *state = ms_check_state_name(check->state);
	unsigned indent = (unsigned)(STATE_COLUMNS + name_columns + 4);

	ms_text_colored(t, state_color(check->state), state);
	ms_text_printf(t, "%*s  %-*s  ", (int)(STATE_COLUMNS - strlen(state)), "",
		       (int)name_columns, check->name);
	ms_text_name(t, check->text, 0);
	ms_text_end_hanging(t, 0, indent);
	if (check->fix) {
		ms_text_printf(t, "fix: ");
		ms_text_name(t, check->fix, 0);
		ms_text_end_hanging(t, indent, indent);
	}
}

/** "<label> <sentence>"; nothing without a sentence. */
static void text_labelled(struct ms_text *t, const char *label, const char *sentence)
{
	if (!sentence)
		return;
	ms_text_colored(t, MS_TEXT_BOLD, label);
	ms_text_printf(t, " ");
	ms_text_name(t, sentence, 0);
	ms_text_end(t, 0);
}

struct ms_error *ms_render_doctor_text(const struct ms_doctor_report *report,
				       const struct ms_text_style *style, struct ms_sink *sink)
{
	size_t name_columns = 0;
	struct ms_text t;

	for (size_t i = 0; i < report->check_count; i++)
		name_columns = ms_max_u64(name_columns, strlen(report->checks[i].name));
	name_columns = ms_min_u64(name_columns, NAME_COLUMNS_MAX);
	ms_text_init(&t, style, sink);
	ms_text_target(&t, &report->target);
	ms_text_end(&t, 0);
	ms_text_unproved(&t, &report->target);
	ms_text_end_whole(&t);
	for (size_t i = 0; i < report->check_count; i++)
		text_check(&t, &report->checks[i], name_columns);
	ms_text_end_whole(&t);
	text_labelled(&t, "verdict:", report->verdict);
	text_labelled(&t, "change:", report->change);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
