// Goal: what a goroutine is parked on, found through the sudog in its own frame or through
// g.waiting; and nothing at all where that memory is stale, torn, somebody else's, or endless.
// Method: a stack, a g and sudogs laid out by hand for Go 1.24, then damaged.
#include "goroutines/waits.h"

#include "tests/support/fake_functions.h"
#include "tests/support/test.h"

#include <stdlib.h>

#define GS ((ms_addr)0xc000200000)
#define SUDOGS ((ms_addr)0xc000300000)
#define LOCK_SEMA ((ms_addr)0xc000400004)
#define CHANNEL ((ms_addr)0xc000500000)

enum { PARK, SEMA, READ, MUTEX, WRITE, RECEIVE, SELECT, USER, GOEXIT, COUNT };
enum { SUDOG_BYTES = 256, SUDOG_COUNT = 80, SLOT = 3 };

static const struct fake_function list[COUNT] = {
	[PARK] = { .name = "runtime.gopark", .bytes = 64, .frame_bytes = 16, .line = 10 },
	[SEMA] = { .name = "runtime.semacquire1", .bytes = 64, .frame_bytes = 64, .line = 20 },
	[READ] = { .name = "sync.(*RWMutex).RLock", .bytes = 64, .frame_bytes = 16, .line = 30 },
	[MUTEX] = { .name = "sync.(*Mutex).lockSlow", .bytes = 64, .frame_bytes = 16, .line = 40 },
	[WRITE] = { .name = "sync.(*RWMutex).Lock", .bytes = 64, .frame_bytes = 16, .line = 50 },
	[RECEIVE] = { .name = "runtime.chanrecv", .bytes = 64, .frame_bytes = 16, .line = 60 },
	[SELECT] = { .name = "runtime.selectgo", .bytes = 64, .frame_bytes = 16, .line = 70 },
	[USER] = { .name = "main.(*It).get", .bytes = 64, .frame_bytes = 32, .line = 80 },
	[GOEXIT] = { .name = "runtime.goexit", .bytes = 32, .line = 90, .flags = 1 },
};

struct parked {
	struct fake_functions *fake;
	struct ms_waits waits;
	struct ms_goroutine g;
	struct ms_frames frames;
	uint8_t raw_g[512];
	uint8_t sudogs[SUDOG_COUNT * SUDOG_BYTES];
};

static ms_addr inside(unsigned function)
{
	ms_addr entry = FAKE_TEXT;

	for (unsigned i = 0; i < function; i++)
		entry += list[i].bytes;
	return entry + FAKE_PROLOGUE_BYTES + 8;
}

static void put_word(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static ms_addr sudog_at(unsigned index)
{
	return SUDOGS + (ms_addr)index * SUDOG_BYTES;
}

static void sudog_set(struct parked *p, unsigned index, ms_addr g, ms_addr elem, ms_addr channel,
		      ms_addr link)
{
	const struct ms_go_layout *l = p->fake->rt.layout;
	uint8_t *raw = p->sudogs + (size_t)index * SUDOG_BYTES;

	put_word(raw + l->sudog_g, g);
	put_word(raw + l->sudog_acquiretime - 8, elem);
	put_word(raw + l->sudog_size - 8, channel);
	put_word(raw + l->sudog_waitlink, link);
}

/** Where the wait's own frame keeps its sudog. */
static ms_addr *slot(struct parked *p)
{
	size_t at = (size_t)(p->g.sp - FAKE_STACK_LO) / 8 + list[PARK].frame_bytes / 8 + 1;

	return &p->fake->stack[at + SLOT];
}

static struct parked *parked_create(const unsigned *order, size_t count)
{
	struct parked *p = calloc(1, sizeof(*p));
	struct ms_unwinder *unwinder;
	const struct ms_go_layout *l;
	size_t at = 8;

	CHECK(p != NULL);
	p->fake = fake_functions_create(list, COUNT, MS_ARCH_AMD64);
	l = p->fake->rt.layout;
	p->g = (struct ms_goroutine){ .address = GS,
				      .id = 7,
				      .stack_lo = FAKE_STACK_LO,
				      .stack_hi = FAKE_STACK_LO + sizeof(p->fake->stack),
				      .sp = FAKE_STACK_LO + at * 8,
				      .pc = inside(order[0]),
				      .status = MS_GO_WAITING };
	for (size_t i = 0; i + 1 < count; i++) {
		at += list[order[i]].frame_bytes / 8;
		p->fake->stack[at++] = inside(order[i + 1]);
	}
	put_word(p->raw_g + l->g_sched_g, GS);
	put_word(p->raw_g + l->g_stack_lo, p->g.stack_lo);
	put_word(p->raw_g + l->g_stack_hi, p->g.stack_hi);
	put_word(p->raw_g + l->g_sched_sp, p->g.sp);
	put_word(p->raw_g + l->g_goid, p->g.id);
	p->raw_g[l->g_status] = MS_GO_WAITING;
	fake_target_map(&p->fake->fake, GS, p->raw_g, sizeof(p->raw_g), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(&p->fake->fake, SUDOGS, p->sudogs, sizeof(p->sudogs), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	CHECK_OK(ms_unwinder_create(&p->fake->rt, &unwinder));
	CHECK_OK(ms_unwind(unwinder, &p->g, &p->frames));
	ms_unwinder_destroy(unwinder);
	CHECK_OK(ms_waits_init(&p->waits, &p->fake->rt));
	return p;
}

static void parked_destroy(struct parked *p)
{
	ms_waits_deinit(&p->waits);
	fake_functions_destroy(p->fake);
	free(p);
}

static const struct ms_wait *find(struct parked *p)
{
	ms_waits_reset(&p->waits);
	CHECK_OK(ms_waits_add(&p->waits, &p->g, &p->frames, 0));
	CHECK_OK(ms_waits_find(&p->waits));
	CHECK_EQ(p->waits.count, 1);
	return &p->waits.items[0];
}

static const unsigned readers[] = { PARK, SEMA, READ, USER, GOEXIT };

MS_TEST(waits_find_a_semaphore_in_the_frame_that_waits)
{
	struct parked *p = parked_create(readers, MS_ARRAY_SIZE(readers));
	const struct ms_wait *wait;

	sudog_set(p, 1, GS, LOCK_SEMA, 0, 0);
	*slot(p) = sudog_at(1);
	wait = find(p);
	CHECK_EQ(wait->kind, MS_WAIT_READ);
	CHECK_EQ(wait->object, LOCK_SEMA);
	CHECK(!wait->ended && !wait->queues);
	CHECK_STR(wait->user, "main.(*It).get");
	parked_destroy(p);
}

MS_TEST(waits_believe_only_a_sudog_of_the_goroutine)
{
	struct parked *p = parked_create(readers, MS_ARRAY_SIZE(readers));

	*slot(p) = sudog_at(1);
	sudog_set(p, 1, GS + 512, LOCK_SEMA, 0, 0); // Somebody else's.
	CHECK_EQ(find(p)->object, 0);
	sudog_set(p, 1, GS, 0, 0, 0); // Given back already.
	CHECK_EQ(find(p)->object, 0);
	sudog_set(p, 1, GS, LOCK_SEMA + 1, 0, 0);
	CHECK_EQ(find(p)->object, 0);
	sudog_set(p, 1, GS, LOCK_SEMA, CHANNEL, 0); // Of a channel.
	CHECK_EQ(find(p)->object, 0);
	*slot(p) = SUDOGS - 4096; // Cannot be read.
	CHECK_EQ(find(p)->object, 0);
	*slot(p) = UINT64_MAX - 7;
	CHECK_EQ(find(p)->object, 0);
	parked_destroy(p);
}

MS_TEST(waits_tell_a_writer_behind_a_writer)
{
	static const unsigned queue[] = { PARK, SEMA, MUTEX, WRITE, USER, GOEXIT };
	static const unsigned first[] = { PARK, SEMA, WRITE, USER, GOEXIT };
	static const unsigned mutex[] = { PARK, SEMA, MUTEX, USER, WRITE, GOEXIT };
	static const struct {
		const unsigned *order;
		size_t count;
		enum ms_wait_kind kind;
		bool queues;
	} cases[] = { { queue, 6, MS_WAIT_WRITE, true },
		      { first, 5, MS_WAIT_WRITE, false },
		      // What stands beyond the program's own code has no say.
		      { mutex, 6, MS_WAIT_MUTEX, false } };

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct parked *p = parked_create(cases[i].order, cases[i].count);

		CHECK_EQ(find(p)->kind, cases[i].kind);
		CHECK_EQ(find(p)->queues, cases[i].queues);
		parked_destroy(p);
	}
}

MS_TEST(waits_say_nothing_of_one_that_went_on)
{
	struct parked *p = parked_create(readers, MS_ARRAY_SIZE(readers));
	const struct ms_go_layout *l = p->fake->rt.layout;

	sudog_set(p, 1, GS, LOCK_SEMA, 0, 0);
	*slot(p) = sudog_at(1);
	put_word(p->raw_g + l->g_sched_sp, p->g.sp + 64);
	CHECK(find(p)->ended);
	put_word(p->raw_g + l->g_sched_sp, p->g.sp);
	put_word(p->raw_g + l->g_goid, 8); // The g was given to another.
	CHECK(find(p)->ended);
	put_word(p->raw_g + l->g_goid, 7);
	CHECK(!find(p)->ended);
	parked_destroy(p);
}

MS_TEST(waits_find_channels_and_what_a_select_chooses_from)
{
	static const unsigned receive[] = { PARK, RECEIVE, USER, GOEXIT };
	static const unsigned select[] = { PARK, SELECT, USER, GOEXIT };
	struct parked *p = parked_create(receive, MS_ARRAY_SIZE(receive));
	const struct ms_wait *wait;

	put_word(p->raw_g + p->fake->rt.layout->g_waiting, sudog_at(2));
	sudog_set(p, 2, GS, 0, CHANNEL, 0);
	CHECK_EQ(find(p)->kind, MS_WAIT_RECEIVE);
	CHECK_EQ(find(p)->object, CHANNEL);
	parked_destroy(p);

	p = parked_create(select, MS_ARRAY_SIZE(select));
	put_word(p->raw_g + p->fake->rt.layout->g_waiting, sudog_at(2));
	sudog_set(p, 2, GS, 0, CHANNEL, sudog_at(3));
	sudog_set(p, 3, GS, 0, CHANNEL + 96, 0);
	wait = find(p);
	CHECK_EQ(wait->choices, 2);
	CHECK_EQ(p->waits.choices.items[wait->first_choice].channel, CHANNEL);
	CHECK_EQ(p->waits.choices.items[wait->first_choice + 1].channel, CHANNEL + 96);
	parked_destroy(p);
}

MS_TEST(waits_come_to_an_end_where_a_select_does_not)
{
	static const unsigned select[] = { PARK, SELECT, USER, GOEXIT };
	struct parked *p = parked_create(select, MS_ARRAY_SIZE(select));

	put_word(p->raw_g + p->fake->rt.layout->g_waiting, sudog_at(2));
	sudog_set(p, 2, GS, 0, CHANNEL, sudog_at(3));
	sudog_set(p, 3, GS, 0, CHANNEL, sudog_at(2));
	CHECK(find(p)->choices <= 64);
	parked_destroy(p);
}
