// Goal: a document that we wrote is read back as the census it was written from; one that is wrong
// is refused with what is wrong and where, and leaves nothing behind.
// Method: render the example reports, feed them in pieces of several sizes, and render what came
// out again; then documents with one thing wrong, and documents cut off after every byte.
#include "base/cleanup.h"
#include "render/render.h"
#include "snapshot/snapshot.h"
#include "tests/support/reports.h"
#include "tests/support/test.h"

static const struct ms_census_view all = { .top = SIZE_MAX };

static void write_document(struct ms_census_report report, struct ms_sink *sink)
{
	CHECK_OK(ms_census_sum_owners(&report));
	ms_sink_init_memory(sink);
	CHECK_OK(ms_render_census_json(&report, &all, sink));
	CHECK(ms_sink_text(sink) != NULL);
	free(report.owners);
}

static struct ms_error *read_pieces(const char *text, size_t size, size_t piece,
				    struct ms_snapshot *ret_snapshot)
{
	struct ms_snapshot_reader *reader = ms_snapshot_reader_create();
	struct ms_error *err = NULL;

	CHECK(reader != NULL);
	for (size_t at = 0; at < size && !err; at += piece)
		err = ms_snapshot_feed(reader, text + at, ms_min_u64(piece, size - at));
	if (!err)
		err = ms_snapshot_finish(reader, ret_snapshot);
	ms_snapshot_reader_destroy(reader);
	return err;
}

static struct ms_error *read_text(const char *text, struct ms_snapshot *ret_snapshot)
{
	return read_pieces(text, strlen(text), SIZE_MAX, ret_snapshot);
}

/** The rows and their sums in @p text, which is what a second rendering has to be the same in. */
static const char *from_owners(const char *text)
{
	const char *at = strstr(text, "\"filter\"");

	CHECK(at != NULL);
	return at;
}

static void survives(struct ms_census_report report)
{
	static const size_t pieces[] = { 1, 7, 4096, SIZE_MAX };
	struct ms_sink first, second;

	write_document(report, &first);
	for (size_t i = 0; i < MS_ARRAY_SIZE(pieces); i++) {
		struct ms_snapshot s;

		CHECK_OK(read_pieces(first.bytes, first.size, pieces[i], &s));
		CHECK_EQ(s.census.map_count, report.map_count);
		CHECK_EQ(s.census.target.pid, report.target.pid);
		CHECK_EQ(s.census.target.start_ticks, report.target.start_ticks);
		CHECK_EQ(s.census.partial, report.partial);
		CHECK_EQ(s.census.coverage.seen, report.coverage.seen);
		CHECK(!s.filtered);
		ms_sink_init_memory(&second);
		CHECK_OK(ms_render_census_json(&s.census, &all, &second));
		CHECK_STR(from_owners(ms_sink_text(&second)), from_owners(ms_sink_text(&first)));
		ms_sink_deinit(&second);
		ms_census_report_deinit(&s.census);
	}
	ms_sink_deinit(&first);
}

MS_TEST(snapshot_of_a_census_is_that_census)
{
	survives(ms_census_example_classic());
	survives(ms_census_example_swiss());
	survives(ms_census_example_fleet());
	survives(ms_census_example_unknown());
	survives(ms_census_example_empty());
	survives(ms_census_example_partial());
}

MS_TEST(snapshot_knows_whether_it_has_all)
{
	struct ms_census_report report = ms_census_example_swiss();
	struct ms_row_filter filter;
	const struct ms_census_view some = { .top = 1, .filter = &filter };
	struct ms_snapshot s;
	struct ms_sink sink;

	write_document(report, &sink);
	CHECK_OK(read_text(sink.bytes, &s));
	CHECK(s.all_maps);
	ms_census_report_deinit(&s.census);
	ms_sink_deinit(&sink);

	CHECK_OK(ms_row_filter_init(&filter, NULL, "int"));
	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_json(&report, &some, &sink));
	CHECK_OK(read_text(ms_sink_text(&sink), &s));
	CHECK(!s.all_maps && s.filtered);
	ms_census_report_deinit(&s.census);
	ms_sink_deinit(&sink);
	ms_row_filter_deinit(&filter);
}

MS_TEST(snapshot_cut_off_anywhere_is_refused)
{
	struct ms_sink sink;

	write_document(ms_census_example_classic(), &sink);
	for (size_t size = 0; size + 2 < sink.size; size++) {
		struct ms_snapshot s;

		CHECK_ERR(read_pieces(sink.bytes, size, SIZE_MAX, &s), MS_ERR_IO);
	}
	ms_sink_deinit(&sink);
}

static void says(const char *document, const char *sentence)
{
	struct ms_snapshot s;
	struct ms_error *err = read_text(document, &s);

	CHECK(err != NULL);
	CHECK_EQ(ms_error_code(err), MS_ERR_IO);
	if (!strstr(ms_error_message(err), sentence))
		CHECK_STR(ms_error_message(err), sentence);
	ms_error_free(err);
}

#define S "{\"schema\":\"mapscope.census/1\","

MS_TEST(snapshot_says_what_is_wrong_and_where)
{
	says("", "ends at byte 0");
	says("nonsense", "this is no JSON");
	says("[1]", "it is no object");
	says("{\"tool\":1}", "byte 7: its first member is not a schema");
	says("{}", "it lacks a schema");
	says("{\"schema\":\"mapscope.diagnosis/1\"}", "its schema is mapscope.diagnosis/1");
	says("{\"schema\":\"mapscope.census/2\"}", "mapscope.census/1 is expected");
	says(S "\"maps\":[]}", "it lacks owners");
	says(S "\"owners\":[]}", "it lacks maps");
	says(S "\"owners\":{}", "have to be lists");
	says(S "\"never_written\":-1", "never_written is not a whole number");
	says(S "\"never_written\":1.5", "never_written is not a whole number");
	says(S "\"never_written\":18446744073709551615", "within its bounds");
	says(S "\"never_written\":\"1\"", "never_written is not a number");
	says(S "\"never_written\":{}", "never_written is not a single value");
	says(S "\"partial\":1", "partial is not true or false");
	says(S "\"partial\":null", "partial is not known");
	says(S "\"target\":{\"exe\":5}", "exe is not a text");
	says(S "\"target\":{\"exe\":\"a\\u0000b\"}", "zero byte");
	says(S "\"maps\":[{\"address\":\"c000\"}]", "address is not an address");
	says(S "\"maps\":[{\"address\":\"0x00000000000000001\"}]", "address is not an address");
	says(S "\"maps\":[{\"kind\":\"oval\"}]", "kind is not one of the words");
	says(S "\"maps\":[{\"tables\":4294967296}]", "tables is not a whole number");
	says(S "\"x\":[[[[[[[[[[[[[[[[[", "nested deeper");
	says(S "\"owners\":[],\"maps\":[]} {}", "this is no JSON");
}

MS_TEST(snapshot_passes_over_what_it_does_not_know)
{
	struct ms_snapshot s;

	CHECK_OK(read_text(S "\"new\":{\"pid\":[1,{\"maps\":5}]},\"owners\":[7,[],{\"maps\":3,"
			     "\"colour\":\"red\"}],\"maps\":[null,{\"growth\":[1],\"type_source\":"
			     "\"dream\"}],\"target\":[]}",
			   &s));
	CHECK_EQ(s.census.owner_count, 1);
	CHECK_EQ(s.census.owners[0].maps, 3);
	CHECK_EQ(s.census.owners[0].entries, MS_UNKNOWN);
	CHECK_EQ(s.census.map_count, 1);
	CHECK_EQ(s.census.maps[0].type_source, MS_TYPE_NONE);
	CHECK_EQ(s.census.target.pid, MS_UNKNOWN);
	ms_census_report_deinit(&s.census);
}

MS_TEST(snapshot_bounds_a_word)
{
	struct ms_snapshot_reader *reader = ms_snapshot_reader_create();
	MS_AUTO_FREE char *piece = malloc(1 << 16);
	struct ms_error *err = NULL;
	size_t fed = 0;

	CHECK(reader && piece);
	memset(piece, 'a', 1 << 16);
	CHECK_OK(ms_snapshot_feed(reader, S "\"", strlen(S "\"")));
	while (!err && fed++ < 64)
		err = ms_snapshot_feed(reader, piece, 1 << 16);
	CHECK(err != NULL);
	CHECK(strstr(ms_error_message(err), "a word is longer") != NULL);
	ms_error_free(err);
	ms_snapshot_reader_destroy(reader);
	ms_snapshot_reader_destroy(NULL);
}
