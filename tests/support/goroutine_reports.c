// goroutine_reports.c - one report for each thing a renderer can get wrong.
#include "tests/support/goroutine_reports.h"

#include <math.h>

/** What a terminal, a JSON reader, a browser or a reader of folded stacks could trip over. */
#define HOSTILE                                                                                    \
	"x;</text><script>\x1b]0;owned\x07\"'&\r\n\t\\ \x7f\xc2\x9b\xe2\x80\xae\xff\xed\xa0\x80"   \
	" caf\xc3\xa9 \xe6\x97\xa5 12"
#define SESSION "example.org/shop/internal/session."

static const struct ms_report_target shop = {
	.pid = 4711,
	.start_ticks = 86400,
	.exe = "/srv/shop",
	.go_version = "go1.26.2",
	.experiments = "greenteagc,swissmap",
	.arch = "amd64",
	.layout_source = "table",
	.stripped = true,
	.proved = true,
};

static const struct ms_report_cost cost = {
	.wall_s = 2.3,
	.read_bytes = 138123456,
	.own_peak_bytes = 35400000,
	.reads_retried = 1,
	.gc_cycle = MS_UNKNOWN,
	.gc_age_s = NAN,
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

#define PARK                                                                                       \
	{                                                                                          \
		"runtime.gopark", "/go/src/runtime/proc.go", 460, false, true, 0x43b0a7            \
	}
#define EXIT                                                                                       \
	{                                                                                          \
		"runtime.goexit", "/go/src/runtime/asm_amd64.s", 1594, false, true, 0x46aa81       \
	}
#define HANDLE                                                                                     \
	{ "main.(*Server).handle", "/src/shop/server.go", 140, false, false, 0x5c8040 },           \
	    { "net/http.HandlerFunc.ServeHTTP",                                                    \
	      "/go/src/net/http/server.go",                                                        \
	      2322,                                                                                \
	      false,                                                                               \
	      false,                                                                               \
	      0x59aa20 },                                                                          \
	{                                                                                          \
		"net/http.(*conn).serve", "/go/src/net/http/server.go", 2109, false, false,        \
		    0x596f00                                                                       \
	}

static struct ms_stack_call lock_calls[] = {
	PARK,
	{ "runtime.semacquire1", "/go/src/runtime/sema.go", 192, false, true, 0x4524a0 },
	{ "internal/sync.runtime_SemacquireMutex", "/go/src/runtime/sema.go", 95, false, false,
	  0x46c0a0 },
	{ "internal/sync.(*Mutex).lockSlow", "/go/src/internal/sync/mutex.go", 149, false, false,
	  0x4a1180 },
	{ "sync.(*Mutex).Lock", "/go/src/sync/mutex.go", 46, true, false, 0x5b2310 },
	{ SESSION "(*Registry).Get", "/src/shop/internal/session/registry.go", 51, false, false,
	  0x5b2310 },
	HANDLE,
	EXIT,
};

static struct ms_stack_call leak_calls[] = {
	PARK,
	{ "runtime.chansend1", "/go/src/runtime/chan.go", 161, false, true, 0x40a1c0 },
	{ "main.fetch.func1", "/src/shop/fetch.go", 33, false, false, 0x5c9a00 },
	EXIT,
};

static struct ms_stack_call deep_calls[] = {
	PARK,
	{ "main.walk", "/src/shop/tree.go", 12, false, false, 0x5ca000 },
	{ "main.walk", "/src/shop/tree.go", 15, false, false, 0x5ca040 },
	{ "main.walk", "/src/shop/tree.go", 15, false, false, 0x5ca040 },
	{ "main.walk", "/src/shop/tree.go", 15, false, false, 0x5ca040 },
	{ "main.a", "/src/shop/tree.go", 21, false, false, 0x5ca100 },
	{ "main.b", "/src/shop/tree.go", 22, false, false, 0x5ca200 },
	{ "main.c", "/src/shop/tree.go", 23, false, false, 0x5ca300 },
	{ "main.d", "/src/shop/tree.go", 24, false, false, 0x5ca400 },
	{ "main.e", "/src/shop/tree.go", 25, false, false, 0x5ca500 },
	{ "main.f", "/src/shop/tree.go", 26, false, false, 0x5ca600 },
};

static struct ms_stack_call write_calls[] = {
	{ "runtime.mapassign_faststr", "/go/src/runtime/map_faststr.go", 278, false, true,
	  0x411200 },
	{ SESSION "(*Registry).Add", "/src/shop/internal/session/registry.go", 88, false, false,
	  0x5b2510 },
	HANDLE,
	EXIT,
};

static struct ms_stack_call sweep_calls[] = {
	PARK,
	{ "runtime.bgsweep", "/go/src/runtime/mgcsweep.go", 276, false, true, 0x4240e0 },
	{ "runtime.gcenable.gowrap1", "/go/src/runtime/mgc.go", 203, false, true, 0x41b1a0 },
	EXIT,
};

static struct ms_stack busy_stacks[] = {
	{ lock_calls, MS_ARRAY_SIZE(lock_calls), NULL },
	{ leak_calls, MS_ARRAY_SIZE(leak_calls), NULL },
	{ deep_calls, MS_ARRAY_SIZE(deep_calls), "its stack cannot be read" },
	{ write_calls, MS_ARRAY_SIZE(write_calls), NULL },
	{ sweep_calls, MS_ARRAY_SIZE(sweep_calls), NULL },
};

#define SERVED                                                                                     \
	{                                                                                          \
		"net/http.(*Server).Serve", "/go/src/net/http/server.go", 3454, false, false, 0    \
	}
#define FETCHED                                                                                    \
	{                                                                                          \
		"main.fetch", "/src/shop/fetch.go", 31, false, false, 0                            \
	}
#define NOWHERE .stack = MS_NO_STACK, .place = MS_NO_PLACE

static struct ms_goroutine_row busy_rows[] = {
	{ .id = 1,
	  .address = 0xc000002380,
	  .state = "waiting",
	  .wait_reason = "chan receive",
	  .waited_s = NAN,
	  .stack = 2,
	  .stack_source = MS_STACK_UNWOUND,
	  .place = MS_NO_PLACE,
	  .cluster = 2,
	  .p = UINT32_MAX },
	{ .id = 3,
	  .address = 0xc000002700,
	  .state = "waiting",
	  .wait_reason = "GC sweep wait",
	  .waited_s = 4.5,
	  .stack = 4,
	  .stack_source = MS_STACK_UNWOUND,
	  .created_by = { "runtime.gcenable", "/go/src/runtime/mgc.go", 203, false, true, 0 },
	  .parent = 1,
	  .place = MS_NO_PLACE,
	  .cluster = 5,
	  .p = UINT32_MAX,
	  .is_system = true },
	{ .id = 17,
	  .address = 0xc000102380,
	  .state = "running",
	  .waited_s = NAN,
	  .stack = 3,
	  .stack_source = MS_STACK_SAMPLED,
	  .samples = 389,
	  .stack_share = 0.96,
	  .role_stack = 3,
	  .role_share = 0.93,
	  .role = MS_ROLE_WRITES,
	  .map = 0xc000010030,
	  .map_owner = SESSION "Registry.carts <- example.org/shop.registry",
	  .created_by = SERVED,
	  .parent = 1,
	  .place = MS_NO_PLACE,
	  .cluster = 3,
	  .thread = 4713,
	  .p = 1 },
	{ .id = 18,
	  .address = 0xc000102700,
	  .state = "waiting",
	  .wait_reason = "sync.Mutex.Lock",
	  .waited_s = 2220.4,
	  .stack = 0,
	  .stack_source = MS_STACK_UNWOUND,
	  .role = MS_ROLE_WAITS,
	  .map = 0xc000010030,
	  .map_owner = SESSION "Registry.carts <- example.org/shop.registry",
	  .created_by = SERVED,
	  .parent = 1,
	  .place = 0,
	  .cluster = 0,
	  .p = UINT32_MAX },
	{ .id = 19,
	  .address = 0xc000102a80,
	  .state = "waiting",
	  .wait_reason = "chan send",
	  .waited_s = 61,
	  .stack = 1,
	  .stack_source = MS_STACK_UNWOUND,
	  .created_by = FETCHED,
	  .parent = 18,
	  .place = 1,
	  .cluster = 1,
	  .p = UINT32_MAX },
	{ .id = 20,
	  .address = 0xc000102e00,
	  .state = "running",
	  .waited_s = NAN,
	  NOWHERE,
	  .created_by = FETCHED,
	  .parent = MS_UNKNOWN,
	  .cluster = 4,
	  .thread = 4714,
	  .p = 0 },
};

static struct ms_goroutine_cluster busy_clusters[] = {
	{ .count = 12000,
	  .state = "waiting",
	  .wait_reason = "sync.Mutex.Lock",
	  .oldest_s = 2220.4,
	  .stack = 0,
	  .stack_count = 3,
	  .created_by = SERVED,
	  .created_by_count = 11988,
	  .place = 0,
	  .place_count = 412,
	  .places = 3,
	  .examples = { 18, 21, 22, 23, 24 },
	  .example_count = 5,
	  .is_stuck = true },
	{ .count = 340,
	  .state = "waiting",
	  .wait_reason = "chan send",
	  .oldest_s = 61,
	  .stack = 1,
	  .stack_count = 1,
	  .created_by = FETCHED,
	  .created_by_count = 340,
	  .place = 1,
	  .place_count = 1,
	  .places = 340,
	  .examples = { 19, 30 },
	  .example_count = 2,
	  .is_suspect = true },
	{ .count = 1,
	  .state = "waiting",
	  .wait_reason = "chan receive",
	  .oldest_s = NAN,
	  .stack = 2,
	  .stack_count = 1,
	  .place = MS_NO_PLACE,
	  .examples = { 1 },
	  .example_count = 1 },
	{ .count = 1,
	  .state = "running",
	  .oldest_s = NAN,
	  .stack = 3,
	  .stack_count = 1,
	  .created_by = SERVED,
	  .created_by_count = 1,
	  .place = MS_NO_PLACE,
	  .examples = { 17 },
	  .example_count = 1 },
	{ .count = 1,
	  .state = "running",
	  .oldest_s = NAN,
	  NOWHERE,
	  .created_by = FETCHED,
	  .created_by_count = 1,
	  .examples = { 20 },
	  .example_count = 1 },
	{ .count = 1,
	  .state = "waiting",
	  .wait_reason = "GC sweep wait",
	  .oldest_s = 4.5,
	  .stack = 4,
	  .stack_count = 1,
	  .created_by = { "runtime.gcenable", "/go/src/runtime/mgc.go", 203, false, true, 0 },
	  .created_by_count = 1,
	  .place = MS_NO_PLACE,
	  .examples = { 3 },
	  .example_count = 1,
	  .is_system = true },
};

static struct ms_wait_place busy_places[] = {
	{ .address = 0xc0001a4008,
	  .kind = "mutex",
	  .name = "Registry.mu",
	  .owner = "example.org/shop.registry",
	  .map = SESSION "Registry.carts <- example.org/shop.registry",
	  .map_address = 0xc000010030,
	  .waiting = 412,
	  .oldest_s = 2220.4,
	  .state = "held",
	  .maps = 2,
	  .holder_stack = 3,
	  .holder = 17,
	  .length = MS_UNKNOWN,
	  .capacity = MS_UNKNOWN },
	{ .address = 0xc0001a5000,
	  .kind = "select",
	  .waiting = 340,
	  .oldest_s = 61,
	  .holder_stack = MS_NO_STACK,
	  .length = 16,
	  .capacity = 16,
	  .choices = 3,
	  .unknown = "no variable leads to it" },
	{ .address = 0xc0001a6000,
	  .kind = "rwmutex (read)",
	  .name = "prices.lock",
	  .owner = "main.prices",
	  .waiting = 2,
	  .oldest_s = NAN,
	  .state = "held by a writer",
	  .holder_stack = MS_NO_STACK,
	  .holder_unknown = "a mutex does not say who holds it, and no stack shows it",
	  .length = MS_UNKNOWN,
	  .capacity = MS_UNKNOWN },
};

static struct ms_leak_suspect busy_suspects[] = {
	{ .created_by = FETCHED,
	  .before = 330,
	  .after = 340,
	  .stayed = 330,
	  .wait_reason = "chan send",
	  .stack = 1,
	  .oldest_s = 61,
	  .why = "all 330 that waited at the first look wait still, and 10 came" },
};

static struct ms_race_clue busy_clues[] = {
	{ .map = 0xc000010030,
	  .owner = SESSION "Registry.carts <- example.org/shop.registry",
	  .type = "map[string]*session.Cart",
	  .kind = "two writers",
	  .goroutines = { 17, 20 },
	  .stacks = { 3, MS_NO_STACK },
	  .apart_s = 0.0000031,
	  .seen = 2,
	  .strength = MS_CLUE_WEAK,
	  .lock_state = "Registry.mu is held",
	  .why = "two writes under one lock can be as near" },
	{ .map = 0xc000020030,
	  .kind = "iterates a table being replaced",
	  .goroutines = { 40, 41 },
	  .stacks = { 3, 0 },
	  .apart_s = NAN,
	  .seen = 1,
	  .strength = MS_CLUE_STRONG },
};

static uint64_t queue_of_p0[] = { 101, 102, 103, 104, 105, 106, 107, 108, 109, 110 };
static uint64_t queue_of_all[] = { 200 };

static struct ms_sched_p busy_ps[] = {
	{ .id = 0,
	  .status = "running",
	  .thread = 4714,
	  .m = 3,
	  .running = 20,
	  .queue = queue_of_p0,
	  .queue_count = MS_ARRAY_SIZE(queue_of_p0),
	  .ticks = 123456 },
	{ .id = 1, .status = "idle", .m = -1, .ticks = 99, .is_moved = true },
};

static struct ms_sched_m busy_ms[] = {
	{ .id = 0, .thread = 4711, .p = -1, .is_spinning = true, .doing = "looks for work" },
	{ .id = 2, .thread = 4713, .p = -1, .is_blocked = true, .doing = "sleeps" },
	{ .id = 3, .thread = 4714, .running = 20, .p = 0, .locked = 20, .doing = "runs" },
	{ .id = 4, .thread = 4715, .running = 8, .p = -1, .doing = "in a system call" },
	{ .id = 5,
	  .thread = 4716,
	  .p = -1,
	  .is_blocked = true,
	  .locked = 9,
	  .doing = "waits for its goroutine" },
};

struct ms_goroutines_report ms_goroutines_example_busy(void)
{
	return (struct ms_goroutines_report){
		.target = shop,
		.cost = cost,
		.rows = busy_rows,
		.row_count = MS_ARRAY_SIZE(busy_rows),
		.clusters = busy_clusters,
		.cluster_count = MS_ARRAY_SIZE(busy_clusters),
		.places = busy_places,
		.place_count = MS_ARRAY_SIZE(busy_places),
		.suspects = busy_suspects,
		.suspect_count = MS_ARRAY_SIZE(busy_suspects),
		.proof = "curl http://HOST/debug/pprof/goroutineleak?debug=2",
		.clues = busy_clues,
		.clue_count = MS_ARRAY_SIZE(busy_clues),
		.ps = busy_ps,
		.p_count = MS_ARRAY_SIZE(busy_ps),
		.ms = busy_ms,
		.m_count = MS_ARRAY_SIZE(busy_ms),
		.global_queue = queue_of_all,
		.global_queue_count = MS_ARRAY_SIZE(queue_of_all),
		.global_queue_size = 70000,
		.global_queue_moved = true,
		.has_sched = true,
		.stacks = { busy_stacks, MS_ARRAY_SIZE(busy_stacks), 0 },
		.seen = 12344,
		.unwound = 12342,
		.sampled = 1,
		.cut = 1,
		.without_stack = 1,
		.moved = 1,
		.dead = 57,
		.frame_pointer_agrees = 98000,
		.frame_pointer_differs = 3,
		.samples = 40,
		.apart_s = 2.0013,
	};
}

static struct ms_goroutine_row unknown_rows[] = {
	{ .id = 1, .state = "running", .waited_s = NAN, NOWHERE, .p = UINT32_MAX },
	{ .id = 2,
	  .state = "waiting",
	  .wait_reason = "wait reason 77",
	  .waited_s = NAN,
	  NOWHERE,
	  .parent = MS_UNKNOWN,
	  .cluster = 1,
	  .p = UINT32_MAX },
};

static struct ms_goroutine_cluster unknown_clusters[] = {
	{ .count = 1,
	  .state = "running",
	  .oldest_s = NAN,
	  NOWHERE,
	  .examples = { 1 },
	  .example_count = 1 },
	{ .count = 1,
	  .state = "waiting",
	  .wait_reason = "wait reason 77",
	  .oldest_s = NAN,
	  NOWHERE,
	  .examples = { 2 },
	  .example_count = 1 },
};

struct ms_goroutines_report ms_goroutines_example_unknown(void)
{
	return (struct ms_goroutines_report){
		.target = { .pid = MS_UNKNOWN, .start_ticks = MS_UNKNOWN },
		.cost = unknown_cost,
		.rows = unknown_rows,
		.row_count = MS_ARRAY_SIZE(unknown_rows),
		.clusters = unknown_clusters,
		.cluster_count = MS_ARRAY_SIZE(unknown_clusters),
		.seen = 2,
		.without_stack = 2,
		.no_samples = "perf_event_open is not allowed",
		.apart_s = NAN,
	};
}

struct ms_goroutines_report ms_goroutines_example_empty(void)
{
	return (struct ms_goroutines_report){ .target = shop, .cost = cost, .apart_s = 2.0013 };
}

static struct ms_stack_call hostile_calls[] = {
	{ HOSTILE, HOSTILE, 3, false, false, 0x5c8040 },
	{ HOSTILE, NULL, 0, true, false, 0 },
};

static struct ms_stack hostile_stacks[] = {
	{ hostile_calls, MS_ARRAY_SIZE(hostile_calls), NULL },
};

static struct ms_goroutine_row hostile_rows[] = {
	{ .id = UINT64_MAX - 1,
	  .address = UINT64_MAX,
	  .state = "waiting",
	  .wait_reason = HOSTILE,
	  .waited_s = 1e300,
	  .stack_source = MS_STACK_UNWOUND,
	  .role = MS_ROLE_WAITS,
	  .map = 1,
	  .map_owner = HOSTILE,
	  .created_by = { HOSTILE, HOSTILE, 9, false, false, 0 },
	  .parent = 5,
	  .p = UINT32_MAX },
};

static struct ms_goroutine_cluster hostile_clusters[] = {
	{ .count = UINT64_MAX - 1,
	  .state = "waiting",
	  .wait_reason = HOSTILE,
	  .oldest_s = 1e300,
	  .stack_count = 1,
	  .created_by = { HOSTILE, HOSTILE, 9, false, false, 0 },
	  .created_by_count = 1,
	  .place_count = 1,
	  .examples = { UINT64_MAX - 1 },
	  .example_count = 1,
	  .is_stuck = true,
	  .is_suspect = true },
};

static struct ms_wait_place hostile_places[] = {
	{ .address = UINT64_MAX,
	  .kind = "mutex",
	  .name = HOSTILE,
	  .owner = HOSTILE,
	  .map = HOSTILE,
	  .waiting = 1,
	  .oldest_s = INFINITY,
	  .holder_stack = MS_NO_STACK,
	  .holder_unknown = HOSTILE,
	  .length = MS_UNKNOWN,
	  .capacity = MS_UNKNOWN },
};

static struct ms_leak_suspect hostile_suspects[] = {
	{ .created_by = { HOSTILE, HOSTILE, 9, false, false, 0 },
	  .after = 1,
	  .wait_reason = HOSTILE,
	  .oldest_s = -1,
	  .why = HOSTILE },
};

static struct ms_race_clue hostile_clues[] = {
	{ .map = 1,
	  .owner = HOSTILE,
	  .type = HOSTILE,
	  .kind = "two writers",
	  .apart_s = NAN,
	  .lock_state = HOSTILE,
	  .why = HOSTILE },
};

struct ms_goroutines_report ms_goroutines_example_hostile(void)
{
	struct ms_report_target target = shop;

	target.exe = "/tmp/" HOSTILE;
	target.go_version = HOSTILE;
	return (struct ms_goroutines_report){
		.target = target,
		.cost = cost,
		.rows = hostile_rows,
		.row_count = MS_ARRAY_SIZE(hostile_rows),
		.clusters = hostile_clusters,
		.cluster_count = MS_ARRAY_SIZE(hostile_clusters),
		.places = hostile_places,
		.place_count = MS_ARRAY_SIZE(hostile_places),
		.suspects = hostile_suspects,
		.suspect_count = MS_ARRAY_SIZE(hostile_suspects),
		.clues = hostile_clues,
		.clue_count = MS_ARRAY_SIZE(hostile_clues),
		.stacks = { hostile_stacks, MS_ARRAY_SIZE(hostile_stacks), 0 },
		.seen = 1,
		.apart_s = 2,
		.partial = true,
		.partial_reason = HOSTILE,
	};
}
