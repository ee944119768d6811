// recorded.c - the places: what a census turns on first, in the order in which its corpus counts
// them, then what readers of goroutines, of the scheduler and of collections turn on.
#include "tests/fuzz/recorded.h"

#include "census/census_run.h"
#include "golang/collections.h"
#include "golang/scheduler.h"
#include "golang/spans.h"
#include "golang/types.h"
#include "golang/unwind.h"
#include "target/replay.h"

#include <stdio.h>

static const char *const recordings[] = { "go1.18.8", "go1.23.12", "go1.24.13", "go1.26.11",
					  "go1.27.4-mapsplitgroup" };

static void place_add(struct recorded *r, ms_addr addr)
{
	if (r->count == r->capacity) {
		r->capacity = r->capacity ? 2 * r->capacity : 1024;
		r->places = realloc(r->places, r->capacity * sizeof(*r->places));
		FUZZ_CHECK(r->places);
	}
	r->places[r->count++] = addr;
}

static void map_places(struct recorded *r, const struct ms_go_layout *l, ms_addr map)
{
	uint32_t table_at = l->maps == MS_GO_MAPS_SWISS ? l->map_dir_ptr : l->hmap_buckets;
	uint8_t word[8];

	place_add(r, map);
	if (!fuzz_worked(ms_target_read(r->target, map + table_at, word, sizeof(word))))
		return;
	place_add(r, ms_load_u64(word));
	if (fuzz_worked(ms_target_read(r->target, ms_load_u64(word), word, sizeof(word))))
		place_add(r, ms_load_u64(word)); // The first table behind a directory.
}

static void census_places(struct recorded *r, struct ms_go_runtime *rt,
			  const struct ms_goroutines *goroutines, const struct ms_spans *spans)
{
	place_add(r, rt->modules[0].address);
	place_add(r, rt->allspans);
	place_add(r, rt->allspans - rt->layout->mheap_sweepgen_to_allspans);
	place_add(r, rt->allgs);
	place_add(r, rt->modules[0].types);
	for (size_t i = 0; i < r->census.map_count; i++)
		map_places(r, rt->layout, r->census.maps[i].address);
	for (size_t i = 0; i < goroutines->count; i++) {
		place_add(r, goroutines->items[i].address);
		place_add(r, goroutines->items[i].stack_lo);
	}
	for (size_t i = 0; i < spans->count; i++) {
		place_add(r, spans->items[i].address);
		place_add(r, spans->items[i].alloc_bits);
	}
	r->census_count = r->count;
}

static void scheduler_places(struct recorded *r, struct ms_go_runtime *rt,
			     const struct ms_goroutines *goroutines)
{
	struct ms_go_scheduler_place place;
	struct ms_go_scheduler now;

	if (!fuzz_worked(ms_go_scheduler_find(rt, goroutines, &place)) ||
	    !fuzz_worked(ms_go_scheduler_read(rt, &place, goroutines, &now)))
		return;
	place_add(r, place.allp);
	place_add(r, place.sched);
	for (size_t i = 0; i < now.ps.count; i++)
		place_add(r, now.ps.items[i].address);
	for (size_t i = 0; i < now.ms.count; i++)
		place_add(r, now.ms.items[i].address);
	ms_go_scheduler_deinit(&now);
}

static void collections_places(struct recorded *r, struct ms_go_runtime *rt,
			       const struct ms_spans *spans)
{
	struct ms_go_collections c = { 0 };

	if (fuzz_worked(ms_go_collections_find(rt, spans->in_use_bytes, &c))) {
		place_add(r, c.memstats);
		place_add(r, c.pacer);
		place_add(r, c.cycle);
	}
	ms_go_collections_deinit(&c);
}

static void types_keep(struct recorded *r, struct ms_go_runtime *rt)
{
	const struct ms_types *types;

	FUZZ_CHECK(fuzz_worked(ms_go_types(rt, &types)));
	r->types = calloc(types->count + 1, sizeof(*r->types));
	FUZZ_CHECK(r->types);
	for (size_t i = 0; i < types->count; i++)
		r->types[r->type_count++] = types->items[i].address;
	r->text = rt->modules[0].text;
}

static void places_find(struct recorded *r)
{
	const struct ms_census_options options = { .memory = true };
	struct ms_goroutines goroutines;
	struct ms_go_runtime *rt;
	struct ms_spans spans;

	FUZZ_CHECK(fuzz_worked(ms_go_open(r->target, NULL, &rt)));
	FUZZ_CHECK(fuzz_worked(ms_census_run(rt, &options, &r->census)));
	FUZZ_CHECK(fuzz_worked(ms_spans_load(rt, &spans)));
	FUZZ_CHECK(fuzz_worked(ms_goroutines_load(rt, &goroutines)));
	census_places(r, rt, &goroutines, &spans);
	for (size_t i = 0; i < goroutines.count; i++)
		place_add(r, goroutines.items[i].sp);
	scheduler_places(r, rt, &goroutines);
	collections_places(r, rt, &spans);
	for (size_t i = 0; i < goroutines.count; i++)
		place_add(r, goroutines.items[i].pc);
	types_keep(r, rt);
	r->goroutines = goroutines;
	ms_spans_deinit(&spans);
	ms_go_close(rt);
}

struct recorded *recorded_get(uint64_t index)
{
	static struct recorded all[MS_ARRAY_SIZE(recordings)];
	struct recorded *r = &all[index % MS_ARRAY_SIZE(recordings)];
	char path[4096];

	if (r->target)
		return r;
	snprintf(path, sizeof(path), "%s/tests/golden/recordings/%s.msrec", MS_TEST_ROOT,
		 recordings[index % MS_ARRAY_SIZE(recordings)]);
	FUZZ_CHECK(fuzz_worked(ms_replay_open(path, &r->target)));
	places_find(r);
	return r;
}

void recorded_begin(struct recorded *r, uint64_t reads_max)
{
	if (!r->rt) {
		changed_target_init(&r->changed, r->target, r->changes, UINT64_MAX);
		FUZZ_CHECK(fuzz_worked(ms_go_open(&r->changed.target, NULL, &r->rt)));
	}
	r->changed.count = 0;
	r->changed.reads_left = reads_max;
	r->changed.target.pid = 0;
}

static ms_addr place_take(const struct recorded *r, size_t places, uint64_t number)
{
	// Few are not a census's: half of the numbers are theirs where they are wanted.
	if (places > r->census_count && number & 0x8000)
		return r->places[r->census_count + (number & 0x7fff) % (places - r->census_count)];
	return r->places[number % places];
}

void recorded_changes(struct changed_target *t, const struct recorded *r, size_t places, size_t max,
		      struct fuzz_input *in)
{
	while (in->left >= RECORDED_CHANGE_BYTES && t->count < max) {
		ms_addr addr = place_take(r, places, fuzz_number(in, 2));
		struct change *c = &t->changes[t->count++];
		unsigned how;

		c->addr = addr + fuzz_number(in, 2);
		how = (unsigned)fuzz_number(in, 1);
		c->size = 1 + how % 8;
		c->kind = how & 8 ? CHANGE_FLIP : CHANGE_REPLACE;
		c->value = fuzz_number(in, 8);
		if (how & 16) // Another place: pointers that lead somewhere.
			c->value = place_take(r, places, c->value);
	}
}
