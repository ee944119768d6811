// Goal: collections are counted where the runtime counts them, or not at all.
// Method: find them in every recording; then move each fact by a word; then bytes made up for every
// row, with each part wrong in turn; then a process that collects for the first time.
#include "golang/collections.h"

#include "golang/spans.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

struct recorded {
	struct ms_target *target;
	struct ms_go_runtime *rt;
	uint64_t in_use_bytes;
};

static struct recorded recorded_open(const char *name)
{
	struct recorded r = { .target = recording_open(name) };
	struct ms_spans spans;

	CHECK_OK(ms_go_open(r.target, NULL, &r.rt));
	CHECK_OK(ms_spans_load(r.rt, &spans));
	r.in_use_bytes = spans.in_use_bytes;
	ms_spans_deinit(&spans);
	return r;
}

static void recorded_close(struct recorded *r)
{
	ms_go_close(r->rt);
	ms_target_destroy(r->target);
}

static struct ms_go_collections_now recorded_read(const struct recorded *r,
						  struct ms_go_collections *ret_collections)
{
	struct ms_go_collections_now now;

	CHECK_OK(ms_go_collections_find(r->rt, r->in_use_bytes, ret_collections));
	CHECK_OK(ms_go_collections_read(ret_collections, &now));
	return now;
}

/** The recorded program forced two collections, and was at rest behind them. */
static void check_recording(const char *name)
{
	struct recorded r = recorded_open(name);
	struct ms_go_collections c;
	struct ms_go_collections_now now = recorded_read(&r, &c);
	struct ms_go_pause pauses[2];

	CHECK_EQ(now.ended, 2);
	CHECK_EQ(now.forced, 2);
	CHECK(now.cpu_share > 0 && now.cpu_share < 1);
	CHECK(now.has_pacer && now.has_times && !now.is_marking && now.has_cycle);
	CHECK_OK(ms_go_collections_pauses(&c, 2, 2, pauses));
	CHECK(pauses[0].end_unix_ns < pauses[1].end_unix_ns);
	CHECK_EQ(now.cycle.pause_ns, (int64_t)pauses[1].pause_ns);
	// The stops are the phases before and behind marking; it says so from the decision on.
	CHECK(now.cycle.pause_ns <=
	      now.cycle.mark_ns - now.cycle.start_ns + now.cycle.end_ns - now.cycle.mark_end_ns);
	CHECK(now.cycle.heap_start_bytes <= now.cycle.heap_end_bytes);
	CHECK(now.cycle.heap_marked_bytes < now.cycle.heap_end_bytes);
	CHECK_EQ(now.cycle.procs, 2);
	CHECK_EQ(now.cycle.stop_procs, 2);
	CHECK_EQ(ms_go_pacer_goal(&now.pacer, 0), 4 << 20);
	CHECK_EQ(now.pacer.last_goal_bytes, 4 << 20);
	CHECK(now.pacer.dedicated_ns + now.pacer.fractional_ns > 0);
	ms_go_collections_deinit(&c);
	recorded_close(&r);
}

MS_TEST(collections_in_every_recording)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++)
		check_recording(names.items[i]);
}
