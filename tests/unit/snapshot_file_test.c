// Goal: a snapshot that we wrote is read back as the census it was written from; one that is not
// whole, or was written by a later version, is refused with a sentence, and nothing that a file
// says of itself is believed.
// Method: pack the example reports, and compare their documents; then every beginning of a
// snapshot, every byte of it changed, headers that lie, and columns that were damaged below the
// checksums.
#include "base/cleanup.h"
#include "base/vec.h"
#include "render/render.h"
#include "snapshot/snapshot_file.h"
#include "tests/support/reports.h"
#include "tests/support/test.h"

#include <zlib.h>

static const struct ms_census_view all = { .top = SIZE_MAX };

enum { TAKEN_NS = 1764225000 };

static struct ms_bytes pack(struct ms_census_report report, enum ms_snapshot_rows rows)
{
	struct ms_bytes file = { 0 };

	CHECK_OK(ms_census_sum_owners(&report));
	CHECK_OK(ms_snapshot_pack(&report, rows, TAKEN_NS, &file));
	free(report.owners);
	return file;
}

/** The rows and their sums as a document has them. */
static char *rows_of(const struct ms_census_report *report)
{
	struct ms_sink sink;
	char *rows;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_json(report, &all, &sink));
	rows = strdup(strstr(ms_sink_text(&sink), "\"filter\""));
	ms_sink_deinit(&sink);
	return rows;
}

static void survives(struct ms_census_report report)
{
	struct ms_bytes file = pack(report, MS_SNAPSHOT_MAPS);
	struct ms_snapshot s;

	CHECK_OK(ms_snapshot_unpack(file.items, file.count, &s));
	CHECK_EQ(s.taken_ns, TAKEN_NS);
	CHECK_EQ(s.census.map_count, report.map_count);
	CHECK_EQ(s.census.target.pid, report.target.pid);
	CHECK_EQ(s.census.target.start_ticks, report.target.start_ticks);
	CHECK_EQ(s.census.partial, report.partial);
	CHECK_EQ(s.census.rss_bytes, report.rss_bytes);
	CHECK_EQ(s.census.coverage.seen, report.coverage.seen);
	CHECK(!s.filtered);
	CHECK_OK(ms_census_sum_owners(&report));
	MS_AUTO_FREE char *want = rows_of(&report);
	MS_AUTO_FREE char *got = rows_of(&s.census);
	CHECK_STR(got, want);
	free(report.owners);
	ms_census_report_deinit(&s.census);
	free(file.items);
}

MS_TEST(snapshot_file_of_a_census_is_that_census)
{
	survives(ms_census_example_classic());
	survives(ms_census_example_swiss());
	survives(ms_census_example_fleet());
	survives(ms_census_example_unknown());
	survives(ms_census_example_empty());
	survives(ms_census_example_partial());
}

MS_TEST(snapshot_file_of_owners_alone_has_no_maps)
{
	struct ms_bytes file = pack(ms_census_example_fleet(), MS_SNAPSHOT_OWNERS);
	struct ms_snapshot s;

	CHECK_OK(ms_snapshot_unpack(file.items, file.count, &s));
	CHECK_EQ(s.census.map_count, 0);
	CHECK(s.census.owner_count > 0 && !s.all_maps);
	ms_census_report_deinit(&s.census);
	free(file.items);
}

MS_TEST(snapshot_file_is_read_from_a_stream)
{
	struct ms_bytes file = pack(ms_census_example_swiss(), MS_SNAPSHOT_MAPS);
	MS_AUTO_FCLOSE FILE *in = fmemopen(file.items, file.count, "r");
	struct ms_snapshot s;

	CHECK_OK(ms_snapshot_read(in, &s));
	CHECK(s.all_maps && s.census.map_count > 0);
	ms_census_report_deinit(&s.census);
	free(file.items);
}

MS_TEST(snapshot_file_that_is_not_whole_is_refused)
{
	struct ms_bytes file = pack(ms_census_example_classic(), MS_SNAPSHOT_MAPS);
	struct ms_snapshot s;

	for (size_t size = 0; size < file.count; size++)
		CHECK_ERR(ms_snapshot_unpack(file.items, size, &s), MS_ERR_IO);
	for (size_t at = 0; at < file.count; at++) {
		file.items[at] ^= 0x10;
		CHECK_ERR(ms_snapshot_unpack(file.items, file.count, &s), MS_ERR_IO);
		file.items[at] ^= 0x10;
	}
	free(file.items);
}

static void store_header_checksum(struct ms_bytes *file)
{
	uint32_t sum = (uint32_t)crc32(0, file->items, 44);

	memcpy(file->items + 44, &sum, sizeof(sum));
}

static void says(struct ms_bytes *file, const char *sentence)
{
	struct ms_snapshot s;
	struct ms_error *err;

	store_header_checksum(file);
	err = ms_snapshot_unpack(file->items, file->count, &s);
	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), sentence);
	CHECK_ERR(err, MS_ERR_IO);
}

MS_TEST(snapshot_file_with_a_header_that_lies_is_refused)
{
	static const uint64_t huge = UINT64_C(1) << 40, large = UINT64_C(1) << 29;
	struct ms_bytes file = pack(ms_census_example_classic(), MS_SNAPSHOT_MAPS);
	uint64_t unpacked = ms_load_u64(file.items + 32), less = unpacked - 1;

	file.items[8] = 2;
	says(&file, "version 2, of a later mapscope; this one reads version 1");
	file.items[8] = 0;
	says(&file, "its header makes no sense");
	file.items[8] = 1;
	memcpy(file.items + 32, &huge, 8);
	says(&file, "its header makes no sense");
	memcpy(file.items + 32, &large, 8);
	says(&file, "its header makes no sense");
	memcpy(file.items + 32, &less, 8);
	says(&file, "it cannot be unpacked");
	memcpy(file.items + 32, &unpacked, 8);
	file.count--;
	says(&file, "bytes and should have");
	free(file.items);
}

/** Columns of a report, for damage that no checksum would let through. */
static struct ms_bytes columns(struct ms_census_report report)
{
	struct ms_bytes bytes = { 0 };

	CHECK_OK(ms_census_sum_owners(&report));
	CHECK_OK(ms_snapshot_columns_write(&report, MS_SNAPSHOT_MAPS, &bytes));
	free(report.owners);
	return bytes;
}

MS_TEST(snapshot_columns_that_are_damaged_are_refused_or_bounded)
{
	static const uint8_t masks[] = { 0x01, 0x40, 0x80, 0xff };
	struct ms_bytes bytes = columns(ms_census_example_swiss());

	for (size_t size = 0; size < bytes.count; size++) {
		MS_AUTO_FREE uint8_t *part = malloc(size + 1);
		struct ms_census_report report;

		CHECK(part != NULL);
		memcpy(part, bytes.items, size);
		CHECK_ERR(ms_snapshot_columns_read(part, size, &report), MS_ERR_IO);
	}
	for (size_t at = 0; at < bytes.count * MS_ARRAY_SIZE(masks); at++) {
		uint8_t *byte = &bytes.items[at / MS_ARRAY_SIZE(masks)];
		struct ms_census_report report;
		struct ms_error *err;

		*byte ^= masks[at % MS_ARRAY_SIZE(masks)];
		err = ms_snapshot_columns_read(bytes.items, bytes.count, &report);
		if (!err)
			ms_census_report_deinit(&report);
		CHECK(!err || ms_error_code(err) == MS_ERR_IO);
		ms_error_free(err);
		*byte ^= masks[at % MS_ARRAY_SIZE(masks)];
	}
	free(bytes.items);
}

/** A list that says it has many rows and has no bytes for them: one text, its name. */
MS_TEST(snapshot_columns_without_rows_get_no_room)
{
	static const uint8_t many[] = { 1, 4, 'm', 'a', 'p', 's', 1, 1, 0xff, 0xff, 0xff, 0x0f, 0 };
	struct ms_census_report report;
	struct ms_error *err = ms_snapshot_columns_read(many, sizeof(many), &report);

	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), "fewer rows than it says");
	CHECK_ERR(err, MS_ERR_IO);
}

/** A section and a column that a later version may add. */
MS_TEST(snapshot_columns_that_are_not_known_are_passed_over)
{
	struct ms_bytes bytes = columns(ms_census_example_classic());
	struct ms_census_report report;
	uint8_t *at = memmem(bytes.items, bytes.count, "overflow_buckets", 16);

	CHECK(at != NULL);
	memcpy(at, "something_of_new", 16);
	at = memmem(bytes.items, bytes.count, "coverage", 8);
	CHECK(at != NULL);
	memcpy(at, "newfangl", 8);
	CHECK_OK(ms_snapshot_columns_read(bytes.items, bytes.count, &report));
	CHECK(report.map_count > 0);
	CHECK_EQ(report.maps[0].overflow_buckets, MS_UNKNOWN);
	CHECK_EQ(report.coverage.read, MS_UNKNOWN);
	ms_census_report_deinit(&report);
	free(bytes.items);
}
