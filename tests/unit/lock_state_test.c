// Goal: the words of locks in every state that sync brings them into, and none that it does not.
// Method: states written down by hand, by the rules in sync/mutex.go and sync/rwmutex.go.
#include "goroutines/lock_state.h"

#include "tests/support/test.h"

static const struct ms_lock_layout layout = {
	.has_mutex = true,
	.has_rw = true,
	.mutex_state = 0,
	.mutex_sema = 4,
	.mutex_bytes = 8,
	.rw_writer = 0,
	.rw_writer_sem = 8,
	.rw_reader_sem = 12,
	.rw_reader_count = 16,
	.rw_reader_wait = 20,
	.rw_bytes = 24,
};

static bool rw(int32_t count, int32_t wait, struct ms_lock_state *ret_state)
{
	uint8_t raw[24] = { 0 };

	memcpy(raw + 16, &count, sizeof(count));
	memcpy(raw + 20, &wait, sizeof(wait));
	return ms_lock_rw_parse(&layout, raw, ret_state);
}

MS_TEST(lock_state_of_a_mutex)
{
	static const struct {
		uint32_t state;
		bool locked, starving;
	} cases[] = { { 0, false, false },    { 1, true, false },      { 2, false, false },
		      { 8 | 1, true, false }, { 8 | 2, false, false }, { 8 | 4, false, true },
		      { 80 | 5, true, true } };

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		uint8_t raw[8] = { 0 };
		struct ms_lock_state s;

		memcpy(raw, &cases[i].state, sizeof(cases[i].state));
		s = ms_lock_mutex_parse(&layout, raw);
		CHECK_EQ(s.is_locked, cases[i].locked);
		CHECK_EQ(s.is_starving, cases[i].starving);
	}
}

MS_TEST(lock_state_of_a_rwmutex)
{
	const int32_t writer = 1 << 30;
	struct ms_lock_state s;

	CHECK(rw(0, 0, &s));
	CHECK(!s.is_locked && !s.readers && !s.writer_waits);
	CHECK(rw(3, 0, &s));
	CHECK(!s.is_locked && s.readers == 3 && !s.writer_waits);
	CHECK(rw(-writer, 0, &s)); // A writer alone.
	CHECK(s.is_locked && !s.readers && !s.writer_waits);
	CHECK(rw(412 - writer, 0, &s)); // A writer, and 412 who want to read.
	CHECK(s.is_locked && !s.readers && !s.writer_waits);
	CHECK(
	    rw(5 - writer, 2, &s)); // Two readers still in, a writer behind them, three more wait.
	CHECK(!s.is_locked && s.readers == 2 && s.writer_waits);
}

MS_TEST(lock_state_refuses_what_no_rwmutex_can_be)
{
	const int32_t writer = 1 << 30;
	struct ms_lock_state s = { .readers = 7 };

	CHECK(!rw(writer, 0, &s));
	CHECK(!rw(-writer - 1, 0, &s));
	CHECK(!rw(3, 1, &s)); // Nobody waits for readers without having announced itself.
	CHECK(!rw(-writer, -1, &s));
	CHECK_EQ(s.readers, 7);
}

MS_TEST(lock_begins_before_its_semaphores)
{
	struct ms_wait wait = { .object = 0xc000010000 };
	struct ms_lock_layout without = layout;

	wait.kind = MS_WAIT_MUTEX;
	CHECK_EQ(ms_lock_address(&layout, &wait), wait.object - 4);
	wait.kind = MS_WAIT_READ;
	CHECK_EQ(ms_lock_address(&layout, &wait), wait.object - 12);
	wait.kind = MS_WAIT_WRITE;
	CHECK_EQ(ms_lock_address(&layout, &wait), wait.object - 8);
	wait.queues = true;
	CHECK_EQ(ms_lock_address(&layout, &wait), wait.object - 4);
	without.has_rw = false;
	CHECK_EQ(ms_lock_address(&without, &wait), 0);
	wait.kind = MS_WAIT_GROUP;
	CHECK_EQ(ms_lock_address(&layout, &wait), 0);
}
