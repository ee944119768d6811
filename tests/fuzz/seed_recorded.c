// seed_recorded.c - seeds for the targets that change recorded processes: a few changes each, which
// the fuzzer finds better ones from, and events of a program whose maps grow.
#include "tests/fuzz/seed.h"

#include "trace/bpf/events.h"

enum { FRAMES = 6 };

static uint64_t next(uint64_t *random)
{
	*random = *random * 6364136223846793005 + 1442695040888963407;
	return *random >> 20;
}

void seed_changes(struct seed *s, unsigned count, unsigned salt)
{
	static const uint8_t hows[] = { 0, 3, 7, 8, 15, 16, 23 };
	uint64_t random = salt;

	for (unsigned i = 0; i < count; i++) {
		uint64_t how = hows[next(&random) % sizeof(hows)];

		seed_number(s, next(&random), 2);
		seed_number(s, next(&random) % 64, 2);
		seed_number(s, how, 1);
		seed_number(s, i % 2 ? next(&random) % 16 : next(&random), 8);
	}
}

static void stack_put(struct seed *s, uint64_t *random)
{
	seed_number(s, FRAMES, 1);
	for (unsigned i = 0; i <= FRAMES; i++)
		seed_number(s, next(random) % 0x80000, 4);
}

static void event_put(struct seed *s, unsigned i, bool is_classic, uint64_t *random)
{
	struct ms_bpf_event e = {
		.time_ns = next(random) % 100000000,
		.map = next(random) % 64,
		.type = next(random) % 16,
		.stack = i,
		.goid = i,
		.gopc = next(random) % 65536,
		.entries = i == 3 ? UINT64_MAX : 7ull << i % 10,
		.slots = i == 5 ? (uint64_t)1 << 63 : 8ull << i % 8,
		.table_entries = 7,
		.directory = i % 3,
		.thread = 100 + i,
		.p = i % 4,
		.kind = is_classic ? MS_BPF_HASH_GROW : MS_BPF_TO_SMALL + i % 4,
		.unread = i == 7 ? 0 : 0x80,
		.is_over = i % 2,
	};

	seed_bytes(s, &e, sizeof(e));
}

void seed_events(struct seed *s, unsigned recording, unsigned count)
{
	uint64_t random = recording + 1;
	size_t stacks;

	seed_number(s, recording, 1);
	seed_number(s, 0, 1);
	stacks = s->size;
	seed_number(s, 0, 2);
	for (unsigned i = 0; i < 4; i++)
		stack_put(s, &random);
	seed_number_at(s, stacks, s->size - stacks - 2, 2);
	seed_number(s, 4, 1);
	for (size_t i = 0; i < sizeof(struct ms_bpf_counters) / 8; i++) {
		seed_number(s, count > 30, 1); // Growths that only sums have.
		if (count > 30)
			seed_number(s, i + 40, 8);
	}
	for (unsigned i = 0; i < count; i++)
		event_put(s, i, recording < 2, &random);
}

void seed_samples(struct seed *s, unsigned recording, unsigned flips)
{
	uint64_t random = recording + 1;

	seed_number(s, recording, 1);
	seed_number(s, 0, 2);
	for (unsigned i = 0; i < 6; i++) {
		seed_number(s, 0, 1);
		seed_number(s, i, 1);
		seed_number(s, i, 1);
		seed_number(s, 64ull << i, 2);
		seed_number(s, flips, 1);
		for (unsigned flip = 0; flip < flips; flip++) {
			seed_number(s, 8 + next(&random) % 400, 2);
			seed_number(s, 1ull << next(&random) % 8, 1);
		}
	}
}
