// A fact of the right row that is wrong by one word is refused, fact by fact: so each is guarded by
// itself, whatever else the row holds.
//
// A few are not, and are listed with what they stand on instead.  The processes are recordings of
// the oldest release, of both kinds of map, and of marks inside spans.
#include "golang/layout_internal.h"
#include "golang/runtime.h"

#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>

static bool is_known_unguarded(const char *member)
{
	static const char *const members[] = {
		"type_size",               // Only bounds what is read; stands in other facts too.
		"type_ptrdata",            // Smaller by one word it is type_bytes: nearly the same.
		"structfield_offset_anon", // Only whether it is there counts.
		"maptype_bucket_size",     // Smaller by one word, a few types look right by chance.
		"inline_marks_size",       // Smaller by one word, as many objects fit.
		"inline_marks_marks",      // Means something only during a collection.
		// Read by what comes after a census, which holds its own results against the
		// process.
		"finalizer_",
		"gc_",
		"hiter_",
		"itab_",
		"iter_",
		"mstats_",
		"sched_",
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(members); i++) {
		size_t size = strlen(members[i]);

		// One that ends in _ stands for all that begin with it.
		if (!strncmp(members[i], member, members[i][size - 1] == '_' ? size : size + 1))
			return true;
	}
	return false;
}

static void check_refused(struct ms_target *t, const struct ms_go_layout *right,
			  const struct ms_go_question *q, uint32_t wrong)
{
	struct ms_go_layout row = *right;
	const struct ms_go_options options = { .force_layout = &row };
	struct ms_go_runtime *rt = NULL;
	struct ms_error *err;

	ms_go_layout_set_answer(&row, q, wrong);
	err = ms_go_open(t, &options, &rt);
	if (!err && is_known_unguarded(q->member)) {
		ms_go_close(rt);
		return;
	}
	printf("%s as %u\n", q->member, wrong); // Shown when the check fails.
	CHECK(err != NULL);
	CHECK_ERR(err, MS_ERR_UNSUPPORTED);
}

static void check_facts(const char *name)
{
	struct ms_target *t = recording_open(name);
	struct ms_go_layout right;
	struct ms_go_runtime *rt = NULL;

	printf("%s\n", name);
	CHECK_OK(ms_go_open(t, NULL, &rt));
	right = *rt->layout;
	ms_go_close(rt);
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];
		uint32_t value = ms_go_layout_answer(&right, q);

		if (value == MS_ABSENT)
			continue;
		check_refused(t, &right, q, value + 8);
		if (value >= 8)
			check_refused(t, &right, q, value - 8);
	}
	ms_target_destroy(t);
}

MS_TEST(each_wrong_fact_of_the_oldest_release_is_refused)
{
	check_facts("go1.18.8");
}

MS_TEST(each_wrong_fact_of_classic_maps_is_refused)
{
	check_facts("go1.24.13-noswissmap");
}

MS_TEST(each_wrong_fact_of_swiss_maps_is_refused)
{
	check_facts("go1.24.13");
}

MS_TEST(each_wrong_fact_of_marks_inside_spans_is_refused)
{
	check_facts("go1.27.4-mapsplitgroup");
}

MS_TEST(a_wrong_fact_is_named_with_what_was_expected_and_found)
{
	struct ms_target *t = recording_open("go1.24.13-noswissmap");
	struct ms_go_layout row;
	const struct ms_go_options options = { .force_layout = &row };
	struct ms_go_runtime *rt = NULL;
	struct ms_error *err;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	row = *rt->layout;
	ms_go_close(rt);
	row.hmap_extra = 40; // As in go1.23.
	err = ms_go_open(t, &options, &rt);
	CHECK(err != NULL);
	CHECK_STR(ms_error_message(err), "layout check failed: hmap_extra in the program's own "
					 "types: expected 40, found 48");
	ms_error_free(err);
	ms_target_destroy(t);
}
