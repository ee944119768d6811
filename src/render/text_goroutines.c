// text_goroutines.c - the page of `mapscope goroutines`: clusters first, then what they wait for.
//
// A cluster is a few lines: how many do what for how long, where, and who made them.  The runtime's
// own goroutines come last, in one line unless all are wanted.
#include "render/text_goroutines.h"

#include "base/cleanup.h"
#include "render/text_stack.h"

#include <inttypes.h>
#include <math.h>

enum { INDENT = 4 };

static const double STUCK_S = 5 * 60;

void ms_text_wait(struct ms_text *t, const char *state, const char *reason, double oldest_s)
{
	struct ms_human h;

	ms_text_name(t, state, 40);
	if (reason) {
		ms_text_printf(t, " (");
		ms_text_name(t, reason, 60);
		ms_text_printf(t, ")");
	}
	if (!isfinite(oldest_s))
		return;
	ms_text_printf(t, ", oldest %s", ms_human_ahead(&h, oldest_s));
	if (oldest_s > STUCK_S) {
		ms_text_printf(t, ", ");
		ms_text_colored(t, MS_TEXT_YELLOW, "over 5 min");
	}
}

// --- The first lines. ---

static uint64_t state_count(const struct ms_goroutines_report *r, const char *state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < r->cluster_count; i++) {
		if (!r->clusters[i].is_system && !strcmp(r->clusters[i].state, state))
			count += r->clusters[i].count;
	}
	return count;
}

static void text_states(struct ms_text *t, const struct ms_goroutines_report *r)
{
	static const struct {
		const char *state, *words;
	} states[] = {
		{ "running", "running" },     { "runnable", "runnable" },
		{ "waiting", "waiting" },     { "syscall", "in system calls" },
		{ "preempted", "preempted" }, { "leaked", "leaked" },
		{ "copystack", "moving" },
	};
	const char *separator = ": ";
	uint64_t own = 0, system = 0;
	struct ms_human h;

	for (size_t i = 0; i < r->cluster_count; i++)
		*(r->clusters[i].is_system ? &system : &own) += r->clusters[i].count;
	ms_text_printf(t, ", %s goroutine%s", ms_human_count(&h, own), own == 1 ? "" : "s");
	for (size_t i = 0; i < MS_ARRAY_SIZE(states); i++) {
		uint64_t count = state_count(r, states[i].state);

		if (!count)
			continue;
		ms_text_printf(t, "%s%s %s", separator, ms_human_count(&h, count), states[i].words);
		separator = ", ";
	}
	if (system)
		ms_text_printf(t, "; and %s of the runtime's own", ms_human_count(&h, system));
	ms_text_end(t, 0);
}

static void text_head(struct ms_text *t, const struct ms_goroutines_report *r)
{
	uint64_t stuck = 0;
	struct ms_human h;

	ms_text_partial(t, r->partial, r->partial_reason);
	for (size_t i = 0; i < r->row_count; i++)
		stuck += !r->rows[i].is_system && r->rows[i].waited_s > STUCK_S;
	ms_text_target(t, &r->target);
	text_states(t, r);
	if (stuck) {
		ms_text_colored(t, MS_TEXT_YELLOW, "over 5 min:");
		ms_text_printf(t, " %s goroutine%s so long", ms_human_count(&h, stuck),
			       stuck == 1 ? " waits" : "s wait");
		ms_text_end(t, 0);
	}
	ms_text_unproved(t, &r->target);
	ms_text_end_whole(t);
}

// --- Clusters. ---

static void text_created(struct ms_text *t, const struct ms_stack_call *call, uint64_t count,
			 uint64_t of)
{
	struct ms_human a, b;

	if (!call->function)
		return;
	ms_text_printf(t, "created by ");
	ms_text_call(t, call);
	if (count < of)
		ms_text_printf(t, " (%s of %s)", ms_human_count(&a, count), ms_human_count(&b, of));
	ms_text_end(t, INDENT);
}

static void text_examples(struct ms_text *t, const struct ms_goroutine_cluster *c)
{
	struct ms_human h;

	ms_text_printf(t, c->count == 1 ? "goroutine" : "goroutines");
	for (uint32_t i = 0; i < c->example_count; i++)
		ms_text_printf(t, "%s%" PRIu64, i ? ", " : " ", c->examples[i]);
	if (c->count > c->example_count)
		ms_text_printf(t, ", ...");
	if (c->stack_count > 1)
		ms_text_printf(t, "; %s stacks alike", ms_human_count(&h, c->stack_count));
	ms_text_end(t, INDENT);
}

/** What most of them wait for, and that it is not the only thing. */
static void text_cluster_place(struct ms_text *t, const struct ms_goroutines_report *r,
			       const struct ms_goroutine_cluster *c)
{
	bool each = c->places > 1 && c->places == c->count;
	struct ms_human h;

	if (each)
		ms_text_printf(t, "each waits for another, one for ");
	else
		ms_text_printf(t, "%s %s for ", ms_human_count(&h, c->place_count),
			       c->place_count == 1 ? "waits" : "wait");
	ms_text_place_name(t, &r->places[c->place]);
	if (!each && c->places > 1)
		ms_text_printf(t, ", others for %s more", ms_human_count(&h, c->places - 1));
	ms_text_end(t, INDENT);
}

static void text_cluster(struct ms_text *t, const struct ms_goroutines_report *r,
			 const struct ms_goroutine_cluster *c)
{
	struct ms_human h;

	ms_text_colored(t, MS_TEXT_BOLD, ms_human_count(&h, c->count));
	ms_text_printf(t, " ");
	ms_text_wait(t, c->state, c->wait_reason, c->oldest_s);
	if (c->is_suspect) {
		ms_text_printf(t, ", ");
		ms_text_colored(t, MS_TEXT_YELLOW, "leak suspect");
	}
	ms_text_end(t, 0);
	if (c->stack != MS_NO_STACK)
		ms_text_stack(t, &r->stacks.items[c->stack], INDENT);
	if (c->place < r->place_count)
		text_cluster_place(t, r, c);
	text_created(t, &c->created_by, c->created_by_count, c->count);
	text_examples(t, c);
}

static void text_none_stuck(struct ms_text *t)
{
	ms_text_printf(t, "no goroutine is known to wait for over 5 minutes");
	ms_text_end(t, 0);
}

static void text_clusters(struct ms_text *t, const struct ms_goroutines_report *r,
			  const struct ms_goroutines_view *view)
{
	size_t shown = 0, left = 0;
	uint64_t left_goroutines = 0;
	struct ms_human a, b;

	for (size_t i = 0; i < r->cluster_count; i++) {
		const struct ms_goroutine_cluster *c = &r->clusters[i];

		if ((view->stuck && !c->is_stuck) || (c->is_system && view->top != SIZE_MAX))
			continue;
		if (shown >= view->top) {
			left++;
			left_goroutines += c->count;
			continue;
		}
		text_cluster(t, r, c);
		shown++;
	}
	if (view->stuck && !shown)
		text_none_stuck(t);
	if (left) {
		ms_text_printf(t, "and %s more cluster%s of %s goroutines; --all shows them",
			       ms_human_count(&a, left), left == 1 ? "" : "s",
			       ms_human_count(&b, left_goroutines));
		ms_text_end(t, 0);
	}
}

/** One line for the runtime's own. */
static void text_system(struct ms_text *t, const struct ms_goroutines_report *r)
{
	const char *separator = "the runtime's own: ";
	struct ms_human h;

	for (size_t i = 0; i < r->cluster_count; i++) {
		const struct ms_goroutine_cluster *c = &r->clusters[i];
		const struct ms_stack *stack;

		if (!c->is_system)
			continue;
		ms_text_printf(t, "%s%s ", separator, ms_human_count(&h, c->count));
		separator = ", ";
		ms_text_name(t, c->wait_reason ? c->wait_reason : c->state, 40);
		stack = c->stack == MS_NO_STACK ? NULL : &r->stacks.items[c->stack];
		if (stack && stack->count > 1) {
			ms_text_printf(t, " in ");
			ms_text_name(t, stack->calls[stack->count - 2].function, 60);
		}
	}
	if (!strcmp(separator, ", "))
		ms_text_end(t, 0);
}

// --- Goroutines one by one. ---

static void text_row(struct ms_text *t, const struct ms_goroutines_report *r,
		     const struct ms_goroutine_row *row)
{
	struct ms_human h;

	ms_text_printf(t, "goroutine %" PRIu64 " [", row->id);
	ms_text_name(t, row->wait_reason ? row->wait_reason : row->state, 0);
	if (isfinite(row->waited_s))
		ms_text_printf(t, ", %s", ms_human_ahead(&h, row->waited_s));
	if (row->thread)
		ms_text_printf(t, ", thread %" PRIu32, row->thread);
	if (row->p != UINT32_MAX)
		ms_text_printf(t, ", p %" PRIu32, row->p);
	ms_text_printf(t, "]:%s", row->stack_source == MS_STACK_SAMPLED ? " (sampled)" : "");
	ms_text_end(t, 0);
	if (row->stack != MS_NO_STACK)
		ms_text_stack_whole(t, &r->stacks.items[row->stack]);
	if (row->created_by.function) {
		ms_text_printf(t, "created by ");
		ms_text_name(t, row->created_by.function, 0);
		if (row->parent != MS_UNKNOWN && row->parent)
			ms_text_printf(t, " in goroutine %" PRIu64, row->parent);
		ms_text_end(t, 0);
		ms_text_name(t, row->created_by.file, 0);
		if (row->created_by.file && row->created_by.line)
			ms_text_printf(t, ":%" PRIu32, row->created_by.line);
		ms_text_end(t, INDENT);
	}
	ms_text_end_whole(t);
}

static void text_rows(struct ms_text *t, const struct ms_goroutines_report *r,
		      const struct ms_goroutines_view *view)
{
	size_t shown = 0, left = 0;
	struct ms_human h;

	for (size_t i = 0; i < r->row_count; i++) {
		const struct ms_goroutine_row *row = &r->rows[i];

		if ((view->stuck && (row->is_system || !(row->waited_s > STUCK_S))) ||
		    (row->is_system && view->top != SIZE_MAX))
			continue;
		if (shown < view->top)
			text_row(t, r, row);
		else
			left++;
		shown += shown < view->top;
	}
	if (view->stuck && !shown)
		text_none_stuck(t);
	if (left) {
		ms_text_printf(t, "and %s more; --all shows them", ms_human_count(&h, left));
		ms_text_end(t, 0);
	}
}

// --- The last lines. ---

static void text_stackless(struct ms_text *t, const struct ms_goroutines_report *r)
{
	uint64_t moved = r->moved < r->without_stack ? r->moved : r->without_stack;
	uint64_t ran = r->without_stack - moved;
	struct ms_human h;

	if (!r->without_stack)
		return;
	ms_text_printf(t, ", without a stack %s: ", ms_human_count(&h, r->without_stack));
	if (ran) {
		ms_text_printf(t, "%s ran", ms_human_count(&h, ran));
		if (r->no_samples) {
			ms_text_printf(t, ", and ");
			ms_text_name(t, r->no_samples, 0);
		}
	}
	if (moved)
		ms_text_printf(t, "%s%s went on each time", ran ? "; " : "",
			       ms_human_count(&h, moved));
}

/** Why stacks end early, where it is the same for all that do; NULL otherwise. */
static const char *why_cut(const struct ms_goroutines_report *r)
{
	const char *why = NULL;

	for (size_t i = 0; i < r->stacks.count; i++) {
		const char *cut = r->stacks.items[i].cut;

		if (cut && why && strcmp(cut, why) != 0)
			return NULL;
		why = cut ? cut : why;
	}
	return why;
}

static void text_coverage(struct ms_text *t, const struct ms_goroutines_report *r)
{
	uint64_t unnoticed = 0, noticed = 0;
	struct ms_human h;

	for (size_t i = 0; i < r->row_count; i++) {
		noticed += isfinite(r->rows[i].waited_s) != 0;
		unnoticed += r->rows[i].wait_reason && !isfinite(r->rows[i].waited_s);
	}
	ms_text_printf(t, "seen %s", ms_human_count(&h, r->seen));
	ms_text_printf(t, ", unwound to the end %s", ms_human_count(&h, r->unwound));
	if (r->cut) {
		const char *why = why_cut(r);

		ms_text_printf(t, ", cut %s", ms_human_count(&h, r->cut));
		if (why)
			ms_text_printf(t, " (%s)", why);
	}
	if (r->sampled)
		ms_text_printf(t, ", sampled %s", ms_human_count(&h, r->sampled));
	if (r->samples_lost)
		ms_text_printf(t, ", samples lost %s", ms_human_count(&h, r->samples_lost));
	if (r->threads_left_out)
		ms_text_printf(t, ", threads not sampled %s",
			       ms_human_count(&h, r->threads_left_out));
	text_stackless(t, r);
	ms_text_end(t, 0);
	if (noticed || unnoticed) {
		ms_text_printf(t, "how long they wait is as collections noted it, up to one "
				  "collection too long");
		if (r->target.core)
			ms_text_printf(t, ", and counted to the last that this core has: they "
					  "waited longer");
		if (unnoticed)
			ms_text_printf(t, "; not noted yet: %s", ms_human_count(&h, unnoticed));
		ms_text_end(t, 0);
	}
	if (r->burst) {
		ms_text_name(t, r->burst, 0);
		ms_text_end(t, 0);
	}
	if (r->frame_pointer_agrees || r->frame_pointer_differs) {
		struct ms_human all;

		ms_text_printf(
		    t, "frame pointers agree with the function table on %s of %s frames",
		    ms_human_count(&h, r->frame_pointer_agrees),
		    ms_human_count(&all, r->frame_pointer_agrees + r->frame_pointer_differs));
		ms_text_end(t, 0);
	}
}

struct ms_error *ms_render_goroutines_text(const struct ms_goroutines_report *report,
					   const struct ms_goroutines_view *view,
					   const struct ms_text_style *style, struct ms_sink *sink)
{
	struct ms_text t;

	ms_text_init(&t, style, sink);
	text_head(&t, report);
	if (view->expanded) {
		text_rows(&t, report, view);
	} else {
		text_clusters(&t, report, view);
		if (!view->stuck && view->top != SIZE_MAX)
			text_system(&t, report);
		ms_text_suspects(&t, report);
		ms_text_places(&t, report, view->top);
		ms_text_map_users(&t, report, view->top);
		ms_text_clues(&t, report);
	}
	ms_text_sched(&t, report);
	ms_text_end_whole(&t);
	text_coverage(&t, report);
	ms_text_cost(&t, &report->cost);
	return ms_text_finish(&t);
}
