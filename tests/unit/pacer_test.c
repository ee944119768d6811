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

/** A heap over the smallest one worth collecting: marked 100 MiB, GOGC=100. */
static void goal_fill(const struct ms_go_layout *l, uint8_t *raw)
{
	uint64_t marked = 100 << 20, stacks = l->gc_last_stack_scan == MS_ABSENT ? 0 : 3 << 20;

	row_fill(l, raw, 100, 4 << 20);
	word_set(raw, l->gc_heap_marked, marked);
	word_set(raw, l->gc_globals_scan, 1 << 20);
	if (l->gc_last_stack_scan != MS_ABSENT)
		word_set(raw, l->gc_last_stack_scan, stacks);
	if (l->gc_memory_limit != MS_ABSENT)
		word_set(raw, l->gc_memory_limit, INT64_MAX);
	if (l->gc_trigger != MS_ABSENT)
		word_set(raw, l->gc_trigger, 190 << 20);
	word_set(raw, l->gc_heap_goal, marked * 2 + stacks + (1 << 20));
}

static struct ms_go_pacer parsed(const struct ms_go_layout *l, const uint8_t *raw)
{
	struct ms_go_pacer p;

	CHECK(ms_go_pacer_parse(l, raw, 1 << 30, &p));
	return p;
}

static void check_goal(const struct ms_go_layout *l)
{
	const uint32_t words[] = { l->gc_heap_marked, l->gc_globals_scan, l->gc_last_stack_scan,
				   l->gc_heap_goal };
	bool has_formula = l->gc_trigger == MS_ABSENT;
	uint8_t raw[ROW_BYTES_MAX];
	struct ms_go_pacer p;
	uint64_t goal;

	goal_fill(l, raw);
	p = parsed(l, raw);
	goal = ms_go_pacer_goal(&p, 0);
	CHECK_EQ(goal, has_formula ? 204 << 20 : 201 << 20);
	CHECK_EQ(ms_go_pacer_trigger_least(&p, goal),
		 has_formula ? (100 << 20) + ((104 << 20) / 64 * 45) : 190 << 20);
	for (size_t i = 0; i < MS_ARRAY_SIZE(words) && has_formula; i++) {
		goal_fill(l, raw);
		raw[words[i] + 2] ^= 1;
		p = parsed(l, raw);
		CHECK_EQ(ms_go_pacer_goal(&p, 0), MS_UNKNOWN);
		CHECK_EQ(ms_go_pacer_trigger_least(&p, MS_UNKNOWN), MS_UNKNOWN);
	}
	if (!has_formula) {
		goal_fill(l, raw);
		word_set(raw, l->gc_trigger, 202 << 20); // Behind the goal.
		p = parsed(l, raw);
		CHECK_EQ(ms_go_pacer_goal(&p, 0), MS_UNKNOWN);
	}
}

MS_TEST(pacer_goal_of_every_row)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++)
		check_goal(ms_go_layout_at(i));
}

MS_TEST(pacer_goal_under_a_memory_limit)
{
	struct ms_go_pacer p = {
		.gc_percent = 100,
		.has_memory_limit = true,
		.memory_limit_bytes = 1000 << 20,
		.heap_marked_bytes = 100 << 20,
		.percent_goal_bytes = 200 << 20,
		.trigger_bytes = MS_UNKNOWN,
	};
	uint64_t most = (uint64_t)(1000 - 30 - 200 + 100) << 20; // 3 % to spare.

	CHECK_EQ(ms_go_pacer_goal(&p, 300 << 20), 200 << 20);
	CHECK_EQ(ms_go_pacer_goal(&p, most), 200 << 20);
	CHECK_EQ(ms_go_pacer_goal(&p, most + (1 << 20)), MS_UNKNOWN);
	CHECK_EQ(ms_go_pacer_goal(&p, UINT64_MAX), MS_UNKNOWN);
	CHECK_EQ(ms_go_pacer_goal(&p, 50 << 20), MS_UNKNOWN); // Less than what is marked.
	p.memory_limit_bytes = 0;
	CHECK_EQ(ms_go_pacer_goal(&p, 300 << 20), MS_UNKNOWN);
	p.has_memory_limit = false;
	CHECK_EQ(ms_go_pacer_goal(&p, 0), 200 << 20);
	p.percent_goal_bytes = (100 << 20) + 1000; // The sweep may have raised it.
	CHECK_EQ(ms_go_pacer_goal(&p, 0), MS_UNKNOWN);
	p.percent_goal_bytes = MS_UNKNOWN;
	CHECK_EQ(ms_go_pacer_goal(&p, 0), MS_UNKNOWN);
}
