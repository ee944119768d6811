// A memory profile in memory that the input fills (make_seeds.c, memory_profile_seeds).
//
//	2 bytes  where in it the first bucket is      then the bytes of that memory
#include "golang/memory_profile.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_heap.h"

enum { ROOM = 16 << 10 };

#define PERSISTENT ((ms_addr)0x7f0000000000)

static void check(const struct ms_profile *profile)
{
	for (size_t i = 0; i < profile->row_count; i++) {
		const struct ms_profile_row *row = &profile->rows[i];

		FUZZ_CHECK(row->pc_count && row->pc_count <= MS_PROFILE_PCS_MAX);
		FUZZ_CHECK(row->first_pc + row->pc_count <= profile->pc_count);
		FUZZ_CHECK(!i || row[-1].address <= row->address);
	}
}

MS_FUZZ_TARGET(memory_profile)
{
	static uint8_t room[ROOM];
	struct fuzz_input in = { data, size };
	struct fake_heap *h = fake_heap_create(NULL);
	struct ms_go_runtime *rt = &h->functions->rt;
	struct ms_profile_place place;
	struct ms_profile profile;
	ms_addr first = PERSISTENT + fuzz_number(&in, 2);

	(void)fake_heap_new(h, 16, 0);
	memset(room, 0, sizeof(room));
	memcpy(room, in.at, ms_min_u64(in.left, sizeof(room)));
	fake_target_map(&h->functions->fake, PERSISTENT, room, sizeof(room), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_heap_set_word(h, fake_heap_words(h, 1), 0, first);
	if (fuzz_worked(ms_go_refresh(rt)) && fuzz_worked(ms_profile_find(rt, &place)) &&
	    fuzz_worked(ms_profile_read(rt, &place, &profile))) {
		check(&profile);
		ms_profile_deinit(&profile);
	}
	fake_heap_destroy(h);
}
