// Goal: every resident page lies in one part, whatever the spans and the pages say.
// Method: a process drawn by hand on the fake target: an arena with spans of each kind, the
// runtime's own, a C heap, an executable with its bss, a library.  Then the same with reads that
// fail, with words of noise, and on every recording.
#include "census/measure_memory.h"

#include "base/vec.h"
#include "census/memory_internal.h"
#include "tests/support/fake_target.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>

#define ARENA ((ms_addr)0xc000000000)
#define OWN ((ms_addr)0x7f0000000000) // The runtime's own, and behind it a large buffer of C.
#define C_HEAP ((ms_addr)0x1000000)
#define EXE ((ms_addr)0x400000)
#define BSS ((ms_addr)0x500000)
#define LIBRARY ((ms_addr)0x7f1000000000)

enum {
	KIB = 1 << 10,
	MIB = 1 << 20,
	PAGE = MS_GO_PAGE_BYTES,
	SPANS = 6,
	OWN_BYTES = 128 * KIB,
	BUFFER_BYTES = 32 * MIB,
	UNKNOWN_BYTES = 12 * KIB,
};

struct process {
	struct fake_target fake;
	struct ms_go_runtime rt;
	struct ms_spans spans;
	struct ms_span items[SPANS];
	struct ms_census_report census;
	struct ms_map_row map;
	struct ms_memory memory;
	uint8_t bss[256 * KIB];
	uint8_t own[OWN_BYTES];
	uint64_t rss;
};

static struct ms_span span(unsigned index, ms_addr start, uint32_t pages, uint64_t elem_bytes,
			   uint32_t elems, uint8_t span_class)
{
	return (struct ms_span){
		.address = OWN + index * 160,
		.alloc_bits = OWN + 64 * KIB + index * 256,
		.mark_bits = OWN + 64 * KIB + index * 256 + 128,
		.start = start,
		.pages = pages,
		.elem_bytes = elem_bytes,
		.elems = elems,
		.span_class = span_class,
		.state = MS_SPAN_IN_USE,
	};
}

static void spans_draw(struct process *p)
{
	struct ms_span *s = p->items;

	s[0] = span(0, ARENA, 1, 48, 170, 2 * 5); // Swept: 100 objects.
	s[0].alloc_count = 100;
	s[1] = span(1, ARENA + PAGE, 1, 64, 128, 2 * 6 + 1); // Still to be swept: 90 of 100 live.
	s[1].alloc_count = 100;
	s[1].bits = MS_SPAN_BITS_MARK;
	for (unsigned i = 0; i < 90; i++)
		p->own[s[1].mark_bits - OWN + i / 8] |= (uint8_t)(1u << i % 8);
	s[2] = span(2, ARENA + MIB, 128, MIB, 1, 1); // Large, half of it never touched.
	s[2].alloc_count = 1;
	s[3] = span(3, ARENA + 3 * PAGE, 4, 2048, 0, 0); // Stacks.
	s[3].state = MS_SPAN_MANUAL;
	s[4] = span(4, ARENA + 7 * PAGE, 2, 0, 0, 0); // Work buffers.
	s[4].state = MS_SPAN_MANUAL;
	s[5] = span(5, ARENA + 9 * PAGE, 8, 8 * PAGE, 1, 0); // Large and dead.
	s[5].alloc_count = 1;
	s[5].bits = MS_SPAN_BITS_MARK;
	p->spans = (struct ms_spans){ .items = s, .count = SPANS, .sweepgen = 8 };
}

/** [addr, addr + size) is resident, and counted. */
static void present(struct process *p, ms_addr addr, uint64_t size)
{
	p->rss += size;
	fake_target_resident(&p->fake, addr, size, p->rss);
}

static void regions_draw(struct process *p)
{
	unsigned rw = MS_PROT_READ | MS_PROT_WRITE;

	fake_target_map_exe(&p->fake, EXE, NULL, MIB / 2, 0, MS_PROT_READ);
	fake_target_map(&p->fake, BSS, p->bss, sizeof(p->bss), MS_REGION_ANON, rw);
	fake_target_map(&p->fake, C_HEAP, NULL, MIB, MS_REGION_ANON, rw);
	fake_target_map(&p->fake, ARENA, NULL, 4 * MIB, MS_REGION_ANON, rw);
	fake_target_map(&p->fake, OWN, p->own, OWN_BYTES, MS_REGION_ANON, rw);
	fake_target_map(&p->fake, OWN + OWN_BYTES, NULL, BUFFER_BYTES, MS_REGION_ANON, rw);
	fake_target_map(&p->fake, LIBRARY, NULL, MIB, MS_REGION_OTHER, MS_PROT_READ);
	present(p, EXE, 100 * KIB);
	present(p, BSS, 20 * KIB);
	present(p, C_HEAP, 64 * KIB);
	present(p, ARENA, 20 * PAGE);           // All small spans, and three free pages of Go.
	present(p, ARENA + MIB, MIB / 2);       // Half of the large object,
	present(p, ARENA + 3 * MIB, 256 * KIB); // and free pages far from every span.
	present(p, OWN, OWN_BYTES + BUFFER_BYTES);
	present(p, LIBRARY, 40 * KIB);
}

static void process_init(struct process *p, int release, unsigned experiments)
{
	memset(p, 0, sizeof(*p));
	fake_target_init(&p->fake);
	p->rt = (struct ms_go_runtime){
		.target = &p->fake.target,
		.layout = ms_go_layout_find(release, MS_ARCH_AMD64, experiments),
		.elf = { .arch = MS_ARCH_AMD64 },
		.modules = { { .noptrdata = BSS, .data = BSS, .enoptrbss = BSS + sizeof(p->bss) } },
		.module_count = 1,
		.allspans = BSS + 128 * KIB,
	};
	CHECK(p->rt.layout != NULL);
	spans_draw(p);
	regions_draw(p);
	CHECK_OK(ms_target_regions(&p->fake.target, &p->rt.regions));
	p->map = (struct ms_map_row){ .address = ARENA,
				      .live_bytes = 100,
				      .total_bytes = 624,
				      .slack_bytes = 524,
				      .kind = MS_MAP_SWISS };
	p->census = (struct ms_census_report){ .maps = &p->map, .map_count = 1 };
}

static void process_deinit(struct process *p)
{
	ms_memory_deinit(&p->memory);
	free(p->census.owners);
	ms_regions_deinit(&p->rt.regions);
	fake_target_deinit(&p->fake);
}

static void measure(struct process *p)
{
	struct ms_memory_input in = { .rt = &p->rt, .spans = &p->spans, .census = &p->census };

	CHECK_OK(ms_census_sum_owners(&p->census));
	ms_memory_deinit(&p->memory);
	CHECK_OK(ms_memory_measure(&in, &p->memory));
}

/** What is true of any result. */
static void check_sum(const struct ms_memory *m)
{
	struct ms_memory_part parts[MS_MEMORY_PARTS];
	uint64_t sum = 0;

	CHECK(m->known);
	ms_memory_parts(m, parts);
	for (size_t i = 0; i < MS_MEMORY_PARTS; i++)
		sum += parts[i].bytes;
	CHECK_EQ(sum - m->excess_bytes, m->rss_bytes);
	CHECK(!m->unknown_bytes || !m->excess_bytes);
}

static void check_classes(const struct ms_memory *m)
{
	for (size_t i = 0; i < m->class_count; i++) {
		const struct ms_size_class_row *row = &m->classes[i];

		CHECK(row->spans > 0);
		CHECK_EQ(row->live_bytes + row->garbage_bytes + row->free_bytes, row->span_bytes);
	}
}

MS_TEST(measure_memory_each_part)
{
	static struct process p;
	const struct ms_memory *m = &p.memory;

	process_init(&p, MS_GO(1, 24), MS_GO_EXP_SWISS);
	p.fake.resident.rss_bytes += UNKNOWN_BYTES;
	measure(&p);
	check_sum(m);
	check_classes(m);
	CHECK_EQ(m->rss_bytes, p.rss + UNKNOWN_BYTES);
	CHECK_EQ(m->map_live_bytes, 100);
	CHECK_EQ(m->map_slack_bytes, 524);
	CHECK_EQ(m->other_live_bytes, 100 * 48 - 624 + 90 * 64 + MIB / 2);
	CHECK_EQ(m->garbage_bytes, 10 * 64 + 8 * PAGE);
	CHECK_EQ(m->span_free_bytes, (PAGE - 100 * 48) + (PAGE - 100 * 64));
	CHECK_EQ(m->stack_bytes, 4 * PAGE);
	CHECK_EQ(m->manual_bytes, 2 * PAGE);
	CHECK_EQ(m->heap_free_bytes, 4 * PAGE + 256 * KIB); // One page before the stacks.
	CHECK_EQ(m->executable_bytes, 120 * KIB);
	CHECK_EQ(m->file_bytes, 40 * KIB);
	// The large buffer is one mapping with the runtime's own: evidence reaches a chunk far.
	CHECK(m->runtime_bytes >= OWN_BYTES && m->runtime_bytes <= OWN_BYTES + 512 * KIB);
	CHECK_EQ(m->runtime_bytes + m->off_heap_bytes, OWN_BYTES + BUFFER_BYTES + 64 * KIB);
	CHECK_EQ(m->unknown_bytes, UNKNOWN_BYTES);
	CHECK_EQ(m->class_count, 4);
	process_deinit(&p);
}

MS_TEST(measure_memory_more_pages_than_the_kernel_counts)
{
	static struct process p;

	process_init(&p, MS_GO(1, 24), MS_GO_EXP_SWISS);
	p.fake.resident.rss_bytes -= 4096;
	measure(&p);
	check_sum(&p.memory);
	CHECK_EQ(p.memory.excess_bytes, 4096);
	CHECK_EQ(p.memory.unknown_bytes, 0);
	process_deinit(&p);
}

MS_TEST(measure_memory_marks_inside_the_span)
{
	static struct process p;
	static uint8_t page[PAGE];
	const struct ms_go_layout *l;

	process_init(&p, MS_GO(1, 26), MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA);
	l = p.rt.layout;
	fake_target_unmap(&p.fake, ARENA);
	fake_target_map(&p.fake, ARENA, page, PAGE, MS_REGION_ANON, MS_PROT_READ);
	p.items[0].bits = MS_SPAN_BITS_INLINE_MARK;
	page[PAGE - l->inline_marks_size + l->inline_marks_marks] = 0xff;
	p.own[p.items[0].mark_bits - OWN + 1] = 0x0f; // Either says that an object lives.
	measure(&p);
	check_sum(&p.memory);
	check_classes(&p.memory);
	for (size_t i = 0; i < p.memory.class_count; i++) {
		if (p.memory.classes[i].span_class == 2 * 5) {
			CHECK_EQ(p.memory.classes[i].live_objects, 12);
			CHECK_EQ(p.memory.classes[i].garbage_objects, 88);
		}
	}
	process_deinit(&p);
}

MS_TEST(measure_memory_untouched_pages_are_in_no_part)
{
	static struct process p;

	process_init(&p, MS_GO(1, 19), 0);
	p.map.total_bytes = MIB; // More than is resident of all that lives.
	p.map.live_bytes = 900 * KIB;
	p.map.slack_bytes = MIB - 900 * KIB;
	measure(&p);
	check_sum(&p.memory);
	CHECK_EQ(p.memory.other_live_bytes, 0);
	CHECK_EQ(p.memory.map_live_bytes, 100 * 48 + 90 * 64 + MIB / 2);
	process_deinit(&p);
}

MS_TEST(measure_memory_without_pages_is_unknown)
{
	static struct process p;

	process_init(&p, MS_GO(1, 24), MS_GO_EXP_SWISS);
	p.fake.resident.known = false;
	measure(&p);
	CHECK(!p.memory.known);
	CHECK_EQ(p.memory.class_count, 4);
	check_classes(&p.memory);
	CHECK_EQ(ms_memory_live_bytes(&p.memory), MS_UNKNOWN);
	CHECK(isnan(ms_memory_map_share(&p.memory)));
	process_deinit(&p);
}

MS_TEST(measure_memory_survives_each_fault)
{
	static struct process p;
	uint64_t n = 0;

	process_init(&p, MS_GO(1, 24), MS_GO_EXP_SWISS);
	for (; n < 4096; n++) {
		uint64_t before = p.fake.reads;

		fake_target_fail_read(&p.fake, n);
		measure(&p);
		check_sum(&p.memory);
		check_classes(&p.memory);
		if (p.fake.reads - before <= n)
			break;
	}
	CHECK(n > 80 && n < 4096);
	process_deinit(&p);
}

MS_TEST(measure_memory_of_a_target_that_ends)
{
	static struct process p;
	struct ms_memory_input in = { .rt = &p.rt, .spans = &p.spans, .census = &p.census };

	process_init(&p, MS_GO(1, 24), MS_GO_EXP_SWISS);
	for (uint64_t n = 0; n < 20; n++) {
		fake_target_gone_after(&p.fake, n);
		CHECK_ERR(ms_memory_measure(&in, &p.memory), MS_ERR_GONE);
		CHECK_EQ(p.memory.class_count, 0);
	}
	process_deinit(&p);
}

/** Words that point nowhere, everywhere and into each other; spans that cannot be. */
MS_TEST(measure_memory_of_noise)
{
	static struct process p;

	process_init(&p, MS_GO(1, 19), 0);
	for (unsigned round = 0; round < 200; round++) {
		for (size_t i = 0; i + 8 <= sizeof(p.bss); i += 8) {
			static const ms_addr near[] = { OWN, ARENA, C_HEAP, BSS, 0 };
			uint64_t word = ms_test_random();

			if (word % 4)
				word = near[word % 5] + (word >> 20) % 64 * 4096;
			memcpy(p.bss + i, &word, 8);
		}
		for (size_t i = 0; i < SPANS; i++) {
			p.items[i].mark_bits = ms_test_random();
			p.items[i].alloc_bits = ms_test_random() % 2 ? UINT64_MAX : OWN;
			p.items[i].alloc_count = (uint32_t)ms_test_random();
			p.items[i].bits = (uint8_t)(ms_test_random() % 3);
		}
		measure(&p);
		check_sum(&p.memory);
		check_classes(&p.memory);
	}
	process_deinit(&p);
}

MS_TEST(measure_memory_ranges)
{
	struct ms_range items[] = { { 50, 60 }, { 10, 20 }, { 15, 30 }, { 30, 32 }, { 58, 59 } };
	struct ms_ranges r = { items, MS_ARRAY_SIZE(items), 0 };
	struct ms_resident resident = { 0 };

	ms_ranges_settle(&r);
	CHECK_EQ(r.count, 2);
	CHECK_EQ(r.items[0].start, 10);
	CHECK_EQ(r.items[0].end, 32);
	CHECK(ms_ranges_meet(&r, 31, 40));
	CHECK(!ms_ranges_meet(&r, 32, 50));
	CHECK(ms_ranges_meet(&r, 0, 100));
	CHECK_OK(ms_resident_add(&resident, 0, 12));
	CHECK_OK(ms_resident_add(&resident, 30, 55));
	CHECK_EQ(ms_ranges_resident(&r, &resident, 0, 100), 2 + 2 + 5);
	CHECK_EQ(ms_ranges_resident(&r, &resident, 11, 52), 1 + 2 + 2);
	ms_resident_deinit(&resident);
}

MS_TEST(measure_memory_of_each_recording)
{
	struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		const struct ms_census_options options = { .memory = true };
		struct ms_target *t = recording_open(names.items[i]);
		struct ms_go_runtime *rt;
		struct ms_census_report report;
		uint64_t sum = 0;

		printf("%s\n", names.items[i]);
		CHECK_OK(ms_go_open(t, NULL, &rt));
		CHECK_OK(ms_census_run(rt, &options, &report));
		CHECK(!report.memory.known);
		CHECK_EQ(report.rss_bytes, MS_UNKNOWN);
		CHECK(report.memory.class_count > 20);
		check_classes(&report.memory);
		for (size_t k = 0; k < report.memory.class_count; k++)
			sum += report.memory.classes[k].span_bytes;
		CHECK_EQ(sum, report.heap_bytes);
		ms_census_report_deinit(&report);
		ms_go_close(rt);
		ms_target_destroy(t);
	}
}
