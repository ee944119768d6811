// Goal: a CSV row has the columns of a JSON row, each row as many cells as the header.
// Method: the keys of the first map in a JSON document against the header, `growth` spread out;
// cells counted by a reader of quotes, over hostile names too.
#include "render/render.h"
#include "tests/support/reports.h"
#include "tests/support/test.h"

#include <stdio.h>

static const struct ms_census_view all = { .top = SIZE_MAX };

/** Append the keys of the object at @p p, those of an object inside it as "<outer>_<inner>". */
static const char *object_keys(const char *p, const char *prefix, struct ms_sink *keys)
{
	char key[64];

	CHECK_EQ(*p, '{');
	for (p++; *p != '}'; p += *p == ',') {
		const char *end = strchr(p + 1, '"');

		CHECK(*p == '"' && end && end - p < 40);
		snprintf(key, sizeof(key), "%s%.*s", prefix, (int)(end - p - 1), p + 1);
		p = end + 2;
		if (*p == '{') {
			size_t used = strlen(key);

			snprintf(key + used, sizeof(key) - used, "_");
			p = object_keys(p, key, keys) + 1;
			continue;
		}
		ms_sink_printf(keys, "%s%s", keys->size ? "," : "", key);
		if (*p == '"')
			p = strchr(p + 1, '"') + 1;
		else
			p += strcspn(p, ",}");
	}
	return p;
}

MS_TEST(render_csv_has_the_columns_of_json)
{
	struct ms_census_report report = ms_census_example_classic();
	struct ms_sink json, csv, keys;
	const char *maps;
	const char *header_end;

	report.map_count = 1; // It is growing.
	ms_sink_init_memory(&json);
	ms_sink_init_memory(&csv);
	ms_sink_init_memory(&keys);
	CHECK_OK(ms_render_census_json(&report, &all, &json));
	CHECK_OK(ms_render_census_csv(&report, &all, &csv));
	maps = strstr(ms_sink_text(&json), "\"maps\":[\n");
	CHECK(maps != NULL);
	object_keys(maps + strlen("\"maps\":[\n"), "", &keys);
	header_end = strstr(ms_sink_text(&csv), "\r\n");
	CHECK(header_end != NULL);
	csv.bytes[header_end - csv.bytes] = '\0';
	CHECK_STR(csv.bytes, ms_sink_text(&keys));
	ms_sink_deinit(&json);
	ms_sink_deinit(&csv);
	ms_sink_deinit(&keys);
}

/** Read RFC 4180 text: every row has @p columns cells; returns the number of rows. */
static unsigned count_rows(const char *p, unsigned columns)
{
	unsigned rows = 0;
	unsigned cells = 1;

	while (*p) {
		if (*p == '"') {
			for (p++; *p != '"' || p[1] == '"'; p++) {
				CHECK(*p != '\0');
				p += *p == '"';
			}
			p++;
			CHECK(*p == ',' || *p == '\r');
		} else if (*p == ',') {
			cells++;
			p++;
		} else if (*p == '\r') {
			CHECK_EQ(p[1], '\n');
			CHECK_EQ(cells, columns);
			cells = 1;
			rows++;
			p += 2;
		} else {
			CHECK(*p != '\n');
			p++;
		}
	}
	return rows;
}

MS_TEST(render_csv_rows_are_whole)
{
	struct ms_census_report hostile = ms_census_example_hostile();
	struct ms_census_report classic = ms_census_example_classic();
	struct ms_diagnosis_report diagnosis = ms_diagnosis_example_hostile();
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_census_csv(&hostile, &all, &sink));
	CHECK_EQ(count_rows(ms_sink_text(&sink), 26), 1 + hostile.map_count);
	sink.size = 0;
	CHECK_OK(ms_render_census_csv(&classic, &all, &sink));
	CHECK_EQ(count_rows(ms_sink_text(&sink), 26), 1 + classic.map_count);
	sink.size = 0;
	CHECK_OK(ms_render_heap_csv(&classic, &all, &sink));
	CHECK_EQ(count_rows(ms_sink_text(&sink), 10), 1 + classic.memory.class_count);
	sink.size = 0;
	CHECK_OK(ms_render_diagnosis_csv(&diagnosis, &sink));
	CHECK_EQ(count_rows(ms_sink_text(&sink), 36), 1 + diagnosis.finding_count);
	ms_sink_deinit(&sink);
}
