// Map headers, tables, groups, spans and goroutines: one block of bytes as each, with a row that
// the input chooses.
//
//	4 bytes  the row      4 bytes  the heap's sweepgen      the block
#include "golang/goroutines.h"
#include "golang/spans.h"
#include "maps/classic.h"
#include "maps/swiss.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

/** The first @p size bytes of the input, filled up with zeros, in a block of their own. */
static uint8_t *block(const struct fuzz_input *in, size_t size)
{
	uint8_t *bytes = calloc(1, size);

	FUZZ_CHECK(bytes);
	if (in->left)
		memcpy(bytes, in->at, in->left < size ? in->left : size);
	return bytes;
}

static void classic(const struct ms_go_layout *l, const struct fuzz_input *in)
{
	uint8_t *raw = block(in, l->hmap_size), *tags = block(in, 8);
	struct ms_classic_map m;
	int entries = ms_classic_bucket_entries(tags);

	if (ms_classic_parse(l, raw, &m) == MS_CLASSIC_MAP) {
		FUZZ_CHECK(ms_classic_old_buckets(&m) <= (uint64_t)1 << m.bucket_log2);
		FUZZ_CHECK(!m.oldbuckets || m.nevacuate <= ms_classic_old_buckets(&m));
		FUZZ_CHECK(ms_classic_grow_at(l, m.bucket_log2) > 0);
	}
	FUZZ_CHECK(entries >= -1 && entries <= MS_CLASSIC_SLOTS);
	FUZZ_CHECK(!ms_classic_bucket_evacuated(tags) || entries == -1);
	free(raw);
	free(tags);
}

static void swiss(const struct ms_go_layout *l, const struct fuzz_input *in)
{
	uint8_t *raw = block(in, l->map_size), *control = block(in, 8);
	uint8_t *raw_table = block(in, l->table_size);
	struct ms_swiss_table table;
	struct ms_swiss_map m;
	int entries = ms_swiss_group_entries(control);

	if (ms_swiss_parse(l, raw, &m) == MS_SWISS_LARGE)
		FUZZ_CHECK(m.dir && ms_is_power_of_two(m.dir_len));
	if (ms_swiss_table_parse(l, raw_table, &table))
		FUZZ_CHECK(ms_swiss_table_deleted(&table) + table.used <= table.capacity);
	FUZZ_CHECK(entries >= -1 && entries <= MS_SWISS_SLOTS);
	free(raw);
	free(control);
	free(raw_table);
}

static void span(const struct ms_go_layout *l, uint32_t sweepgen, const struct fuzz_input *in)
{
	uint8_t *raw = block(in, l->mspan_size);
	struct ms_span s;

	if (ms_span_parse(l, raw, sweepgen, &s) && s.state == MS_SPAN_IN_USE) {
		uint64_t bytes = ms_span_end(&s) - s.start;
		ms_addr last = s.start + (s.elems - 1) * s.elem_bytes + ms_span_header_bytes(l, &s);

		FUZZ_CHECK(s.elems && s.elem_bytes <= bytes && s.elems <= bytes / s.elem_bytes);
		FUZZ_CHECK(ms_span_is_object(l, &s, last));
		FUZZ_CHECK(!ms_span_is_object(l, &s, s.start - 8));
		FUZZ_CHECK(!ms_span_is_object(l, &s, ms_span_end(&s) + 8));
	}
	free(raw);
}

static void goroutine(const struct ms_go_layout *l, const struct fuzz_input *in)
{
	uint8_t *raw = block(in, ms_goroutine_bytes(l));
	struct ms_goroutine g;

	if (ms_goroutine_parse(l, raw, ms_load_u64(raw + l->g_sched_g), &g))
		FUZZ_CHECK(g.status <= MS_GO_STATUS_MAX);
	free(raw);
}

MS_FUZZ_TARGET(map_headers)
{
	struct fuzz_input in = { data, size };
	const struct ms_go_layout *layout = fuzz_layout(&in);
	uint32_t sweepgen = (uint32_t)fuzz_number(&in, 4);

	if (layout->maps == MS_GO_MAPS_SWISS)
		swiss(layout, &in);
	else
		classic(layout, &in);
	span(layout, sweepgen, &in);
	goroutine(layout, &in);
}
