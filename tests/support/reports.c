// reports.c - one report for each thing a renderer can get wrong.
#include "tests/support/reports.h"

#include "tests/support/goroutine_reports.h"

#include "tests/support/trace_reports.h"

#include <math.h>

/** Every byte a terminal, a JSON reader or a CSV reader could trip over. */
#define HOSTILE                                                                                    \
	"map[string]\x1b]0;owned\x07\x1b[31m\"q\",\r\n\t\\ \x7f\xc2\x9b\xe2\x80\xae\xff\xc0\xaf"   \
	"\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82 caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac"

static const struct ms_report_target prometheus = {
	.pid = 1234,
	.start_ticks = 86400,
	.exe = "/usr/bin/prometheus",
	.go_version = "go1.19.8",
	.experiments = "",
	.arch = "amd64",
	.layout_source = "table",
	.stripped = true,
	.proved = true,
};

static const struct ms_report_target orders = {
	.pid = 77,
	.start_ticks = 90000,
	.exe = "/srv/orders",
	.go_version = "go1.26.2",
	.experiments = "greenteagc,swissmap",
	.arch = "arm64",
	.layout_source = "dwarf",
};

static const struct ms_report_cost cost = {
	.wall_s = 0.4213,
	.read_bytes = 3123456789,
	.own_peak_bytes = 96400000,
	.reads_retried = 12,
	.reads_given_up = 3,
	.gc_cycle = 57,
	.gc_age_s = 1.24,
};

static const struct ms_report_cost unknown_cost = {
	.wall_s = NAN,
	.read_bytes = MS_UNKNOWN,
	.own_peak_bytes = MS_UNKNOWN,
	.reads_retried = MS_UNKNOWN,
	.reads_given_up = MS_UNKNOWN,
	.gc_cycle = MS_UNKNOWN,
	.gc_age_s = NAN,
};

// Sorted by address, as a census leaves them.
static struct ms_map_row classic_rows[] = {
	{ .address = 0xc000010030,
	  .entries = 1204332,
	  .capacity = 2097152,
	  .grow_at = 1703936,
	  .overflow_buckets = 1024,
	  .live_bytes = 20473644,
	  .total_bytes = 62914608,
	  .slack_bytes = 42440964,
	  .type = "map[uint64]*storage.memSeries",
	  .key_type = "uint64",
	  .elem_type = "*storage.memSeries",
	  .owner = "storage.stripeSeries.series",
	  .type_source = MS_TYPE_MALLOC_HEADER,
	  .growing = true,
	  .growth = { .from = 1048576, .to = 2097152, .progress = 0.631 } },
	{ .address = 0xc000012000,
	  .entries = 9,
	  .capacity = 16,
	  .grow_at = 13,
	  .overflow_buckets = 0,
	  .live_bytes = 297,
	  .total_bytes = 624,
	  .slack_bytes = 327,
	  .type = "map[string]bool",
	  .key_type = "string",
	  .elem_type = "bool",
	  .type_source = MS_TYPE_DWARF,
	  .growing = true,
	  .growth = { .from = 16, .to = 16, .progress = 0.999, .same_size = true } },
	{ .address = 0xc000012030,
	  .confidence = MS_CONFIDENCE_UNVERIFIED,
	  .total_bytes = 48,
	  .slack_bytes = 48,
	  .grow_at = 8 },
	{ .address = 0xc000012060,
	  .entries = 8,
	  .capacity = 8,
	  .grow_at = 8,
	  .live_bytes = 136,
	  .total_bytes = 192,
	  .slack_bytes = 56 },
	{ .address = 0xc000012090,
	  .entries = 0,
	  .capacity = 8388608,
	  .grow_at = 6815744,
	  .overflow_buckets = 31,
	  .total_bytes = 1912602624,
	  .slack_bytes = 1912602624,
	  .type = "map[github.com/prometheus/prometheus/model/labels.Label][]"
		  "github.com/prometheus/prometheus/storage.SeriesRef",
	  .key_type = "github.com/prometheus/prometheus/model/labels.Label",
	  .elem_type = "[]github.com/prometheus/prometheus/storage.SeriesRef",
	  .type_source = MS_TYPE_DWARF,
	  .confidence = MS_CONFIDENCE_CHANGED },
	{ .address = 0xc0000120c0,
	  .confidence = MS_CONFIDENCE_UNVERIFIED,
	  .total_bytes = 48,
	  .slack_bytes = 48,
	  .grow_at = 8 },
	{ .address = 0xc000712dd0,
	  .where = MS_WHERE_STACK,
	  .entries = 5,
	  .capacity = 8,
	  .grow_at = 8,
	  .live_bytes = 85,
	  .total_bytes = 192,
	  .slack_bytes = 107,
	  .type = "map[int]int",
	  .key_type = "int",
	  .elem_type = "int",
	  .type_source = MS_TYPE_MALLOC_HEADER },
};

static struct ms_skip classic_skips[] = {
	{ "changed twice while read", 5 },
	{ "swapped out", 3 },
	{ "bucket array does not fit its span", 0 },
};

static struct ms_map_row swiss_rows[] = {
	{ .kind = MS_MAP_SWISS,
	  .address = 0x2ad600400000,
	  .entries = 5,
	  .capacity = 8,
	  .grow_at = 8,
	  .live_bytes = 85,
	  .total_bytes = 192,
	  .slack_bytes = 107,
	  .type = "map[int]int",
	  .key_type = "int",
	  .elem_type = "int",
	  .type_source = MS_TYPE_MALLOC_HEADER },
	{ .kind = MS_MAP_SWISS,
	  .address = 0x2ad600400030,
	  .entries = 1500,
	  .capacity = 4096,
	  .grow_at = 3584,
	  .deleted_slots = 210,
	  .tables = 4,
	  .directory_depth = 3,
	  .live_bytes = 49500,
	  .total_bytes = 139776,
	  .slack_bytes = 90276,
	  .type = "map[string]main.Payment",
	  .key_type = "string",
	  .elem_type = "main.Payment",
	  .owner = "pay.Ledger.open <- main.ledger",
	  .owners = 3,
	  .type_source = MS_TYPE_WALK },
	{ .kind = MS_MAP_SYNC_TRIE,
	  .address = 0x2ad600400060,
	  .entries = 12,
	  .capacity = MS_UNKNOWN,
	  .grow_at = MS_UNKNOWN,
	  .overflow_buckets = MS_UNKNOWN,
	  .deleted_slots = MS_UNKNOWN,
	  .live_bytes = MS_UNKNOWN,
	  .total_bytes = 928,
	  .slack_bytes = MS_UNKNOWN,
	  .type = "sync.Map",
	  .owner = "main.sessions",
	  .owners = 1,
	  .type_source = MS_TYPE_WALK },
};

static struct ms_map_row unknown_rows[] = {
	{ .kind = MS_MAP_SWISS,
	  .address = 0x400000,
	  .entries = MS_UNKNOWN,
	  .capacity = MS_UNKNOWN,
	  .grow_at = MS_UNKNOWN,
	  .overflow_buckets = MS_UNKNOWN,
	  .deleted_slots = MS_UNKNOWN,
	  .live_bytes = MS_UNKNOWN,
	  .total_bytes = MS_UNKNOWN,
	  .slack_bytes = MS_UNKNOWN,
	  .tables = 2,
	  .directory_depth = 1,
	  .confidence = MS_CONFIDENCE_CHANGED },
	{ .address = 0x400030,
	  .entries = 17,
	  .capacity = 64,
	  .grow_at = 52,
	  .overflow_buckets = MS_UNKNOWN,
	  .live_bytes = MS_UNKNOWN,
	  .total_bytes = 1216,
	  .slack_bytes = MS_UNKNOWN,
	  .growing = true,
	  .growth = { .from = MS_UNKNOWN, .to = 64, .progress = NAN } },
};

static struct ms_map_row hostile_rows[] = {
	{ .address = 0xc000010030,
	  .entries = 1,
	  .capacity = 8,
	  .grow_at = 8,
	  .live_bytes = 17,
	  .total_bytes = 192,
	  .slack_bytes = 175,
	  .type = HOSTILE,
	  .key_type = "\xff",
	  .elem_type = "",
	  .owner = "a,\"b\"\r\nc\x1b[2J",
	  .type_source = MS_TYPE_DWARF },
};

static struct ms_skip hostile_skips[] = {
	{ "\x1b[1mbad\xff reason", 1 },
};

/** Owners with many maps of their own, one with a single one, and some of which little is known. */
static const struct ms_map_row fleet_kinds[] = {
	{ .owner = "example.org/shop/internal/session.Registry.byConn <- example.org/shop.registry",
	  .type = "map[string]int",
	  .key_type = "string",
	  .elem_type = "int",
	  .entries = 40,
	  .capacity = 64,
	  .grow_at = 52,
	  .live_bytes = 1000,
	  .total_bytes = 2304,
	  .slack_bytes = 1304,
	  .type_source = MS_TYPE_MALLOC_HEADER },
	{ .type = "map[string]string",
	  .key_type = "string",
	  .elem_type = "string",
	  .entries = 2,
	  .capacity = 8,
	  .grow_at = 8,
	  .live_bytes = 66,
	  .total_bytes = 320,
	  .slack_bytes = 254,
	  .type_source = MS_TYPE_MALLOC_HEADER },
	{ .entries = 1,
	  .capacity = 8,
	  .grow_at = 8,
	  .live_bytes = 9,
	  .total_bytes = 128,
	  .slack_bytes = 119 },
	{ .confidence = MS_CONFIDENCE_UNVERIFIED, .total_bytes = 48, .slack_bytes = 48 },
};

enum { FLEET_EACH = 1000, FLEET_COUNT = 4 * FLEET_EACH + 1 };

struct ms_census_report ms_census_example_fleet(void)
{
	static struct ms_map_row rows[FLEET_COUNT];
	struct ms_census_report report = ms_census_example_swiss();

	for (size_t i = 0; i < FLEET_COUNT - 1; i++) {
		rows[i] = fleet_kinds[i % 4];
		rows[i].address = 0xc000100000 + i * 48;
		rows[i].kind = MS_MAP_SWISS;
	}
	rows[FLEET_COUNT - 1] = swiss_rows[1];
	rows[FLEET_COUNT - 1].address = 0xc000100000 + FLEET_COUNT * 48;
	rows[FLEET_COUNT - 1].owner = "main.payments";
	rows[0].growing = true;
	rows[0].growth = (struct ms_map_growth){ .from = 32, .to = 64, .progress = 0.5 };
	report.maps = rows;
	report.map_count = FLEET_COUNT;
	report.never_written = FLEET_EACH;
	return report;
}

static struct ms_size_class_row heap_classes[] = {
	{ 8, 12, 98304, 9000, 72000, 0, 0, 26304, 2 * 1 + 1 },
	{ 48, 4120, 33751040, 650000, 31200000, 40000, 1920000, 631040, 2 * 5 },
	{ 1024, 31, 253952, 240, 245760, 0, 0, 8192, 2 * 32 },
	{ 0, 40, 1500000256, 39, 1400000512, 1, 99999744, 0, 0 },
	{ 0, 310, 650000384, 310, 650000384, 0, 0, 0, 1 },
};

static struct ms_type_total heap_types[] = {
	{ "map.bucket[string]*session.Session", 31, 1395000000, 0, true },
	{ "[]uint8", 300, 640000000, 1, false },
	{ "session.Session", 410000, 19680000, 10, false },
	{ "[]uint8", 200, 240000, 65, false },
};

static const struct ms_memory memory = {
	.known = true,
	.rss_bytes = 2900000000,
	.map_live_bytes = 20474162,
	.map_slack_bytes = 1405044174,
	.other_live_bytes = 642000000,
	.garbage_bytes = 101919744,
	.span_free_bytes = 665536,
	.heap_free_bytes = 520000000,
	.stack_bytes = 41000000,
	.runtime_bytes = 32000000,
	.off_heap_bytes = 90000000,
	.executable_bytes = 31000000,
	.file_bytes = 1100000,
	.unknown_bytes = 14796384,
	.classes = heap_classes,
	.class_count = MS_ARRAY_SIZE(heap_classes),
	.types = heap_types,
	.type_count = MS_ARRAY_SIZE(heap_types),
	.wall_s = 0.0121,
};

struct ms_census_report ms_census_example_classic(void)
{
	return (struct ms_census_report){
		.target = prometheus,
		.cost = cost,
		.maps = classic_rows,
		.map_count = MS_ARRAY_SIZE(classic_rows),
		.never_written = 2,
		.coverage = { .seen = 34120,
			      .read = 34112,
			      .typed = 1204,
			      .changed = 1,
			      .skips = classic_skips,
			      .skip_count = MS_ARRAY_SIZE(classic_skips) },
		.heap_bytes = 2212000000,
		.rss_bytes = 2900000000,
		.memory = memory,
	};
}

struct ms_census_report ms_census_example_swiss(void)
{
	return (struct ms_census_report){
		.target = orders,
		.cost = cost,
		.maps = swiss_rows,
		.map_count = MS_ARRAY_SIZE(swiss_rows),
		.coverage = { .seen = 3, .read = 3, .typed = 3 },
		.heap_bytes = 4096000,
		.rss_bytes = 12000000,
	};
}

struct ms_census_report ms_census_example_unknown(void)
{
	return (struct ms_census_report){
		.target = { .pid = MS_UNKNOWN, .start_ticks = MS_UNKNOWN },
		.cost = unknown_cost,
		.maps = unknown_rows,
		.map_count = MS_ARRAY_SIZE(unknown_rows),
		.coverage = { .seen = MS_UNKNOWN, .read = 2 },
		.heap_bytes = MS_UNKNOWN,
		.rss_bytes = MS_UNKNOWN,
	};
}

struct ms_census_report ms_census_example_empty(void)
{
	return (struct ms_census_report){
		.target = prometheus,
		.cost = cost,
		.heap_bytes = 400000,
		.rss_bytes = 5000000,
	};
}

struct ms_census_report ms_census_example_hostile(void)
{
	struct ms_census_report report = {
		.target = orders,
		.cost = cost,
		.maps = hostile_rows,
		.map_count = MS_ARRAY_SIZE(hostile_rows),
		.coverage = { .seen = 2,
			      .read = 1,
			      .typed = 1,
			      .skips = hostile_skips,
			      .skip_count = MS_ARRAY_SIZE(hostile_skips) },
		.heap_bytes = 192,
		.rss_bytes = 4096,
	};

	report.target.exe = "/opt/evil\n\x1b[2J\xe2\x80\xae/od\rd\xff";
	report.target.go_version = "go1.19\x1b[0m";
	report.target.experiments = "\x9b";
	report.target.arch = "\x07";
	return report;
}

struct ms_census_report ms_census_example_partial(void)
{
	struct ms_census_report report = ms_census_example_classic();

	report.target.proved = false;
	report.map_count = 4;
	report.never_written = 1;
	report.partial = true;
	report.partial_reason = "the target exited while it was read";
	return report;
}

#define NO_GROWTH                                                                                  \
	{                                                                                          \
		.at_entries = MS_UNKNOWN, .old_bytes = MS_UNKNOWN, .new_bytes = MS_UNKNOWN         \
	}

static struct ms_finding growing_findings[] = {
	{ .verdict = MS_VERDICT_SUSPECT,
	  .next = { .at_entries = 1703936, .old_bytes = 37748736, .new_bytes = 75497472 },
	  .advice = { .text = "bound it or let entries expire: in 1843 looks nothing was taken out "
			      "of it",
		      .line = MS_UNKNOWN,
		      .saves_bytes = MS_UNKNOWN,
		      .risk = "what was dropped has to be made again when it is asked for" },
	  .entries_before = 1021932,
	  .bytes_before = 41943088,
	  .entries_per_s = 18240,
	  .bytes_per_min = 96400000,
	  .growths_seen = 2,
	  .entries_low = 1021932,
	  .entries_high = 1204332,
	  .polls = 1843 },
	{ .verdict = MS_VERDICT_SLACK,
	  .next = { .at_entries = 6815744, .old_bytes = 1912602624, .new_bytes = MS_UNKNOWN },
	  .advice = { .text = "copy what is left into a new map",
		      .file = "storage/head.go",
		      .line = 112,
		      .saves_bytes = 1912602432,
		      .risk = "old and new map exist together while it is copied",
		      .since = "1.0",
		      .until = "1.30" },
	  .entries_before = 0,
	  .bytes_before = 1912602624,
	  .entries_per_s = 0,
	  .bytes_per_min = 0,
	  .polls = 1843 },
	{ .verdict = MS_VERDICT_GROWING,
	  .next = { .at_entries = 13, .old_bytes = MS_UNKNOWN, .new_bytes = MS_UNKNOWN },
	  .entries_before = MS_UNKNOWN,
	  .bytes_before = MS_UNKNOWN,
	  .entries_per_s = NAN,
	  .bytes_per_min = NAN,
	  .growths_seen = 1,
	  .entries_low = 1,
	  .entries_high = 9,
	  .polls = 12 },
};

static struct ms_finding swiss_findings[] = {
	{ .verdict = MS_VERDICT_SAWTOOTH,
	  .next = NO_GROWTH,
	  .entries_before = 1620,
	  .bytes_before = 139776,
	  .entries_per_s = -12,
	  .bytes_per_min = 0,
	  .entries_low = 2,
	  .entries_high = 3500,
	  .polls = 1000 },
	{ .verdict = MS_VERDICT_GROWING,
	  .next = { .kind = MS_GROWTH_SPLIT,
		    .at_entries = 90000,
		    .is_estimate = true,
		    .old_bytes = 24576 + 1024,
		    .new_bytes = 49152 + 64 + 2048,
		    .new_directory_bytes = 2048,
		    .all_at_entries = 114688,
		    .all_bytes = 3154048 },
	  .entries_before = 1,
	  .bytes_before = 192,
	  .entries_per_s = 0.4,
	  .bytes_per_min = -1200,
	  .entries_low = 1,
	  .entries_high = 5,
	  .polls = 1000 },
};

static struct ms_finding quiet_findings[] = {
	{ .verdict = MS_VERDICT_STABLE,
	  .next = NO_GROWTH,
	  .entries_before = 5,
	  .bytes_before = 192,
	  .entries_per_s = 0,
	  .bytes_per_min = 0,
	  .entries_low = 5,
	  .entries_high = 5,
	  .polls = 40 },
};

static struct ms_finding hostile_findings[] = {
	{ .verdict = MS_VERDICT_SLACK,
	  .next = NO_GROWTH,
	  .entries_before = 1,
	  .bytes_before = 192,
	  .entries_per_s = 0,
	  .bytes_per_min = 0,
	  .entries_low = 1,
	  .entries_high = 1,
	  .polls = 40 },
};

/** Maps are next to nothing of a heap that has types, and the parts are more than RSS. */
struct ms_census_report ms_heap_example_others(void)
{
	struct ms_census_report report = ms_census_example_swiss();

	report.rss_bytes = 2900000000;
	report.heap_bytes = 2212000000;
	report.memory = memory;
	report.memory.map_live_bytes = 49585;
	report.memory.map_slack_bytes = 90383;
	report.memory.other_live_bytes += 20424577 + 1404953791;
	report.memory.manual_bytes = 14796384 + 65536;
	report.memory.unknown_bytes = 0;
	report.memory.excess_bytes = 65536;
	return report;
}

/** Nothing is known of pages, and a type's name is hostile. */
struct ms_census_report ms_heap_example_hostile(void)
{
	static struct ms_type_total types[] = { { HOSTILE, 1, 192, 10, false } };
	struct ms_census_report report = ms_census_example_hostile();

	report.memory = (struct ms_memory){
		.rss_bytes = MS_UNKNOWN,
		.classes = &heap_classes[1],
		.class_count = 2,
		.types = types,
		.type_count = 1,
		.wall_s = NAN,
	};
	return report;
}

static const struct ms_fleet fleet = {
	.maps_before = 34000,
	.maps_after = 34112,
	.entries_before = 1200000,
	.entries_after = 1234567,
	.bytes_before = 1950000000,
	.bytes_after = 1975518280,
	.appeared = 120,
	.vanished = 8,
};

static struct ms_owner_row page_owners[] = {
	{ "storage.stripeSeries.series", "map[uint64]*storage.memSeries", 1, 1204332, 2097152,
	  20000000, 63000000, 42000000, 0, 0, 0, 0, MS_MAP_CLASSIC },
	{ "session.Session.attrs <- main.sessions", "map[string]string", 41230, 320000, 329840,
	  11000000, 95000000, 84000000, 0, 0, 0, 1, MS_MAP_CLASSIC },
	{ NULL, NULL, 12, 30, 96, 900, 4000, 3100, 2, 1, 0, 2, MS_MAP_SWISS },
};

struct ms_diagnosis_report ms_diagnosis_example_growing(void)
{
	struct ms_census_report census = ms_census_example_classic();
	struct ms_trace_report trace = ms_trace_example_classic();

	growing_findings[0].map = classic_rows[0];
	growing_findings[1].map = classic_rows[4];
	growing_findings[2].map = classic_rows[1];
	growing_findings[0].growths_traced = 5;
	growing_findings[0].waiters = (struct ms_finding_waiters){
		.behind = "main.Registry.mu", .most = 412, .looks = 9, .oldest_s = 2220, .stack = 1
	};
	growing_findings[0].filler_count = 2;
	growing_findings[0].fillers[0] = (struct ms_filler){
		.stack = 0, .growths = 4, .created_by = trace.events[0].created_by
	};
	growing_findings[0].fillers[1] = (struct ms_filler){ .stack = 1, .growths = 1 };
	growing_findings[1].growths_traced = MS_UNKNOWN;
	growing_findings[1].line = (struct ms_code_line){ .stack = &trace.stacks.items[1],
							  .alloc_bytes_per_s = NAN,
							  .alloc_share = NAN,
							  .grown_bytes_per_s = NAN,
							  .cpu_share = NAN };
	growing_findings[0].users = (struct ms_finding_users){
		.total = 214,
		.by_role = { [MS_ROLE_WRITES] = 3, [MS_ROLE_ITERATES] = 1, [MS_ROLE_WAITS] = 208 },
		.holding = 2,
		.holding_cluster = MS_NO_CLUSTER,
		.behind = "main.Registry.mu"
	};
	growing_findings[0].retained =
	    (struct ms_retained){ .bytes = 310000000, .objects = 2400000, .gc_share = 0.41 };
	growing_findings[1].retained =
	    (struct ms_retained){ .bytes = 64, .objects = 2, .gc_share = NAN, .at_least = true };
	growing_findings[2].retained = (struct ms_retained){ .bytes = MS_UNKNOWN,
							     .objects = MS_UNKNOWN,
							     .gc_share = NAN,
							     .unknown = "it lies on a stack" };
	return (struct ms_diagnosis_report){
		.target = census.target,
		.cost = census.cost,
		.findings = growing_findings,
		.finding_count = MS_ARRAY_SIZE(growing_findings),
		.fleet = fleet,
		.coverage = census.coverage,
		.map_bytes = 1975518280,
		.slack_bytes = 1955043952,
		.heap_bytes = census.heap_bytes,
		.rss_bytes = census.rss_bytes,
		.memory = census.memory,
		.window_s = 9.96,
		.looked_ago_s = 0.5,
		.limits = { { MS_LIMIT_CGROUP_V1, 3000000000, 60000000, 20.4 },
			    { MS_LIMIT_GOMEMLIMIT, 3100000000, 160000000, 54.4 },
			    { MS_LIMIT_MACHINE, 24000000000, 21000000000, 7142 } },
		.limit_count = 3,
		.rss_bytes_per_s = 2940000,
		.gc_cycles = 3,
		.trace = trace,
		.is_traced = true,
		.allocations = { .rate = 524288,
				 .window_s = 10,
				 .window_bytes = 740000000,
				 .map_bytes = 133000000 },
		.goroutines = { .samples = 941,
				.samples_by_role = { [MS_ROLE_READS] = 371, [MS_ROLE_WRITES] = 34 },
				.samples_hashing = 12 },
		.has_goroutines = true,
		.owners = page_owners,
		.owner_count = MS_ARRAY_SIZE(page_owners),
	};
}

/** Findings that are no single map, and two at once. */
struct ms_diagnosis_report ms_diagnosis_example_kinds(void)
{
	static struct ms_finding findings[4];
	static struct ms_race_clue clue = { .kind = "two writers",
					    .goroutines = { 18, 7 },
					    .stacks = { 0, 1 },
					    .apart_s = NAN,
					    .why = "the one holds no lock, the other one does" };
	static struct ms_leak_suspect leak = {
		.before = 300, .after = 480, .wait_reason = "chan receive", .stack = 1
	};
	struct ms_diagnosis_report report = ms_diagnosis_example_growing();
	const struct ms_code_line line = { .stack = &report.trace.stacks.items[0],
					   .made_at = report.trace.events[0].created_by,
					   .alloc_bytes_per_s = 102676000,
					   .alloc_share = 0.93,
					   .grown_bytes_per_s = 4000000,
					   .cpu_share = 0.42 };

	memset(findings, 0, sizeof(findings));
	findings[0] = growing_findings[0];
	findings[0].sites.deleted =
	    (struct ms_code_calls){ .items = { line.made_at }, .count = 1, .lines = 1 };
	findings[0].sites.filled = (struct ms_code_calls){
		.items = { line.made_at, line.made_at }, .count = 2, .lines = 9, .is_of_place = true
	};
	findings[0].verdict = MS_VERDICT_RACE;
	findings[0].leak = MS_NO_LEAK;
	findings[1] = growing_findings[1];
	findings[1].kind = MS_FINDING_OWNER;
	findings[1].verdict = MS_VERDICT_GROWING;
	findings[1].maps_before = 40000;
	findings[1].maps_after = 41230;
	findings[1].clue = MS_NO_CLUE;
	findings[2] = (struct ms_finding){ .kind = MS_FINDING_CODE,
					   .verdict = MS_VERDICT_CHURN,
					   .clue = MS_NO_CLUE,
					   .leak = MS_NO_LEAK,
					   .line = line,
					   .advice = { .text = "make it with its size",
						       .file = "shop/cart.go",
						       .line = 41,
						       .saves_bytes = MS_UNKNOWN } };
	findings[3] = growing_findings[2];
	findings[3].verdict = MS_VERDICT_SLACK;
	findings[3].deleted_share = 0.99;
	findings[3].clue = MS_NO_CLUE;
	findings[3].leak = MS_NO_LEAK;
	report.findings = findings;
	report.finding_count = MS_ARRAY_SIZE(findings);
	report.goroutines.clues = &clue;
	report.goroutines.clue_count = 1;
	report.goroutines.suspects = &leak;
	report.goroutines.suspect_count = 1;
	report.goroutines.stacks = report.trace.stacks;
	report.allocations.unknown = "runtime.MemProfileRate is 0";
	return report;
}

struct ms_diagnosis_report ms_diagnosis_example_swiss(void)
{
	struct ms_census_report census = ms_census_example_swiss();

	swiss_findings[0].map = swiss_rows[1];
	swiss_findings[1].map = swiss_rows[0];
	return (struct ms_diagnosis_report){
		.target = census.target,
		.cost = census.cost,
		.findings = swiss_findings,
		.finding_count = MS_ARRAY_SIZE(swiss_findings),
		.fleet = { .maps_before = 2,
			   .maps_after = 2,
			   .entries_before = 1621,
			   .entries_after = 1505,
			   .bytes_before = 139968,
			   .bytes_after = 139968 },
		.coverage = census.coverage,
		.map_bytes = 139968,
		.slack_bytes = 90383,
		.heap_bytes = census.heap_bytes,
		.rss_bytes = census.rss_bytes,
		.window_s = 10,
		.limits = { { MS_LIMIT_CGROUP_V2_HIGH, 8000000, 40000, NAN } },
		.limit_count = 1,
		.rss_bytes_per_s = -100,
		.limits_hidden = "GOMEMLIMIT was not found in its memory",
		.gc_cycles = MS_UNKNOWN,
		.trace = ms_trace_example_polled(),
		.is_traced = true,
	};
}

struct ms_diagnosis_report ms_diagnosis_example_quiet(void)
{
	struct ms_diagnosis_report report = ms_diagnosis_example_swiss();

	quiet_findings[0].map = swiss_rows[0];
	report.memory = ms_heap_example_others().memory;
	report.findings = quiet_findings;
	report.finding_count = MS_ARRAY_SIZE(quiet_findings);
	report.gc_cycles = 0;
	return report;
}

struct ms_diagnosis_report ms_diagnosis_example_partial(void)
{
	struct ms_diagnosis_report report = ms_diagnosis_example_growing();

	report.partial = true;
	report.partial_reason = "the window was ended after 3.2 s by Ctrl-C";
	report.finding_count = 0;
	report.heap_bytes = 0;
	report.map_bytes = MS_UNKNOWN;
	report.window_s = 3.2;
	report.limit_count = 0;
	report.rss_bytes_per_s = NAN;
	return report;
}

static struct ms_owner_row hostile_owners[] = {
	{ .owner = HOSTILE, .type = HOSTILE, .maps = UINT64_MAX },
	{ .owner = "<img src=x onerror='window.hacked=1'></script><script>window.hacked=1</script>",
	  .type = "<!--<script>" },
};

struct ms_diagnosis_report ms_diagnosis_example_hostile(void)
{
	struct ms_census_report census = ms_census_example_hostile();
	struct ms_diagnosis_report report = ms_diagnosis_example_swiss();

	hostile_findings[0].map = hostile_rows[0];
	report.target = census.target;
	report.coverage = census.coverage;
	report.trace = ms_trace_example_hostile();
	hostile_findings[0].growths_traced = 1;
	hostile_findings[0].waiters = (struct ms_finding_waiters){
		.behind = HOSTILE, .most = UINT64_MAX - 1, .looks = 1, .oldest_s = -1, .stack = 7
	};
	hostile_findings[0].filler_count = 1;
	hostile_findings[0].fillers[0] = (struct ms_filler){ .stack = 0, .growths = 1 };
	report.findings = hostile_findings;
	report.finding_count = MS_ARRAY_SIZE(hostile_findings);
	report.goroutines = ms_goroutines_example_hostile();
	report.goroutines.clue_count = report.goroutines.suspect_count = 0;
	report.owners = hostile_owners;
	report.owner_count = MS_ARRAY_SIZE(hostile_owners);
	return report;
}

static struct ms_check good_checks[] = {
	{ "memory", MS_CHECK_OK, "read with process_vm_readv", NULL },
	{ "go version", MS_CHECK_OK, "go1.19.8 linux/amd64, stripped", NULL },
	{ "types", MS_CHECK_LIMITED,
	  "stripped, and Go before 1.22 keeps no malloc headers: most maps have no type",
	  "run a build made without -ldflags=-s" },
};

static struct ms_check c_checks[] = {
	{ "memory", MS_CHECK_OK, "read with process_vm_readv", NULL },
	{ "probes", MS_CHECK_LIMITED, "we lack CAP_SYS_ADMIN: growths are polled, without stacks",
	  "sudo mapscope trace 4711" },
	{ "program", MS_CHECK_OK,
	  "no Go program, but one that uses libhmap: maps, diagnose, trace, diff and run look into "
	  "it; heap and goroutines are for Go",
	  NULL },
	{ "libhmap", MS_CHECK_OK, "0.1.0, whose list of maps has 302", NULL },
	{ "lines", MS_CHECK_LIMITED,
	  "known of 1 of 3 places that make maps: without debug information stacks have functions "
	  "only",
	  "build the program with -g, or install its debug symbols" },
};

static struct ms_check refused_checks[] = {
	{ "memory", MS_CHECK_NO, "cannot be read: \x1b[31mCAP_SYS_PTRACE is missing",
	  "sudo mapscope doctor 77" },
};

struct ms_doctor_report ms_doctor_example_good(void)
{
	return (struct ms_doctor_report){
		.target = prometheus,
		.cost = cost,
		.checks = good_checks,
		.check_count = MS_ARRAY_SIZE(good_checks),
		.verdict = "a census and a diagnosis will work; most maps will have no type",
		.change = "run a build made without -ldflags=-s",
	};
}

struct ms_doctor_report ms_doctor_example_c(void)
{
	return (struct ms_doctor_report){
		.target = { .pid = 4711,
			    .exe = "/usr/bin/sessions",
			    .libhmap = "0.1.0",
			    .arch = "amd64" },
		.cost = cost,
		.checks = c_checks,
		.check_count = MS_ARRAY_SIZE(c_checks),
		.verdict = "maps and diagnose will work, within the limits above",
		.change = "sudo mapscope trace 4711",
	};
}

struct ms_doctor_report ms_doctor_example_refused(void)
{
	return (struct ms_doctor_report){
		.target = { .pid = 77, .exe = "/srv/orders" },
		.cost = unknown_cost,
		.checks = refused_checks,
		.check_count = MS_ARRAY_SIZE(refused_checks),
		.verdict = "nothing will work on this target",
	};
}

static struct ms_diff_row diff_rows[] = {
	{ .owner = "example.org/shop/internal/session.Registry.byConn <- example.org/shop.registry",
	  .type = "map[string]int",
	  .kind = MS_MAP_SWISS,
	  .before = { 1000, 40000, 2304000, 1304000 },
	  .after = { 41230, 1649200, 94993920, 53763920 } },
	{ .owner = "main.cache",
	  .type = HOSTILE,
	  .kind = MS_MAP_SWISS,
	  .presence = MS_DIFF_GONE,
	  .before = { 1, 9000, 1200000, 900000 } },
	{ .type = "map[string]string",
	  .kind = MS_MAP_SWISS,
	  .presence = MS_DIFF_NEW,
	  .after = { 7, 14, 2240, 1778 } },
	{ .kind = MS_MAP_SWISS, .before = { 5, 5, 640, 600 }, .after = { 5, 5, 640, 600 } },
	{ .owner = "main.odd",
	  .type = "map[int]int",
	  .before = { 1, MS_UNKNOWN, MS_UNKNOWN, MS_UNKNOWN },
	  .after = { 1, 3, 192, 100 } },
};

struct ms_diff_report ms_diff_example(void)
{
	return (struct ms_diff_report){
		.before = orders,
		.after = orders,
		.before_name = "before.json",
		.after_name = "77",
		.cost = unknown_cost,
		.rows = diff_rows,
		.row_count = MS_ARRAY_SIZE(diff_rows),
		.total_before = { 1007, 49005, 3504640, 2204600 },
		.total_after = { 41243, 1649222, 94996992, 53766398 },
		.same_process = true,
		.appeared = 40238,
		.vanished = 2,
		.warnings = { "before.json is partial: the target exited while it was read" },
		.warning_count = 1,
	};
}

static struct ms_peak_row run_peaks[] = {
	{ .exe = "/build/b001/session.test",
	  .owner = "example.org/shop/internal/session.Registry.byConn <- example.org/shop.registry",
	  .type = "map[string]int",
	  .kind = MS_MAP_SWISS,
	  .maps = 41230,
	  .entries = 1649200,
	  .total_bytes = 94993920,
	  .slack_bytes = 53763920,
	  .pid = 78,
	  .at_s = 3.25 },
	{ .exe = "/build/b002/evil\x1b[2J.test",
	  .owner = "main.cache",
	  .type = HOSTILE,
	  .maps = 1,
	  .entries = 9000,
	  .total_bytes = 1200000,
	  .slack_bytes = 900000,
	  .pid = 79,
	  .at_s = 0.5 },
	{ .maps = 5, .entries = 5, .total_bytes = 640, .slack_bytes = 600, .pid = 77, .at_s = 1 },
};

static struct ms_run_process run_processes[] = {
	{ .target = { .pid = 78,
		      .exe = "/build/b001/session.test",
		      .arch = "amd64",
		      .go_version = "go1.26.2",
		      .start_ticks = 90100,
		      .stripped = true },
	  .censuses = 12,
	  .last_s = 4.1,
	  .gone_s = 4.25,
	  .maps = 41243,
	  .entries = 1649222,
	  .total_bytes = 94996992,
	  .slack_bytes = 53766398,
	  .peak_bytes = 94996992,
	  .peak_s = 3.25 },
	{ .target = { .pid = 79,
		      .exe = "/build/b002/evil\x1b[2J.test",
		      .arch = "amd64",
		      .go_version = "go1.26.2",
		      .start_ticks = 90101 },
	  .last_s = NAN,
	  .gone_s = NAN,
	  .peak_s = NAN },
};

static struct ms_budget_rule run_rules[] = {
	{ .text = "cache",
	  .line = 2,
	  .limits = { 10000, MS_UNKNOWN, MS_UNKNOWN, MS_UNKNOWN },
	  .worst = { [MS_BUDGET_ENTRIES] = { 9000, "main.cache", "/build/b002/x", 79, 0.5 } },
	  .matched = true },
	{ .text = "session\\.",
	  .line = 3,
	  .limits = { MS_UNKNOWN, 64000000, MS_UNKNOWN, 50000 },
	  .worst = { [MS_BUDGET_BYTES] = { 94993920, "session.Registry.byConn",
					   "/build/b001/session.test", 78, 3.25 },
		     [MS_BUDGET_MAPS] = { 41230, "session.Registry.byConn",
					  "/build/b001/session.test", 78, 3.25 } },
	  .matched = true },
	{ .text = "gone",
	  .line = 5,
	  .limits = { MS_UNKNOWN, MS_UNKNOWN, 1000, MS_UNKNOWN },
	  .worst = { [MS_BUDGET_SLACK] = { MS_UNKNOWN, NULL, NULL, MS_UNKNOWN, NAN } } },
};

static struct ms_budget run_budget = {
	.name = "maps.budget",
	.rules = run_rules,
	.rule_count = MS_ARRAY_SIZE(run_rules),
};

struct ms_run_report ms_run_example(void)
{
	return (struct ms_run_report){
		.target = { .pid = 77, .start_ticks = 90000 },
		.cost = cost,
		.command = "go test ./...",
		.ran_s = 4.5,
		.processes_seen = 37,
		.processes = run_processes,
		.process_count = MS_ARRAY_SIZE(run_processes),
		.peaks = run_peaks,
		.peak_count = MS_ARRAY_SIZE(run_peaks),
		.censuses = 12,
		.own_cpu_s = 0.31,
		.budget = &run_budget,
	};
}

struct ms_run_report ms_run_example_nothing(void)
{
	return (struct ms_run_report){
		.target = { .pid = 77, .start_ticks = 90000 },
		.cost = unknown_cost,
		.command = "sleep 100",
		.exit_code = -1,
		.exit_signal = 15,
		.ran_s = 0.7,
		.processes_seen = 1,
		.own_cpu_s = 0.004,
	};
}
