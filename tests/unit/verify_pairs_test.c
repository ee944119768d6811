// For every pair of layout rows that differ: a process of the one, read with the other, is refused
// before a number is printed.
//
// The processes are recordings, one for each row of the architecture they were made on.  A row that
// differs from the right one in nothing we ask for may be accepted: it is the same layout.
#include "golang/runtime.h"

#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdio.h>

/** True when @p t read with @p row is refused, as it should be. */
static bool is_refused(struct ms_target *t, const struct ms_go_layout *row)
{
	const struct ms_go_options options = { .force_layout = row };
	struct ms_go_runtime *rt = NULL;
	struct ms_error *err = ms_go_open(t, &options, &rt);

	if (!err) {
		ms_go_close(rt);
		return false;
	}
	CHECK_ERR(err, MS_ERR_UNSUPPORTED);
	return true;
}

/** How many wrong rows are accepted for one recording; each is printed. */
static unsigned accepted_rows(const char *name)
{
	struct ms_target *t = recording_open(name);
	struct ms_go_runtime *rt = NULL;
	const struct ms_go_layout *right;
	unsigned accepted = 0;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	right = rt->layout;
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *row = ms_go_layout_at(i);
		const char *difference = ms_go_layout_difference(right, row);

		if (row->arch != right->arch || !difference || is_refused(t, row))
			continue;
		printf("%s is accepted with row %zu, which differs in %s\n", name, i, difference);
		accepted++;
	}
	ms_go_close(rt);
	ms_target_destroy(t);
	return accepted;
}

MS_TEST(every_recording_refuses_every_wrong_row)
{
	struct recording_names names;
	unsigned accepted = 0;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++)
		accepted += accepted_rows(names.items[i]);
	CHECK_EQ(accepted, 0);
}

MS_TEST(every_row_has_a_recording)
{
	struct recording_names names;
	const struct ms_go_layout *seen[RECORDINGS_MAX];

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct ms_target *t = recording_open(names.items[i]);
		struct ms_go_runtime *rt = NULL;

		CHECK_OK(ms_go_open(t, NULL, &rt));
		seen[i] = rt->layout;
		ms_go_close(rt);
		ms_target_destroy(t);
	}
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *row = ms_go_layout_at(i);
		bool found = row->arch != seen[0]->arch;

		for (size_t k = 0; k < names.count; k++)
			found |= ms_go_layout_difference(row, seen[k]) == NULL;
		printf("row %zu: releases %d to %d, experiments %u\n", i, row->since, row->until,
		       row->experiments);
		CHECK(found);
	}
}
