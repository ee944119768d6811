// creations.c - maps as they are made.
//
// All ways to make a map with a hint that may be more than one bucket go through one function of
// the runtime; a hint that the compiler knows to be small goes through another one, which is not
// told it and is only counted.  A map that does not outlive its function and has a small hint is
// made in place, with no call at all, and is not seen.
//
// The map is the function's result.  An event is believed when the header at that address is what
// the function would have made of the hint: without entries, and with the B that follows from it.
//
// The kernel has to step through a return instruction, which makes most of the cost of a look.
// Where a program makes more maps than that is good for, the probes on returns are taken away.
#include "trace/creations.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "maps/classic.h"
#include "trace/creation_kernel.h"
#include "trace/growth_types.h"
#include "trace/probe_place.h"
#include "trace/probe_stack.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { CREATIONS_MAX = 200000, WINDOW_EVENTS = 20000, RETURNS_MAX_PER_S = 20000 };

static const uint64_t WINDOW_NS = 1000000000;
static const uint64_t ALLOCATION_MAX = (uint64_t)1 << 48; // maxAlloc in runtime/malloc.go.
static const double BUSY_S = 0.01, IDLE_S = 0.05;
static const double RATE_S = 0.25;     // The least time over which a rate is taken.
static const double SETTLED_S = 0.002; // Nothing older than this comes any more.

struct place {
	uint64_t offset;
	struct ms_probe_site site;
	bool is_there;
};

struct state {
	struct ms_creation_kernel *kernel;
	struct ms_growth_types types;
	struct {
		struct ms_bpf_creation *items;
		size_t count, capacity;
	} held;
	uint64_t kept; // In the report; those of libhmap's maps are, too.
	double due;
	double rated; // When the rate was taken last.
	uint64_t rated_begun;
};

// --- Placing. ---

/** A function that the program lacks is no error: it makes no such map. */
static struct ms_error *find_place(struct ms_trace *trace, struct ms_code *code, const char *name,
				   struct place *ret_place, struct ms_return_sites *ret_returns,
				   const char **ret_nameless)
{
	const struct ms_function *fn = ms_functions_by_name(trace->book->functions, name);
	struct ms_error *err;

	if (!fn)
		return NULL;
	err = ms_probe_place_find(trace->rt, code, fn, &ret_place->offset, &ret_place->site);
	if (err)
		return ms_error_wrap(err, "cannot probe %s", name);
	ret_place->is_there = true;
	if (!ret_returns)
		return NULL;
	err = ms_return_places_find(trace->rt, code, fn, &ret_place->site, ret_returns);
	if (!err || ms_error_code(err) != MS_ERR_UNSUPPORTED)
		return err;
	*ret_nameless =
	    ms_arena_printf(&trace->report->arena, "%s: %s", name, ms_error_message(err));
	ms_error_free(err);
	return *ret_nameless ? NULL : ms_error_no_memory();
}

static struct ms_bpf_creations_config configure(const struct ms_go_layout *l)
{
	bool swiss = l->maps == MS_GO_MAPS_SWISS;

	return (struct ms_bpf_creations_config){
		.window_ns = WINDOW_NS,
		.window_events = WINDOW_EVENTS,
		.g_stack_hi = l->g_stack_hi,
		.count = swiss ? l->map_used : l->hmap_count,
		.bucket_log2 = swiss ? UINT32_MAX : l->hmap_bucket_log2,
	};
}

static struct ms_error *attach(struct ms_trace *trace, struct state *s, enum ms_creation_site site,
			       uint64_t offset, uint32_t condition)
{
	struct ms_error *err =
	    ms_creation_kernel_attach(s->kernel, site, trace->rt->target->pid, offset, condition);

	trace->report->cost.probes += !err;
	return err;
}

/** What begins is seen before what ends: an end without a beginning is passed over. */
static struct ms_error *attach_all(struct ms_trace *trace, struct state *s,
				   const struct place *with_hint,
				   const struct ms_return_sites *returns, const struct place *small)
{
	struct ms_error *err = NULL;

	if (with_hint->is_there)
		err = attach(trace, s, MS_CREATION_BEGINS, with_hint->offset,
			     with_hint->site.condition);
	for (size_t i = 0; i < returns->count && !err; i++)
		err = attach(trace, s, MS_CREATION_RETURNS, returns->items[i], MS_PROBE_ALWAYS);
	if (!err && small->is_there)
		err = attach(trace, s, MS_CREATION_SMALL, small->offset, small->site.condition);
	return err;
}

static struct ms_error *place_all(struct ms_trace *trace, struct state *s)
{
	bool swiss = trace->rt->layout->maps == MS_GO_MAPS_SWISS;
	const char *name = swiss ? "internal/runtime/maps.NewMap" : "runtime.makemap";
	struct place with_hint = { 0 }, small = { 0 };
	struct ms_return_sites returns = { 0 };
	const char **nameless = &trace->report->creations_nameless;
	struct ms_bpf_creations_config config;
	struct ms_code *code = NULL;
	struct ms_error *err = ms_code_open(trace->rt->elf.arch, &code);

	if (!err)
		err = find_place(trace, code, name, &with_hint, &returns, nameless);
	if (!err)
		err = find_place(trace, code, "runtime.makemap_small", &small, NULL, nameless);
	ms_code_close(code);
	if (err)
		return err;
	config = configure(trace->rt->layout);
	err = ms_creation_kernel_open(&config, &s->kernel);
	if (!err && *nameless)
		ms_creation_kernel_forgo_returns(s->kernel);
	return err ? err : attach_all(trace, s, &with_hint, &returns, &small);
}

/** Why there are no probes; other errors are passed on. */
static struct ms_error *note_refusal(struct ms_trace *trace, struct ms_error *err)
{
	struct ms_trace_report *r = trace->report;

	if (ms_error_code(err) == MS_ERR_GONE || ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	r->creations_nameless = NULL;
	r->creations_unknown = ms_arena_printf(&r->arena, "%s", ms_error_message(err));
	ms_error_free(err);
	return r->creations_unknown ? NULL : ms_error_no_memory();
}

static void creations_destroy(void *context)
{
	struct state *s = context;

	ms_creation_kernel_close(s->kernel);
	ms_growth_types_deinit(&s->types);
	ms_vec_free(&s->held);
	free(s);
}

static struct ms_error *start_placed(struct ms_trace *trace, struct state *s)
{
	struct ms_error *err = ms_go_types(trace->rt, &s->types.types);

	s->types.layout = trace->rt->layout;
	s->types.arena = &trace->report->arena;
	return err ? err : place_all(trace, s);
}

static struct ms_error *creations_start(struct ms_trace *trace, void **ret_state)
{
	struct ms_error *err;
	struct state *s;

	if (!trace->options->creations)
		return NULL;
	if (trace->options->no_probes || !trace->rt->target->pid) {
		trace->report->creations_unknown = trace->options->no_probes
						       ? "--no-probes was asked for"
						       : "this is no running process";
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return ms_error_no_memory();
	err = start_placed(trace, s);
	if (err) {
		creations_destroy(s);
		return note_refusal(trace, err);
	}
	trace->report->has_creations = true;
	s->rated = trace->began;
	*ret_state = s;
	return NULL;
}

static double creations_due(const void *context)
{
	return ((const struct state *)context)->due;
}

// --- Events. ---

uint64_t ms_creation_bucket_shift(const struct ms_go_layout *l, uint64_t hint, uint32_t unit_bytes)
{
	unsigned log2 = 0;

	if ((int64_t)hint < 0 || (unit_bytes && hint > ALLOCATION_MAX / unit_bytes))
		return 0;
	while (log2 < 48 && hint >= ms_classic_grow_at(l, log2))
		log2++;
	return log2;
}

/** Whether the header at the result is what the function makes of the hint. */
static bool is_as_made(const struct ms_bpf_creation *raw, uint64_t bucket_shift)
{
	return raw->entries == 0 &&
	       (bucket_shift == MS_UNKNOWN || raw->bucket_log2 == bucket_shift);
}

static struct ms_error *find_stack(struct ms_trace *trace, const struct ms_bpf_creation *raw,
				   uint32_t *ret_stack)
{
	struct ms_stack_pc pcs[MS_BPF_CREATION_STACK_MAX + MS_PROBE_STACK_SPARE];
	const char *cut;
	size_t count;

	*ret_stack = MS_NO_STACK;
	if (!raw->count)
		return NULL;
	count = ms_probe_stack_calls(trace->book->functions, raw->pcs, raw->count, raw->caller, pcs,
				     &cut);
	if (raw->count == MS_BPF_CREATION_STACK_MAX && cut)
		cut = "the kernel unwinds 127 frames";
	return ms_stack_book_add(trace->book, pcs, count, cut, ret_stack);
}

static struct ms_error *take_creation(struct ms_trace *trace, struct state *s,
				      const struct ms_bpf_creation *raw)
{
	const struct ms_go_layout *l = trace->rt->layout;
	struct ms_creation_event e = { .time_s = (double)raw->time_ns / 1e9 - trace->began,
				       .map = raw->map,
				       .hint = (int64_t)raw->hint < 0 ? 0 : raw->hint,
				       .bucket_shift = MS_UNKNOWN };
	struct ms_growth_type type;
	struct ms_error *err = ms_growth_type_find(&s->types, raw->type, &type);

	if (err)
		return err;
	e.type = type.name;
	if (l->maps != MS_GO_MAPS_SWISS)
		e.bucket_shift = ms_creation_bucket_shift(l, raw->hint, type.unit_bytes);
	if (raw->map && !is_as_made(raw, e.bucket_shift))
		return NULL; // It stays counted.
	if (trace->report->creation_count >= CREATIONS_MAX)
		return NULL;
	err = find_stack(trace, raw, &e.stack);
	if (!err)
		err = ms_trace_add_creation(trace->report, &e);
	s->kept += !err;
	return err;
}

static struct ms_error *hold_creation(void *context, const struct ms_bpf_creation *creation)
{
	struct state *s = context;

	return ms_vec_push(&s->held, *creation) ? NULL : ms_error_no_memory();
}

static int by_time(const void *a, const void *b)
{
	const struct ms_bpf_creation *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/** Take in what was held and is older than @p until. */
static struct ms_error *release(struct ms_trace *trace, struct state *s, double until)
{
	size_t i;

	if (s->held.count)
		qsort(s->held.items, s->held.count, sizeof(*s->held.items), by_time);
	for (i = 0; i < s->held.count; i++) {
		struct ms_error *err;

		if ((double)s->held.items[i].time_ns / 1e9 > until)
			break;
		err = take_creation(trace, s, &s->held.items[i]);
		if (err)
			return err;
	}
	s->held.count -= i;
	if (s->held.count)
		memmove(s->held.items, s->held.items + i, s->held.count * sizeof(*s->held.items));
	return NULL;
}

static void count(struct ms_trace *trace, struct state *s)
{
	struct ms_bpf_creation_counters c = ms_creation_kernel_counters(s->kernel);
	struct ms_trace_report *r = trace->report;

	r->creations_counted = c.begun;
	r->creations_small = c.small;
	r->creations_dropped = c.begun - s->kept;
}

/** A look at each map costs the program too much when it makes so many. */
static void spare_target(struct ms_trace *trace, struct state *s, double now)
{
	struct ms_trace_report *r = trace->report;
	double passed = now - s->rated;

	if (passed < RATE_S || r->creations_nameless)
		return;
	if ((double)(r->creations_counted - s->rated_begun) > passed * RETURNS_MAX_PER_S) {
		ms_creation_kernel_forgo_returns(s->kernel);
		r->creations_nameless = "over 20,000 a second were made, and to look at the end of "
					"each call would have slowed the program";
	}
	s->rated = now;
	s->rated_begun = r->creations_counted;
}

static struct ms_error *creations_tick(struct ms_trace *trace, void *context)
{
	struct state *s = context;
	double now = trace->options->now(trace->options->context);
	struct ms_error *err = ms_creation_kernel_drain(s->kernel, hold_creation, s);

	s->due = now + (s->held.count ? BUSY_S : IDLE_S);
	if (!err)
		err = release(trace, s, now - SETTLED_S);
	if (!err)
		count(trace, s);
	if (!err)
		spare_target(trace, s, now);
	return err;
}

static struct ms_error *creations_end(struct ms_trace *trace, void *context)
{
	struct state *s = context;
	struct ms_error *err;

	ms_creation_kernel_detach(s->kernel);
	err = ms_creation_kernel_drain(s->kernel, hold_creation, s);
	if (!err)
		err = release(trace, s, INFINITY);
	if (!err)
		count(trace, s);
	return err;
}

const struct ms_trace_part ms_creations = {
	.name = "creations",
	.start = creations_start,
	.due = creations_due,
	.tick = creations_tick,
	.end = creations_end,
	.destroy = creations_destroy,
};
