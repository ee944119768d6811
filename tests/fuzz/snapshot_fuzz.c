// A census document that anybody may have written; the first byte is the size of the pieces.
#include "snapshot/snapshot.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

static void check(const struct ms_snapshot *s)
{
	size_t length = 0;

	for (size_t i = 0; i < s->census.owner_count; i++) {
		const struct ms_owner_row *row = &s->census.owners[i];

		length +=
		    (row->owner ? strlen(row->owner) : 0) + (row->type ? strlen(row->type) : 0);
	}
	for (size_t i = 0; i < s->census.map_count; i++) {
		const struct ms_map_row *row = &s->census.maps[i];

		length += row->type ? strlen(row->type) : 0;
		FUZZ_CHECK(row->kind <= MS_MAP_SYNC_TRIE && row->where <= MS_WHERE_STACK);
		FUZZ_CHECK(row->confidence <= MS_CONFIDENCE_UNVERIFIED);
	}
	FUZZ_CHECK(length < SIZE_MAX / 2);
}

MS_FUZZ_TARGET(snapshot)
{
	struct fuzz_input in = { data, size };
	size_t piece = (size_t)fuzz_number(&in, 1) + 1;
	struct ms_snapshot_reader *reader = ms_snapshot_reader_create();
	struct ms_error *err = reader ? NULL : ms_error_no_memory();
	struct ms_snapshot s;

	while (!err && in.left > 0) {
		struct fuzz_input part = fuzz_part(&in, piece);

		err = ms_snapshot_feed(reader, part.at, part.left);
	}
	if (!err)
		err = ms_snapshot_finish(reader, &s);
	if (fuzz_worked(err)) {
		check(&s);
		ms_census_report_deinit(&s.census);
	}
	ms_snapshot_reader_destroy(reader);
}
