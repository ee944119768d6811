// hmap_probes.c - libhmap tells of each event itself; where it may not be asked, its counters tell.
//
// An event comes with a piece of its thread's stack, which is unwound here by the modules' tables:
// C programs have no frame pointers to count on.  Without probes, the words of all maps are read
// again and again: a counter of growths that went up is a growth, some moment before.
#include "trace/hmap_probes.h"

#include "base/vec.h"
#include "trace/growth_sums.h"
#include "trace/hmap_kernel.h"
#include "trace/probe_place.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double BUSY_S = 0.008, IDLE_S = 0.05, POLL_S = 0.1;
static const double SETTLED_S = 0.002; // Nothing older than this comes any more.

enum {
	EVENTS_MAX = 200000,
	CREATIONS_MAX = 100000,
	MIGRATIONS_MAX = 200000,
	WINDOW_NS = 100000000,
	WINDOW_EVENTS = 100, // So a thousand a second, with 8 MB of stacks.
	POLLED_MAX = 65536,
};

/** A map whose counters are read again and again. */
struct polled {
	uint64_t growths, compactions, shrinks, capacity, entries;
	bool is_known;
};

struct state {
	struct ms_hmap_kernel *kernel; // NULL: polls.
	struct ms_growth_sums sums;
	struct {
		struct ms_bpf_hmap_event **items;
		size_t count, capacity;
	} held;
	uint64_t unkept;         // Growths without a place among the events.
	uint64_t creations_kept; // In the report, which may have others of Go's.
	double due;
	const struct ms_census_report *polled_census; // That the next two are of.
	struct ms_hmap_look *looks;
	struct polled *polled;
	size_t polled_count;
	double last_poll_s;
};

// --- Placing. ---

static struct ms_error *attach_registry(struct ms_trace *trace, struct state *s,
					const struct ms_registry *r)
{
	const bool wanted[MS_BPF_HMAP_KINDS] = {
		[MS_BPF_HMAP_GROWS] = true,
		[MS_BPF_HMAP_SHRINKS] = true,
		[MS_BPF_HMAP_CREATED] = trace->options->creations,
		[MS_BPF_HMAP_MIGRATES] = trace->options->migrations,
	};
	char path[96];
	struct ms_error *err = NULL;

	// The very file that is mapped, whatever lies at its path by now or in other namespaces.
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", (int)trace->target->pid,
		 (unsigned long long)r->module_start, (unsigned long long)r->module_end);
	for (unsigned kind = 0; kind < MS_BPF_HMAP_KINDS && !err; kind++) {
		if (!wanted[kind])
			continue;
		err = ms_hmap_kernel_attach(s->kernel, (enum ms_bpf_hmap_kind)kind,
					    trace->target->pid, path);
		trace->report->cost.probes += !err;
	}
	return err;
}

static struct ms_error *place_all(struct ms_trace *trace, struct state *s)
{
	struct ms_bpf_hmap_config config = { .window_ns = WINDOW_NS,
					     .window_events = WINDOW_EVENTS };
	struct ms_error *err;

	ms_probe_namespace(&config.pid_device, &config.pid_inode); // Else threads stay unknown.
	err = ms_hmap_kernel_open(&config, &s->kernel);
	for (size_t i = 0; i < trace->options->registries->count && !err; i++)
		err = attach_registry(trace, s, &trace->options->registries->items[i]);
	return err;
}

static void probes_destroy(void *context)
{
	struct state *s = context;

	ms_hmap_kernel_close(s->kernel);
	ms_growth_sums_deinit(&s->sums);
	for (size_t i = 0; i < s->held.count; i++)
		free(s->held.items[i]);
	free(s->held.items);
	free(s->looks);
	free(s->polled);
	free(s);
}

static struct ms_error *probes_start(struct ms_trace *trace, void **ret_state)
{
	const struct ms_registries *registries = trace->options->registries;
	struct ms_trace_report *r = trace->report;
	struct ms_error *err = NULL;
	struct state *s;

	if (!registries || !registries->count)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ms_error_no_memory();
	s->sums.report = r;
	s->last_poll_s = NAN;
	if (trace->options->no_probes)
		r->no_probes_reason = "--no-probes was asked for";
	else if (!trace->target->pid)
		r->no_probes_reason = "this is no running process";
	else
		err = place_all(trace, s);
	if (err) {
		ms_hmap_kernel_close(s->kernel);
		s->kernel = NULL;
		err = ms_trace_refuse_probes(trace, err, "");
	}
	if (err) {
		probes_destroy(s);
		return err;
	}
	if (!trace->rt)
		r->source = s->kernel ? MS_TRACE_PROBES : MS_TRACE_POLLING;
	r->has_creations |= trace->options->creations && s->kernel;
	*ret_state = s;
	return NULL;
}

static double probes_due(const void *context)
{
	return ((const struct state *)context)->due;
}

// --- Events. ---

static struct ms_error *unwind(struct ms_trace *trace, const struct ms_bpf_hmap_event *raw,
			       uint32_t *ret_stack)
{
	struct ms_c_thread_state state = {
		.pc = raw->pc,
		.sp = raw->sp,
#if defined(__x86_64__)
		.reg_count = 17,
#else
		.reg_count = 32,
#endif
		.stack = raw->stack,
		.stack_bytes = raw->stack_bytes
	};
	struct ms_stack_pc pcs[MS_C_STACK_MAX];
	ms_addr found[MS_C_STACK_MAX];
	const char *cut;
	size_t count;

	*ret_stack = MS_NO_STACK;
	if (!trace->options->symbols)
		return NULL;
	memcpy(state.regs, raw->regs, sizeof(state.regs));
	count = ms_c_symbols_unwind(trace->options->symbols, &state, found, &cut);
	for (size_t i = 0; i < count; i++)
		pcs[i] = (struct ms_stack_pc){ found[i], i > 0 };
	return ms_stack_book_add(trace->book, pcs, count, cut, ret_stack);
}

static const char *text_keep(struct ms_trace *trace, const char *name)
{
	return name[0] ? ms_arena_strndup(&trace->report->arena, name, strlen(name)) : NULL;
}

/** Type, kind and owner, by the census's row and by the name that came with the event. */
static void describe_map(const struct ms_trace *trace, ms_addr map, const char *name,
			 struct ms_growth_event *e)
{
	const struct ms_map_row *row = ms_trace_map(trace, map);

	e->map_kind = row ? row->kind : MS_MAP_HMAP_STEADY;
	e->type = row ? row->type : NULL;
	e->owner = name ? name : row ? row->owner : NULL;
}

static struct ms_error *add_event(struct ms_trace *trace, struct state *s,
				  struct ms_growth_event *e)
{
	struct ms_trace_report *r = trace->report;
	const struct ms_growth_sum sum = { .map = e->map,
					   .type = e->type,
					   .owner = e->owner,
					   .kind = e->kind,
					   .stack = e->stack,
					   .count = 1,
					   .to_bytes = MS_UNKNOWN };
	size_t most = trace->options->events_max ? (size_t)trace->options->events_max : EVENTS_MAX;
	struct ms_error *err = ms_growth_sums_add(&s->sums, &sum);

	if (err)
		return err;
	if (r->event_count >= most) {
		s->unkept++;
		return NULL;
	}
	e->number = r->event_count + 1;
	return ms_trace_add_event(r, e);
}

static struct ms_growth_event event_of(enum ms_growth_event_kind kind, double time_s, ms_addr map)
{
	return (struct ms_growth_event){ .time_s = time_s,
					 .earliest_s = time_s,
					 .map = map,
					 .kind = (uint8_t)kind,
					 .table_entries = MS_UNKNOWN,
					 .from_bytes = MS_UNKNOWN,
					 .to_bytes = MS_UNKNOWN,
					 .goroutine = MS_UNKNOWN,
					 .p = UINT32_MAX,
					 .stack = MS_NO_STACK,
					 .duration_s = NAN,
					 .duration_error_s = NAN,
					 .together_bytes = MS_UNKNOWN,
					 .gc_runway_bytes = NAN,
					 .gc_sooner_bytes = NAN };
}

static struct ms_error *take_growth(struct ms_trace *trace, struct state *s,
				    const struct ms_bpf_hmap_event *raw)
{
	double time_s = (double)raw->time_ns / 1e9 - trace->began;
	enum ms_growth_event_kind kind = raw->kind == MS_BPF_HMAP_SHRINKS ? MS_GROWTH_EVENT_SHRINK
					 : raw->from == raw->to ? MS_GROWTH_EVENT_SAME_SIZE
								: MS_GROWTH_EVENT_DOUBLE;
	struct ms_growth_event e = event_of(kind, time_s, raw->map);
	struct ms_error *err = unwind(trace, raw, &e.stack);

	if (err)
		return err;
	describe_map(trace, raw->map, text_keep(trace, raw->name), &e);
	e.from = e.capacity = raw->from;
	e.to = raw->to;
	e.entries = raw->entries;
	e.thread = raw->thread;
	return add_event(trace, s, &e);
}

static struct ms_error *take_creation(struct ms_trace *trace, struct state *s,
				      const struct ms_bpf_hmap_event *raw)
{
	struct ms_creation_event c = { .time_s = (double)raw->time_ns / 1e9 - trace->began,
				       .map = raw->map,
				       .hint = raw->entries,
				       .bucket_shift = MS_UNKNOWN };
	struct ms_error *err;

	if (trace->report->creation_count >= CREATIONS_MAX)
		return NULL; // It stays counted.
	err = unwind(trace, raw, &c.stack);
	if (err)
		return err;
	c.type = text_keep(trace, raw->name);
	err = ms_trace_add_creation(trace->report, &c);
	s->creations_kept += !err;
	return err;
}

static struct ms_error *take_migration(struct ms_trace *trace, const struct ms_bpf_hmap_event *raw)
{
	const struct ms_migration m = { .time_s = (double)raw->time_ns / 1e9 - trace->began,
					.map = raw->map,
					.moved = MS_UNKNOWN,
					.of = MS_UNKNOWN,
					.bucket = raw->from,
					.to_x = raw->from,
					.to_y = raw->to,
					.keys_x = MS_UNKNOWN,
					.keys_y = raw->entries };

	if (trace->report->migration_count >= MIGRATIONS_MAX) {
		trace->report->migrations_dropped++;
		return NULL;
	}
	return ms_trace_add_migration(trace->report, &m);
}

static struct ms_error *take_event(struct ms_trace *trace, struct state *s,
				   const struct ms_bpf_hmap_event *raw)
{
	switch (raw->kind) {
	case MS_BPF_HMAP_GROWS:
	case MS_BPF_HMAP_SHRINKS:
		return take_growth(trace, s, raw);
	case MS_BPF_HMAP_CREATED:
		return take_creation(trace, s, raw);
	case MS_BPF_HMAP_MIGRATES:
		return take_migration(trace, raw);
	default:
		return NULL;
	}
}

static struct ms_error *hold_event(void *context, const struct ms_bpf_hmap_event *event)
{
	struct state *s = context;
	struct ms_bpf_hmap_event *copy = malloc(sizeof(*copy));

	if (!copy || event->stack_bytes > MS_BPF_HMAP_STACK_BYTES || !ms_vec_push(&s->held, copy)) {
		free(copy);
		return ms_error_no_memory();
	}
	*copy = *event;
	copy->name[MS_BPF_HMAP_NAME_BYTES - 1] = '\0';
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	const struct ms_bpf_hmap_event *const *x = a, *const *y = b;

	return (*x)->time_ns < (*y)->time_ns ? -1 : (*x)->time_ns > (*y)->time_ns;
}

/** Take in what was held and is older than @p until. */
static struct ms_error *release(struct ms_trace *trace, struct state *s, double until)
{
	struct ms_error *err = NULL;
	size_t i;

	if (s->held.count)
		qsort(s->held.items, s->held.count, sizeof(*s->held.items), by_time);
	for (i = 0; i < s->held.count && !err; i++) {
		if ((double)s->held.items[i]->time_ns / 1e9 > until)
			break;
		err = take_event(trace, s, s->held.items[i]);
		free(s->held.items[i]);
	}
	s->held.count -= i;
	if (s->held.count)
		memmove(s->held.items, s->held.items + i, s->held.count * sizeof(*s->held.items));
	return err;
}

// --- Polls. ---

static const struct ms_registry *registry_of(const struct ms_registries *rs,
					     const struct ms_map_row *row)
{
	return rs->count == 1 && ms_map_row_is_hmap(row) ? &rs->items[0] : NULL;
}

/** The maps of a census that is new: the largest are not told from the others. */
static struct ms_error *polled_choose(struct ms_trace *trace, struct state *s)
{
	const struct ms_census_report *census = trace->census;
	size_t room = census->map_count < POLLED_MAX ? census->map_count : POLLED_MAX;

	free(s->looks);
	free(s->polled);
	s->looks = calloc(room + 1, sizeof(*s->looks));
	s->polled = calloc(room + 1, sizeof(*s->polled));
	s->polled_count = 0;
	s->polled_census = census;
	if (!s->looks || !s->polled)
		return ms_error_no_memory();
	for (size_t i = 0; i < census->map_count && s->polled_count < room; i++) {
		const struct ms_registry *r =
		    registry_of(trace->options->registries, &census->maps[i]);

		if (r)
			s->looks[s->polled_count++] =
			    (struct ms_hmap_look){ .address = census->maps[i].address,
						   .registry = r };
	}
	trace->report->followed = s->polled_count;
	trace->report->not_followed = census->map_count - s->polled_count;
	return NULL;
}

static struct polled polled_of(const struct ms_hmap_look *look)
{
	const struct ms_hmap_words *w = &look->words;
	bool classic = w->classic && w->classic != MS_UNKNOWN;

	return (struct polled){ .growths = classic ? w->c.growths : w->growths,
				.compactions = classic ? w->c.compactions : w->compactions,
				.shrinks = classic ? 0 : w->shrinks,
				.entries = classic ? w->c.count : w->count,
				.capacity = classic ? (uint64_t)8 << (w->c.B & 63)
						    : w->groups * look->registry->group_slots,
				.is_known = look->status == MS_HMAP_READ };
}

/** The growths between two looks, each with the sizes that it must have had. */
static struct ms_error *polled_compare(struct ms_trace *trace, struct state *s, ms_addr map,
				       const struct polled *before, const struct polled *after,
				       double now_s)
{
	const struct {
		enum ms_growth_event_kind kind;
		uint64_t count;
	} seen[] = {
		{ MS_GROWTH_EVENT_DOUBLE, after->growths - before->growths },
		{ MS_GROWTH_EVENT_SAME_SIZE, after->compactions - before->compactions },
		{ MS_GROWTH_EVENT_SHRINK, after->shrinks - before->shrinks },
	};
	uint64_t all = seen[0].count + seen[1].count + seen[2].count;

	for (size_t k = 0; k < 3; k++) {
		for (uint64_t i = 0; i < seen[k].count && seen[k].count < 64; i++) {
			struct ms_growth_event e = event_of(seen[k].kind, now_s, map);
			struct ms_error *err;

			e.earliest_s = s->last_poll_s;
			e.from = e.to = e.capacity = e.entries = MS_UNKNOWN;
			e.one_of_several = all > 1;
			if (all == 1) {
				e.entries = before->entries;
				e.from = e.capacity = before->capacity;
			}
			describe_map(trace, map, NULL, &e);
			err = add_event(trace, s, &e);
			if (err)
				return err;
			trace->report->counted++;
		}
	}
	return NULL;
}

static struct ms_error *poll(struct ms_trace *trace, struct state *s)
{
	double now_s = ms_trace_time(trace);
	struct ms_error *err = NULL;

	if (!trace->census)
		return NULL;
	if (trace->census != s->polled_census)
		err = polled_choose(trace, s);
	if (!err)
		err = ms_hmap_look(trace->target, s->looks, s->polled_count);
	for (size_t i = 0; i < s->polled_count && !err; i++) {
		struct polled after = polled_of(&s->looks[i]);

		trace->report->polls += after.is_known;
		if (after.is_known && s->polled[i].is_known &&
		    after.growths >= s->polled[i].growths &&
		    after.compactions >= s->polled[i].compactions &&
		    after.shrinks >= s->polled[i].shrinks)
			err = polled_compare(trace, s, s->looks[i].address, &s->polled[i], &after,
					     now_s);
		s->polled[i] = after;
	}
	s->last_poll_s = now_s;
	return err;
}

// --- Turns. ---

static struct ms_error *probes_tick(struct ms_trace *trace, void *context)
{
	struct state *s = context;
	double now = trace->options->now(trace->options->context);
	struct ms_error *err;

	if (s->kernel) {
		err = ms_hmap_kernel_drain(s->kernel, hold_event, s);
		s->due = now + (s->held.count ? BUSY_S : IDLE_S);
		if (!err)
			err = release(trace, s, now - SETTLED_S);
	} else {
		s->due = now + POLL_S;
		err = trace->options->no_polling ? NULL : poll(trace, s);
	}
	return err ? err : ms_target_check(trace->target);
}

static struct ms_error *probes_end(struct ms_trace *trace, void *context)
{
	struct state *s = context;
	struct ms_trace_report *r = trace->report;
	struct ms_bpf_hmap_counters c;
	uint64_t seen, sent;
	struct ms_error *err;

	if (!s->kernel)
		return NULL;
	ms_hmap_kernel_detach(s->kernel);
	err = ms_hmap_kernel_drain(s->kernel, hold_event, s);
	if (!err)
		err = release(trace, s, INFINITY);
	ms_hmap_kernel_counters(s->kernel, &c);
	seen = c.seen[MS_BPF_HMAP_GROWS] + c.seen[MS_BPF_HMAP_SHRINKS];
	sent = c.sent[MS_BPF_HMAP_GROWS] + c.sent[MS_BPF_HMAP_SHRINKS];
	r->counted += seen;
	r->dropped += seen - (sent < seen ? sent : seen) + s->unkept;
	r->creations_counted += c.seen[MS_BPF_HMAP_CREATED];
	r->creations_dropped += c.seen[MS_BPF_HMAP_CREATED] -
				ms_min_u64(s->creations_kept, c.seen[MS_BPF_HMAP_CREATED]);
	return err;
}

const struct ms_trace_part ms_hmap_probes = {
	.name = "libhmap",
	.start = probes_start,
	.due = probes_due,
	.tick = probes_tick,
	.end = probes_end,
	.destroy = probes_destroy,
};
