// Goal: what a function's code says it holds at an instruction: certain only where every way there
// leads through Lock and none through Unlock since; anything that could give it back unseen makes
// it uncertain.
// Method: small functions put together from machine code by hand, for amd64.
#include "goroutines/lock_code.h"

#include "tests/support/fake_code.h"
#include "tests/support/test.h"

#include <stdlib.h>

enum { LOCK, UNLOCK, RLOCK, RUNLOCK, TRYLOCK, DEFERRETURN, OTHER, IT, COUNT, CODE_BYTES = 256 };

static const struct fake_function list[COUNT] = {
	[LOCK] = { .name = "sync.(*RWMutex).Lock", .bytes = 32, .frame_bytes = 16, .line = 10 },
	[UNLOCK] = { .name = "sync.(*RWMutex).Unlock", .bytes = 32, .frame_bytes = 16, .line = 10 },
	[RLOCK] = { .name = "sync.(*RWMutex).RLock", .bytes = 32, .frame_bytes = 16, .line = 10 },
	[RUNLOCK] = { .name = "sync.(*RWMutex).RUnlock",
		      .bytes = 32,
		      .frame_bytes = 16,
		      .line = 10 },
	[TRYLOCK] = { .name = "sync.(*RWMutex).TryLock",
		      .bytes = 32,
		      .frame_bytes = 16,
		      .line = 10 },
	[DEFERRETURN] = { .name = "runtime.deferreturn",
			  .bytes = 32,
			  .frame_bytes = 16,
			  .line = 10 },
	[OTHER] = { .name = "main.other", .bytes = 32, .frame_bytes = 16, .line = 10 },
	[IT] = { .name = "main.it", .bytes = CODE_BYTES, .frame_bytes = 32, .line = 20 },
};

struct code {
	struct fake_code *it; // main.it.
	struct ms_lock_code *locks;
};

static struct code *code_create(void)
{
	struct code *c = calloc(1, sizeof(*c));

	CHECK(c != NULL);
	c->it = fake_code_create(list, COUNT, IT);
	return c;
}

static void code_destroy(struct code *c)
{
	ms_lock_code_destroy(c->locks);
	fake_code_destroy(c->it);
	free(c);
}

static size_t put(struct code *c, const void *bytes, size_t size)
{
	return fake_code_put(c->it, bytes, size);
}

/** A call; where it is. */
static size_t call(struct code *c, unsigned function)
{
	return fake_code_call(c->it, function);
}

/** lea rax, [rcx + offset]: the lock to be handed over. */
static void argument(struct code *c, uint8_t offset)
{
	put(c, (uint8_t[]){ 0x48, 0x8d, 0x41, offset }, 4);
}

/** je over what follows; to be ended by here. */
static size_t branch(struct code *c)
{
	return put(c, (uint8_t[]){ 0x74, 0 }, 2);
}

static void here(struct code *c, size_t from)
{
	*fake_code_at(c->it, from + 1) = (uint8_t)(c->it->used - from - 2);
}

static void end(struct code *c)
{
	put(c, (uint8_t[]){ 0xc3 }, 1);
	fake_code_map(c->it);
	CHECK_OK(ms_lock_code_create(&c->it->fake->rt, c->it->functions, &c->locks));
}

static const struct ms_lock_at *ask(struct code *c, size_t at)
{
	const struct ms_lock_at *said;

	// As a frame does: a byte of the call that has not returned.
	CHECK_OK(ms_lock_code_at(c->locks, &c->it->functions->items[IT],
				 fake_code_entry(c->it, IT) + at + 4, &said));
	return said;
}

static void check(struct code *c, size_t at, enum ms_lock_class class, unsigned hold)
{
	const struct ms_lock_at *said = ask(c, at);

	CHECK(said != NULL);
	CHECK_EQ(said->hold[class], hold);
}

MS_TEST(lock_code_knows_what_is_between_lock_and_unlock)
{
	struct code *c = code_create();
	size_t before = call(c, OTHER), take, inside, give, after;

	argument(c, 0x18);
	take = call(c, LOCK);
	inside = call(c, OTHER);
	argument(c, 0x18);
	give = call(c, UNLOCK);
	after = call(c, OTHER);
	end(c);
	check(c, before, MS_LOCK_WRITE, MS_HOLD_NONE);
	check(c, take, MS_LOCK_WRITE, MS_HOLD_NONE | MS_HOLD_ACQUIRING);
	check(c, inside, MS_LOCK_WRITE, MS_HOLD_HELD);
	check(c, give, MS_LOCK_WRITE, MS_HOLD_NONE);
	check(c, after, MS_LOCK_WRITE, MS_HOLD_NONE);
	check(c, inside, MS_LOCK_READ, MS_HOLD_NONE);
	check(c, inside, MS_LOCK_MUTEX, MS_HOLD_NONE);
	code_destroy(c);
}

MS_TEST(lock_code_tells_where_the_lock_is_from_its_pointer)
{
	struct code *c = code_create();
	const struct ms_lock_at *said;
	bool found = false;
	size_t inside;

	argument(c, 0x18);
	call(c, RLOCK);
	inside = call(c, OTHER);
	call(c, RUNLOCK);
	end(c);
	said = ask(c, inside);
	CHECK(said && said->hold[MS_LOCK_READ] == MS_HOLD_HELD);
	for (size_t i = 0; i < said->operands[MS_LOCK_READ].count; i++)
		found |= said->operands[MS_LOCK_READ].items[i].offset == 0x18 &&
			 !said->operands[MS_LOCK_READ].items[i].is_absolute;
	CHECK(found);
	CHECK_EQ(said->operands[MS_LOCK_WRITE].count, 0);
	code_destroy(c);
}

MS_TEST(lock_code_is_not_certain_of_what_is_taken_sometimes)
{
	struct code *c = code_create();
	size_t skip = branch(c), inside;

	call(c, LOCK);
	here(c, skip);
	inside = call(c, OTHER);
	end(c);
	check(c, inside, MS_LOCK_WRITE, MS_HOLD_NONE | MS_HOLD_HELD);
	code_destroy(c);
}

MS_TEST(lock_code_is_certain_when_the_way_that_gave_it_back_has_left)
{
	struct code *c = code_create();
	size_t skip, early, late;

	call(c, LOCK);
	skip = branch(c);
	call(c, UNLOCK);
	early = call(c, OTHER);
	put(c, (uint8_t[]){ 0xc3 }, 1);
	here(c, skip);
	late = call(c, OTHER);
	call(c, UNLOCK);
	end(c);
	check(c, early, MS_LOCK_WRITE, MS_HOLD_NONE);
	check(c, late, MS_LOCK_WRITE, MS_HOLD_HELD);
	code_destroy(c);
}

MS_TEST(lock_code_sees_a_callers_lock_given_back_and_taken_again)
{
	struct code *c = code_create();
	size_t outside, after;

	call(c, UNLOCK);
	outside = call(c, OTHER);
	call(c, LOCK);
	after = call(c, OTHER);
	end(c);
	check(c, outside, MS_LOCK_WRITE, MS_HOLD_RELEASED);
	check(c, after, MS_LOCK_WRITE, MS_HOLD_NONE);
	code_destroy(c);
}

MS_TEST(lock_code_is_not_certain_behind_trylock)
{
	struct code *c = code_create();
	size_t inside;

	call(c, TRYLOCK);
	inside = call(c, OTHER);
	end(c);
	check(c, inside, MS_LOCK_WRITE, MS_HOLD_NONE | MS_HOLD_HELD);
	code_destroy(c);
}

MS_TEST(lock_code_is_not_certain_behind_a_closure_or_deferreturn)
{
	static const uint8_t closure[] = { 0x48, 0x8b, 0x32, 0xff,
					   0xd6 }; // mov rsi,[rdx]; call rsi
	static const uint8_t interface[] = { 0x48, 0x8b, 0x71, 0x18, 0xff, 0xd6 };

	for (unsigned kind = 0; kind < 3; kind++) {
		struct code *c = code_create();
		size_t inside;

		call(c, RLOCK);
		if (kind == 0)
			put(c, closure, sizeof(closure));
		else if (kind == 1)
			call(c, DEFERRETURN);
		else
			put(c, interface, sizeof(interface)); // A method: that gives nothing back.
		inside = call(c, OTHER);
		call(c, RUNLOCK);
		end(c);
		check(c, inside, MS_LOCK_READ,
		      kind == 2 ? MS_HOLD_HELD : MS_HOLD_HELD | MS_HOLD_NONE);
		code_destroy(c);
	}
}

MS_TEST(lock_code_is_not_certain_of_what_is_not_given_back_from_there)
{
	struct code *c = code_create();
	size_t first, second, deferred;

	call(c, LOCK);
	first = call(c, OTHER); // This, or who was called before, gave it back unseen: it is taken
	call(c, LOCK);          // again.
	call(c, UNLOCK);
	call(c, LOCK);
	second = call(c, OTHER);
	end(c);
	check(c, first, MS_LOCK_WRITE, MS_HOLD_NONE | MS_HOLD_HELD);
	check(c, second, MS_LOCK_WRITE, MS_HOLD_NONE | MS_HOLD_HELD);
	code_destroy(c);

	c = code_create();
	call(c, LOCK);
	deferred = call(c, OTHER);
	call(c, DEFERRETURN);
	end(c);
	check(c, deferred, MS_LOCK_WRITE, MS_HOLD_HELD);
	code_destroy(c);
}

MS_TEST(lock_code_knows_nothing_behind_a_jump_through_a_table)
{
	struct code *c = code_create();
	size_t inside;

	call(c, LOCK);
	inside = call(c, OTHER);
	put(c, (uint8_t[]){ 0xff, 0xe0 }, 2); // jmp rax
	end(c);
	check(c, inside, MS_LOCK_WRITE, MS_HOLD_NONE | MS_HOLD_HELD | MS_HOLD_RELEASED);
	code_destroy(c);
}

MS_TEST(lock_code_follows_loops_to_their_end)
{
	struct code *c = code_create();
	size_t top, inside;

	call(c, LOCK);
	top = c->it->used;
	inside = call(c, OTHER);
	call(c, UNLOCK);
	call(c, LOCK);
	put(c, (uint8_t[]){ 0x75, (uint8_t)(top - c->it->used - 2) }, 2); // jne
	end(c);
	// Two places take it; the pointer may be another at each, so that neither's words count.
	CHECK_EQ(ask(c, inside)->hold[MS_LOCK_WRITE], MS_HOLD_HELD);
	code_destroy(c);
}

MS_TEST(lock_code_passes_over_functions_without_locks)
{
	struct code *c = code_create();
	size_t inside = call(c, OTHER);

	end(c);
	CHECK(ask(c, inside) == NULL);
	code_destroy(c);
}

MS_TEST(lock_code_bears_any_bytes)
{
	for (unsigned round = 0; round < 200; round++) {
		struct code *c = code_create();
		uint8_t bytes[CODE_BYTES - 16];

		call(c, LOCK);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)ms_test_random();
		put(c, bytes, sizeof(bytes));
		end(c);
		(void)ask(c, ms_test_random() % (CODE_BYTES - 8));
		code_destroy(c);
	}
}
