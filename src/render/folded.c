// folded.c - stacks as lines: the calls from the root with semicolons between, a blank, a count.
//
// It is what flame graph tools read.  They split a line at semicolons and at its last blank, so
// neither a semicolon nor the end of a line may come from a name.
#include "render/escape.h"
#include "render/stack_weights.h"

#include "base/cleanup.h"

#include <inttypes.h>

static void put_name(struct ms_sink *sink, struct ms_sink *scratch, const char *name)
{
	const char *text;

	scratch->size = 0;
	ms_replace_text(scratch, name, MS_REPLACE_UNSAFE);
	text = ms_sink_text(scratch);
	if (!text) {
		ms_sink_fail_no_memory(sink);
		return;
	}
	for (size_t run; *text; text += run) {
		run = strcspn(text, ";\t\r\n");
		ms_sink_write(sink, text, run);
		if (text[run]) {
			ms_sink_puts(sink, text[run] == ';' ? ":" : " ");
			run++;
		}
	}
}

static bool is_same(const struct ms_stack *a, const struct ms_stack *b)
{
	for (uint32_t depth = 0;; depth++) {
		const struct ms_stack_call *p = ms_stack_drawn(a, depth);
		const struct ms_stack_call *q = ms_stack_drawn(b, depth);

		if (!p || !q)
			return p == q;
		if (strcmp(ms_stack_drawn_name(p), ms_stack_drawn_name(q)) != 0)
			return false;
	}
}

static void put_stack(struct ms_sink *sink, struct ms_sink *scratch, const struct ms_stack *stack,
		      uint64_t count)
{
	const struct ms_stack_call *call;

	for (uint32_t depth = 0; (call = ms_stack_drawn(stack, depth)); depth++) {
		if (depth)
			ms_sink_puts(sink, ";");
		put_name(sink, scratch, ms_stack_drawn_name(call));
	}
	ms_sink_printf(sink, " %" PRIu64 "\n", count);
}

static struct ms_error *put_weights(const struct ms_stack_weights *w, struct ms_sink *sink)
{
	size_t count;
	MS_AUTO_FREE uint32_t *order = ms_stack_weights_order(w, &count);
	const struct ms_stack *stacks = w->stacks->items;
	struct ms_sink scratch;

	if (!order)
		return ms_error_no_memory();
	ms_sink_init_memory(&scratch);
	for (size_t i = 0, end; i < count && !ms_sink_failed(sink); i = end) {
		uint64_t sum = 0;

		for (end = i; end < count && is_same(&stacks[order[i]], &stacks[order[end]]); end++)
			sum += w->counts[order[end]];
		put_stack(sink, &scratch, &stacks[order[i]], sum);
	}
	if (w->without)
		ms_sink_printf(sink, "[no stack] %" PRIu64 "\n", w->without);
	ms_sink_deinit(&scratch);
	return ms_sink_finish(sink);
}

struct ms_error *ms_render_trace_folded(const struct ms_trace_report *report, struct ms_sink *sink)
{
	struct ms_stack_weights w MS_CLEANUP(ms_stack_weights_deinit) = { 0 };
	struct ms_error *err = ms_stack_weights_of_trace(report, &w);

	return err ? err : put_weights(&w, sink);
}

struct ms_error *ms_render_goroutines_folded(const struct ms_goroutines_report *report,
					     struct ms_sink *sink)
{
	struct ms_stack_weights w MS_CLEANUP(ms_stack_weights_deinit) = { 0 };
	struct ms_error *err = ms_stack_weights_of_goroutines(report, &w);

	return err ? err : put_weights(&w, sink);
}
