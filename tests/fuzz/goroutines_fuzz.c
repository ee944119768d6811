// All goroutines of a recorded process, with words of its memory changed, and every page of them.
//
//	1 byte  which recording      1 byte  bits: 1 one look only, 2 without a census
//	1 byte  how many changes are there from the start; the others come between the looks
//	then changes of 13 bytes (recorded.h)
//
// A bound on reads stands for the target's exit, so that no input takes long.
#include "goroutines/goroutines_run.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/recorded.h"
#include "tests/fuzz/render_all.h"

enum { READS_MAX = 30000, SLEEPS_MAX = 200 };

struct looks {
	double now;
	unsigned sleeps;
	struct changed_target *target;
	size_t changes; // All of them.
};

static double clock_now(void *context)
{
	return ((const struct looks *)context)->now;
}

static void clock_sleep(void *context, double when)
{
	struct looks *looks = context;

	looks->now = when > looks->now ? when : looks->now + 0.001;
	looks->sleeps++;
	looks->target->count = looks->changes;
}

static bool clock_stop(void *context)
{
	return ((const struct looks *)context)->sleeps > SLEEPS_MAX;
}

static void check_row(const struct ms_goroutines_report *r, size_t i)
{
	const struct ms_goroutine_row *row = &r->rows[i];

	FUZZ_CHECK(!i || row[-1].id <= row->id);
	FUZZ_CHECK(row->state && row->cluster < r->cluster_count);
	FUZZ_CHECK(row->stack == MS_NO_STACK || row->stack < r->stacks.count);
	FUZZ_CHECK((row->stack == MS_NO_STACK) == (row->stack_source == MS_STACK_NONE));
	FUZZ_CHECK(row->place == MS_NO_PLACE || row->place < r->place_count);
}

static void check(const struct ms_goroutines_report *r)
{
	uint64_t in_clusters = 0;

	FUZZ_CHECK(r->seen == r->row_count);
	for (size_t i = 0; i < r->row_count; i++)
		check_row(r, i);
	for (size_t i = 0; i < r->cluster_count; i++) {
		const struct ms_goroutine_cluster *c = &r->clusters[i];

		FUZZ_CHECK(c->count && c->example_count <= MS_CLUSTER_EXAMPLES_MAX);
		FUZZ_CHECK(c->stack == MS_NO_STACK || c->stack < r->stacks.count);
		in_clusters += c->count;
	}
	FUZZ_CHECK(in_clusters == r->row_count);
	for (size_t i = 0; i < r->place_count; i++)
		FUZZ_CHECK(r->places[i].kind && r->places[i].waiting <= r->row_count);
}

MS_FUZZ_TARGET(goroutines)
{
	struct fuzz_input in = { data, size };
	struct recorded *r = recorded_get(fuzz_number(&in, 1));
	unsigned bits = (unsigned)fuzz_number(&in, 1);
	size_t first = (size_t)fuzz_number(&in, 1);
	struct looks looks = { .now = 1000, .target = &r->changed };
	const struct ms_goroutines_options options = {
		.seconds = bits & 1 ? 0 : 1,
		.sched = true,
		.census = bits & 2 ? NULL : &r->census,
		.stop = clock_stop,
		.sleep_until = clock_sleep,
		.now = clock_now,
		.context = &looks,
	};
	struct ms_goroutines_report report;

	recorded_begin(r, READS_MAX);
	recorded_changes(&r->changed, r, r->count, RECORDED_CHANGES_MAX, &in);
	looks.changes = r->changed.count;
	r->changed.count = (size_t)ms_min_u64(first, looks.changes);
	if (fuzz_worked(ms_goroutines_run(r->rt, &options, &report))) {
		check(&report);
		render_all_goroutines(&report);
		ms_goroutines_report_deinit(&report);
	}
}
