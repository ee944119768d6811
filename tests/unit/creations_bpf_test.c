// Goal: the kernel's side of maps being made sends each map with the type and hint of the call that
// made it, by the goroutine and the depth of its stack; what it cannot be sure of it only counts.
// Method: its source compiled as ordinary C over a kernel of arrays.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "tests/support/host_bpf.h"
#pragma GCC diagnostic pop

#include "tests/support/test.h"

static uint8_t reserved[2048];
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
#define LICENSE creations_license
#define ring creations_ring

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "trace/bpf/creations.bpf.c"
#pragma GCC diagnostic pop

enum {
	MAP = 0xc000001000,
	TYPE = 0x500000,
	HINT = 52,
	G = 0xc000003000,
	OTHER_G = 0xc000004000,
	STACK_END = 0xc000007000,
	DEPTH = 0x500,
	MOVED_END = 0xc000107000,
	CALLER = 0x402345,
	LOG2_AT = 9,
	CARRY = 1,
};

static struct {
	uint64_t count;
	uint8_t flags, log2;
} header;
static uint64_t stack_end;
static const uint64_t top_of_stack = CALLER;
static struct pt_regs regs;

static void set_up(void)
{
	memset(&host, 0, sizeof(host));
	header.count = 0;
	header.log2 = 3;
	stack_end = STACK_END;
	host_memory(MAP, &header, sizeof(header));
	host_memory(G, &stack_end, sizeof(stack_end));
	host_memory(OTHER_G, &stack_end, sizeof(stack_end));
	host_memory(STACK_END - DEPTH, &top_of_stack, sizeof(top_of_stack));
	host_memory(MOVED_END - DEPTH, &top_of_stack, sizeof(top_of_stack));
	host_map_add(&calls, sizeof(uint64_t), sizeof(struct ms_bpf_creation_call), 2);
	host.stack[0] = 0x40dfe4;
	host.stack[1] = 0x403456;
	host.stack_count = 2;
	host.now_ns = 5000;
	creations_config = (struct ms_bpf_creations_config){ .window_ns = 1000,
							     .window_events = 3,
							     .bucket_log2 = LOG2_AT };
	memset(&made, 0, sizeof(made));
	window_start = window_used = at_entry = 0;
	submitted = 0;
	has_room = true;
	cookie = MS_BPF_NO_CONDITION;
}

static void begin(uint64_t g, uint64_t hint)
{
	regs = (struct pt_regs){
		.ax = TYPE, .bx = hint, .r14 = g, .sp = STACK_END - DEPTH, .flags = regs.flags
	};
	CHECK_EQ(creation_begins(&regs), 0);
}

static void end(uint64_t g, uint64_t sp)
{
	regs = (struct pt_regs){ .ax = MAP, .bx = 99, .r14 = g, .sp = sp };
	CHECK_EQ(creation_returns(&regs), 0);
}

static const struct ms_bpf_creation *sent(void)
{
	return (const struct ms_bpf_creation *)reserved;
}

MS_TEST(a_map_is_sent_when_the_function_returns_it)
{
	set_up();
	begin(G, HINT);
	CHECK_EQ(submitted, 0);
	end(G, STACK_END - DEPTH);
	CHECK_EQ(submitted, 1);
	CHECK_EQ(sent()->time_ns, 5000);
	CHECK_EQ(sent()->map, MAP);
	CHECK_EQ(sent()->type, TYPE);
	CHECK_EQ(sent()->hint, HINT);
	CHECK_EQ(sent()->entries, 0);
	CHECK_EQ(sent()->bucket_log2, 3);
	CHECK_EQ(sent()->caller, CALLER);
	CHECK_EQ(sent()->count, 2);
	CHECK_EQ(made.begun, 1);
}

MS_TEST(a_call_is_told_from_those_of_other_goroutines)
{
	set_up();
	begin(G, HINT);
	begin(OTHER_G, 7);
	end(G, STACK_END - DEPTH);
	CHECK_EQ(sent()->hint, HINT);
	end(OTHER_G, STACK_END - DEPTH);
	CHECK_EQ(sent()->hint, 7);
	CHECK_EQ(submitted, 2);
}

MS_TEST(a_stack_that_was_moved_meanwhile_is_as_deep)
{
	set_up();
	begin(G, HINT);
	stack_end = MOVED_END;
	end(G, MOVED_END - DEPTH);
	CHECK_EQ(submitted, 1);
	CHECK_EQ(sent()->hint, HINT);
	CHECK_EQ(made.unmatched, 0);
}

MS_TEST(a_return_from_another_depth_has_no_hint)
{
	set_up();
	begin(G, HINT);
	end(G, STACK_END - DEPTH - 64);
	CHECK_EQ(submitted, 0);
	CHECK_EQ(made.unmatched, 1);
	end(G, STACK_END - DEPTH); // The call is over.
	CHECK_EQ(submitted, 0);
}

MS_TEST(a_call_that_begins_twice_is_the_last_one)
{
	set_up();
	begin(G, 1); // Its return was missed.
	begin(G, HINT);
	end(G, STACK_END - DEPTH);
	CHECK_EQ(submitted, 1);
	CHECK_EQ(sent()->hint, HINT);
}

MS_TEST(an_entry_that_comes_again_is_not_counted)
{
	set_up();
	cookie = MS_BPF_BELOW_EQUAL;
	regs.flags = CARRY;
	begin(G, HINT);
	CHECK_EQ(small_creation(&regs), 0);
	regs.flags = 0;
	CHECK_EQ(made.begun + made.small, 0);
	begin(G, HINT);
	CHECK_EQ(small_creation(&regs), 0);
	CHECK_EQ(made.begun, 1);
	CHECK_EQ(made.small, 1);
}

MS_TEST(beyond_the_rate_calls_are_counted_and_their_returns_find_no_older_one)
{
	set_up();
	for (unsigned i = 0; i < 3; i++)
		begin(G, 1);
	begin(G, HINT);
	CHECK_EQ(made.begun, 4);
	CHECK_EQ(made.over_rate, 1);
	end(G, STACK_END - DEPTH);
	CHECK_EQ(submitted, 0);
	host.now_ns += 1000; // The next window.
	begin(G, HINT);
	end(G, STACK_END - DEPTH);
	CHECK_EQ(submitted, 1);
}

MS_TEST(what_finds_no_place_is_counted)
{
	set_up();
	begin(G, 1);
	begin(OTHER_G, 2);
	begin(G + 8, 3); // Its stack's end cannot be read.
	CHECK_EQ(made.no_room, 1);
	has_room = false;
	end(G, STACK_END - DEPTH);
	CHECK_EQ(made.no_room, 2);
	CHECK_EQ(submitted, 0);
	CHECK_EQ(made.begun, 3);
}

MS_TEST(without_returns_a_call_is_sent_as_it_begins_without_its_map)
{
	set_up();
	at_entry = 1;
	begin(G, HINT);
	CHECK_EQ(submitted, 1);
	CHECK_EQ(sent()->map, 0);
	CHECK_EQ(sent()->hint, HINT);
	CHECK_EQ(sent()->entries, UINT64_MAX);
	CHECK_EQ(sent()->bucket_log2, UINT8_MAX);
}

MS_TEST(a_header_that_cannot_be_read_is_not_believed)
{
	set_up();
	begin(G, HINT);
	host.memory[0].size = 0;
	end(G, STACK_END - DEPTH);
	CHECK_EQ(submitted, 1);
	CHECK_EQ(sent()->entries, UINT64_MAX);
	CHECK_EQ(sent()->bucket_log2, UINT8_MAX);
}
