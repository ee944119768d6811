// Goal: every document we write is what docs/formats/ says, and says all we write.
// Method: render each example and hand it to tests/golden/schema_check.py; then documents with
// one thing wrong, which it must refuse.
#include "base/cleanup.h"
#include "render/render.h"
#include "tests/support/goroutine_reports.h"
#include "tests/support/pipe.h"
#include "tests/support/reports.h"
#include "tests/support/test.h"
#include "tests/support/top_reports.h"
#include "tests/support/trace_reports.h"

#include <stdio.h>
#include <stdlib.h>

/** The checker's exit code for @p document under docs/formats/@p schema.schema.json. */
static int check_document(const char *schema, const char *document)
{
	MS_AUTO_FREE char *relative = NULL;
	MS_AUTO_FREE char *checker = ms_test_path("tests/golden/schema_check.py");

	CHECK(asprintf(&relative, "docs/formats/%s.schema.json", schema) > 0);
	MS_AUTO_FREE char *path = ms_test_path(relative);
	const char *const command[] = { "python3", "-B", checker, "--closed", path, "-", NULL };

	return ms_test_pipe(command, document, strlen(document), NULL);
}

static void census_document(struct ms_census_report report, struct ms_sink *sink)
{
	const struct ms_census_view all = { .top = SIZE_MAX };

	CHECK_OK(ms_census_sum_owners(&report));
	ms_sink_init_memory(sink);
	CHECK_OK(ms_render_census_json(&report, &all, sink));
	free(report.owners);
}

static void census_fits(struct ms_census_report report)
{
	struct ms_sink sink;

	census_document(report, &sink);
	CHECK_EQ(check_document("census", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

MS_TEST(render_schema_census)
{
	census_fits(ms_census_example_classic());
	census_fits(ms_census_example_swiss());
	census_fits(ms_census_example_unknown());
	census_fits(ms_census_example_empty());
	census_fits(ms_census_example_hostile());
	census_fits(ms_census_example_partial());
}

static void heap_fits(struct ms_census_report report)
{
	const struct ms_census_view all = { .top = SIZE_MAX };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_heap_json(&report, &all, &sink));
	CHECK_EQ(check_document("heap", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

MS_TEST(render_schema_crash)
{
	const struct ms_census_view all = { .top = SIZE_MAX };
	struct ms_census_report census = ms_census_example_classic();
	struct ms_goroutines_report goroutines = ms_goroutines_example_busy();
	struct ms_crash_report r = { .target = census.target,
				     .cost = census.cost,
				     .stack = MS_NO_STACK,
				     .census = &census };

	for (unsigned known = 0; known < 2; known++) {
		struct ms_sink sink;

		ms_sink_init_memory(&sink);
		CHECK_OK(ms_render_crash_json(&r, &all, &sink));
		CHECK_EQ(check_document("crash", ms_sink_text(&sink)), 0);
		ms_sink_deinit(&sink);
		r.goroutines = &goroutines;
		r.error = MS_CRASH_WRITES;
		r.stack = goroutines.rows[0].stack;
		r.map = &census.maps[0];
		r.map_address = census.maps[0].address;
		r.map_source = MS_CRASH_MAP_TYPE;
		r.map_type = census.maps[0].type;
		r.candidates[0] = (struct ms_crash_candidate){ &census.maps[1], true };
		r.candidate_count = 1;
		r.users[0] = (struct ms_crash_user){ .goroutine = 7,
						     .state = "running",
						     .stack = goroutines.rows[1].stack,
						     .role = MS_ROLE_GROWS };
		r.user_count = 1;
	}
}

MS_TEST(render_schema_heap)
{
	heap_fits(ms_census_example_classic());
	heap_fits(ms_heap_example_others());
	heap_fits(ms_heap_example_hostile());
	heap_fits(ms_census_example_unknown());
}

static void diagnosis_fits(struct ms_diagnosis_report report)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diagnosis_json(&report, &sink));
	CHECK_EQ(check_document("diagnosis", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

MS_TEST(render_schema_top)
{
	const struct ms_top_report reports[] = { ms_example_top(), ms_example_top_unknown(),
						 ms_example_top_hostile() };

	for (size_t i = 0; i < MS_ARRAY_SIZE(reports); i++) {
		struct ms_sink sink;

		ms_sink_init_memory(&sink);
		CHECK_OK(ms_render_top_json(&reports[i], &sink));
		CHECK_EQ(check_document("top", ms_sink_text(&sink)), 0);
		ms_sink_deinit(&sink);
	}
}

MS_TEST(render_schema_diagnosis)
{
	diagnosis_fits(ms_diagnosis_example_growing());
	diagnosis_fits(ms_diagnosis_example_kinds());
	diagnosis_fits(ms_diagnosis_example_swiss());
	diagnosis_fits(ms_diagnosis_example_quiet());
	diagnosis_fits(ms_diagnosis_example_partial());
	diagnosis_fits(ms_diagnosis_example_hostile());
}

static void doctor_fits(struct ms_doctor_report report)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_doctor_json(&report, &sink));
	CHECK_EQ(check_document("doctor", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

MS_TEST(render_schema_doctor)
{
	doctor_fits(ms_doctor_example_good());
	doctor_fits(ms_doctor_example_refused());
}

MS_TEST(render_schema_diff)
{
	const struct ms_census_view all = { .top = SIZE_MAX };
	const struct ms_diff_report report = ms_diff_example();
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_diff_json(&report, &all, &sink));
	CHECK_EQ(check_document("diff", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

static void run_fits(struct ms_run_report report)
{
	const struct ms_census_view all = { .top = SIZE_MAX };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_run_json(&report, &all, &sink));
	CHECK_EQ(check_document("run", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

MS_TEST(render_schema_run)
{
	run_fits(ms_run_example());
	run_fits(ms_run_example_nothing());
}

static void trace_fits(struct ms_trace_report report)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_json(&report, &sink));
	CHECK_EQ(check_document("trace", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

static void goroutines_fit(struct ms_goroutines_report report)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_goroutines_json(&report, &sink));
	CHECK_EQ(check_document("goroutines", ms_sink_text(&sink)), 0);
	ms_sink_deinit(&sink);
}

MS_TEST(render_schema_goroutines)
{
	goroutines_fit(ms_goroutines_example_busy());
	goroutines_fit(ms_goroutines_example_unknown());
	goroutines_fit(ms_goroutines_example_empty());
	goroutines_fit(ms_goroutines_example_hostile());
}

MS_TEST(render_schema_trace)
{
	trace_fits(ms_trace_example_classic());
	trace_fits(ms_trace_example_swiss());
	trace_fits(ms_trace_example_polled());
	trace_fits(ms_trace_example_empty());
	trace_fits(ms_trace_example_hostile());
}

/** Put @p to, which is as long, in the place of the first @p from. */
static void refused_with(const char *from, const char *to)
{
	struct ms_sink sink;
	char *at;

	census_document(ms_census_example_classic(), &sink);
	CHECK(ms_sink_text(&sink) != NULL);
	CHECK_EQ(strlen(from), strlen(to));
	at = strstr(sink.bytes, from);
	CHECK(at != NULL);
	memcpy(at, to, strlen(to));
	CHECK_EQ(check_document("census", ms_sink_text(&sink)), 1);
	ms_sink_deinit(&sink);
}

MS_TEST(render_schema_refuses_what_is_wrong)
{
	refused_with("mapscope.census/1", "mapscope.census/2");
	refused_with("\"grow_at\"", "\"grow_on\"");
	refused_with("\"seen\":34120", "\"seen\":-4120");
	refused_with("\"0xc000010030\"", "\"0xC000010030\"");
	refused_with("\"verified\"", "\"believed\"");
	refused_with("\"growing\":true", "\"growing\":null");
	refused_with("\"progress\":0.631", "\"progress\":1.631");
	refused_with("\"capacity\":", "\"entries\" :");
}
