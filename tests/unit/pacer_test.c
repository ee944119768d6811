// Goal: GOGC and GOMEMLIMIT are read where they are, or not at all.
// Method: find them in every recording, whose programs ran with the defaults; then in bytes made
// up for every row, with each field wrong in turn.
#include "golang/pacer.h"

#include "base/cleanup.h"
#include "golang/spans.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

enum { ROW_BYTES_MAX = 512 };

static const uint64_t IN_USE = 8 << 20;

static void check_recording(const char *name)
{
	struct ms_target *t = recording_open(name);
	struct ms_go_runtime *rt;
	struct ms_spans spans;
	struct ms_go_pacer p = { 0 };
	struct ms_error *err;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_spans_load(rt, &spans));
	err = ms_go_pacer_find(rt, spans.in_use_bytes, &p);
	if (err)
		ms_test_fail(__FILE__, __LINE__, "%s: %s", name, ms_error_message(err));
	CHECK_EQ(p.gc_percent, 100);
	CHECK(!p.has_memory_limit);
	CHECK_EQ(p.memory_limit_bytes, MS_UNKNOWN);
	CHECK(p.heap_live_bytes <= spans.in_use_bytes);
	ms_spans_deinit(&spans);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(pacer_in_every_recording)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++)
		check_recording(names.items[i]);
}

static void row_fill(const struct ms_go_layout *l, uint8_t *raw, int32_t percent, uint64_t minimum)
{
	uint64_t limit = 1 << 30, live = IN_USE / 2, marked = IN_USE / 4;

	memset(raw, 0, ROW_BYTES_MAX);
	CHECK(ms_go_pacer_bytes(l) <= ROW_BYTES_MAX);
	memcpy(raw + l->gc_percent, &percent, sizeof(percent));
	memcpy(raw + l->gc_heap_minimum, &minimum, sizeof(minimum));
	memcpy(raw + l->gc_heap_live, &live, sizeof(live));
	memcpy(raw + l->gc_heap_marked, &marked, sizeof(marked));
	if (l->gc_memory_limit != MS_ABSENT)
		memcpy(raw + l->gc_memory_limit, &limit, sizeof(limit));
}

static void word_set(uint8_t *raw, uint32_t offset, uint64_t word)
{
	memcpy(raw + offset, &word, sizeof(word));
}

static void check_layout(const struct ms_go_layout *l)
{
	struct ms_go_pacer p;
	uint8_t raw[ROW_BYTES_MAX];

	row_fill(l, raw, 100, 4 << 20);
	CHECK(ms_go_pacer_parse(l, raw, IN_USE, &p));
	CHECK_EQ(p.gc_percent, 100);
	CHECK_EQ(p.has_memory_limit, l->gc_memory_limit != MS_ABSENT);
	CHECK_EQ(p.memory_limit_bytes, p.has_memory_limit ? 1u << 30 : MS_UNKNOWN);
	CHECK_EQ(p.heap_live_bytes, IN_USE / 2);
	CHECK_EQ(p.heap_marked_bytes, IN_USE / 4);

	row_fill(l, raw, -1, 184467440737053573u); // GOGC=off, as the runtime works it out.
	CHECK(ms_go_pacer_parse(l, raw, IN_USE, &p));
	CHECK_EQ(p.gc_percent, -1);
	row_fill(l, raw, 33, 1384120);
	CHECK(ms_go_pacer_parse(l, raw, IN_USE, &p));

	row_fill(l, raw, 100, (4 << 20) + 1);
	CHECK(!ms_go_pacer_parse(l, raw, IN_USE, &p));
	row_fill(l, raw, -2, 184467440737011630u);
	CHECK(!ms_go_pacer_parse(l, raw, IN_USE, &p));
	row_fill(l, raw, 0, 0);
	CHECK(!ms_go_pacer_parse(l, raw, IN_USE, &p));
	row_fill(l, raw, 100, 4 << 20);
	word_set(raw, l->gc_heap_live, 0);
	CHECK(!ms_go_pacer_parse(l, raw, IN_USE, &p));
	row_fill(l, raw, 100, 4 << 20);
	word_set(raw, l->gc_heap_live, (uint64_t)1 << 40);
	CHECK(!ms_go_pacer_parse(l, raw, IN_USE, &p));
	row_fill(l, raw, 100, 4 << 20);
	word_set(raw, l->gc_heap_marked, UINT64_MAX);
	CHECK(!ms_go_pacer_parse(l, raw, IN_USE, &p));
	if (l->gc_memory_limit == MS_ABSENT)
		return;
	row_fill(l, raw, 100, 4 << 20);
	word_set(raw, l->gc_memory_limit, UINT64_MAX);
	CHECK(!ms_go_pacer_parse(l, raw, IN_USE, &p));
	row_fill(l, raw, 0, 0);
	word_set(raw, l->gc_memory_limit, INT64_MAX);
	CHECK(ms_go_pacer_parse(l, raw, IN_USE, &p));
	CHECK(!p.has_memory_limit);
}

MS_TEST(pacer_of_every_row)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++)
		check_layout(ms_go_layout_at(i));
}

/** A second place that looks the same makes both unknown. */
MS_TEST(pacer_two_places)
{
	struct ms_target *t = recording_open("go1.27.4");
	struct ms_go_runtime *rt;
	struct ms_go_pacer p, untouched = { 0 };
	struct ms_go_module twice;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_go_pacer_find(rt, IN_USE * 64, &p));
	twice = rt->modules[0];
	twice.bss = twice.noptrbss; // The same range read twice.
	twice.ebss = twice.enoptrbss;
	rt->modules[0] = twice;
	CHECK_ERR(ms_go_pacer_find(rt, IN_USE * 64, &untouched), MS_ERR_BAD_DATA);
	CHECK_EQ(untouched.address, 0);
	twice.noptrbss = twice.enoptrbss;
	twice.bss = twice.ebss;
	rt->modules[0] = twice;
	CHECK_ERR(ms_go_pacer_find(rt, IN_USE * 64, &untouched), MS_ERR_BAD_DATA);
	ms_go_close(rt);
	ms_target_destroy(t);
}

/** A layout from DWARF may say anything; what is read of it has to fit what it is looked for in. */
MS_TEST(pacer_with_fields_far_apart_is_refused)
{
	static const uint32_t offsets[] = { 1 << 20, 1 << 30, UINT32_MAX - 7, UINT32_MAX - 1 };
	struct ms_go_layout l = *ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS);
	struct ms_go_runtime rt = { .layout = &l };
	struct ms_go_pacer p;

	for (size_t i = 0; i < MS_ARRAY_SIZE(offsets); i++) {
		l.gc_heap_live = offsets[i];
		CHECK_EQ(ms_go_pacer_bytes(&l), 0);
		CHECK_ERR(ms_go_pacer_find(&rt, IN_USE, &p), MS_ERR_UNSUPPORTED);
	}
}
