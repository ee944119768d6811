// trace_reports.c - one trace for each thing a renderer can get wrong.
#include "tests/support/trace_reports.h"

#include <math.h>

/** What a terminal, a JSON reader, a browser or a reader of folded stacks could trip over. */
#define HOSTILE                                                                                    \
	"x;</text><script>\x1b]0;owned\x07\"'&\r\n\t\\ \x7f\xc2\x9b\xe2\x80\xae\xff\xed\xa0\x80"   \
	" caf\xc3\xa9 \xe6\x97\xa5 12"
#define SESSION "example.org/shop/internal/session."
#define CARTS SESSION "Registry.carts <- example.org/shop.registry"

static const struct ms_report_target shop = {
	.pid = 4711,
	.start_ticks = 86400,
	.exe = "/srv/shop",
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
	.arch = "amd64",
	.layout_source = "table",
	.proved = true,
};

static const struct ms_report_cost cost = {
	.wall_s = 10.0313,
	.read_bytes = 41234567,
	.own_peak_bytes = 18400000,
	.probes = 2,
	.reads_retried = 1,
	.gc_cycle = 57,
	.gc_age_s = 1.24,
};

static const struct ms_report_cost unknown_cost = {
	.wall_s = NAN,
	.read_bytes = MS_UNKNOWN,
	.own_peak_bytes = MS_UNKNOWN,
	.probes = MS_UNKNOWN,
	.reads_retried = MS_UNKNOWN,
	.reads_given_up = MS_UNKNOWN,
	.gc_cycle = MS_UNKNOWN,
	.gc_age_s = NAN,
};

static struct ms_stack_call add_calls[] = {
	{ "runtime.hashGrow", "/go/src/runtime/map.go", 1031, false, true, 0x40e100 },
	{ "runtime.mapassign_faststr", "/go/src/runtime/map_faststr.go", 278, false, true,
	  0x411200 },
	{ SESSION "(*Registry).put", "/src/shop/internal/session/registry.go", 88, true, false,
	  0x5b2310 },
	{ SESSION "(*Registry).Add", "/src/shop/internal/session/registry.go", 51, false, false,
	  0x5b2310 },
	{ "main.(*Server).handle", "/src/shop/server.go", 140, false, false, 0x5c8040 },
	{ "net/http.HandlerFunc.ServeHTTP", "/go/src/net/http/server.go", 2109, false, false,
	  0x59aa20 },
	{ "net/http.(*conn).serve", "/go/src/net/http/server.go", 1930, false, false, 0x596f00 },
	{ "runtime.goexit", "/go/src/runtime/asm_amd64.s", 1594, false, true, 0x46aa81 },
};

static struct ms_stack_call load_calls[] = {
	{ "runtime.hashGrow", "/go/src/runtime/map.go", 1031, false, true, 0x40e100 },
	{ "runtime.mapassign", "/go/src/runtime/map.go", 648, false, true, 0x40d6c0 },
	{ "main.loadPrices", "/src/shop/prices.go", 33, false, false, 0x5c9a00 },
	{ "main.main", "/src/shop/main.go", 21, false, false, 0x5c7711 },
	{ "runtime.main", "/go/src/runtime/proc.go", 250, false, true, 0x43b0a7 },
};

static struct ms_stack classic_stacks[] = {
	{ add_calls, MS_ARRAY_SIZE(add_calls), NULL },
	{ load_calls, MS_ARRAY_SIZE(load_calls), "longer than 127 frames" },
};

#define SERVED                                                                                     \
	{                                                                                          \
		"net/http.(*Server).Serve", "/go/src/net/http/server.go", 3089, false, false, 0    \
	}

static struct ms_growth_event classic_events[] = {
	{ .time_s = 0.000412,
	  .earliest_s = 0.000412,
	  .number = 1,
	  .map = 0xc000010030,
	  .type = "map[string]*session.Cart",
	  .owner = CARTS,
	  .from = 8,
	  .to = 16,
	  .from_bytes = 272,
	  .to_bytes = 544,
	  .entries = 8,
	  .capacity = 8,
	  .goroutine = 18,
	  .thread = 4713,
	  .p = 1,
	  .created_by = SERVED,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = 816,
	  .gc_runway_bytes = 80000000,
	  .gc_sooner_bytes = 544 },
	{ .time_s = 1.200001,
	  .earliest_s = 1.200001,
	  .number = 2,
	  .map = 0xc000010030,
	  .type = "map[string]*session.Cart",
	  .owner = CARTS,
	  .from = 64,
	  .to = 128,
	  .from_bytes = 2304,
	  .to_bytes = 4352,
	  .entries = 52,
	  .capacity = 64,
	  .goroutine = 18,
	  .thread = 4713,
	  .p = 1,
	  .created_by = SERVED,
	  .duration_s = 0.0113,
	  .duration_error_s = 0.0013,
	  .together_bytes = 6656,
	  .gc_runway_bytes = 80000000,
	  .gc_sooner_bytes = 4352 },
	{ .time_s = 3.5,
	  .earliest_s = 3.5,
	  .number = 3,
	  .map = 0xc0004a2060,
	  .type = "map[int64]float64",
	  .owner = "main.prices",
	  .kind = MS_GROWTH_EVENT_SAME_SIZE,
	  .from = 2097152,
	  .to = 2097152,
	  .from_bytes = 37748736,
	  .to_bytes = 37748736,
	  .entries = 419430,
	  .capacity = 2097152,
	  .goroutine = 1,
	  .thread = 4711,
	  .p = 0,
	  .stack = 1,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = 75497472,
	  .gc_runway_bytes = 80000000,
	  .gc_sooner_bytes = 37748736 },
	{ .time_s = 7.25,
	  .earliest_s = 7.25,
	  .number = 4,
	  .map = 0xc0004a2060,
	  .type = "map[int64]float64",
	  .owner = "main.prices",
	  .from = 2097152,
	  .to = 4194304,
	  .from_bytes = 37748736,
	  .to_bytes = 75497472,
	  .entries = 1703936,
	  .capacity = 2097152,
	  .goroutine = 1,
	  .thread = 4711,
	  .p = 0,
	  .stack = 1,
	  .duration_s = 1.804,
	  .duration_error_s = 0.05,
	  .together_bytes = 113246208,
	  .gc_cycles = 2,
	  .gc_runway_bytes = 80000000,
	  .gc_sooner_bytes = 75497472,
	  .brought_gc = true },
	{ .time_s = 7.250004,
	  .earliest_s = 7.250004,
	  .number = 5,
	  .map = 0xc000010030,
	  .type = "map[string]*session.Cart",
	  .owner = CARTS,
	  .from = 128,
	  .to = 256,
	  .from_bytes = 4352,
	  .to_bytes = 8704,
	  .entries = 104,
	  .capacity = 128,
	  .goroutine = 22,
	  .thread = 4714,
	  .p = 1,
	  .created_by = SERVED,
	  .duration_s = 0.2,
	  .duration_error_s = 0.05,
	  .together_bytes = 13056,
	  .gc_runway_bytes = 80000000,
	  .gc_sooner_bytes = 8704 },
};

static struct ms_creation_event classic_creations[] = {
	{ .time_s = 0.9, .map = 0xc0007f2030, .hint = 52, .bucket_shift = 3, .stack = 0 },
	{ .time_s = 0.95,
	  .map = 0xc0007f2060,
	  .type = "map[string]bool",
	  .hint = 1000,
	  .bucket_shift = MS_UNKNOWN,
	  .stack = MS_NO_STACK },
	{ .time_s = 0.96, .hint = 14, .bucket_shift = 2, .stack = MS_NO_STACK },
};

static struct ms_migration classic_migrations[] = {
	{ .time_s = 1.205,
	  .map = 0xc000010030,
	  .moved = 4,
	  .of = 8,
	  .bucket = 3,
	  .to_x = 3,
	  .to_y = 11,
	  .keys_x = 5,
	  .keys_y = 2 },
	{ .time_s = 1.205,
	  .map = 0xc000010030,
	  .moved = 4,
	  .of = 8,
	  .bucket = 5,
	  .to_x = 5,
	  .to_y = 13,
	  .keys_x = 1,
	  .keys_y = MS_UNKNOWN,
	  .at_least = true },
	{ .time_s = 7.9,
	  .map = 0xc0004a2060,
	  .moved = 50682,
	  .of = 262144,
	  .bucket = MS_UNKNOWN,
	  .to_x = MS_UNKNOWN,
	  .to_y = MS_UNKNOWN,
	  .keys_x = MS_UNKNOWN,
	  .keys_y = MS_UNKNOWN },
};

static struct ms_gc_cycle classic_cycles[] = {
	{ .number = 56,
	  .start_s = NAN,
	  .end_s = 0.031,
	  .pause_sweep_s = NAN,
	  .pause_mark_s = 0.00021,
	  .pause_s = 0.00033,
	  .assist_s = 0.001,
	  .background_s = 0.02,
	  .heap_start_bytes = 118000000,
	  .heap_end_bytes = 121000000,
	  .heap_marked_bytes = 61000000,
	  .goal_bytes = 122000000,
	  .stack_scan_bytes = 32000,
	  .globals_scan_bytes = 210000,
	  .procs = 2 },
	{ .number = 57,
	  .start_s = 7.2502,
	  .end_s = 7.9,
	  .pause_sweep_s = 0.0001,
	  .pause_mark_s = 0.0004,
	  .pause_s = 0.0005,
	  .assist_s = 0.011,
	  .background_s = 0.31,
	  .idle_s = 0.02,
	  .heap_start_bytes = 140000000,
	  .heap_end_bytes = 221000000,
	  .heap_marked_bytes = 171000000,
	  .goal_bytes = 150000000,
	  .stack_scan_bytes = 32000,
	  .globals_scan_bytes = 210000,
	  .procs = 2,
	  .is_forced_known = true,
	  .gctrace = "gc 57 @12.2s 0%: 0.10+649+0.40 ms clock, 0.2+11/310/20+0.8 ms cpu, "
		     "134->210->163 MB, 143 MB goal, 0 MB stacks, 0 MB globals, 2 P" },
	{ .number = 58,
	  .start_s = 9.7,
	  .end_s = NAN,
	  .pause_sweep_s = 0.0001,
	  .pause_mark_s = NAN,
	  .pause_s = NAN,
	  .assist_s = NAN,
	  .background_s = NAN,
	  .idle_s = NAN,
	  .heap_start_bytes = 300000000,
	  .heap_end_bytes = MS_UNKNOWN,
	  .heap_marked_bytes = MS_UNKNOWN,
	  .goal_bytes = 342000000,
	  .stack_scan_bytes = MS_UNKNOWN,
	  .globals_scan_bytes = MS_UNKNOWN,
	  .procs = 2,
	  .is_forced = true },
};

static struct ms_heap_sample classic_heap[] = {
	{ 0, 119000000, 122000000, true },   { 2.5, 80000000, 122000000, false },
	{ 5, 110000000, 122000000, false },  { 7.5, 190000000, 150000000, true },
	{ 9.9, 310000000, 342000000, true },
};

#define WAITERS(at, on, name, count, oldest)                                                       \
	{                                                                                          \
		.time_s = (at), .map = (on), .behind = (name), .waiting = (count),                 \
		.oldest_s = (oldest), .stack = MS_NO_STACK                                         \
	}

static struct ms_waiter_sample classic_waiters[] = {
	WAITERS(1, 0xc000010030, "main.registry.mu", 2, 0.001),
	WAITERS(3, 0xc000010030, "main.registry.mu", 0, NAN),
	WAITERS(7.3, 0xc000010030, "main.registry.mu", 47, 0.05),
	WAITERS(7.5, 0xc0004a2060, NULL, 9, NAN),
	WAITERS(8, 0xc000010030, "main.registry.mu", 412, 0.7),
	WAITERS(9, 0xc000010030, "main.registry.mu", 3, 0.1),
};

static struct ms_switch_event classic_switches[] = {
	{ 1.2, 1, 1, 18 },
	{ 7.250002, 1, 18, 22 },
	{ 7.3, 1, 22, 0 },
};

static struct ms_growth_sum classic_sums[] = {
	{ 0xc000010030, "map[string]*session.Cart", CARTS, MS_GROWTH_EVENT_DOUBLE, 0, 5, 48416 },
	{ 0xc0004a2060, "map[int64]float64", "main.prices", MS_GROWTH_EVENT_DOUBLE, 1, 1,
	  75497472 },
	{ 0xc0004a2060, "map[int64]float64", "main.prices", MS_GROWTH_EVENT_SAME_SIZE, 1, 1,
	  37748736 },
};

struct ms_trace_report ms_trace_example_classic(void)
{
	return (struct ms_trace_report){
		.target = shop,
		.cost = cost,
		.window_s = 10,
		.began_unix_ns = 1795650000123456789,
		.events = classic_events,
		.event_count = MS_ARRAY_SIZE(classic_events),
		.sums = classic_sums,
		.sum_count = MS_ARRAY_SIZE(classic_sums),
		.counted = 7,
		.dropped = 2,
		.repeated = 1,
		.to_small = 0,
		.creations = classic_creations,
		.creation_count = MS_ARRAY_SIZE(classic_creations),
		.has_creations = true,
		.creations_counted = 7,
		.creations_dropped = 7 - MS_ARRAY_SIZE(classic_creations),
		.creations_small = 30,
		.creations_nameless = "runtime.makemap: not all of its code can be decoded",
		.migrations = classic_migrations,
		.migration_count = MS_ARRAY_SIZE(classic_migrations),
		.cycles = classic_cycles,
		.cycle_count = MS_ARRAY_SIZE(classic_cycles),
		.heap = classic_heap,
		.heap_count = MS_ARRAY_SIZE(classic_heap),
		.waiters = classic_waiters,
		.waiter_count = MS_ARRAY_SIZE(classic_waiters),
		.switches = classic_switches,
		.switch_count = MS_ARRAY_SIZE(classic_switches),
		.has_switches = true,
		.switches_unseen = 7,
		.stacks = { classic_stacks, MS_ARRAY_SIZE(classic_stacks),
			    MS_ARRAY_SIZE(classic_stacks) },
		.gc_pause_s = 0.00083,
		.gc_cycles = 2,
	};
}

static struct ms_stack_call record_calls[] = {
	{ "internal/runtime/maps.(*table).grow", "/go/src/internal/runtime/maps/table.go", 1031,
	  true, true, 0x418820 },
	{ "internal/runtime/maps.(*table).rehash", "/go/src/internal/runtime/maps/table.go", 950,
	  false, true, 0x418820 },
	{ "runtime.mapassign_fast64", "/go/src/internal/runtime/maps/runtime_fast64.go", 203, false,
	  true, 0x419900 },
	{ "example.org/orders/ledger.Index[...].Put", "/src/orders/ledger/index.go", 77, true,
	  false, 0x51bb00 },
	{ "example.org/orders/ledger.(*Ledger).Record", "/src/orders/ledger/ledger.go", 112, false,
	  false, 0x51bb00 },
	{ "main.consume.func1", "/src/orders/main.go", 64, false, false, 0x520010 },
	{ "runtime.goexit", "/go/src/runtime/asm_amd64.s", 1693, false, true, 0x47bb21 },
};

static struct ms_stack swiss_stacks[] = {
	{ record_calls, MS_ARRAY_SIZE(record_calls), NULL },
};

#define CONSUMER                                                                                   \
	{                                                                                          \
		"main.consume", "/src/orders/main.go", 60, false, false, 0                         \
	}

static struct ms_growth_event swiss_events[] = {
	{ .time_s = 0.5,
	  .earliest_s = 0.5,
	  .number = 1,
	  .map = 0xc0001180c0,
	  .type = "map[uint64]ledger.Entry",
	  .owner = "example.org/orders/ledger.Ledger.index <- main.books",
	  .map_kind = MS_MAP_SWISS,
	  .kind = MS_GROWTH_EVENT_TO_TABLE,
	  .from = 8,
	  .to = 16,
	  .from_bytes = 208,
	  .to_bytes = 448,
	  .entries = 8,
	  .capacity = 8,
	  .goroutine = 34,
	  .thread = 79,
	  .p = 0,
	  .created_by = CONSUMER,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = MS_UNKNOWN,
	  .gc_runway_bytes = NAN,
	  .gc_sooner_bytes = NAN },
	{ .time_s = 1,
	  .earliest_s = 1,
	  .number = 2,
	  .map = 0xc0001180c0,
	  .type = "map[uint64]ledger.Entry",
	  .owner = "example.org/orders/ledger.Ledger.index <- main.books",
	  .map_kind = MS_MAP_SWISS,
	  .from = 512,
	  .to = 1024,
	  .from_bytes = 13312,
	  .to_bytes = 28672,
	  .entries = 447,
	  .capacity = 512,
	  .goroutine = 34,
	  .thread = 79,
	  .p = 0,
	  .created_by = CONSUMER,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = MS_UNKNOWN,
	  .gc_runway_bytes = NAN,
	  .gc_sooner_bytes = NAN },
	{ .time_s = 2.000017,
	  .earliest_s = 2.000017,
	  .number = 3,
	  .map = 0xc0001180c0,
	  .type = "map[uint64]ledger.Entry",
	  .owner = "example.org/orders/ledger.Ledger.index <- main.books",
	  .map_kind = MS_MAP_SWISS,
	  .kind = MS_GROWTH_EVENT_SPLIT,
	  .from = 1024,
	  .to = 2048,
	  .from_bytes = 28672,
	  .to_bytes = 57344,
	  .entries = 7168,
	  .capacity = MS_UNKNOWN,
	  .table_entries = 896,
	  .goroutine = 35,
	  .thread = 80,
	  .p = 1,
	  .created_by = CONSUMER,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = MS_UNKNOWN,
	  .gc_runway_bytes = NAN,
	  .gc_sooner_bytes = NAN },
};

#define INDEX                                                                                      \
	0xc0001180c0, "map[uint64]ledger.Entry",                                                   \
	    "example.org/orders/ledger.Ledger.index <- main.books"

static struct ms_growth_sum swiss_sums[] = {
	{ INDEX, MS_GROWTH_EVENT_SPLIT, 0, 1200, 68812800 },
	{ 0, NULL, NULL, MS_GROWTH_EVENT_DOUBLE, MS_NO_STACK, 41, MS_UNKNOWN },
	{ INDEX, MS_GROWTH_EVENT_TO_TABLE, 0, 1, 448 },
	{ INDEX, MS_GROWTH_EVENT_DOUBLE, 0, 1, 28672 },
};

struct ms_trace_report ms_trace_example_swiss(void)
{
	return (struct ms_trace_report){
		.target = orders,
		.cost = cost,
		.window_s = 4,
		.began_unix_ns = 1795650000000000000,
		.events = swiss_events,
		.event_count = MS_ARRAY_SIZE(swiss_events),
		.sums = swiss_sums,
		.sum_count = MS_ARRAY_SIZE(swiss_sums),
		.counted = 1243,
		.dropped = 1240,
		.to_small = 90210,
		.stacks = { swiss_stacks, MS_ARRAY_SIZE(swiss_stacks),
			    MS_ARRAY_SIZE(swiss_stacks) },
		.gc_pause_s = NAN,
		.gc_unknown = "runtime.gcController was not found",
	};
}

static struct ms_growth_event polled_events[] = {
	{ .time_s = 2.1,
	  .earliest_s = 2.05,
	  .number = 1,
	  .map = 0xc000010030,
	  .type = "map[string]*session.Cart",
	  .owner = CARTS,
	  .from = 64,
	  .to = 128,
	  .from_bytes = 2304,
	  .to_bytes = 4352,
	  .entries = MS_UNKNOWN,
	  .capacity = 64,
	  .goroutine = MS_UNKNOWN,
	  .p = UINT32_MAX,
	  .stack = MS_NO_STACK,
	  .duration_s = 0.05,
	  .duration_error_s = 0.05,
	  .together_bytes = 6656,
	  .gc_runway_bytes = NAN,
	  .gc_sooner_bytes = NAN },
	{ .time_s = 4,
	  .earliest_s = 3.95,
	  .number = 2,
	  .map = 0xc0009f0030,
	  .from = 8,
	  .to = 16,
	  .from_bytes = MS_UNKNOWN,
	  .to_bytes = MS_UNKNOWN,
	  .entries = 9,
	  .capacity = 8,
	  .goroutine = MS_UNKNOWN,
	  .p = UINT32_MAX,
	  .stack = MS_NO_STACK,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = MS_UNKNOWN,
	  .gc_runway_bytes = NAN,
	  .gc_sooner_bytes = NAN },
};

struct ms_trace_report ms_trace_example_polled(void)
{
	return (struct ms_trace_report){
		.target = shop,
		.cost = { .wall_s = 5.02,
			  .read_bytes = 1234567,
			  .own_peak_bytes = 9400000,
			  .gc_cycle = MS_UNKNOWN,
			  .gc_age_s = NAN },
		.source = MS_TRACE_POLLING,
		.no_probes_reason = "CAP_BPF is missing; type sudo mapscope trace 4711",
		.window_s = 5,
		.began_unix_ns = 1795650000000000000,
		.events = polled_events,
		.event_count = MS_ARRAY_SIZE(polled_events),
		.counted = 2,
		.to_small = MS_UNKNOWN,
		.gc_pause_s = NAN,
		.gc_unknown = "the heap was not looked at",
	};
}

struct ms_trace_report ms_trace_example_empty(void)
{
	return (struct ms_trace_report){
		.target = orders,
		.cost = cost,
		.window_s = 10,
		.began_unix_ns = 1795650000000000000,
		.gc_pause_s = 0.0031,
		.gc_cycles = 7,
	};
}

static struct ms_stack_call hostile_calls[] = {
	{ "runtime.hashGrow", NULL, 0, false, true, 0 },
	{ HOSTILE, HOSTILE, 7, true, false, 0 },
	{ "main.outer", HOSTILE, UINT32_MAX, false, false, 0 },
};

static struct ms_stack hostile_stacks[] = {
	{ hostile_calls, MS_ARRAY_SIZE(hostile_calls), HOSTILE },
	{ NULL, 0, "unreadable" },
	{ hostile_calls, 1, NULL },
};

static struct ms_growth_event hostile_events[] = {
	{ .time_s = 0.1,
	  .earliest_s = 0.1,
	  .number = 1,
	  .map = UINT64_MAX - 1,
	  .type = HOSTILE,
	  .owner = HOSTILE,
	  .from = UINT64_MAX - 1,
	  .to = 0,
	  .from_bytes = UINT64_MAX - 1,
	  .to_bytes = UINT64_MAX - 1,
	  .entries = UINT64_MAX - 1,
	  .capacity = 0,
	  .goroutine = UINT64_MAX - 1,
	  .thread = UINT32_MAX,
	  .p = UINT32_MAX - 1,
	  .created_by = { HOSTILE, HOSTILE, 1, false, false, 0 },
	  .duration_s = 1e300,
	  .duration_error_s = -1,
	  .together_bytes = UINT64_MAX - 1,
	  .gc_cycles = UINT32_MAX,
	  .gc_runway_bytes = 80000000,
	  .gc_sooner_bytes = 1e300,
	  .brought_gc = true },
	{ .time_s = 0.1,
	  .earliest_s = 0.1,
	  .number = 2,
	  .map_kind = MS_MAP_SWISS,
	  .kind = MS_GROWTH_EVENT_SHRINK,
	  .table_entries = MS_UNKNOWN,
	  .from = MS_UNKNOWN,
	  .to = MS_UNKNOWN,
	  .from_bytes = MS_UNKNOWN,
	  .to_bytes = MS_UNKNOWN,
	  .entries = MS_UNKNOWN,
	  .capacity = MS_UNKNOWN,
	  .goroutine = MS_UNKNOWN,
	  .p = UINT32_MAX,
	  .stack = 1,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = MS_UNKNOWN,
	  .gc_runway_bytes = NAN,
	  .gc_sooner_bytes = NAN },
	{ .time_s = 0.2,
	  .earliest_s = 0.2,
	  .number = 3,
	  .map = 0xc000000000,
	  .map_kind = MS_MAP_SWISS,
	  .kind = MS_GROWTH_EVENT_TO_SMALL,
	  .to = 8,
	  .to_bytes = 64,
	  .goroutine = 1,
	  .p = UINT32_MAX,
	  .stack = 2,
	  .duration_s = NAN,
	  .duration_error_s = NAN,
	  .together_bytes = MS_UNKNOWN,
	  .gc_runway_bytes = NAN,
	  .gc_sooner_bytes = NAN },
};

static struct ms_gc_cycle hostile_cycles[] = {
	{ .number = UINT64_MAX - 1,
	  .start_s = 0.3,
	  .end_s = 0.1,
	  .pause_sweep_s = 9,
	  .pause_mark_s = -1,
	  .pause_s = 1e300,
	  .assist_s = -1,
	  .background_s = -1,
	  .idle_s = -1,
	  .goal_bytes = UINT64_MAX - 1,
	  .gctrace = "gc " HOSTILE },
};

static struct ms_heap_sample hostile_heap[] = {
	{ 0.1, UINT64_MAX - 1, MS_UNKNOWN, false },
};

static struct ms_waiter_sample hostile_waiters[] = {
	WAITERS(0.1, 0xc000000000, HOSTILE, UINT64_MAX - 1, 1e300),
	WAITERS(99, 0xc000000000, HOSTILE, 3, -1),
};

struct ms_trace_report ms_trace_example_hostile(void)
{
	return (struct ms_trace_report){
		.target = { .pid = MS_UNKNOWN,
			    .start_ticks = MS_UNKNOWN,
			    .exe = HOSTILE,
			    .go_version = HOSTILE,
			    .arch = "amd64",
			    .layout_source = "table" },
		.cost = unknown_cost,
		.window_s = 0.3,
		.events = hostile_events,
		.event_count = MS_ARRAY_SIZE(hostile_events),
		.counted = UINT64_MAX - 1,
		.dropped = UINT64_MAX - 1,
		.repeated = MS_UNKNOWN,
		.to_small = MS_UNKNOWN,
		.cycles = hostile_cycles,
		.cycle_count = MS_ARRAY_SIZE(hostile_cycles),
		.heap = hostile_heap,
		.heap_count = MS_ARRAY_SIZE(hostile_heap),
		.waiters = hostile_waiters,
		.waiter_count = MS_ARRAY_SIZE(hostile_waiters),
		.stacks = { hostile_stacks, MS_ARRAY_SIZE(hostile_stacks),
			    MS_ARRAY_SIZE(hostile_stacks) },
		.gc_pause_s = NAN,
		.gc_cycles = MS_UNKNOWN,
		.partial = true,
		.partial_reason = HOSTILE,
	};
}
