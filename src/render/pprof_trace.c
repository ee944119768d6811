// pprof_trace.c - growths as a profile for `go tool pprof`: counts and bytes by stack.
//
// A sample is all growths of one map, kind, stack and goroutine.  Its stack begins at the
// program's own line, because what the runtime does below it is the same for all; -tagfocus and
// -tags look at the labels map, type, owner, kind and goroutine.
#include "render/profile.h"
#include "render/render.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LABELS_MAX = 6, VALUES = 2 };

struct pprof {
	struct ms_profile profile;
	const struct ms_trace_report *report;
	const size_t *order; // Events by group.
	struct stack_ids {
		uint64_t *items; // The arena's; NULL: not numbered yet.
		size_t count;
	} * stacks;
	uint64_t no_stack;      // Location that stands for none; 0: not used yet.
	uint64_t unknown_bytes; // Growths that add none to the bytes.
	bool no_memory;
};

/** What is one sample. */
struct group {
	ms_addr map; // 0: several.
	const char *type, *owner;
	uint8_t kind;
	uint32_t stack;
	uint64_t goroutine; // MS_UNKNOWN: none or several.
	uint64_t count, bytes;
};

static int64_t value_of(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static uint64_t no_stack_location(struct pprof *p)
{
	static const struct ms_stack_call none = { .function = "[no stack]" };

	if (!p->no_stack)
		p->no_stack = ms_profile_location(&p->profile, &none, 1);
	return p->no_stack;
}

/** Number the locations of a stack: a call and what was inlined into it are one. */
static void number_stack(struct pprof *p, const struct ms_stack *stack, struct stack_ids *ids)
{
	uint32_t own = ms_stack_own_start(stack);

	if (own == stack->count)
		own = 0;
	ids->items = ms_arena_alloc(&p->profile.arena, (stack->count + 1) * sizeof(*ids->items));
	if (!ids->items) {
		p->no_memory = true;
		return;
	}
	for (uint32_t i = own, end; i < stack->count; i = end) {
		for (end = i + 1; end < stack->count && stack->calls[end - 1].is_inlined;)
			end++;
		ids->items[ids->count++] =
		    ms_profile_location(&p->profile, &stack->calls[i], end - i);
	}
}

static void find_stack(struct pprof *p, uint32_t index, struct stack_ids *ret_ids)
{
	const struct ms_stacks *stacks = &p->report->stacks;

	if (index >= stacks->count || !stacks->items[index].count)
		return;
	if (!p->stacks[index].items)
		number_stack(p, &stacks->items[index], &p->stacks[index]);
	*ret_ids = p->stacks[index];
}

struct labels {
	Ms__Pprof__Label items[LABELS_MAX];
	Ms__Pprof__Label *list[LABELS_MAX];
	size_t count;
};

static Ms__Pprof__Label *add_label(struct pprof *p, struct labels *labels, const char *key)
{
	Ms__Pprof__Label *label = &labels->items[labels->count];

	ms__pprof__label__init(label);
	label->key_text = ms_profile_text(&p->profile, key);
	labels->list[labels->count++] = label;
	return label;
}

static void label_string(struct pprof *p, struct labels *labels, const char *key, const char *value)
{
	if (value && *value)
		add_label(p, labels, key)->str_text = ms_profile_text(&p->profile, value);
}

static void put_labels(struct pprof *p, const struct group *g, struct labels *labels)
{
	const struct ms_stacks *stacks = &p->report->stacks;
	char map[24];

	snprintf(map, sizeof(map), "0x%" PRIx64, g->map);
	label_string(p, labels, "map", g->map ? map : NULL);
	label_string(p, labels, "type", g->type);
	label_string(p, labels, "owner", g->owner);
	label_string(p, labels, "kind",
		     ms_growth_event_kind_name((enum ms_growth_event_kind)g->kind));
	if (g->goroutine != MS_UNKNOWN)
		add_label(p, labels, "goroutine")->num = value_of(g->goroutine);
	if (g->stack < stacks->count)
		label_string(p, labels, "stack_cut", stacks->items[g->stack].cut);
}

static void put_sample(struct pprof *p, const struct group *g)
{
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	Ms__Pprof__Sample sample = MS__PPROF__SAMPLE__INIT, *list = &sample;
	int64_t values[VALUES] = { value_of(g->count), value_of(g->bytes) };
	struct labels labels = { .count = 0 };
	struct stack_ids ids = { 0 };
	uint64_t none;

	find_stack(p, g->stack, &ids);
	if (!ids.count) {
		none = no_stack_location(p);
		ids = (struct stack_ids){ &none, 1 };
	}
	put_labels(p, g, &labels);
	sample.n_location_id = ids.count;
	sample.location_id = ids.items;
	sample.n_value = VALUES;
	sample.value = values;
	sample.n_label = labels.count;
	sample.label = labels.list;
	piece.n_sample = 1;
	piece.sample = &list;
	ms_profile_put(&p->profile, &piece);
}

static void group_add(struct pprof *p, struct group *g, uint64_t count, uint64_t bytes)
{
	g->count += count;
	if (bytes == MS_UNKNOWN)
		p->unknown_bytes += count;
	else
		g->bytes = bytes > INT64_MAX - g->bytes ? INT64_MAX : g->bytes + bytes;
}

static int compare_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/** By what a sum has, then by goroutine. */
static int compare_groups(const struct group *a, const struct group *b)
{
	int order = compare_number(a->map, b->map);

	if (!order)
		order = compare_number(a->kind, b->kind);
	if (!order)
		order = compare_number(a->stack, b->stack);
	return order ? order : compare_text(a->type, b->type);
}

static struct group group_of(const struct ms_growth_event *e)
{
	return (struct group){ .map = e->map,
			       .type = e->type,
			       .owner = e->owner,
			       .kind = e->kind,
			       .stack = e->stack,
			       .goroutine = e->goroutine };
}

static int compare_events(const void *a, const void *b, void *context)
{
	const struct ms_growth_event *events = context;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	const struct group x = group_of(&events[i]), y = group_of(&events[k]);
	int order = compare_groups(&x, &y);

	if (!order)
		order = compare_number(x.goroutine, y.goroutine);
	return order ? order : compare_number(i, k);
}

/** A sample for each goroutine of order[first .. end); what they come to is added to *sum. */
static void put_events(struct pprof *p, size_t first, size_t end, struct group *sum)
{
	const struct ms_growth_event *events = p->report->events;

	for (size_t i = first, next; i < end && !ms_sink_failed(p->profile.sink); i = next) {
		struct group g = group_of(&events[p->order[i]]);

		for (next = i; next < end; next++) {
			const struct group other = group_of(&events[p->order[next]]);

			if (compare_groups(&g, &other) || g.goroutine != other.goroutine)
				break;
			group_add(p, &g, 1, events[p->order[next]].to_bytes);
		}
		put_sample(p, &g);
		sum->count += g.count;
		sum->bytes += g.bytes;
	}
}

/** Where in the order the events of a group begin. */
static size_t find_events(const struct pprof *p, const struct group *wanted)
{
	size_t low = 0, high = p->report->event_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct group g = group_of(&p->report->events[p->order[middle]]);

		if (compare_groups(&g, wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/**
 * Of a sum, the growths that were kept by their goroutines, then the others.  Events without a sum
 * of their own are in one of several maps.
 */
static void put_sum(struct pprof *p, const struct ms_growth_sum *sum)
{
	struct group kept = { 0 };
	struct group g = { .map = sum->map,
			   .type = sum->type,
			   .owner = sum->owner,
			   .kind = sum->kind,
			   .stack = sum->stack,
			   .goroutine = MS_UNKNOWN };
	size_t first = find_events(p, &g), end = first;

	if (sum->count == MS_UNKNOWN)
		return;
	for (; end < p->report->event_count && end - first < sum->count; end++) {
		const struct group other = group_of(&p->report->events[p->order[end]]);

		if (compare_groups(&g, &other))
			break;
	}
	put_events(p, first, end, &kept);
	if (kept.count >= sum->count)
		return;
	if (sum->to_bytes == MS_UNKNOWN || sum->to_bytes < kept.bytes)
		group_add(p, &g, sum->count - kept.count, MS_UNKNOWN);
	else
		group_add(p, &g, sum->count - kept.count, sum->to_bytes - kept.bytes);
	put_sample(p, &g);
}

static void put_samples(struct pprof *p)
{
	const struct ms_trace_report *r = p->report;
	struct group all = { 0 };

	if (!r->sum_count)
		put_events(p, 0, r->event_count, &all);
	for (size_t i = 0; i < r->sum_count && !ms_sink_failed(p->profile.sink); i++)
		put_sum(p, &r->sums[i]);
}

static void put_head(struct pprof *p)
{
	static const char *const names[VALUES][2] = { { "growths", "count" },
						      { "allocated", "bytes" } };
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	Ms__Pprof__ValueType types[VALUES], *type_list[VALUES];
	Ms__Pprof__Mapping mapping = MS__PPROF__MAPPING__INIT, *mapping_list = &mapping;
	double seconds = p->report->window_s;

	for (size_t i = 0; i < VALUES; i++) {
		ms__pprof__value_type__init(&types[i]);
		types[i].type_text = ms_profile_text(&p->profile, names[i][0]);
		types[i].unit_text = ms_profile_text(&p->profile, names[i][1]);
		type_list[i] = &types[i];
	}
	mapping.id = 1;
	mapping.filename_text = ms_profile_text(&p->profile, p->report->target.exe);
	mapping.has_functions = mapping.has_filenames = true;
	mapping.has_line_numbers = mapping.has_inline_frames = true;
	piece.n_sample_type = VALUES;
	piece.sample_type = type_list;
	piece.n_mapping = 1;
	piece.mapping = &mapping_list;
	piece.time_nanos = p->report->began_unix_ns;
	piece.duration_nanos = seconds > 0 && seconds < 1e9 ? (int64_t)llround(seconds * 1e9) : 0;
	piece.default_sample_type_text = types[0].type_text;
	ms_profile_put(&p->profile, &piece);
}

static void put_comment(struct pprof *p, const char *text)
{
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	int64_t index = ms_profile_text(&p->profile, text);

	piece.n_comment_text = 1;
	piece.comment_text = &index;
	ms_profile_put(&p->profile, &piece);
}

static void put_comment_number(struct pprof *p, uint64_t number, const char *what)
{
	char text[64];

	if (!number || number == MS_UNKNOWN)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " %s", number, what);
	put_comment(p, text);
}

/** What the samples do not say; pprof -comments prints it. */
static void put_comments(struct pprof *p)
{
	const struct ms_trace_report *r = p->report;

	put_comment(p, "mapscope " MS_VERSION);
	if (r->target.go_version)
		put_comment(p, r->target.go_version);
	put_comment_number(p, r->counted, "growths counted");
	put_comment_number(p, r->dropped, "of them not kept one by one");
	put_comment_number(p, p->unknown_bytes, "of them of unknown size");
	if (r->source == MS_TRACE_POLLING)
		put_comment(p, "headers were polled: at least so many, without stacks");
	if (r->partial)
		put_comment(p, r->partial_reason ? r->partial_reason : "cut short");
}

struct ms_error *ms_render_trace_pprof(const struct ms_trace_report *report, struct ms_sink *sink)
{
	MS_AUTO_FREE size_t *order = calloc(report->event_count + 1, sizeof(*order));
	MS_AUTO_FREE struct stack_ids *stacks = calloc(report->stacks.count + 1, sizeof(*stacks));
	struct pprof p = { .report = report, .order = order, .stacks = stacks };
	struct ms_error *err;

	if (!order || !stacks)
		return ms_error_no_memory();
	err = ms_profile_begin(&p.profile, sink);
	if (err)
		return err;
	for (size_t i = 0; i < report->event_count; i++)
		order[i] = i;
	qsort_r(order, report->event_count, sizeof(*order), compare_events, report->events);
	put_head(&p);
	put_samples(&p);
	put_comments(&p);
	p.profile.no_memory = p.profile.no_memory || p.no_memory;
	return ms_profile_end(&p.profile);
}
