// A whole census of a recorded process, with words of its memory changed.
//
//	1 byte  which recording      then changes of 13 bytes:
//	2 bytes which place (of those that a census reads)      2 bytes offset behind it
//	1 byte  how many bytes, and whether they replace or flip those there      8 bytes value
//
// A bound on reads stands for the target's exit, so that no input takes long.
#include "census/census_run.h"

#include "golang/goroutines.h"
#include "golang/spans.h"
#include "target/replay.h"
#include "tests/fuzz/changed_target.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#include <stdio.h>

enum { CHANGES_MAX = 32, CHANGE_BYTES = 13, READS_MAX = 20000 };

static const char *const recordings[] = { "go1.18.8", "go1.23.12", "go1.24.13", "go1.26.11",
					  "go1.27.4-mapsplitgroup" };

/** A recording, opened once for all inputs, and the addresses that a census of it turns on. */
struct recorded {
	struct ms_target *target;
	ms_addr *places;
	size_t count, capacity;
};

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

static void places_find(struct recorded *r)
{
	const struct ms_census_options options = { .memory = true };
	struct ms_census_report report;
	struct ms_goroutines goroutines;
	struct ms_go_runtime *rt;
	struct ms_spans spans;

	FUZZ_CHECK(fuzz_worked(ms_go_open(r->target, NULL, &rt)));
	FUZZ_CHECK(fuzz_worked(ms_census_run(rt, &options, &report)));
	FUZZ_CHECK(fuzz_worked(ms_spans_load(rt, &spans)));
	FUZZ_CHECK(fuzz_worked(ms_goroutines_load(rt, &goroutines)));
	place_add(r, rt->modules[0].address);
	place_add(r, rt->allspans);
	place_add(r, rt->allspans - rt->layout->mheap_sweepgen_to_allspans);
	place_add(r, rt->allgs);
	place_add(r, rt->modules[0].types);
	for (size_t i = 0; i < report.map_count; i++)
		map_places(r, rt->layout, report.maps[i].address);
	for (size_t i = 0; i < goroutines.count; i++) {
		place_add(r, goroutines.items[i].address);
		place_add(r, goroutines.items[i].stack_lo);
	}
	for (size_t i = 0; i < spans.count; i++) {
		place_add(r, spans.items[i].address);
		place_add(r, spans.items[i].alloc_bits);
	}
	ms_goroutines_deinit(&goroutines);
	ms_spans_deinit(&spans);
	ms_census_report_deinit(&report);
	ms_go_close(rt);
}

static struct recorded *recorded_get(size_t index)
{
	static struct recorded all[MS_ARRAY_SIZE(recordings)];
	struct recorded *r = &all[index];
	char path[4096];

	if (r->target)
		return r;
	snprintf(path, sizeof(path), "%s/tests/golden/recordings/%s.msrec", MS_TEST_ROOT,
		 recordings[index]);
	FUZZ_CHECK(fuzz_worked(ms_replay_open(path, &r->target)));
	places_find(r);
	return r;
}

static void changes_take(struct changed_target *t, const struct recorded *r, struct fuzz_input *in)
{
	while (in->left >= CHANGE_BYTES && t->count < CHANGES_MAX) {
		ms_addr addr = r->places[fuzz_number(in, 2) % r->count];
		struct change *c = &t->changes[t->count++];
		unsigned how;

		c->addr = addr + fuzz_number(in, 2);
		how = (unsigned)fuzz_number(in, 1);
		c->size = 1 + how % 8;
		c->kind = how & 8 ? CHANGE_FLIP : CHANGE_REPLACE;
		c->value = fuzz_number(in, 8);
		if (how & 16) // Another place: pointers that lead somewhere.
			c->value = r->places[c->value % r->count];
	}
}

static void report_check(const struct ms_census_report *report)
{
	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		FUZZ_CHECK(i == 0 || report->maps[i - 1].address <= row->address);
		FUZZ_CHECK(row->slack_bytes == MS_UNKNOWN ||
			   row->slack_bytes == row->total_bytes - row->live_bytes);
	}
	FUZZ_CHECK(report->coverage.read == report->map_count);
}

MS_FUZZ_TARGET(census)
{
	struct fuzz_input in = { data, size };
	struct recorded *r = recorded_get(fuzz_number(&in, 1) % MS_ARRAY_SIZE(recordings));
	const struct ms_census_options options = { .memory = true };
	struct change changes[CHANGES_MAX];
	struct ms_census_report report;
	struct changed_target target;
	struct ms_go_runtime *rt;

	changed_target_init(&target, r->target, changes, READS_MAX);
	changes_take(&target, r, &in);
	if (!fuzz_worked(ms_go_open(&target.target, NULL, &rt)))
		return;
	if (fuzz_worked(ms_census_run(rt, &options, &report))) {
		report_check(&report);
		ms_census_report_deinit(&report);
	}
	ms_go_close(rt);
}
