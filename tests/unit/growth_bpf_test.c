// Goal: the kernel's side of a trace counts each growth once, tells what it read and what it could
// not, and loses no count when there is no room.
// Method: its source compiled as ordinary C over a kernel of arrays; maps, tables and a goroutine
// in memory of the test.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "tests/support/host_bpf.h"
#pragma GCC diagnostic pop

#include "tests/support/test.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "trace/bpf/growth.bpf.c"
#pragma GCC diagnostic pop

enum {
	MAP = 0xc000001000,
	TABLE = 0xc000002000,
	TYPE = 0x500000,
	G = 0xc000003000,
	M = 0xc000004000,
	P = 0xc000005000,
	SP = 0xc000006000,
	GOID = 17,
	GOPC = 0x401234,
	CALLER = 0x402345,
	P_ID = 3,
	THREAD = 4711,
	CARRY = 1,
	ZERO = 0x40,
};

struct classic_header {
	uint64_t count;
	uint8_t flags, bucket_log2;
	uint16_t noverflow;
	uint64_t buckets;
};

struct swiss_header {
	uint64_t used, dir_len;
};

struct swiss_table {
	uint16_t used, capacity;
};

static struct classic_header classic = { 13, 4, 1, 2, 0xc000007000 };
static struct swiss_header swiss = { 900, 4 };
static struct swiss_table table = { 448, 512 };
static struct {
	uint64_t goid, m, gopc;
} g = { GOID, M, GOPC };
static const uint64_t m_of_g = P;
static const uint32_t id_of_p = P_ID;
static const uint64_t top_of_stack = CALLER;
static struct pt_regs regs;

/** A process at rest in front of a growth; everything can be read. */
static void set_up(void)
{
	memset(&host, 0, sizeof(host));
	host_map_add(&sums, sizeof(struct ms_bpf_sum_key), 8, HOST_ROOM);
	host_map_add(&stacks, 8, sizeof(struct ms_bpf_stack), HOST_ROOM);
	host_map_add(&counters, 4, sizeof(struct ms_bpf_counters), 1)->count = 1;
	host_map_add(&scratch, 4, sizeof(struct ms_bpf_stack), 1)->count = 1;
	host_memory(MAP, &classic, sizeof(classic));
	host_memory(MAP + 0x100, &swiss, sizeof(swiss));
	host_memory(TABLE, &table, sizeof(table));
	host_memory(G, &g, sizeof(g));
	host_memory(M, &m_of_g, sizeof(m_of_g));
	host_memory(P, &id_of_p, sizeof(id_of_p));
	host_memory(SP, &top_of_stack, sizeof(top_of_stack));
	host.ring_room = HOST_ROOM;
	host.stack[0] = 0x40dfe4;
	host.stack[1] = 0x403456;
	host.stack_count = 2;
	host.now_ns = 1000;
	host.thread = THREAD;
	config.load = 13;
	config.window_ns = 100;
	config.window_events = 1000;
	config.g_m = 8;
	config.g_gopc = 16;
	config.hmap_flags = 8;
	config.hmap_bucket_log2 = 9;
	config.hmap_noverflow = 10;
	config.hmap_buckets = 16;
	config.map_used = 0x100;
	config.map_dir_len = 0x108;
	config.table_capacity = 2;
	regs.ax = TYPE;
	regs.bx = MAP;
	regs.r14 = G;
	regs.sp = SP;
}

static void set_up_table(void)
{
	set_up();
	regs.ax = TABLE;
	regs.bx = TYPE;
	regs.cx = MAP;
}

static struct ms_bpf_counters *counted(void)
{
	return (struct ms_bpf_counters *)host_map_of(&counters)->entries[0].value;
}

static const struct ms_bpf_event *event(size_t index)
{
	CHECK(index < host.ring_count);
	return (const struct ms_bpf_event *)host.ring[index];
}

static uint64_t summed(void)
{
	const struct host_map *map = host_map_of(&sums);
	uint64_t total = 0;

	for (size_t i = 0; i < map->count; i++)
		total += map->entries[i].value[0];
	return total;
}

MS_TEST(growth_bpf_classic)
{
	const struct ms_bpf_event *e;

	set_up();
	CHECK_EQ(hash_grow(&regs), 0);
	e = event(0);
	CHECK_EQ(e->time_ns, 1000);
	CHECK_EQ(e->map, MAP);
	CHECK_EQ(e->type, TYPE);
	CHECK_EQ(e->kind, MS_BPF_HASH_GROW);
	CHECK_EQ(e->entries, 13);
	CHECK_EQ(e->slots, 16);
	CHECK_EQ(e->flags, 4);
	CHECK_EQ(e->noverflow, 2);
	CHECK_EQ(e->table, 0xc000007000);
	CHECK_EQ(e->goid, GOID);
	CHECK_EQ(e->gopc, GOPC);
	CHECK_EQ(e->p, P_ID);
	CHECK_EQ(e->thread, THREAD);
	CHECK_EQ(e->unread, 0);
	CHECK_EQ(counted()->hits[MS_BPF_HASH_GROW], 1);
	CHECK_EQ(counted()->sent, 1);
}

/** Why it grows: its load, which Go 1.21 bounds at 12 for two buckets and all others at 13. */
MS_TEST(growth_bpf_load)
{
	set_up();
	hash_grow(&regs); // 13 of 16 slots, and one more.
	CHECK_EQ(event(0)->is_over, 1);
	classic.count = 12;
	hash_grow(&regs);
	CHECK_EQ(event(1)->is_over, 0);
	config.load = 12;
	hash_grow(&regs);
	CHECK_EQ(event(2)->is_over, 1);
	classic.bucket_log2 = 0;
	classic.count = 8;
	hash_grow(&regs);
	CHECK_EQ(event(3)->is_over, 1);
	classic.count = 7;
	hash_grow(&regs);
	CHECK_EQ(event(4)->is_over, 0);
}

MS_TEST(growth_bpf_tables)
{
	set_up_table();
	table_grow(&regs);
	CHECK_EQ(event(0)->map, MAP);
	CHECK_EQ(event(0)->table, TABLE);
	CHECK_EQ(event(0)->type, TYPE);
	CHECK_EQ(event(0)->entries, 900);
	CHECK_EQ(event(0)->table_entries, 448);
	CHECK_EQ(event(0)->slots, 512);
	CHECK_EQ(event(0)->directory, 4);
	table_split(&regs);
	CHECK_EQ(event(1)->kind, MS_BPF_TABLE_SPLIT);
	regs.ax = MAP;
	to_table(&regs);
	CHECK_EQ(event(2)->map, MAP);
	CHECK_EQ(event(2)->slots, 8);
	CHECK_EQ(event(2)->unread, 0);
}

MS_TEST(growth_bpf_small_is_counted_only)
{
	set_up_table();
	regs.ax = MAP;
	to_small(&regs);
	CHECK_EQ(host.ring_count, 0);
	CHECK_EQ(summed(), 0);
	CHECK_EQ(counted()->hits[MS_BPF_TO_SMALL], 1);
	config.small_events = 1;
	to_small(&regs);
	CHECK_EQ(event(0)->slots, 0);
	CHECK_EQ(counted()->hits[MS_BPF_TO_SMALL], 2);
}

/** The stack check's branch is taken, then the function is entered again. */
MS_TEST(growth_bpf_stack_check_comes_again)
{
	static const struct {
		uint32_t condition;
		unsigned long flags;
		bool is_sent_away;
	} cases[] = {
		{ MS_BPF_BELOW_EQUAL, CARRY, true },  { MS_BPF_BELOW_EQUAL, ZERO, true },
		{ MS_BPF_BELOW_EQUAL, 0x202, false }, { MS_BPF_BELOW, CARRY, true },
		{ MS_BPF_BELOW, ZERO, false },        { MS_BPF_NO_CONDITION, CARRY | ZERO, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_up();
		config.condition[MS_BPF_HASH_GROW] = cases[i].condition;
		regs.flags = cases[i].flags;
		hash_grow(&regs);
		CHECK_EQ(counted()->repeated, cases[i].is_sent_away);
		CHECK_EQ(counted()->hits[MS_BPF_HASH_GROW], !cases[i].is_sent_away);
		CHECK_EQ(host.ring_count, !cases[i].is_sent_away);
		regs.flags = 0;
		hash_grow(&regs);
		CHECK_EQ(counted()->hits[MS_BPF_HASH_GROW], 1 + !cases[i].is_sent_away);
	}
}

MS_TEST(growth_bpf_full_ring_is_summed)
{
	set_up();
	host.ring_room = 3;
	for (unsigned i = 0; i < 10; i++)
		hash_grow(&regs);
	CHECK_EQ(counted()->hits[MS_BPF_HASH_GROW], 10);
	CHECK_EQ(counted()->sent, 3);
	CHECK_EQ(counted()->no_room, 7);
	CHECK_EQ(summed(), 7);
	CHECK_EQ(host_map_of(&sums)->count, 1);
}

MS_TEST(growth_bpf_rate_is_bounded_in_each_window)
{
	set_up();
	config.window_events = 4;
	for (unsigned i = 0; i < 10; i++)
		hash_grow(&regs);
	CHECK_EQ(host.ring_count, 4);
	CHECK_EQ(counted()->over_rate, 6);
	host.now_ns += 100;
	for (unsigned i = 0; i < 10; i++)
		hash_grow(&regs);
	CHECK_EQ(host.ring_count, 8);
	CHECK_EQ(counted()->sent + summed(), 20);
}

MS_TEST(growth_bpf_sums_keep_apart_what_differs)
{
	const struct ms_bpf_sum_key *key;

	set_up();
	host.ring_room = 0;
	hash_grow(&regs); // 13 entries of 16 slots: over the load with one more.
	classic.count = 12;
	hash_grow(&regs); // Not over it: because of its overflow.
	host.stack[1] = 0x403457;
	hash_grow(&regs);
	CHECK_EQ(host_map_of(&sums)->count, 3);
	key = (const struct ms_bpf_sum_key *)host_map_of(&sums)->entries[0].key;
	CHECK_EQ(key->is_over, 1);
	key = (const struct ms_bpf_sum_key *)host_map_of(&sums)->entries[1].key;
	CHECK_EQ(key->is_over, 0);
	CHECK_EQ(key->map, MAP);
	CHECK_EQ(key->slots, 16);
}

MS_TEST(growth_bpf_no_room_anywhere_is_counted)
{
	set_up();
	host.ring_room = 0;
	host_map_of(&sums)->room = 1;
	hash_grow(&regs);
	classic.count = 12;
	hash_grow(&regs);
	hash_grow(&regs);
	CHECK_EQ(summed(), 1);
	CHECK_EQ(counted()->unsummed[MS_BPF_HASH_GROW], 2);
	CHECK_EQ(counted()->hits[MS_BPF_HASH_GROW], 3);
}

MS_TEST(growth_bpf_stacks)
{
	const struct ms_bpf_stack *s;

	set_up();
	hash_grow(&regs);
	hash_grow(&regs);
	CHECK_EQ(host_map_of(&stacks)->count, 1);
	CHECK(event(0)->stack != 0);
	CHECK_EQ(event(0)->stack, event(1)->stack);
	s = (const struct ms_bpf_stack *)host_map_of(&stacks)->entries[0].value;
	CHECK_EQ(s->caller, CALLER);
	CHECK_EQ(s->count, 2);
	CHECK_EQ(s->pcs[1], 0x403456);
	host.stack[1]++;
	hash_grow(&regs);
	CHECK(event(2)->stack != event(1)->stack);
	host_map_of(&stacks)->room = 2;
	host.stack[1]++;
	hash_grow(&regs);
	CHECK_EQ(event(3)->stack, 0);
	CHECK_EQ(event(3)->unread, MS_BPF_UNREAD_STACK);
	host.stack_count = 0;
	hash_grow(&regs);
	CHECK_EQ(event(4)->stack, 0);
}

/** Another thread's program was preempted while it unwound on this CPU. */
MS_TEST(growth_bpf_scratch_is_claimed)
{
	struct ms_bpf_stack *place;

	set_up();
	place = (struct ms_bpf_stack *)host_map_of(&scratch)->entries[0].value;
	place->busy = 1;
	hash_grow(&regs);
	CHECK_EQ(event(0)->unread, MS_BPF_UNREAD_STACK);
	CHECK_EQ(place->busy, 1);
	place->busy = 0;
	hash_grow(&regs);
	CHECK_EQ(event(1)->unread, 0);
	CHECK_EQ(place->busy, 0);
}

MS_TEST(growth_bpf_what_cannot_be_read_is_said)
{
	set_up_table();
	regs.ax = regs.cx = regs.r14 = 8;
	host.thread = 0;
	table_grow(&regs);
	CHECK_EQ(event(0)->unread, MS_BPF_UNREAD_MAP | MS_BPF_UNREAD_TABLE |
				       MS_BPF_UNREAD_GOROUTINE | MS_BPF_UNREAD_THREAD |
				       MS_BPF_UNREAD_P);
	CHECK_EQ(counted()->hits[MS_BPF_TABLE_GROW], 1);
	set_up();
	classic.bucket_log2 = 200; // No map has so many buckets.
	hash_grow(&regs);
	CHECK_EQ(event(0)->unread & MS_BPF_UNREAD_MAP, MS_BPF_UNREAD_MAP);
	config.g_gopc = UINT32_MAX; // A release that has no such field.
	hash_grow(&regs);
	CHECK_EQ(event(1)->unread & MS_BPF_UNREAD_GOROUTINE, MS_BPF_UNREAD_GOROUTINE);
}
