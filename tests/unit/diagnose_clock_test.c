// Goal: the next growth of a map is told with its bytes, limits are in order, advice fits the
// verdict and the release.
// Method: rows and bounds made by hand; tables of a Swiss map on the fake target.
#include "diagnose/advice.h"
#include "diagnose/limits.h"
#include "diagnose/next_growth.h"
#include "maps/swiss.h"
#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <math.h>

enum { MIB = 1 << 20 };

static const struct ms_go_layout *classic(void)
{
	return ms_go_layout_find(MS_GO_PATCH(1, 19, 4), MS_ARCH_AMD64, 0);
}

static const struct ms_go_layout *swiss(void)
{
	return ms_go_layout_find(MS_GO_PATCH(1, 24, 13), MS_ARCH_AMD64, MS_GO_EXP_SWISS);
}

/** map[uint64]uint64: 17 bytes an entry, buckets of 144, groups of 136. */
static struct ms_map_row row(enum ms_map_kind kind, uint64_t entries, uint64_t capacity)
{
	return (struct ms_map_row){ .kind = (uint8_t)kind,
				    .entries = entries,
				    .capacity = capacity,
				    .grow_at = MS_UNKNOWN,
				    .live_bytes = entries * 17,
				    .total_bytes = MS_UNKNOWN,
				    .slack_bytes = MS_UNKNOWN };
}

MS_TEST(next_growth_classic)
{
	struct ms_map_row m = row(MS_MAP_CLASSIC, 50000, 65536);
	struct ms_next_growth next;

	m.grow_at = 53249;
	next = ms_next_growth_of(classic(), &m);
	CHECK_EQ(next.kind, MS_GROWTH_DOUBLE);
	CHECK_EQ(next.at_entries, 53249);
	CHECK_EQ(next.old_bytes, 1253376); // 8,704 buckets of 144 bytes in whole pages.
	CHECK_EQ(next.new_bytes, 2506752);
	CHECK(!next.is_estimate);

	m.live_bytes = MS_UNKNOWN; // Then what the present table takes stands in.
	m.total_bytes = 1253376 + 48;
	next = ms_next_growth_of(classic(), &m);
	CHECK(next.new_bytes > 2506752 && next.new_bytes < 2506752 / 10 * 11);
	m.total_bytes = MS_UNKNOWN;
	next = ms_next_growth_of(classic(), &m);
	CHECK_EQ(next.new_bytes, MS_UNKNOWN);
	CHECK_EQ(next.old_bytes, MS_UNKNOWN);
	m.capacity = MS_UNKNOWN;
	CHECK_EQ(ms_next_growth_of(classic(), &m).new_bytes, MS_UNKNOWN);
}

MS_TEST(next_growth_swiss_doubles)
{
	struct ms_map_row m = row(MS_MAP_SWISS, 5, 8);
	struct ms_next_growth next;

	m.total_bytes = 48 + 144;
	next = ms_next_growth_of(swiss(), &m);
	CHECK_EQ(next.old_bytes, 144);
	CHECK_EQ(next.new_bytes, 288 + 32 + 8); // Two groups, a table, a directory of one.

	m = row(MS_MAP_SWISS, 400, 512);
	m.tables = 1;
	m.total_bytes = 48 + 8 + 32 + 9472;
	next = ms_next_growth_of(swiss(), &m);
	CHECK_EQ(next.kind, MS_GROWTH_DOUBLE);
	CHECK_EQ(next.old_bytes, 9472);
	CHECK_EQ(next.new_bytes, 18432 + 32);
}

/** A slot of uint32 and string is padded: the size of the table tells. */
MS_TEST(next_growth_swiss_padding)
{
	struct ms_map_row m = row(MS_MAP_SWISS, 400, 512);

	m.live_bytes = m.entries * 21;
	m.tables = 1;
	m.total_bytes = 48 + 8 + 32 + 13568; // 64 groups of 200 bytes.
	CHECK_EQ(ms_next_growth_of(swiss(), &m).new_bytes, 27264 + 32);
}

MS_TEST(next_growth_swiss_splits)
{
	struct ms_map_row m = row(MS_MAP_SWISS, 800, 1024);
	struct ms_next_growth next;

	m.tables = 1;
	m.total_bytes = 48 + 8 + 32 + 18432;
	next = ms_next_growth_of(swiss(), &m);
	CHECK_EQ(next.kind, MS_GROWTH_SPLIT);
	CHECK_EQ(next.new_directory_bytes, 16);
	CHECK_EQ(next.new_bytes, 2 * (18432 + 32) + 16);
	CHECK_EQ(next.old_bytes, 18432 + 8);

	m = row(MS_MAP_SWISS, 3000, 4096);
	m.tables = 4;
	m.directory_depth = 2;
	m.total_bytes = 48 + 32 + 4 * (32 + 18432);
	next = ms_next_growth_of(swiss(), &m);
	CHECK_EQ(next.at_entries, MS_UNKNOWN);
	CHECK_EQ(next.new_bytes, 2 * (18432 + 32));
	CHECK_EQ(next.new_directory_bytes, 0);
	CHECK_EQ(next.all_at_entries, 4 * 896);
	CHECK_EQ(next.all_bytes, 4 * (18432 + 64));
}

/** Rows that no census leaves: nothing wraps around, nothing is divided by zero. */
MS_TEST(next_growth_of_absurd_rows)
{
	static const uint64_t values[] = {
		0, 1, 7, 8, 1000, (uint64_t)1 << 43, MS_UNKNOWN - 1, MS_UNKNOWN
	};
	static const uint32_t tables[] = { 0, 1, 2, UINT32_MAX };

	for (unsigned i = 0; i < 8 * 8 * 8 * 4 * 2; i++) {
		struct ms_map_row m = row(i & 1, values[i >> 1 & 7], values[i >> 4 & 7]);
		const struct ms_go_layout *l = i & 1 ? swiss() : classic();
		struct ms_next_growth next;

		m.total_bytes = values[i >> 7 & 7];
		m.tables = tables[i >> 10 & 3];
		m.directory_depth = 40;
		next = ms_next_growth_of(l, &m);
		CHECK(next.new_bytes == MS_UNKNOWN || next.new_bytes < (uint64_t)1 << 57);
		(void)ms_rebuilt_bytes(l, &m, m.entries);
	}
}

/** The first of many tables is full long before the average one; simulated, it agrees. */
MS_TEST(next_growth_first_split_of_many)
{
	enum { MANY = 128, LEFT = 100, ROUNDS = 200 };
	const struct ms_table_group alike = { LEFT, 1.0 / MANY, MANY };
	const struct ms_table_group one = { LEFT, 1, 1 };
	uint64_t expected = ms_next_split_expected(&alike, 1), sooner = 0;

	CHECK(expected > MANY * LEFT / 2 && expected < MANY * LEFT * 9 / 10);
	CHECK_EQ(ms_next_split_expected(&one, 1), LEFT + 1);
	CHECK_EQ(ms_next_split_expected(NULL, 0), MS_UNKNOWN);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned filled[MANY] = { 0 };
		uint64_t inserts = 0;

		while (++filled[ms_test_random() % MANY] <= LEFT)
			inserts++;
		sooner += inserts < expected;
		CHECK(inserts > expected / 10 * 7 && inserts < expected / 10 * 13);
	}
	CHECK(sooner > ROUNDS / 4 && sooner < ROUNDS * 3 / 4);
}

#define MAP ((ms_addr)0xc000010000)
#define DIRECTORY ((ms_addr)0xc000020000)
#define TABLES ((ms_addr)0xc000030000)

/** A map of four tables, the first with half of all hashes, in the memory of a fake target. */
struct table_map {
	struct fake_target fake;
	struct ms_go_runtime rt;
	uint8_t header[64], tables[4][64];
	uint64_t directory[8];
	struct ms_map_row row;
};

static void word_set(uint8_t *at, uint64_t word, size_t size)
{
	memcpy(at, &word, size);
}

static void table_set(struct table_map *m, size_t i, unsigned depth, unsigned left)
{
	const struct ms_go_layout *l = swiss();
	uint8_t *raw = m->tables[i];

	word_set(raw + l->table_used, 896 - left, 2);
	word_set(raw + l->table_capacity, 1024, 2);
	word_set(raw + l->table_growth_left, left, 2);
	raw[l->table_local_depth] = (uint8_t)depth;
	word_set(raw + l->table_groups, 0xc000100000, 8);
	word_set(raw + l->table_length_mask, 127, 8);
}

static void table_map_init(struct table_map *m)
{
	static const unsigned table_of[] = { 0, 0, 0, 0, 1, 1, 2, 3 };
	const struct ms_go_layout *l = swiss();

	memset(m, 0, sizeof(*m));
	word_set(m->header + l->map_used, 3000, 8);
	word_set(m->header + l->map_seed, 0x1234567890abcdef, 8);
	word_set(m->header + l->map_dir_ptr, DIRECTORY, 8);
	word_set(m->header + l->map_dir_len, 8, 8);
	m->header[l->map_global_depth] = 3;
	m->header[l->map_global_shift] = 61;
	for (size_t i = 0; i < 8; i++)
		m->directory[i] = TABLES + table_of[i] * sizeof(m->tables[0]);
	table_set(m, 0, 1, 200);
	table_set(m, 1, 2, 300);
	table_set(m, 2, 3, 300);
	table_set(m, 3, 3, 300);
	m->row = row(MS_MAP_SWISS, 3000, 4096);
	m->row.address = MAP;
	m->row.tables = 4;
	m->row.directory_depth = 3;
	fake_target_init(&m->fake);
	fake_target_map(&m->fake, MAP, m->header, sizeof(m->header), MS_REGION_ANON, MS_PROT_READ);
	fake_target_map(&m->fake, DIRECTORY, m->directory, sizeof(m->directory), MS_REGION_ANON,
			MS_PROT_READ);
	fake_target_map(&m->fake, TABLES, m->tables, sizeof(m->tables), MS_REGION_ANON,
			MS_PROT_READ);
	m->rt.target = &m->fake.target;
	m->rt.layout = l;
}

static struct ms_next_growth split_read(struct table_map *m)
{
	struct ms_next_growth next = { .kind = MS_GROWTH_SPLIT,
				       .at_entries = MS_UNKNOWN,
				       .old_bytes = 1000,
				       .new_bytes = 2000 };

	CHECK_OK(ms_next_split_read(&m->rt, &m->row, &next));
	fake_target_deinit(&m->fake);
	return next;
}

MS_TEST(next_growth_reads_tables)
{
	struct ms_next_growth next;
	struct table_map m;

	table_map_init(&m);
	next = split_read(&m);
	CHECK(next.is_estimate);
	CHECK(next.at_entries >= 3000 + 380 && next.at_entries <= 3000 + 402);
	CHECK_EQ(next.new_directory_bytes, 0); // The fullest one has bits to spare.
	CHECK_EQ(next.new_bytes, 2000);

	table_map_init(&m);
	table_set(&m, 3, 3, 5);
	next = split_read(&m);
	CHECK(next.at_entries >= 3000 + 30 && next.at_entries <= 3000 + 60);
	CHECK_EQ(next.new_directory_bytes, 128);
	CHECK_EQ(next.new_bytes, 2128);
	CHECK_EQ(next.old_bytes, 1064);
}

/** Tables that are none, a directory that is gone, a header of another time: nothing is said. */
MS_TEST(next_growth_reads_no_nonsense)
{
	struct table_map m;

	table_map_init(&m);
	memset(m.tables, 0xff, sizeof(m.tables));
	CHECK_EQ(split_read(&m).at_entries, MS_UNKNOWN);
	table_map_init(&m);
	memset(m.directory, 0x41, sizeof(m.directory));
	CHECK_EQ(split_read(&m).at_entries, MS_UNKNOWN);
	table_map_init(&m);
	word_set(m.header + swiss()->map_dir_len, (uint64_t)1 << 39, 8);
	m.header[swiss()->map_global_depth] = 39;
	m.header[swiss()->map_global_shift] = 25;
	CHECK_EQ(split_read(&m).at_entries, MS_UNKNOWN);
	for (uint64_t n = 0; n < 6; n++) {
		table_map_init(&m);
		fake_target_fail_read(&m.fake, n);
		(void)split_read(&m);
	}
	table_map_init(&m);
	fake_target_gone_after(&m.fake, 1);
	struct ms_next_growth next = { .at_entries = MS_UNKNOWN };

	CHECK_ERR(ms_next_split_read(&m.rt, &m.row, &next), MS_ERR_GONE);
	fake_target_deinit(&m.fake);
}

static struct ms_diagnosis_report limits(const struct ms_memory_bounds *bounds,
					 const struct ms_go_pacer *pacer, double bytes_per_s)
{
	struct ms_memory_trend trend = { 0 };
	struct ms_diagnosis_report report = { .limit_count = 3 };

	for (unsigned i = 0; i < 10; i++)
		ms_memory_trend_add(&trend, 50 + i, (uint64_t)(1e9 + i * bytes_per_s));
	ms_memory_trend_add(&trend, 99, MS_UNKNOWN);
	ms_limits_fill(bounds, pacer, &trend, &report);
	return report;
}

static const struct ms_memory_bounds unbounded = {
	.cgroup2 = MS_NO_BOUND,
	.cgroup2_high = MS_NO_BOUND,
	.cgroup1 = MS_NO_BOUND,
	.machine = { 20000000000, 1000000000 },
	.address_space = MS_NO_BOUND,
	.data = MS_NO_BOUND,
};

MS_TEST(limits_in_order)
{
	const struct ms_go_pacer pacer = { .has_memory_limit = true,
					   .memory_limit_bytes = 1500000000 };
	struct ms_memory_bounds bounds = unbounded;
	struct ms_diagnosis_report r;

	bounds.cgroup2 = (struct ms_memory_bound){ 2000000000, 1900000000 };
	r = limits(&bounds, &pacer, 1e6);
	CHECK_EQ(r.limit_count, 3);
	CHECK_EQ(r.limits[0].kind, MS_LIMIT_CGROUP_V2);
	CHECK_EQ(r.limits[0].left_bytes, 100000000);
	CHECK(fabs(r.limits[0].reached_s - 100) < 0.1);
	CHECK_EQ(r.limits[1].kind, MS_LIMIT_GOMEMLIMIT);
	CHECK_EQ(r.limits[1].left_bytes, 500000000 - 9000000);
	CHECK_EQ(r.limits[2].kind, MS_LIMIT_MACHINE);
	CHECK(fabs(r.rss_bytes_per_s - 1e6) < 1);
	CHECK(r.limits_hidden == NULL);
}

MS_TEST(limits_without_growth)
{
	struct ms_diagnosis_report r = limits(&unbounded, NULL, -1e6);

	CHECK_EQ(r.limit_count, 1);
	CHECK(isnan(r.limits[0].reached_s));
	CHECK(r.rss_bytes_per_s < 0);
	CHECK_CONTAINS(r.limits_hidden, "GOMEMLIMIT");
	r = limits(&unbounded, NULL, 1); // In six hundred years.
	CHECK(isnan(r.limits[0].reached_s));
}

MS_TEST(limits_of_a_hidden_group)
{
	const struct ms_go_pacer pacer = { .has_memory_limit = false };
	struct ms_memory_bounds bounds = unbounded;
	struct ms_memory_trend two = { 0 };
	struct ms_diagnosis_report r = { 0 };

	bounds.cgroup_hidden = true;
	CHECK_CONTAINS(limits(&bounds, &pacer, 0).limits_hidden, "cgroup");
	ms_memory_trend_add(&two, 1, 5);
	ms_memory_trend_add(&two, 2, 6);
	CHECK(isnan(ms_memory_trend_rate(&two)));
	bounds.machine = MS_NO_BOUND;
	ms_limits_fill(&bounds, &pacer, &two, &r);
	CHECK_EQ(r.limit_count, 0);
}

static struct ms_finding finding(enum ms_verdict verdict, struct ms_map_row m)
{
	return (struct ms_finding){ .verdict = verdict,
				    .map = m,
				    .next = { .at_entries = MS_UNKNOWN,
					      .old_bytes = MS_UNKNOWN,
					      .new_bytes = MS_UNKNOWN },
				    .entries_per_s = 1000,
				    .entries_high = 4321,
				    .polls = 96 };
}

/** Checks the text; what else is said is left in *f. */
static void advise(struct ms_finding *f, const struct ms_go_layout *l, const char *want)
{
	struct ms_diagnosis_report r = { .findings = f, .finding_count = 1 };

	CHECK_OK(ms_advise(&r, l, 0));
	if (want)
		CHECK_CONTAINS(f->advice.text, want);
	else
		CHECK(f->advice.text == NULL);
	CHECK(f->advice.file == NULL);
	CHECK_EQ(f->advice.line, MS_UNKNOWN);
	f->advice.text = NULL;
	ms_arena_deinit(&r.arena);
}

/** Of a target that went away only the polls are left: how large a table was nobody knows. */
MS_TEST(advice_without_a_capacity_ends)
{
	static const enum ms_map_kind kinds[] = { MS_MAP_CLASSIC, MS_MAP_SWISS, MS_MAP_SYNC_TRIE };
	static const enum ms_verdict verdicts[] = { MS_VERDICT_GROWING, MS_VERDICT_SLACK };

	for (size_t i = 0; i < MS_ARRAY_SIZE(kinds) * MS_ARRAY_SIZE(verdicts); i++) {
		struct ms_finding f =
		    finding(verdicts[i % 2], row(kinds[i / 2], 1500000, MS_UNKNOWN));
		bool copies = i % 2 && kinds[i / 2] != MS_MAP_SYNC_TRIE;

		f.map.tables = 2 * (i % 2);
		f.next.new_bytes = f.next.old_bytes = MS_UNKNOWN;
		advise(&f, kinds[i / 2] == MS_MAP_CLASSIC ? classic() : swiss(),
		       copies ? "copy what is left" : NULL);
	}
}

MS_TEST(advice_for_growth)
{
	struct ms_finding f = finding(MS_VERDICT_GROWING, row(MS_MAP_CLASSIC, 1500000, 2097152));

	f.next = (struct ms_next_growth){ .at_entries = 1703937,
					  .old_bytes = 40 * MIB,
					  .new_bytes = 80 * MIB };
	advise(&f, classic(), "make(map[K]V, 1500000) would have saved 18 growths");
	CHECK_EQ(f.advice.saves_bytes, 40 * MIB);
	CHECK(f.advice.risk && !f.advice.since && !f.advice.until);

	f.next.new_bytes = 800 * MIB;
	advise(&f, classic(), "split it into 16 maps");
	CHECK_EQ(f.advice.saves_bytes, (uint64_t)840 * MIB / 16 * 15);
	CHECK_STR(f.advice.until, "1.23");

	f.map.kind = MS_MAP_SWISS; // Its tables split one at a time.
	f.verdict = MS_VERDICT_SUSPECT;
	advise(&f, swiss(), "in 96 looks nothing was taken out");
	CHECK_EQ(f.advice.saves_bytes, MS_UNKNOWN);

	f = finding(MS_VERDICT_GROWING, row(MS_MAP_CLASSIC, 100, 128)); // Nothing to win.
	advise(&f, classic(), NULL);
}

MS_TEST(advice_for_slack)
{
	struct ms_finding f = finding(MS_VERDICT_SLACK, row(MS_MAP_CLASSIC, 100, 2097152));

	f.map.total_bytes = 48 + 40108032;
	advise(&f, classic(), "with 100 as its hint");
	// 100 entries fit 16 buckets and one to spare: 17 * 144, rounded to 2,688.
	CHECK_EQ(f.advice.saves_bytes, 40108032 - 2688);

	f = finding(MS_VERDICT_SLACK, row(MS_MAP_SWISS, 100, 1048576));
	f.map.tables = 1024;
	f.map.directory_depth = 10;
	f.map.total_bytes = 48 + 8192 + 1024 * (32 + 18432);
	advise(&f, swiss(), "Go never makes a table smaller");
	CHECK_EQ(f.advice.saves_bytes, 8192 + 1024 * (32 + 18432) - (8 + 32 + 2304));
}

MS_TEST(advice_for_the_rest)
{
	struct ms_finding f = finding(MS_VERDICT_SAWTOOTH, row(MS_MAP_SWISS, 10, 8192));

	advise(&f, swiss(), "make(map[K]V, 4321)");
	CHECK_STR(f.advice.since, "1.21");

	f = finding(MS_VERDICT_STABLE, row(MS_MAP_SWISS, 4000000, 8388608));
	f.map.total_bytes = 300 * MIB;
	advise(&f, swiss(), NULL);
	f.map.key_type = "string";
	advise(&f, swiss(), "keep its table out of every collection");
	f.map.key_type = "uint64";
	f.map.elem_type = "main.Order"; // Whether it holds pointers its name does not say.
	advise(&f, swiss(), NULL);

	f = finding(MS_VERDICT_GROWING, row(MS_MAP_CLASSIC, 1500000, 2097152));
	f.map.type = "map[interface {}]*sync.entry";
	advise(&f, classic(), "sync.Map");
	CHECK_STR(f.advice.until, "1.23");
}
