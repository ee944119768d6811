// walk.c - the order of a walk, and its batches.
//
// Some thousand items are taken from the queue and their bytes fetched together: fetch.c sorts
// them by address, and neighbours become one read.  Then each is visited in the order in which it
// stood in the queue, so that what comes out does not depend on addresses.
#include "walk/walk_internal.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"

#include <time.h>

enum {
	BATCH_ITEMS = 16 << 10,
	BATCH_BYTES = 8 << 20,
	NARROW_ITEMS = 64,     // So few are not worth a batch.
	NARROW_STEPS = 4096,   // Before it is asked whether more waits by now.
	NARROW_LOOK = 256,     // Between two looks at the clock.
	FRONT_ITEMS = 1 << 17, // With more waiting, the queue is worked off from the back.
	QUEUE_BYTES_DEFAULT = 128 << 20,
	SPAN_BITS_MAX = 1 << 30, // 8 billion objects.
	ROOTS_MAX = 1 << 20,
};

struct batch {
	struct ms_walk_item items[BATCH_ITEMS];
	uint32_t wants[BATCH_ITEMS]; // UINT32_MAX: nothing to be fetched.
	size_t count;
};

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void ms_walk_cut(struct ms_walk *w, const char *reason)
{
	if (!w->summary.limit)
		w->summary.limit = reason;
}

static void stop(struct ms_walk *w, const char *reason)
{
	ms_walk_cut(w, reason);
	w->stopped = true;
}

static bool is_at_objects_max(const struct ms_walk *w)
{
	return w->options->objects_max && w->summary.objects >= w->options->objects_max;
}

bool ms_walk_is_over(struct ms_walk *w)
{
	const struct ms_walk_options *o = w->options;

	if (!w->stopped &&
	    ((o->tick && o->tick(o->tick_context)) || (w->until > 0 && seconds_now() >= w->until)))
		stop(w, "its time was over");
	if (!w->stopped && is_at_objects_max(w))
		stop(w, "it had visited as many objects as it may");
	if (w->wants_only && !w->wanted_left)
		w->stopped = true;
	return w->stopped;
}

static struct ms_walk_item queue_take(struct ms_walk_queue *q)
{
	struct ms_walk_item item;

	if (q->count > FRONT_ITEMS) {
		item = q->items[(q->first + q->count - 1) & (q->capacity - 1)];
	} else {
		item = q->items[q->first];
		q->first = (q->first + 1) & (q->capacity - 1);
	}
	q->count--;
	return item;
}

static struct ms_error *batch_take(struct ms_walk *w, struct batch *b)
{
	uint64_t bytes = 0;

	ms_fetch_reset(&w->fetch);
	b->count = 0;
	while (w->queue.count && b->count < BATCH_ITEMS && bytes < BATCH_BYTES) {
		struct ms_walk_item item = queue_take(&w->queue);
		uint64_t size = ms_walk_item_bytes(w, &item);
		struct ms_error *err;

		if (!size)
			continue;
		b->items[b->count] = item;
		err = ms_fetch_add(&w->fetch, item.address, (uint32_t)size, &b->wants[b->count]);
		if (err)
			return err;
		b->count++;
		bytes += size;
	}
	return b->count ? ms_fetch_run(&w->fetch, w->rt->target) : NULL;
}

/** Visit an item that is on no page of its own. */
static struct ms_error *item_read(struct ms_walk *w, const struct ms_walk_item *item, uint64_t size)
{
	MS_AUTO_FREE uint8_t *bytes = malloc((size_t)size);
	struct ms_error *err;

	if (!bytes)
		return ms_error_no_memory();
	err = ms_target_read(w->rt->target, item->address, bytes, (size_t)size);
	if (!err)
		ms_walk_visit(w, item, bytes, size);
	else if (ms_error_code(err) != MS_ERR_FAULT)
		return err;
	ms_error_free(err);
	return NULL;
}

/** Visit what waits one by one, as long as it is little: each step may lead to the next only. */
static struct ms_error *narrow_run(struct ms_walk *w)
{
	double now = seconds_now();

	for (unsigned step = 0; step < NARROW_STEPS && w->queue.count; step++) {
		struct ms_walk_item item;
		const uint8_t *bytes;
		struct ms_error *err;
		uint64_t size;

		if (w->queue.count > NARROW_ITEMS ||
		    (step % NARROW_LOOK == NARROW_LOOK - 1 && ms_walk_is_over(w)) ||
		    is_at_objects_max(w))
			return NULL;
		item = queue_take(&w->queue);
		size = ms_walk_item_bytes(w, &item);
		if (!size)
			continue;
		err = ms_page_cache_read(&w->pages, w->rt->target, item.address, size, now, &bytes);
		if (err)
			return err;
		if (bytes)
			ms_walk_visit(w, &item, bytes, size);
		else
			return item_read(w, &item, size);
	}
	return NULL;
}

static bool is_out_of_memory(const struct ms_walk *w)
{
	return w->out_of_memory || w->plans.out_of_memory || w->labels.out_of_memory;
}

struct ms_error *ms_walk_drain(struct ms_walk *w)
{
	MS_AUTO_FREE struct batch *b = malloc(sizeof(*b));

	if (!b)
		return ms_error_no_memory();
	while (w->queue.count && !ms_walk_is_over(w)) {
		bool narrow = w->queue.count <= NARROW_ITEMS;
		struct ms_error *err = narrow ? narrow_run(w) : batch_take(w, b);

		if (err)
			return err;
		if (narrow)
			b->count = 0;
		for (size_t i = 0; i < b->count; i++) {
			const uint8_t *bytes = ms_fetch_bytes(&w->fetch, b->wants[i]);

			if (bytes)
				ms_walk_visit(w, &b->items[i], bytes,
					      w->fetch.wants[b->wants[i]].size);
		}
		if (is_out_of_memory(w))
			return ms_error_no_memory();
	}
	w->queue.count = 0;
	return NULL;
}

struct ms_error *ms_walk_drain_all(struct ms_walk *w)
{
	struct ms_error *err = ms_walk_drain(w);

	while (w->later.count && !w->stopped && !err) {
		for (size_t i = 0; i < BATCH_ITEMS && w->later.count; i++) {
			struct ms_walk_item item = queue_take(&w->later);

			if (!ms_walk_is_seen(w, item.address))
				ms_walk_push_now(w, item);
		}
		err = ms_walk_drain(w);
	}
	return err;
}

uint32_t ms_walk_root(struct ms_walk *w, const char *name)
{
	if (!name || !*name)
		return 0;
	if (w->roots.count > 1 && !strcmp(w->roots.items[w->roots.count - 1], name))
		return (uint32_t)(w->roots.count - 1); // Neighbours often are of one variable.
	if (w->roots.count > ROOTS_MAX) {
		ms_walk_cut(w, "more variables than it keeps names for");
		return 0;
	}
	if (!ms_vec_push(&w->roots, name)) {
		w->out_of_memory = true;
		return 0;
	}
	return (uint32_t)(w->roots.count - 1);
}

static struct ms_error *rows_index(struct ms_walk *w)
{
	size_t wanted = 1 << 10;

	while (wanted < w->report->map_count * 2)
		wanted *= 2;
	w->row_slots = calloc(wanted, sizeof(*w->row_slots));
	w->found = calloc(w->report->map_count + 1, sizeof(*w->found));
	if (!w->row_slots || !w->found)
		return ms_error_no_memory();
	w->row_slot_count = wanted;
	for (size_t i = 0; i < w->report->map_count; i++) {
		size_t at = ms_hash_number(w->report->maps[i].address) & (wanted - 1);

		while (w->row_slots[at])
			at = (at + 1) & (wanted - 1);
		w->row_slots[at] = (uint32_t)(i + 1);
	}
	return NULL;
}

static struct ms_error *spans_index(struct ms_walk *w)
{
	uint64_t bits = 0;

	w->span_bits = malloc((w->spans.count + 1) * sizeof(*w->span_bits));
	if (!w->span_bits)
		return ms_error_no_memory();
	for (size_t i = 0; i < w->spans.count; i++) {
		w->span_bits[i] = bits;
		bits += w->spans.items[i].state == MS_SPAN_IN_USE ? w->spans.items[i].elems : 0;
	}
	if (bits / 8 > SPAN_BITS_MAX)
		return ms_error_new(MS_ERR_LIMIT, "its heap has more objects than can be marked");
	w->seen = calloc((size_t)(bits / 8 + 1), 1);
	if (!w->seen)
		return ms_error_no_memory();
	for (unsigned i = 1; i < w->layout->size_class_count && i < 256; i++)
		w->smaller[i] = w->layout->size_classes[i - 1];
	return NULL;
}

bool ms_walk_can_do_without(const struct ms_error *err)
{
	return ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA ||
	       ms_error_code(err) == MS_ERR_LIMIT || ms_error_code(err) == MS_ERR_UNSUPPORTED;
}

/** A damaged table of functions takes away names and closures, not the walk. */
static struct ms_error *forgive(struct ms_error *err)
{
	if (!err || !ms_walk_can_do_without(err))
		return err;
	ms_error_free(err);
	return NULL;
}

static struct ms_error *code_load(struct ms_walk *w)
{
	struct ms_error *err = forgive(ms_go_code_facts(w->rt, &w->facts));

	return err ? err : forgive(ms_go_functions(w->rt, &w->functions));
}

static struct ms_error *wants_init(struct ms_walk *w)
{
	if (!w->options->want_count)
		return NULL;
	w->wanted = calloc(w->options->want_count, sizeof(*w->wanted));
	w->wanted_left = w->options->want_count;
	return w->wanted ? NULL : ms_error_no_memory();
}

static struct ms_error *walk_init(struct ms_walk *w)
{
	uint64_t bytes =
	    w->options->own_bytes_max ? w->options->own_bytes_max : QUEUE_BYTES_DEFAULT;
	struct ms_error *err = rows_index(w);

	w->queue_max = (size_t)(bytes / sizeof(struct ms_walk_item));
	if (!err)
		err = wants_init(w);
	if (!err)
		err = ms_go_refresh(w->rt);
	if (!err)
		err = ms_go_types(w->rt, &w->types);
	if (!err)
		err = ms_plans_init(w->types, w->layout, &w->labels, &w->plans);
	if (!err)
		err = ms_symbols_load(w->rt->target, &w->symbols);
	if (!err)
		err = code_load(w);
	if (!err)
		ms_walk_sync_map_load(w);
	if (!err)
		err = ms_spans_load(w->rt, &w->spans);
	if (!err)
		err = spans_index(w);
	if (!err && (!ms_page_cache_init(&w->pages) || !ms_vec_push(&w->roots, NULL)))
		err = ms_error_no_memory();
	return err;
}

static void walk_deinit(struct ms_walk *w)
{
	ms_plans_deinit(&w->plans);
	ms_labels_deinit(&w->labels);
	ms_spans_deinit(&w->spans);
	ms_fetch_deinit(&w->fetch);
	free(w->span_bits);
	free(w->seen);
	free(w->parts.slots);
	ms_number_map_deinit(&w->rows);
	free(w->holders.slots);
	ms_page_cache_deinit(&w->pages);
	free(w->queue.items);
	free(w->later.items);
	ms_symbols_deinit(&w->symbols);
	free(w->found);
	free(w->wanted);
	free(w->row_slots);
	free(w->tries.items);
	free(w->roots.items);
	ms_number_map_deinit(&w->itabs);
	free(w->totals.items);
	free(w->totals.slots);
	free(w);
}

/** Why it is not whole: for want of spans, of what it was allowed, or both. */
static struct ms_error *summary_end(struct ms_walk *w)
{
	const char *holes = w->spans.has_holes
				? "spans are missing: it followed nothing but what has a type"
				: NULL;
	struct ms_walk_figures *f = &w->summary;

	f->cut = holes || f->limit;
	f->cut_reason = holes && f->limit
			    ? ms_arena_printf(&w->report->arena, "%s; %s", holes, f->limit)
			: holes ? holes
				: f->limit;
	return f->cut && !f->cut_reason ? ms_error_no_memory() : NULL;
}

static struct ms_error *run(struct ms_go_runtime *rt, const struct ms_walk_options *options,
			    bool wants_only, struct ms_census_report *report)
{
	double started = seconds_now();
	struct ms_walk *w = calloc(1, sizeof(*w));
	struct ms_error *err;

	if (!w)
		return ms_error_no_memory();
	w->rt = rt;
	w->layout = rt->layout;
	w->options = options;
	w->report = report;
	w->wants_only = wants_only;
	w->until = options->seconds > 0 ? started + options->seconds : 0;
	err = walk_init(w);
	if (!err)
		err = ms_walk_from_roots(w);
	if (!err && is_out_of_memory(w)) // Met outside of what waits: while data was searched.
		err = ms_error_no_memory();
	if (err && ms_walk_can_do_without(err)) {
		ms_error_free(err); // The census stands without it.
		err = NULL;
		ms_walk_cut(w, "something that it needs could not be read");
	}
	if (w->plans.cut)
		ms_walk_cut(w, "some types are larger or deeper than it takes apart");
	if (w->labels.cut)
		ms_walk_cut(w, "there were more owners than it keeps names for");
	if (!err)
		err = ms_walk_annotate(w);
	if (!err)
		err = ms_walk_want_annotate(w);
	if (!err)
		err = summary_end(w);
	if (!err) {
		w->summary.taken = true;
		w->summary.seconds = seconds_now() - started;
		report->coverage.walk = w->summary;
	}
	walk_deinit(w);
	return err;
}

struct ms_error *ms_walk_run(struct ms_go_runtime *rt, const struct ms_walk_options *options,
			     struct ms_census_report *report)
{
	return run(rt, options, false, report);
}

struct ms_error *ms_walk_find(struct ms_go_runtime *rt, double seconds, struct ms_walk_want *wants,
			      size_t want_count, struct ms_arena *arena)
{
	struct ms_walk_options options = { .seconds = seconds,
					   .wants = wants,
					   .want_count = want_count };
	struct ms_census_report none = { .arena = *arena };
	struct ms_error *err = want_count ? run(rt, &options, true, &none) : NULL;

	*arena = none.arena;
	none.arena = (struct ms_arena){ 0 };
	ms_census_report_deinit(&none);
	return err;
}
