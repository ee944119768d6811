// Goal: a window polls when it is due, keeps a history that speaks of every poll, and ends in a
// report or an error whatever fails.
// Method: a clock that only sleep moves, a map on the fake target, a recording with faults.
#include "diagnose/diagnose.h"
#include "diagnose/window.h"
#include "target/fault.h"
#include "tests/support/fake_target.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <math.h>

#define MAP ((ms_addr)0xc000010000)

enum { FAULTS = 67 }; // Spread over all operations of a window.

static double clock_s;

static double now(void *context)
{
	(void)context;
	return clock_s;
}

static void sleep_until(void *context, double when)
{
	(void)context;
	clock_s = fmax(clock_s, when) + 1e-6;
}

static const struct ms_diagnose_options options = {
	.seconds = 3,
	.now = now,
	.sleep_until = sleep_until,
	.root = "/nowhere",
};

/** A Swiss map of 64 tables whose header says what a test wants. */
struct polled {
	struct fake_target fake;
	struct ms_go_runtime rt;
	uint8_t header[64];
	struct ms_watch watch;
};

static void entries_set(struct polled *p, uint64_t entries)
{
	memcpy(p->header + p->rt.layout->map_used, &entries, sizeof(entries));
}

static void polled_init(struct polled *p)
{
	const uint64_t directory = 0xc000020000, len = 64;

	memset(p, 0, sizeof(*p));
	p->rt.layout = ms_go_layout_find(MS_GO_PATCH(1, 24, 13), MS_ARCH_AMD64, MS_GO_EXP_SWISS);
	p->rt.target = &p->fake.target;
	memcpy(p->header + p->rt.layout->map_dir_ptr, &directory, sizeof(directory));
	memcpy(p->header + p->rt.layout->map_dir_len, &len, sizeof(len));
	memset(p->header + p->rt.layout->map_seed, 0x5a, 8);
	p->header[p->rt.layout->map_global_depth] = 6;
	p->header[p->rt.layout->map_global_shift] = 58;
	fake_target_init(&p->fake);
	fake_target_map(&p->fake, MAP, p->header, sizeof(p->header), MS_REGION_ANON, MS_PROT_READ);
	p->watch.items[0].address = p->watch.polls[0].address = MAP;
	p->watch.count = 1;
}

static struct polled polled;

/** Far more polls than samples: the first and the last are there, and the one fall is known. */
MS_TEST(window_history_of_many_polls)
{
	enum { POLLS = 5000, FALL = 3333 };
	struct ms_sample samples[MS_WATCH_SAMPLES_MAX + 2];
	const struct ms_sample last = { POLLS, 9000, 65536, 1 << 20 };
	const struct ms_watched *w;
	struct ms_history h;

	polled_init(&polled);
	for (uint64_t i = 0; i < POLLS; i++) {
		entries_set(&polled, i == FALL ? 10 : 1000 + i);
		CHECK_OK(ms_watch_poll(&polled.watch, &polled.rt, (double)i));
	}
	w = ms_watch_find(&polled.watch, MAP);
	CHECK(w != NULL);
	h = ms_watched_history(w, &last, samples);
	CHECK_EQ(h.looks, POLLS + 1);
	CHECK(h.count > MS_WATCH_SAMPLES_MAX / 2 && h.count <= MS_WATCH_SAMPLES_MAX + 2);
	CHECK_EQ(h.samples[0].entries, 1000);
	CHECK_EQ(h.samples[h.count - 1].entries, 9000);
	CHECK_EQ(h.samples[h.count - 2].entries, 1000 + POLLS - 1);
	CHECK_EQ(h.falls, 1);
	CHECK_EQ(h.low, 10);
	CHECK_EQ(h.high, 9000);
	for (size_t i = 1; i < h.count; i++)
		CHECK(h.samples[i].time_s > h.samples[i - 1].time_s);
	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_GROWING); // Not suspect, for that one fall.
	fake_target_deinit(&polled.fake);
}

MS_TEST(window_ticks_when_due)
{
	struct ms_diagnose_options o = options;
	struct ms_target *t = recording_open("go1.27.4");
	static struct ms_window w;
	struct ms_go_runtime *rt;
	uint64_t reads;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	w = (struct ms_window){ .rt = rt, .target = rt->target, .options = &o };
	clock_s = 100;
	CHECK_OK(ms_window_start(&w));
	CHECK_OK(ms_window_tick(&w));
	CHECK(ms_window_due(&w) > 100 && ms_window_due(&w) < 100.11);
	reads = t->cost.reads;
	for (unsigned i = 0; i < 1000; i++)
		CHECK_OK(ms_window_tick(&w)); // Nothing is due.
	CHECK_EQ(t->cost.reads, reads);
	clock_s = 107; // Long work went on meanwhile: one poll, not seventy.
	CHECK_OK(ms_window_tick(&w));
	CHECK(t->cost.reads > reads);
	CHECK(ms_window_due(&w) > 107);
	ms_go_close(rt);
	ms_target_destroy(t);
}

static void check_report(const struct ms_diagnosis_report *r)
{
	bool is_less = false; // A read that failed was of a span, and so of many maps.

	for (size_t i = 0; i < r->coverage.skip_count; i++)
		is_less |= strstr(r->coverage.skips[i].reason, "could not be read") != NULL;
	CHECK(r->fleet.maps_after > 100 || (is_less && r->fleet.maps_after));
	CHECK_EQ(r->limit_count, 0); // There is no process to be bounded.
	CHECK(isnan(r->rss_bytes_per_s));
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct ms_finding *f = &r->findings[i];
		struct ms_clock clock = ms_finding_clock(r, f);

		CHECK(f->verdict != MS_VERDICT_SUSPECT); // Nothing moves in a recording.
		CHECK(clock.limit == NULL && isnan(clock.limit_s) && !clock.will_not_fit);
	}
}

MS_TEST(window_of_a_recording)
{
	struct ms_target *t = recording_open("go1.19.4");
	struct ms_diagnosis_report report;
	struct ms_go_runtime *rt;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_diagnose_run(rt, &options, &report));
	check_report(&report);
	CHECK(!report.partial);
	CHECK(report.limits_hidden == NULL);
	ms_diagnosis_report_deinit(&report);
	ms_go_close(rt);
	ms_target_destroy(t);
}

/** Whichever read fails, once or for ever: an error, or a report that holds together. */
MS_TEST(window_with_faults)
{
	const struct ms_fault_plan none = { MS_FAULT_ANY, UINT64_MAX, MS_FAULT_FAULT,
					    MS_FAULT_ONCE };
	struct ms_target *recording = recording_open("go1.26.11"), *fault;
	struct ms_diagnosis_report report;
	struct ms_go_runtime *rt;
	uint64_t operations;

	CHECK_OK(ms_fault_create(recording, &none, &fault));
	CHECK_OK(ms_go_open(fault, NULL, &rt));
	ms_fault_restart(fault, &none);
	CHECK_OK(ms_diagnose_run(rt, &options, &report));
	ms_diagnosis_report_deinit(&report);
	operations = ms_fault_count(fault);
	for (uint64_t n = 0; n < operations; n += operations / FAULTS + 1) {
		struct ms_fault_plan plan = { MS_FAULT_ANY, n,
					      n % 2 ? MS_FAULT_FAULT : MS_FAULT_GONE,
					      n % 3 ? MS_FAULT_ONCE : MS_FAULT_STICKY };
		struct ms_error *err;

		ms_fault_restart(fault, &plan);
		err = ms_diagnose_run(rt, &options, &report);
		if (!err) {
			check_report(&report);
			ms_diagnosis_report_deinit(&report);
		}
		ms_error_free(err);
	}
	ms_go_close(rt);
	ms_target_destroy(fault);
	ms_target_destroy(recording);
}
