// Goal: the kernel's side of a write burst sends each write of the one map as it begins, with the
// mark that somebody else is writing; nothing of other maps, and no more than it is told.
// Method: its source compiled as ordinary C over a kernel of arrays.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "tests/support/host_bpf.h"
#pragma GCC diagnostic pop

#include "tests/support/test.h"

static uint8_t reserved[1024];
static bool has_room;
static size_t submitted;
static uint64_t cookie;

static void *bpf_ringbuf_reserve(const void *ring, __u64 size, __u64 flags)
{
	(void)ring;
	(void)flags;
	CHECK(size <= sizeof(reserved));
	memset(reserved, 0xa5, sizeof(reserved)); // As rings are, it holds what was there before.
	return has_room ? reserved : NULL;
}

static void bpf_ringbuf_submit(void *data, __u64 flags)
{
	CHECK(data == (void *)reserved);
	CHECK_EQ(flags, BPF_RB_NO_WAKEUP);
	submitted++;
}

static uint64_t bpf_get_attach_cookie(void *ctx)
{
	(void)ctx;
	return cookie;
}

// Other programs have them, too.
#define LICENSE writes_license
#define ring writes_ring

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "trace/bpf/writes.bpf.c"
#pragma GCC diagnostic pop

enum {
	MAP = 0xc000001000,
	TYPE = 0x500000,
	G = 0xc000003000,
	SP = 0xc000006000,
	GOID = 17,
	CALLER = 0x402345,
	THREAD = 4711,
	MARK_AT = 8,
	MARK_BIT = 4,
	CARRY = 1,
};

static struct {
	uint64_t count;
	uint8_t flags;
} header;
static const uint64_t goid = GOID, top_of_stack = CALLER;
static struct pt_regs regs;

static void set_up(void)
{
	memset(&host, 0, sizeof(host));
	header.flags = 1; // An iterator's.
	host_memory(MAP, &header, sizeof(header));
	host_memory(G, &goid, sizeof(goid));
	host_memory(SP, &top_of_stack, sizeof(top_of_stack));
	host.stack[0] = 0x40dfe4;
	host.stack[1] = 0x403456;
	host.stack_count = 2;
	host.now_ns = 1000;
	host.thread = THREAD;
	config = (struct ms_bpf_writes_config){
		.map = MAP, .hits_max = 3, .mark = MARK_AT, .mark_bits = MARK_BIT
	};
	hits = no_room = submitted = 0;
	has_room = true;
	cookie = MS_BPF_NO_CONDITION;
	regs = (struct pt_regs){ .ax = TYPE, .bx = MAP, .r14 = G, .sp = SP };
}

static const struct ms_bpf_write *sent(void)
{
	return (const struct ms_bpf_write *)reserved;
}

MS_TEST(a_write_of_the_map_is_sent_as_it_begins)
{
	set_up();
	CHECK_EQ(map_write(&regs), 0);
	CHECK_EQ(submitted, 1);
	CHECK_EQ(sent()->time_ns, 1000);
	CHECK_EQ(sent()->type, TYPE);
	CHECK_EQ(sent()->goid, GOID);
	CHECK_EQ(sent()->caller, CALLER);
	CHECK_EQ(sent()->thread, THREAD);
	CHECK_EQ(sent()->is_marked, 0);
	CHECK_EQ(sent()->count, 2);
	CHECK_EQ(sent()->pcs[1], 0x403456);
}

MS_TEST(a_mark_of_somebody_else_s_write_is_seen)
{
	set_up();
	header.flags = 1 | MARK_BIT;
	CHECK_EQ(map_write(&regs), 0);
	CHECK_EQ(sent()->is_marked, 1);
}

MS_TEST(writes_of_other_maps_and_repeated_hits_are_not_sent)
{
	set_up();
	regs.bx = MAP + 48;
	CHECK_EQ(map_write(&regs), 0);
	regs.bx = MAP;
	cookie = MS_BPF_BELOW_EQUAL;
	regs.flags = CARRY; // The stack is too short: it comes again.
	CHECK_EQ(map_write(&regs), 0);
	CHECK_EQ(submitted, 0);
	CHECK_EQ(hits, 0);
	regs.flags = 0;
	CHECK_EQ(map_write(&regs), 0);
	CHECK_EQ(submitted, 1);
}

MS_TEST(no_more_is_sent_than_was_asked_for_or_has_room)
{
	set_up();
	has_room = false;
	CHECK_EQ(map_write(&regs), 0);
	CHECK_EQ(no_room, 1);
	has_room = true;
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(map_write(&regs), 0);
	CHECK_EQ(submitted, 2);
	CHECK_EQ(hits, 6);
}

MS_TEST(what_cannot_be_read_is_not_told)
{
	set_up();
	host.memory_count = 0;
	host.thread = 0;
	host.stack_count = 0;
	CHECK_EQ(map_write(&regs), 0);
	CHECK_EQ(submitted, 1);
	CHECK_EQ(sent()->goid, 0);
	CHECK_EQ(sent()->caller, 0);
	CHECK_EQ(sent()->thread, 0);
	CHECK_EQ(sent()->is_marked, 0);
	CHECK_EQ(sent()->count, 0);
}
