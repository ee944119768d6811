// pacer.c - runtime.gcController has no symbol in a stripped program, but it says the same thing
// twice: the smallest heap worth collecting follows from GOGC (mgcpacer.go, setGCPercent)
//
//	heapMinimum = 4 MiB * uint64(gcPercent) / 100		in every release from 1.18 on
//
// where the product wraps around for gcPercent -1 (GOGC=off), which gives a number that nothing
// else in a program holds.  Beside it stand two counts of bytes that the spans of the heap bound,
// and, from 1.19 on, a memory limit that is math.MaxInt64 until one is set.  The variable is not
// initialised, so it lies in one of the two ranges that are zeros in the file.
//
// The memory limit is soft: the runtime collects more often to stay under it, at most half of the
// time, and then passes it.  No allocation fails because of it.
//
// The goal of the heap is kept from 1.19 on as what follows from GOGC alone (commit):
//
//	gcPercentHeapGoal = max(heapMarked + (heapMarked + lastStackScan + globalsScan) * gcPercent
/// 100, 				heapMinimum)
//
// and all of that is kept beside it, so it proves itself.  What the runtime aims at is worked out
// anew each time (heapGoalInternal) and can differ in three ways: a memory limit may lower it, and
// we say so only when even all writable memory of the process could not make it; the sweep may
// raise it to the heap at the last commit plus 1 MiB, which is the marked heap plus 1 MiB unless
// somebody changed GOGC meanwhile; and during a cycle it is at least 64 KiB above where that began.
// Go 1.18 keeps the goal itself and the trigger.
#include "golang/pacer.h"

#include "golang/scan.h"

enum { PERCENT_MAX = 100000000 };

static const uint64_t HEAP_MINIMUM = 4 << 20;
static const uint64_t SWEEP_DISTANCE = 1 << 20; // runtime.sweepMinHeapDistance
static const uint64_t LATE_BYTES = 64 << 20;    // Allocated since the spans were read.

static uint64_t heap_minimum(int32_t percent)
{
	return HEAP_MINIMUM * (uint64_t)(int64_t)percent / 100;
}

uint32_t ms_go_pacer_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->gc_percent,         l->gc_heap_minimum, l->gc_heap_live,
				    l->gc_heap_marked,     l->gc_heap_goal,    l->gc_last_heap_goal,
				    l->gc_globals_scan,    l->gc_assist_time,  l->gc_dedicated_time,
				    l->gc_fractional_time, l->gc_idle_time,    l->gc_mark_start };
	const uint32_t optional[] = { l->gc_memory_limit, l->gc_trigger, l->gc_last_stack_scan };
	uint32_t last = 0;

	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++)
		last = fields[i] > last ? fields[i] : last;
	for (size_t i = 0; i < MS_ARRAY_SIZE(optional); i++)
		last = optional[i] != MS_ABSENT && optional[i] > last ? optional[i] : last;
	return last < MS_GO_PLACE_MAX - 8 ? last + 8 : 0;
}

/** GOGC=0 leaves nothing to recognise but a limit that was not set. */
static bool percent_is_sane(int32_t percent, uint64_t memory_limit)
{
	return percent == -1 || (percent > 0 && percent <= PERCENT_MAX) ||
	       (percent == 0 && memory_limit == INT64_MAX);
}

static uint64_t optional_u64(const uint8_t *raw, uint32_t offset)
{
	return offset == MS_ABSENT ? MS_UNKNOWN : ms_load_u64(raw + offset);
}

/** The goal by GOGC, when it is what the runtime would have made of @p p and @p minimum. */
static uint64_t percent_goal(const struct ms_go_layout *l, const struct ms_go_pacer *p,
			     uint64_t minimum, uint64_t goal)
{
	uint64_t scan = p->heap_marked_bytes + p->stack_scan_bytes + p->globals_scan_bytes;

	if (p->gc_percent < 0)
		return MS_UNKNOWN;
	if (l->gc_trigger != MS_ABSENT) // It has a part that Go 1.18 keeps elsewhere.
		return goal >= p->heap_marked_bytes && goal >= p->trigger_bytes ? goal : MS_UNKNOWN;
	return goal == ms_max_u64(p->heap_marked_bytes + scan * (uint64_t)p->gc_percent / 100,
				  minimum)
		   ? goal
		   : MS_UNKNOWN;
}

/** What it says of the last cycle, and of the next. */
static void cycle_parse(const struct ms_go_layout *l, const uint8_t *raw, struct ms_go_pacer *p)
{
	p->last_goal_bytes = ms_load_u64(raw + l->gc_last_heap_goal);
	p->stack_scan_bytes = optional_u64(raw, l->gc_last_stack_scan);
	p->globals_scan_bytes = ms_load_u64(raw + l->gc_globals_scan);
	p->trigger_bytes = optional_u64(raw, l->gc_trigger);
	p->mark_start_ns = (int64_t)ms_load_u64(raw + l->gc_mark_start);
	p->assist_ns = (int64_t)ms_load_u64(raw + l->gc_assist_time);
	p->dedicated_ns = (int64_t)ms_load_u64(raw + l->gc_dedicated_time);
	p->fractional_ns = (int64_t)ms_load_u64(raw + l->gc_fractional_time);
	p->idle_ns = (int64_t)ms_load_u64(raw + l->gc_idle_time);
	p->percent_goal_bytes = percent_goal(l, p, ms_load_u64(raw + l->gc_heap_minimum),
					     ms_load_u64(raw + l->gc_heap_goal));
}

bool ms_go_pacer_parse(const struct ms_go_layout *l, const uint8_t *raw, uint64_t in_use_bytes,
		       struct ms_go_pacer *ret_pacer)
{
	bool has_limit = l->gc_memory_limit != MS_ABSENT;
	uint64_t limit = has_limit ? ms_load_u64(raw + l->gc_memory_limit) : 0;
	uint64_t most = in_use_bytes > UINT64_MAX / 4 ? UINT64_MAX : in_use_bytes * 2 + LATE_BYTES;
	struct ms_go_pacer p = {
		.gc_percent = (int32_t)ms_load_u32(raw + l->gc_percent),
		.has_memory_limit = has_limit && limit != INT64_MAX,
		.memory_limit_bytes = has_limit && limit != INT64_MAX ? limit : MS_UNKNOWN,
		.heap_live_bytes = ms_load_u64(raw + l->gc_heap_live),
		.heap_marked_bytes = ms_load_u64(raw + l->gc_heap_marked),
	};

	if (ms_load_u32(raw + l->gc_percent + 4) || limit > INT64_MAX ||
	    !percent_is_sane(p.gc_percent, limit) ||
	    ms_load_u64(raw + l->gc_heap_minimum) != heap_minimum(p.gc_percent))
		return false;
	if (!p.heap_live_bytes || p.heap_live_bytes > most || p.heap_marked_bytes > most)
		return false;
	cycle_parse(l, raw, &p);
	*ret_pacer = p;
	return true;
}

uint64_t ms_go_pacer_goal(const struct ms_go_pacer *p, uint64_t writable_bytes)
{
	uint64_t goal = p->percent_goal_bytes, most = writable_bytes, marked = p->heap_marked_bytes;

	if (goal == MS_UNKNOWN || p->trigger_bytes != MS_UNKNOWN)
		return goal;
	if (goal < marked || goal - marked < SWEEP_DISTANCE) // The sweep may have raised it.
		return MS_UNKNOWN;
	if (!p->has_memory_limit)
		return goal;
	// The limit's goal leaves room for what is not heap and 3 % to spare, at least 1 MiB.  What
	// is marked is heap; all else that is mapped is taken for what is not.
	most += ms_max_u64(p->memory_limit_bytes / 100 * 3, 1 << 20);
	return marked <= writable_bytes && most <= p->memory_limit_bytes &&
		       goal <= p->memory_limit_bytes - most + marked
		   ? goal
		   : MS_UNKNOWN;
}

uint64_t ms_go_pacer_trigger_least(const struct ms_go_pacer *p, uint64_t goal_bytes)
{
	if (goal_bytes == MS_UNKNOWN || p->trigger_bytes != MS_UNKNOWN)
		return p->trigger_bytes;
	if (goal_bytes <= p->heap_marked_bytes)
		return goal_bytes;
	return p->heap_marked_bytes + (goal_bytes - p->heap_marked_bytes) / 64 * 45;
}

struct pacer_scan {
	const struct ms_go_layout *layout;
	uint64_t in_use_bytes;
	struct ms_go_pacer found;
	unsigned count;
};

static void place_try(const uint8_t *raw, ms_addr at, void *context)
{
	struct pacer_scan *s = context;
	struct ms_go_pacer p;

	if (!ms_go_pacer_parse(s->layout, raw, s->in_use_bytes, &p))
		return;
	s->found = p;
	s->found.address = at;
	s->count++;
}

struct ms_error *ms_go_pacer_find(struct ms_go_runtime *rt, uint64_t in_use_bytes,
				  struct ms_go_pacer *ret_pacer)
{
	struct pacer_scan s = { .layout = rt->layout, .in_use_bytes = in_use_bytes };
	struct ms_error *err = ms_go_scan_zeroed(rt, ms_go_pacer_bytes(rt->layout), place_try, &s);

	if (err)
		return ms_error_wrap(err, "the collector's settings");
	if (s.count != 1)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the collector's settings were looked for and %u places "
				    "could be them",
				    s.count);
	*ret_pacer = s.found;
	return NULL;
}
