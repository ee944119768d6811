// Goal: the frames of a goroutine that rests, from where it was left to the end of its stack, and
// for every other stack the reason why there are no more.
// Method: stacks laid out by hand over a made function table, on both architectures.
#include "golang/unwind.h"

#include "tests/support/fake_functions.h"
#include "tests/support/test.h"

#include <stdlib.h>

enum { GOEXIT, GOPARK, RECEIVE, WORKER, SIGPANIC, SWITCH, FOREIGN, COUNT };

static const struct fake_function list[COUNT] = {
	[GOEXIT] = { .name = "runtime.goexit", .bytes = 32, .line = 10, .flags = 1 },
	[GOPARK] = { .name = "runtime.gopark", .bytes = 64, .frame_bytes = 32, .line = 20 },
	[RECEIVE] = { .name = "runtime.chanrecv1", .bytes = 64, .frame_bytes = 16, .line = 30 },
	[WORKER] = { .name = "main.worker", .bytes = 64, .frame_bytes = 48, .line = 40 },
	[SIGPANIC] = { .name = "runtime.sigpanic", .bytes = 64, .frame_bytes = 16, .line = 50 },
	[SWITCH] = { .name = "runtime.systemstack",
		     .bytes = 64,
		     .frame_bytes = 16,
		     .line = 60,
		     .flags = 2 },
	[FOREIGN] = { .name = "main._cgo_call", .bytes = 64, .frame_bytes = 1, .line = 70 },
};

struct stack {
	struct fake_functions *fake;
	struct ms_unwinder *unwinder;
	struct ms_goroutine g;
	struct ms_frames frames;
};

static ms_addr inside(unsigned function)
{
	ms_addr entry = FAKE_TEXT;

	for (unsigned i = 0; i < function; i++)
		entry += list[i].bytes;
	return entry + FAKE_PROLOGUE_BYTES + 8;
}

/** Lay out the callers of @p order[0], innermost first, as amd64 does. */
static struct stack *stack_make(const unsigned *order, size_t count)
{
	struct stack *s = calloc(1, sizeof(*s));
	size_t at = 8;

	CHECK(s != NULL);
	s->fake = fake_functions_create(list, COUNT, MS_ARCH_AMD64);
	CHECK_OK(ms_unwinder_create(&s->fake->rt, &s->unwinder));
	s->g = (struct ms_goroutine){ .stack_lo = FAKE_STACK_LO,
				      .stack_hi = FAKE_STACK_LO + sizeof(s->fake->stack),
				      .sp = FAKE_STACK_LO + at * 8,
				      .pc = inside(order[0]),
				      .status = MS_GO_WAITING };
	for (size_t i = 0; i + 1 < count; i++) {
		at += list[order[i]].frame_bytes / 8;
		s->fake->stack[at++] = inside(order[i + 1]);
	}
	return s;
}

static void stack_drop(struct stack *s)
{
	ms_unwinder_destroy(s->unwinder);
	fake_functions_destroy(s->fake);
	free(s);
}

static void check_frames(const struct stack *s, const unsigned *order, size_t count)
{
	CHECK_EQ(s->frames.count, count);
	for (size_t i = 0; i < count; i++)
		CHECK_STR(s->frames.items[i].function->name, list[order[i]].name);
}

MS_TEST(a_goroutine_that_rests_is_unwound_to_its_end)
{
	static const unsigned order[] = { GOPARK, RECEIVE, WORKER, WORKER, GOEXIT };
	struct stack *s = stack_make(order, 5);

	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_TOP);
	check_frames(s, order, 5);
	CHECK_EQ(s->frames.items[0].sp, s->g.sp);
	CHECK_EQ(s->frames.items[0].end, s->g.sp + 32);
	CHECK_EQ(s->frames.items[1].sp, s->g.sp + 40);
	CHECK(s->frames.items[3].is_return);
	CHECK_EQ(ms_frame_call_pc(&s->frames.items[3]), inside(WORKER) - 1);
	CHECK_EQ(s->frames.by_frame_pointer, 0);
	stack_drop(s);
}

MS_TEST(an_address_on_a_stack_belongs_to_the_program_s_frame_around_it)
{
	static const unsigned order[] = { GOPARK, RECEIVE, WORKER, GOEXIT };
	struct stack *s = stack_make(order, 4);
	const struct ms_frame *worker;

	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	worker = &s->frames.items[2];
	CHECK(ms_unwind_owner(&s->frames, s->g.sp) == worker);
	CHECK(ms_unwind_owner(&s->frames, worker->sp) == worker);
	CHECK(ms_unwind_owner(&s->frames, worker->end + 7) == worker);
	CHECK(!ms_unwind_owner(&s->frames, worker->end + 8)); // goexit's.
	CHECK(!ms_unwind_owner(&s->frames, s->g.sp - 1));
	CHECK(!ms_unwind_owner(&s->frames, s->g.stack_hi));
	stack_drop(s);
}

MS_TEST(below_a_signal_stands_the_instruction_itself)
{
	static const unsigned order[] = { GOPARK, SIGPANIC, WORKER, GOEXIT };
	struct stack *s = stack_make(order, 4);

	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	check_frames(s, order, 4);
	CHECK(!s->frames.items[2].is_return);
	CHECK_EQ(ms_frame_call_pc(&s->frames.items[2]), inside(WORKER));
	stack_drop(s);
}

MS_TEST(each_end_of_a_stack_has_its_reason)
{
	static const unsigned switched[] = { GOPARK, SWITCH, WORKER, GOEXIT };
	static const unsigned cut[] = { GOPARK, WORKER };
	struct stack *s = stack_make(switched, 4);

	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_SWITCHED);
	CHECK_EQ(s->frames.count, 2);
	s->g.status = MS_GO_RUNNING;
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_RUNNING);
	CHECK_EQ(s->frames.count, 0);
	stack_drop(s);

	s = stack_make(cut, 2);
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_NO_FUNCTION); // The word behind is 0.
	check_frames(s, cut, 2);
	s->g.stack_hi = s->g.sp + 32;
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_OFF_STACK);
	s->g.sp |= 4;
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_OFF_STACK);
	s->g.stack_lo = s->g.sp = 0x1000;
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_UNREADABLE);
	CHECK_EQ(s->frames.count, 1);
	stack_drop(s);
}

MS_TEST(a_stack_of_too_many_frames_ends_at_the_bound)
{
	static const unsigned order[] = { GOPARK };
	const ms_addr entry = FAKE_TEXT + list[GOEXIT].bytes; // Of gopark: no frame there yet.
	struct stack *s = stack_make(order, 1);

	for (size_t i = 0; i < FAKE_STACK_WORDS; i++)
		s->fake->stack[i] = entry;
	s->g.pc = entry;
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_LIMIT);
	CHECK_EQ(s->frames.count, MS_FRAMES_MAX);
	stack_drop(s);
}

MS_TEST(the_frame_pointer_helps_where_the_table_is_silent)
{
	static const unsigned order[] = { FOREIGN };
	struct stack *s = stack_make(order, 1);
	ms_addr *words = s->fake->stack;

	words[20] = FAKE_STACK_LO + 30 * 8;
	words[21] = inside(WORKER);
	words[22 + 6] = inside(GOEXIT);
	s->g.bp = FAKE_STACK_LO + 20 * 8;
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_TOP);
	CHECK_EQ(s->frames.count, 3);
	CHECK_EQ(s->frames.by_frame_pointer, 1);
	s->g.bp = FAKE_STACK_LO; // Below the stack pointer: of an earlier stop.
	CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
	CHECK_EQ(s->frames.ended, MS_UNWIND_NO_FRAME);
	stack_drop(s);
}

MS_TEST(arm64_keeps_the_return_address_at_the_stack_pointer)
{
	struct fake_functions *fake = fake_functions_create(list, COUNT, MS_ARCH_ARM64);
	struct ms_goroutine g = { .stack_lo = FAKE_STACK_LO,
				  .stack_hi = FAKE_STACK_LO + sizeof(fake->stack),
				  .sp = FAKE_STACK_LO,
				  .pc = inside(GOPARK),
				  .status = MS_GO_WAITING };
	struct ms_unwinder *u;
	struct ms_frames frames;

	CHECK_OK(ms_unwinder_create(&fake->rt, &u));
	fake->stack[0] = inside(WORKER);
	fake->stack[4] = inside(GOEXIT);
	CHECK_OK(ms_unwind(u, &g, &frames));
	CHECK_EQ(frames.ended, MS_UNWIND_TOP);
	CHECK_EQ(frames.count, 3);
	CHECK_EQ(frames.items[1].sp, FAKE_STACK_LO + 32);
	CHECK_EQ(frames.items[1].end, FAKE_STACK_LO + 80);
	g.pc =
	    inside(WORKER) - 8 - FAKE_PROLOGUE_BYTES; // Not begun: its caller is in the register.
	g.lr = inside(GOEXIT);
	CHECK_OK(ms_unwind(u, &g, &frames));
	CHECK_EQ(frames.ended, MS_UNWIND_TOP);
	CHECK_EQ(frames.count, 2);
	CHECK(!frames.items[0].is_return);
	ms_unwinder_destroy(u);
	fake_functions_destroy(fake);
}

MS_TEST(a_stack_of_noise_ends)
{
	static const unsigned order[] = { GOPARK, GOEXIT };
	struct stack *s = stack_make(order, 2);
	ms_addr text = inside(COUNT) - inside(0);

	for (unsigned round = 0; round < 2000; round++) {
		for (size_t i = 0; i < FAKE_STACK_WORDS; i++) {
			uint64_t r = ms_test_random();

			s->fake->stack[i] =
			    r & 1 ? FAKE_TEXT + (r >> 8) % text : FAKE_STACK_LO + (r >> 8) % 8192;
		}
		s->g.pc = FAKE_TEXT + ms_test_random() % text;
		s->g.sp = FAKE_STACK_LO + ms_test_random() % 8192;
		s->g.bp = FAKE_STACK_LO + ms_test_random() % 8192;
		CHECK_OK(ms_unwind(s->unwinder, &s->g, &s->frames));
		CHECK(s->frames.count <= MS_FRAMES_MAX);
		CHECK(ms_unwind_end_text(s->frames.ended) != NULL);
		ms_unwind_owner(&s->frames, s->g.sp);
	}
	stack_drop(s);
}

MS_TEST(a_target_that_ends_while_it_is_unwound_is_an_error)
{
	static const unsigned order[] = { GOPARK, WORKER, GOEXIT };
	struct stack *s = stack_make(order, 3);

	fake_target_gone_after(&s->fake->fake, 0);
	CHECK_ERR(ms_unwind(s->unwinder, &s->g, &s->frames), MS_ERR_GONE);
	stack_drop(s);
}

/** Raw g's beside the stack, as many as wanted, all at the same place of it. */
struct crowd {
	uint8_t raw[3][512];
	unsigned taken, complete;
	bool moves;
};

#define CROWD ((ms_addr)0xc000200000)

static void crowd_put(struct crowd *c, const struct ms_go_layout *l, const struct stack *s)
{
	for (unsigned i = 0; i < 3; i++) {
		const ms_addr words[][2] = {
			{ l->g_stack_lo, s->g.stack_lo },
			{ l->g_stack_hi, s->g.stack_hi },
			{ l->g_sched_sp, s->g.sp },
			{ l->g_sched_pc, s->g.pc },
			{ l->g_goid, i + 1 },
			{ l->g_status, MS_GO_WAITING },
			{ l->g_sched_g, CROWD + i * 512 },
		};

		for (size_t w = 0; w < MS_ARRAY_SIZE(words); w++)
			memcpy(c->raw[i] + words[w][0], &words[w][1],
			       words[w][0] == l->g_status ? 4 : 8);
	}
}

static struct ms_error *crowd_take(const struct ms_goroutine *g, const struct ms_frames *frames,
				   void *context)
{
	struct crowd *c = context;

	c->taken++;
	c->complete += frames->ended == MS_UNWIND_TOP && frames->count == 3;
	if (c->moves && g->id == 3) {
		CHECK_EQ(frames->ended, MS_UNWIND_MOVED);
		CHECK_EQ(frames->count, 0);
	}
	return NULL;
}

/** The third goroutine waits anew each time that it is read. */
static void crowd_move(void *arg, uint64_t index, const struct ms_read *read)
{
	struct crowd *c = arg;

	if (c->moves && read->addr < CROWD + 3 * 512 &&
	    read->addr + read->size > CROWD + 2 * 512) // Alone, or together with its neighbours.
		memcpy(c->raw[2] + ms_go_layout_find(MS_GO(1, 24), MS_ARCH_AMD64, MS_GO_EXP_SWISS)
				       ->g_waitsince,
		       &index, 8);
}

MS_TEST(a_goroutine_that_goes_on_meanwhile_is_told_from_those_that_rest)
{
	static const unsigned order[] = { GOPARK, WORKER, GOEXIT };
	struct stack *s = stack_make(order, 3);
	const struct ms_go_layout *l = s->fake->rt.layout;
	struct ms_goroutine items[3];
	struct ms_goroutines all = { .items = items, .count = 3 };

	for (unsigned moves = 0; moves < 2; moves++) {
		struct crowd c = { .moves = moves };

		crowd_put(&c, l, s);
		fake_target_map(&s->fake->fake, CROWD, c.raw, sizeof(c.raw), MS_REGION_ANON,
				MS_PROT_READ | MS_PROT_WRITE);
		for (unsigned i = 0; i < 3; i++)
			CHECK_OK(ms_goroutine_reread(&s->fake->rt, CROWD + i * 512, &items[i]));
		fake_target_before_read(&s->fake->fake, crowd_move, &c);
		CHECK_OK(ms_unwind_each(s->unwinder, &all, crowd_take, &c));
		CHECK_EQ(c.taken, 3);
		CHECK_EQ(c.complete, moves ? 2 : 3);
		fake_target_before_read(&s->fake->fake, NULL, NULL);
		fake_target_unmap(&s->fake->fake, CROWD);
	}
	stack_drop(s);
}
