// growth_probes.c - from probes placed to events in a report.
//
// Nobody is woken for an event, so the ring is looked into on a timer: often while there is
// something in it.  CPUs put their events in one after another but not quite in the order of their
// times, so the youngest are held back until the next look.
//
// Counts are the kernel's and are whole: events that were kept, plus those that are only in sums.
#include "trace/growth_probes.h"

#include "base/vec.h"
#include "trace/growth_describe.h"
#include "trace/growth_place.h"
#include "trace/growth_sums.h"
#include "trace/probe_stack.h"

#include <math.h>
#include <stdlib.h>

static const double BUSY_S = 0.008, IDLE_S = 0.05;
static const double SETTLED_S = 0.002; // Nothing older than this comes any more.

enum { EVENTS_MAX = 200000 };

struct state {
	struct ms_growth_kernel *kernel;
	struct ms_growth_types types;
	struct ms_growth_sums sums;
	struct ms_number_map stack_of; // The kernel's key to an index in the report's stacks.
	struct {
		struct ms_bpf_event *items;
		size_t count, capacity;
	} held;
	uint64_t unkept; // Events that came when there was no room in the report.
	double due;
};

_Static_assert((int)MS_PROBE_BELOW_EQUAL == (int)MS_BPF_BELOW_EQUAL &&
		   (int)MS_PROBE_BELOW == (int)MS_BPF_BELOW,
	       "both sides agree");

// --- Placing. ---

static struct ms_error *place_all(struct ms_trace *trace, struct state *s)
{
	struct ms_growth_places places;
	struct ms_bpf_config config;
	struct ms_error *err = ms_growth_places_find(trace->rt, &places);

	if (err)
		return err;
	ms_growth_config(trace->rt, &places, &config);
	config.small_events = trace->options->small_growths;
	err = ms_growth_kernel_open(&config, &s->kernel);
	for (size_t i = 0; i < places.count && !err; i++) {
		if (places.items[i].kind == MS_BPF_TO_SMALL && trace->options->no_small_growths)
			continue;
		err = ms_growth_kernel_attach(s->kernel, places.items[i].kind,
					      trace->rt->target->pid, places.items[i].file_offset);
		trace->report->cost.probes += !err;
	}
	return err;
}

/** Without probes, headers are polled; an error that means something else is passed on. */
static struct ms_error *note_refusal(struct ms_trace *trace, struct ms_error *err)
{
	err = ms_trace_refuse_probes(trace, err,
				     ", or in a container add --cap-add SYS_ADMIN --cap-add "
				     "SYS_PTRACE");
	if (!err)
		trace->report->source = MS_TRACE_POLLING;
	return err;
}

static void probes_destroy(void *context)
{
	struct state *s = context;

	ms_growth_kernel_close(s->kernel);
	ms_growth_types_deinit(&s->types);
	ms_growth_sums_deinit(&s->sums);
	ms_number_map_deinit(&s->stack_of);
	ms_vec_free(&s->held);
	free(s);
}

static struct ms_error *start_placed(struct ms_trace *trace, struct state *s)
{
	struct ms_error *err = ms_go_types(trace->rt, &s->types.types);

	s->types.layout = trace->rt->layout;
	s->types.arena = &trace->report->arena;
	s->sums.report = trace->report;
	s->due = 0;
	return err ? err : place_all(trace, s);
}

static struct ms_error *probes_start(struct ms_trace *trace, void **ret_state)
{
	struct ms_error *err;
	struct state *s;

	if (trace->options->no_probes) {
		trace->report->source = MS_TRACE_POLLING;
		trace->report->no_probes_reason = "--no-probes was asked for";
		return NULL;
	}
	if (!trace->rt->target->pid) {
		trace->report->source = MS_TRACE_POLLING;
		trace->report->no_probes_reason = "this is no running process";
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return ms_error_no_memory();
	err = start_placed(trace, s);
	if (err) {
		probes_destroy(s);
		return note_refusal(trace, err);
	}
	trace->report->source = MS_TRACE_PROBES;
	*ret_state = s;
	return NULL;
}

static double probes_due(const void *context)
{
	return ((const struct state *)context)->due;
}

// --- Stacks. ---

static struct ms_error *find_stack(struct ms_trace *trace, struct state *s, uint64_t key,
				   uint32_t *ret_stack)
{
	struct ms_stack_pc pcs[MS_BPF_STACK_MAX + MS_PROBE_STACK_SPARE];
	const uint32_t *known = key ? ms_number_map_find(&s->stack_of, key) : NULL;
	struct ms_bpf_stack raw;
	struct ms_error *err;
	const char *cut;
	size_t count;

	*ret_stack = known ? *known : MS_NO_STACK;
	if (known || !key || !ms_growth_kernel_stack(s->kernel, key, &raw))
		return NULL;
	count =
	    ms_probe_stack_calls(trace->book->functions, raw.pcs, raw.count, raw.caller, pcs, &cut);
	if (raw.count >= MS_BPF_STACK_MAX && cut)
		cut = "the kernel unwinds 127 frames";
	err = ms_stack_book_add(trace->book, pcs, count, cut, ret_stack);
	if (err)
		return err;
	return ms_number_map_add(&s->stack_of, key, *ret_stack) ? NULL : ms_error_no_memory();
}

// --- Events. ---

/** A census's row is of this map when it has its type: an address may be used again. */
static const char *find_owner(const struct ms_trace *trace, ms_addr map, const char *type)
{
	const struct ms_map_row *row = ms_trace_map(trace, map);

	if (!row || !row->owner || (type && row->type && strcmp(type, row->type) != 0))
		return NULL;
	return row->owner;
}

static struct ms_error *take_event(struct ms_trace *trace, struct state *s,
				   const struct ms_bpf_event *raw)
{
	struct ms_growth_type type;
	struct ms_growth_event e;
	struct ms_growth_sum sum;
	struct ms_error *err = ms_growth_type_find(&s->types, raw->type, &type);

	if (err)
		return err;
	e = ms_growth_describe(trace->rt->layout, raw, &type, trace->began);
	e.owner = find_owner(trace, e.map, e.type);
	err = find_stack(trace, s, raw->stack, &e.stack);
	if (!err && raw->gopc && raw->goid != 1 && !(raw->unread & MS_BPF_UNREAD_GOROUTINE))
		err = ms_stack_book_call(trace->book, (struct ms_stack_pc){ raw->gopc, true },
					 &e.created_by);
	if (err)
		return err;
	sum = (struct ms_growth_sum){ .map = e.map,
				      .type = e.type,
				      .owner = e.owner,
				      .kind = e.kind,
				      .stack = e.stack,
				      .count = 1,
				      .to_bytes = e.to_bytes };
	err = ms_growth_sums_add(&s->sums, &sum);
	if (err)
		return err;
	e.number = trace->report->event_count + 1;
	if (trace->report->event_count <
	    (trace->options->events_max ? trace->options->events_max : EVENTS_MAX))
		return ms_trace_add_event(trace->report, &e);
	s->unkept++;
	return NULL;
}

static struct ms_error *hold_event(void *context, const struct ms_bpf_event *event)
{
	struct state *s = context;

	if (event->kind >= MS_BPF_KINDS)
		return NULL;
	return ms_vec_push(&s->held, *event) ? NULL : ms_error_no_memory();
}

static int by_time(const void *a, const void *b)
{
	const struct ms_bpf_event *x = a, *y = b;

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
		err = take_event(trace, s, &s->held.items[i]);
		if (err)
			return err;
	}
	s->held.count -= i;
	if (s->held.count)
		memmove(s->held.items, s->held.items + i, s->held.count * sizeof(*s->held.items));
	return NULL;
}

static struct ms_error *count(struct ms_trace *trace, struct state *s)
{
	struct ms_trace_report *r = trace->report;
	struct ms_bpf_counters c;
	struct ms_error *err = ms_growth_kernel_counters(s->kernel, &c);

	if (err)
		return err;
	r->counted = 0;
	for (unsigned kind = 0; kind < MS_BPF_KINDS; kind++) {
		if (kind != MS_BPF_TO_SMALL || trace->options->small_growths)
			r->counted += c.hits[kind];
	}
	r->to_small = c.hits[MS_BPF_TO_SMALL];
	r->repeated = c.repeated;
	r->dropped = c.no_room + c.over_rate + s->unkept;
	return NULL;
}

static struct ms_error *probes_tick(struct ms_trace *trace, void *context)
{
	struct state *s = context;
	double now = trace->options->now(trace->options->context);
	struct ms_error *err = ms_growth_kernel_drain(s->kernel, hold_event, s);

	s->due = now + (s->held.count ? BUSY_S : IDLE_S);
	if (!err)
		err = release(trace, s, now - SETTLED_S);
	if (!err)
		err = count(trace, s);
	return err ? err : ms_target_check(trace->rt->target);
}

// --- The end. ---

static struct ms_error *take_sum(void *context, const struct ms_bpf_sum_key *key, uint64_t n);

struct ending {
	struct ms_trace *trace;
	struct state *s;
};

static struct ms_error *take_sum(void *context, const struct ms_bpf_sum_key *key, uint64_t n)
{
	const struct ending *ending = context;
	struct ms_trace *trace = ending->trace;
	const struct ms_bpf_event raw = { .kind = (uint8_t)key->kind,
					  .unread = (uint8_t)key->unread,
					  .slots = key->slots,
					  .is_over = key->is_over != 0 };
	struct ms_growth_type type;
	struct ms_growth_event e = { 0 };
	struct ms_growth_sum sum = { .map = key->map, .count = n };
	struct ms_error *err = ms_growth_type_find(&ending->s->types, key->type, &type);

	if (!err)
		err = find_stack(trace, ending->s, key->stack, &sum.stack);
	if (err)
		return err;
	ms_growth_describe_sizes(trace->rt->layout, &raw, &type, &e);
	sum.kind = e.kind;
	sum.type = type.name;
	sum.owner = find_owner(trace, key->map, type.name);
	if (e.to_bytes == MS_UNKNOWN || __builtin_mul_overflow(n, e.to_bytes, &sum.to_bytes))
		sum.to_bytes = MS_UNKNOWN;
	return ms_growth_sums_add(&ending->s->sums, &sum);
}

static struct ms_error *take_unsummed(struct ms_trace *trace, struct state *s)
{
	static const uint8_t kinds[MS_BPF_KINDS] = {
		[MS_BPF_HASH_GROW] = MS_GROWTH_EVENT_DOUBLE,
		[MS_BPF_TO_SMALL] = MS_GROWTH_EVENT_TO_SMALL,
		[MS_BPF_TO_TABLE] = MS_GROWTH_EVENT_TO_TABLE,
		[MS_BPF_TABLE_GROW] = MS_GROWTH_EVENT_DOUBLE,
		[MS_BPF_TABLE_SPLIT] = MS_GROWTH_EVENT_SPLIT,
	};
	struct ms_bpf_counters c;
	struct ms_error *err = ms_growth_kernel_counters(s->kernel, &c);

	for (unsigned kind = 0; kind < MS_BPF_KINDS && !err; kind++) {
		const struct ms_growth_sum sum = { .kind = kinds[kind],
						   .stack = MS_NO_STACK,
						   .count = c.unsummed[kind],
						   .to_bytes = MS_UNKNOWN };

		if (sum.count)
			err = ms_growth_sums_add(&s->sums, &sum);
	}
	(void)trace;
	return err;
}

static struct ms_error *probes_end(struct ms_trace *trace, void *context)
{
	struct state *s = context;
	struct ending ending = { trace, s };
	struct ms_error *err;

	ms_growth_kernel_detach(s->kernel);
	err = ms_growth_kernel_drain(s->kernel, hold_event, s);
	if (!err)
		err = release(trace, s, INFINITY);
	if (!err)
		err = ms_growth_kernel_sums(s->kernel, take_sum, &ending);
	if (!err)
		err = take_unsummed(trace, s);
	if (!err)
		err = count(trace, s);
	return err;
}

const struct ms_trace_part ms_growth_probes = {
	.name = "probes",
	.start = probes_start,
	.due = probes_due,
	.tick = probes_tick,
	.end = probes_end,
	.destroy = probes_destroy,
};
