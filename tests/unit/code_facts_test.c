// Goal: each kind of thing that code says of a variable is understood, and what it does not say
// for sure is not.
// Method: a program made by hand (tests/fuzz/seed_code.c) for every row; the same cut short, with
// noise in it, and with reads that fail.
#include "golang/code_facts.h"

#include "base/cleanup.h"
#include "tests/fuzz/code_program.h"
#include "tests/fuzz/seed_code.h"
#include "tests/support/test.h"

struct expected {
	ms_addr address;
	enum ms_code_shape shape;
	unsigned type;
};

static const struct expected said[] = {
	{ SEED_CODE_MAP, MS_CODE_MAP, SEED_TYPE_MAP },
	{ SEED_CODE_POINTER, MS_CODE_POINTER, SEED_TYPE_T },
	{ SEED_CODE_BARRIER, MS_CODE_POINTER, SEED_TYPE_T },
	{ SEED_CODE_SMALL, MS_CODE_MAP, SEED_TYPE_MAP },
	{ SEED_CODE_CHAN, MS_CODE_CHAN, SEED_TYPE_CHAN },
	{ SEED_CODE_SLICE, MS_CODE_SLICE, SEED_TYPE_INT },
	{ SEED_CODE_LITERAL, MS_CODE_SLICE, SEED_TYPE_INT },
	{ SEED_CODE_VALUE, MS_CODE_VALUE, SEED_TYPE_T },
	{ SEED_CODE_BOXED, MS_CODE_MAP, SEED_TYPE_MAP },
	{ SEED_CODE_LOOP, MS_CODE_MAP, SEED_TYPE_MAP },
	{ SEED_CODE_FIRST, MS_CODE_VALUE, SEED_TYPE_T },
	{ SEED_CODE_MOVED, MS_CODE_VALUE, SEED_TYPE_T },
	{ SEED_CODE_RESULT, MS_CODE_POINTER, SEED_TYPE_T },
	{ SEED_CODE_FILLED, MS_CODE_MAP, SEED_TYPE_MAP },
	{ SEED_CODE_FULL, MS_CODE_MAP, SEED_TYPE_MAP },
	{ SEED_CODE_ATOMIC, MS_CODE_POINTER, SEED_TYPE_T },
	{ SEED_CODE_SWAPPED, MS_CODE_POINTER, SEED_TYPE_T },
	{ SEED_CODE_FOREIGN, MS_CODE_MAP, SEED_TYPE_MAP },
};

static struct seed *seed_create(const struct ms_go_layout *l)
{
	struct seed *s = calloc(1, sizeof(*s));

	CHECK(s);
	if (l->arch == MS_ARCH_ARM64)
		seed_code_arm64(s, l);
	else
		seed_code_amd64(s, l);
	return s;
}

static void check_global(const struct ms_code_facts *facts, const struct expected *e)
{
	const struct ms_code_global *g = ms_code_global_find(facts, e->address);

	if (!g)
		ms_test_fail(__FILE__, __LINE__, "nothing said of 0x%" PRIx64, e->address);
	CHECK_EQ(g->shape, e->shape);
	CHECK_EQ(g->type, CODE_TYPES + e->type);
}

static void check_amd64(const struct ms_code_facts *facts)
{
	struct ms_code_user users[MS_CODE_USERS_MAX];
	size_t count;

	for (size_t i = 0; i < MS_ARRAY_SIZE(said); i++)
		check_global(facts, &said[i]);
	CHECK_EQ(facts->globals.count, MS_ARRAY_SIZE(said));
	CHECK(!ms_code_global_find(facts, SEED_CODE_INTERFACE + 8));
	CHECK(!ms_code_global_find(facts, SEED_CODE_CONFLICT));
	CHECK(!ms_code_global_find(facts, SEED_CODE_MERGED));
	CHECK(!ms_code_global_find(facts, SEED_CODE_STALE));
	CHECK(!ms_code_global_find(facts, SEED_CODE_EITHER));
	CHECK(!ms_code_global_find(facts, SEED_CODE_WRITTEN));
	CHECK(!ms_code_global_find(facts, SEED_CODE_ASSERTED + 8));
	CHECK_EQ(facts->conflicts, 1);
	CHECK_EQ(facts->doubtful, 3);
	CHECK_EQ(facts->decoded, 4); // What makes things takes addresses, too.
	CHECK(!facts->cut);
	CHECK_EQ(ms_code_users(facts, SEED_CODE_MAP, users, &count), 1);
	CHECK_EQ(count, 1);
	CHECK_EQ(users[0].entry, CODE_TEXT + SEED_FN_USE * SEED_FUNCTION_BYTES);
	CHECK(users[0].writes);
	CHECK_EQ(ms_code_users(facts, SEED_CODE_BOXED, users, &count), 1);
	CHECK(!users[0].writes);
	CHECK_EQ(ms_code_users(facts, SEED_CODE_MAP + 4, users, &count), 0);
}

static void check_row(const struct ms_go_layout *l)
{
	MS_AUTO_FREE struct seed *s = seed_create(l);
	const struct ms_code_facts *facts;
	struct code_program p;

	code_program_open(&p, s->bytes, s->size);
	CHECK(p.rt->layout == l || !ms_go_layout_difference(p.rt->layout, l));
	CHECK_OK(ms_go_code_facts(p.rt, &facts));
	if (l->arch == MS_ARCH_AMD64)
		check_amd64(facts);
	else
		for (size_t i = 0; i < 2; i++)
			check_global(facts, &said[i]);
	CHECK_EQ(ms_code_closure_type(facts, CODE_TEXT + SEED_FN_CLOSURE * SEED_FUNCTION_BYTES),
		 CODE_TYPES + SEED_TYPE_CLOSURE);
	CHECK_EQ(ms_code_closure_type(facts, CODE_TEXT), 0);
	CHECK_EQ(facts->functions, SEED_FN_COUNT);
	code_program_close(&p);
}

MS_TEST(code_facts_of_every_row)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++)
		check_row(ms_go_layout_at(i));
}

/** What goes wrong is an error or a smaller answer, never a crash. */
static void look(const uint8_t *bytes, size_t size)
{
	const struct ms_code_facts *facts;
	struct code_program p;
	struct ms_error *err;

	code_program_open(&p, bytes, size);
	err = ms_go_code_facts(p.rt, &facts);
	if (!err)
		CHECK(facts->decoded <= facts->functions);
	ms_error_free(err);
	code_program_close(&p);
}

MS_TEST(code_facts_of_a_file_cut_short)
{
	MS_AUTO_FREE struct seed *s = seed_create(ms_go_layout_at(0));

	for (size_t size = 0; size < s->size; size += 1 + size / 64)
		look(s->bytes, size);
}

MS_TEST(code_facts_of_noise)
{
	for (unsigned round = 0; round < 300; round++) {
		size_t row = ms_test_random() % ms_go_layout_count();
		MS_AUTO_FREE struct seed *s = seed_create(ms_go_layout_at(row));

		for (unsigned i = 0; i < 1 + round / 10; i++)
			s->bytes[4 + ms_test_random() % (s->size - 4)] = (uint8_t)ms_test_random();
		look(s->bytes, s->size);
	}
}

MS_TEST(code_facts_survive_each_fault)
{
	MS_AUTO_FREE struct seed *s = seed_create(ms_go_layout_at(0));
	unsigned faults = 0;

	for (; faults < 64; faults++) {
		const struct ms_code_facts *facts = NULL;
		struct code_program p;
		struct ms_error *err;

		code_program_open(&p, s->bytes, s->size);
		fake_target_fail_read(&p.fake, faults);
		err = ms_go_code_facts(p.rt, &facts);
		if (err) {
			CHECK_EQ(ms_error_code(err), MS_ERR_FAULT);
			CHECK(!facts);
		}
		ms_error_free(err);
		code_program_close(&p);
		if (!err)
			break;
	}
	CHECK_EQ(faults, 2); // The types, and where the function table is.
}
