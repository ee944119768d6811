// Goal: what a goroutine waits for is named in the target's own words, on every release.
// Method: every recording; then data ranges with no such table, two of them, and hostile ones.
#include "golang/wait_reasons.h"

#include "golang/goroutines.h"
#include "tests/support/fake_target.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdlib.h>

enum { REASONS_MIN = 27 }; // Go 1.18's.

static void check_recording(const char *name)
{
	struct ms_target *t = recording_open(name);
	struct ms_arena arena = { 0 };
	struct ms_go_wait_reasons reasons;
	struct ms_goroutines all;
	struct ms_go_runtime *rt;
	bool has_receive = false;

	CHECK_OK(ms_go_open(t, NULL, &rt));
	CHECK_OK(ms_go_wait_reasons_find(rt, &arena, &reasons));
	CHECK(reasons.count >= REASONS_MIN);
	CHECK_STR(reasons.names[0], "");
	CHECK_STR(reasons.names[2], "IO wait");
	for (size_t i = 0; i < reasons.count; i++)
		has_receive |= !strcmp(reasons.names[i], "chan receive");
	CHECK(has_receive);
	CHECK_OK(ms_goroutines_load(rt, &all));
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].status == MS_GO_WAITING)
			CHECK(all.items[i].wait_reason && all.items[i].wait_reason < reasons.count);
	}
	ms_goroutines_deinit(&all);
	ms_arena_deinit(&arena);
	ms_go_close(rt);
	ms_target_destroy(t);
}

MS_TEST(wait_reasons_in_every_recording)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++)
		check_recording(names.items[i]);
}

// --- Made by hand. ---

enum { WORDS = 64, DATA = 0x500000, TEXTS = 0x400000, TEXT_BYTES = 4096 };

struct made {
	struct fake_target fake;
	struct ms_go_runtime rt;
	uint64_t words[WORDS];
	char texts[TEXT_BYTES];
	size_t text_used;
	struct ms_arena arena;
	struct ms_go_wait_reasons reasons;
};

static struct made *made_new(void)
{
	struct made *m = calloc(1, sizeof(*m));

	CHECK(m != NULL);
	fake_target_init(&m->fake);
	fake_target_map(&m->fake, DATA, m->words, sizeof(m->words), MS_REGION_EXE, MS_PROT_READ);
	fake_target_map(&m->fake, TEXTS, m->texts, sizeof(m->texts), MS_REGION_EXE, MS_PROT_READ);
	m->rt.target = &m->fake.target;
	m->rt.modules[0] = (struct ms_go_module){ .data = DATA, .edata = DATA + sizeof(m->words) };
	return m;
}

static void made_drop(struct made *m)
{
	fake_target_deinit(&m->fake);
	ms_arena_deinit(&m->arena);
	free(m);
}

/** Put a string header at @p word. */
static void put(struct made *m, size_t word, const char *text)
{
	size_t size = strlen(text);

	m->words[word] = size ? TEXTS + m->text_used : 0;
	m->words[word + 1] = size;
	memcpy(m->texts + m->text_used, text, size);
	m->text_used += size;
}

static void put_table(struct made *m, size_t word)
{
	put(m, word, "");
	put(m, word + 2, "GC assist marking");
	put(m, word + 4, "IO wait");
	put(m, word + 6, "sleep");
}

static struct ms_error *find(struct made *m)
{
	return ms_go_wait_reasons_find(&m->rt, &m->arena, &m->reasons);
}

MS_TEST(wait_reasons_end_where_no_name_stands)
{
	struct made *m = made_new();

	put_table(m, 7);
	m->words[16] = 3; // Between tables: no size.
	CHECK_OK(find(m));
	CHECK_EQ(m->reasons.address, DATA + 7 * 8);
	CHECK_EQ(m->reasons.count, 4);
	CHECK_STR(m->reasons.names[3], "sleep");
	made_drop(m);
}

MS_TEST(wait_reasons_end_with_the_data)
{
	struct made *m = made_new();

	put_table(m, WORDS - 8);
	CHECK_OK(find(m));
	CHECK_EQ(m->reasons.count, 4);
	made_drop(m);
}

MS_TEST(wait_reasons_must_be_in_one_place)
{
	struct made *m = made_new();

	CHECK_ERR(find(m), MS_ERR_BAD_DATA);
	put_table(m, 0);
	put_table(m, 20);
	CHECK_ERR(find(m), MS_ERR_BAD_DATA);
	m->texts[0] = 'g'; // The first says something else, of the same length.
	CHECK_OK(find(m));
	CHECK_EQ(m->reasons.address, DATA + 20 * 8);
	made_drop(m);
}

MS_TEST(wait_reasons_that_cannot_be_read_are_none)
{
	struct made *m = made_new();

	put_table(m, 0);
	put(m, 8, "\x1b[31m");
	CHECK_OK(find(m));
	CHECK_EQ(m->reasons.count, 4); // No name has control bytes.
	m->words[6] = 0x10;            // Nothing is there.
	CHECK_OK(find(m));
	CHECK_EQ(m->reasons.count, 3);
	m->words[2] = 0x10;
	CHECK_ERR(find(m), MS_ERR_BAD_DATA);
	m->words[2] = TEXTS;
	m->words[3] = UINT64_MAX;
	CHECK_ERR(find(m), MS_ERR_BAD_DATA);
	made_drop(m);
}

MS_TEST(wait_reasons_of_a_lost_target_are_an_error)
{
	struct made *m = made_new();

	put_table(m, 0);
	m->fake.gone_at = 0;
	CHECK_ERR(find(m), MS_ERR_GONE);
	made_drop(m);
}
