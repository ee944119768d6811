// gc_line.c - runtime/mgc.go, gcMarkTermination, as every release from 1.18 to 1.27 prints it:
//
//	gc # @#s #%: #+#+# ms clock, #+#/#/#+# ms cpu, #->#-># MB, # MB goal, # MB stacks, # MB
// globals, # P
//
// with " (forced)" behind it for runtime.GC.  Numbers are cut, never rounded, and milliseconds have
// two digits that count and at most three behind the point (runtime.fmtNSAsMS).
#include "trace/gc_line.h"

#include "base/saturate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { FIGURE_MAX = 24 };

struct figure {
	char text[FIGURE_MAX];
};

static struct figure unknown(void)
{
	return (struct figure){ "?" };
}

static struct figure milliseconds(int64_t ns)
{
	struct figure f = unknown();
	uint64_t us = (uint64_t)ns / 1000, scale = 1000;
	int places = 3;

	if (ns < 0)
		return f;
	if (ns >= 10000000) {
		snprintf(f.text, sizeof(f.text), "%" PRIu64, us / 1000);
		return f;
	}
	for (; us >= 100; us /= 10, scale /= 10)
		places--;
	if (us)
		snprintf(f.text, sizeof(f.text), "%" PRIu64 ".%0*" PRIu64, us / scale, places,
			 us % scale);
	else
		f = (struct figure){ "0" };
	return f;
}

static struct figure megabytes(uint64_t bytes)
{
	struct figure f = unknown();

	if (bytes != MS_UNKNOWN)
		snprintf(f.text, sizeof(f.text), "%" PRIu64, bytes >> 20);
	return f;
}

static struct figure seconds(int64_t ns)
{
	struct figure f = unknown();

	if (ns >= 0)
		snprintf(f.text, sizeof(f.text), "%" PRId64 ".%03" PRId64, ns / 1000000000,
			 ns / 1000000 % 1000);
	return f;
}

static struct figure percent(double share)
{
	struct figure f = unknown();

	if (share >= 0 && share <= 1)
		snprintf(f.text, sizeof(f.text), "%d", (int)(share * 100));
	return f;
}

static const char *forced(const struct ms_gc_line *line)
{
	if (!line->is_forced_known)
		return " (forced?)";
	return line->is_forced ? " (forced)" : "";
}

static const char *line_unknown(struct ms_arena *arena, const struct ms_gc_line *line)
{
	return ms_arena_printf(arena,
			       "gc %u @?s ?%%: ?+?+? ms clock, ?+?/?/?+? ms cpu, ?->?->? MB, "
			       "? MB goal, ? MB stacks, ? MB globals, ? P%s",
			       line->number, forced(line));
}

const char *ms_gc_line(struct ms_arena *arena, const struct ms_gc_line *line)
{
	const struct ms_go_collections_now *now = line->look;
	const struct ms_go_cycle *c;
	const struct ms_go_pacer *p;
	int64_t sweep_ns, mark_ns, end_ns;

	if (!now || !now->has_cycle)
		return line_unknown(arena, line);
	c = &now->cycle;
	p = &now->pacer;
	sweep_ns = c->mark_ns - c->start_ns;
	mark_ns = c->mark_end_ns - c->mark_ns;
	end_ns = c->end_ns - c->mark_end_ns;
	return ms_arena_printf(
	    arena,
	    "gc %u @%ss %s%%: %s+%s+%s ms clock, %s+%s/%s/%s+%s ms cpu, %s->%s->%s MB, "
	    "%s MB goal, %s MB stacks, %s MB globals, %u P%s",
	    line->number,
	    seconds(line->began_ns ? ms_sub_i64(c->start_ns, line->began_ns) : -1).text,
	    percent(now->cpu_share).text, milliseconds(sweep_ns).text, milliseconds(mark_ns).text,
	    milliseconds(end_ns).text, milliseconds(sweep_ns * c->stop_procs).text,
	    milliseconds(p->assist_ns).text,
	    milliseconds(ms_add_i64(p->dedicated_ns, p->fractional_ns)).text,
	    milliseconds(p->idle_ns).text, milliseconds(end_ns * c->stop_procs).text,
	    megabytes(c->heap_start_bytes).text, megabytes(c->heap_end_bytes).text,
	    megabytes(c->heap_marked_bytes).text, megabytes(p->last_goal_bytes).text,
	    megabytes(line->stacks_bytes).text, megabytes(p->globals_scan_bytes).text, c->procs,
	    forced(line));
}
