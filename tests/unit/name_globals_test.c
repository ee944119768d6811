// Goal: a map that a variable holds gets the variable's name, and its type where it had none; what
// cannot be read, is nil or is no map of the census names nothing.
// Method: four rows, nine slots over a fake target; then each read fails, and the target goes away.
#include "census/engine.h"
#include "golang/globals.h"
#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <stdlib.h>

#define TYPES ((ms_addr)0x500000)
#define WORDS ((ms_addr)0x600000)
#define HEAP ((ms_addr)0xc000000000)

enum { KEY = 0x100, ELEM = 0x180, WORD_COUNT = 8, SLOT_COUNT = 9, ROW_COUNT = 4 };

struct bench {
	struct fake_target fake;
	struct ms_go_runtime rt;
	struct ms_go_globals globals;
	struct ms_map_type map_type;
	struct ms_types all_types;
	struct ms_types_section section;
	struct ms_type_names names[2];
	struct ms_census_report report;
	struct ms_map_row rows[ROW_COUNT];
	struct ms_engine engine;
	uint8_t types[0x400];
	uint64_t words[WORD_COUNT], server[2];
};

// The rows are at HEAP + 0x1000, 0x2000, ...
static struct ms_go_slot slots[SLOT_COUNT] = {
	{ WORDS, TYPES + KEY, TYPES + ELEM, MS_GO_NO_POINTER, "main.a" },
	{ WORDS + 8, TYPES + KEY, TYPES + ELEM, MS_GO_NO_POINTER, "main.alias" },
	{ WORDS + 16, TYPES + KEY, TYPES + ELEM, MS_GO_NO_POINTER, "main.nil" },
	{ WORDS + 24, TYPES + KEY, TYPES + ELEM, MS_GO_NO_POINTER, "main.known" },
	{ WORDS + 32, TYPES + KEY, TYPES + ELEM, MS_GO_NO_POINTER, "main.stray" },
	{ 0x900000, TYPES + KEY, TYPES + ELEM, MS_GO_NO_POINTER, "main.unmapped" },
	{ WORDS + 40, 0, TYPES + ELEM, MS_GO_NO_POINTER, "main.untyped" },
	{ 8, TYPES + KEY, TYPES + ELEM, 0, "main.server.m" },
	{ 8, TYPES + KEY, TYPES + ELEM, 1, "main.nobody.m" },
};

static ms_addr pointers[] = { WORDS + 48, WORDS + 56 };

/** A descriptor whose name, a flag and a length before it, stands at @p name_at. */
static void type_put(struct bench *b, uint32_t at, uint32_t name_at, const char *name)
{
	memcpy(b->types + at + b->engine.layout->type_str, &name_at, sizeof(name_at));
	b->types[name_at + 1] = (uint8_t)strlen(name);
	memcpy(b->types + name_at + 2, name, strlen(name));
}

static void types_put(struct bench *b)
{
	b->engine.layout = ms_go_layout_at(0);
	type_put(b, KEY, 0x10, "uint64");
	type_put(b, ELEM, 0x20, "*main.order");
	b->section = (struct ms_types_section){ TYPES, sizeof(b->types), b->types };
	b->map_type = (struct ms_map_type){ .address = TYPES + 0x200,
					    .key = TYPES + KEY,
					    .elem = TYPES + ELEM,
					    .entry_bytes = 16 };
	b->all_types = (struct ms_types){
		.items = &b->map_type, .count = 1, .sections = &b->section, .section_count = 1
	};
	b->engine.types = &b->all_types;
	b->engine.names = b->names;
}

static void rows_put(struct bench *b)
{
	for (unsigned i = 0; i < ROW_COUNT; i++)
		b->rows[i] = (struct ms_map_row){ .address = HEAP + 0x1000 * (i + 1),
						  .entries = 10,
						  .live_bytes = MS_UNKNOWN,
						  .total_bytes = 400,
						  .slack_bytes = MS_UNKNOWN };
	b->rows[1].type = "map[string]bool";
	b->rows[1].type_source = MS_TYPE_MALLOC_HEADER;
	b->report = (struct ms_census_report){ .maps = b->rows, .map_count = ROW_COUNT };
	b->report.coverage.typed = 1;
	b->engine.report = &b->report;
}

static struct bench *bench_create(void)
{
	struct bench *b = calloc(1, sizeof(*b));
	const uint64_t words[WORD_COUNT] = {
		HEAP + 0x1000, HEAP + 0x1000, 0, HEAP + 0x2000, HEAP + 0x1008,
		HEAP + 0x3000, HEAP + 0x9000, 0
	};

	CHECK(b);
	types_put(b);
	rows_put(b);
	memcpy(b->words, words, sizeof(words));
	b->server[1] = HEAP + 0x4000;
	fake_target_init(&b->fake);
	fake_target_map_exe(&b->fake, WORDS, b->words, sizeof(b->words), 0,
			    MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(&b->fake, HEAP + 0x9000, b->server, sizeof(b->server), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	b->globals.slots.items = slots;
	b->globals.slots.count = SLOT_COUNT;
	b->globals.pointers.items = pointers;
	b->globals.pointers.count = MS_ARRAY_SIZE(pointers);
	b->rt = (struct ms_go_runtime){ .target = &b->fake.target, .globals = &b->globals };
	b->engine.rt = &b->rt;
	return b;
}

static void bench_destroy(struct bench *b)
{
	ms_fetch_deinit(&b->engine.fetch);
	ms_arena_deinit(&b->report.arena);
	fake_target_deinit(&b->fake);
	free(b);
}

MS_TEST(variables_name_the_maps_they_hold)
{
	struct bench *b = bench_create();

	CHECK_OK(ms_engine_name_globals(&b->engine));
	CHECK_STR(b->rows[0].owner, "main.a"); // Its alias comes behind.
	CHECK_STR(b->rows[0].type, "map[uint64]*main.order");
	CHECK_STR(b->rows[0].key_type, "uint64");
	CHECK_STR(b->rows[0].elem_type, "*main.order");
	CHECK_EQ(b->rows[0].type_source, MS_TYPE_DWARF);
	CHECK_EQ(b->rows[0].live_bytes, 10 * 17);
	CHECK_EQ(b->rows[0].slack_bytes, 400 - 10 * 17);
	CHECK_STR(b->rows[1].owner, "main.known");
	CHECK_STR(b->rows[1].type, "map[string]bool");
	CHECK_EQ(b->rows[1].type_source, MS_TYPE_MALLOC_HEADER);
	CHECK_STR(b->rows[2].owner, "main.untyped");
	CHECK(!b->rows[2].type);
	CHECK_EQ(b->rows[2].live_bytes, MS_UNKNOWN);
	CHECK_STR(b->rows[3].owner, "main.server.m");
	CHECK_STR(b->rows[3].type, "map[uint64]*main.order");
	CHECK_EQ(b->report.coverage.typed, 3);
	CHECK_EQ(b->engine.skips[MS_REJECT_DWARF] + b->engine.skips[MS_REJECT_GLOBAL], 0);
	bench_destroy(b);
}

MS_TEST(variables_left_out_are_counted)
{
	struct bench *b = bench_create();

	b->globals.refused = true;
	b->globals.left_out = 3;
	b->globals.slots.count = 0;
	CHECK_OK(ms_engine_name_globals(&b->engine));
	CHECK(!b->rows[0].owner);
	CHECK_EQ(b->engine.skips[MS_REJECT_DWARF], 1);
	CHECK_EQ(b->engine.skips[MS_REJECT_GLOBAL], 3);
	bench_destroy(b);
}

MS_TEST(variables_behind_what_is_unmapped_name_nothing)
{
	struct bench *b = bench_create();

	fake_target_unmap(&b->fake, HEAP + 0x9000);
	CHECK_OK(ms_engine_name_globals(&b->engine));
	CHECK_STR(b->rows[2].owner, "main.untyped");
	CHECK(!b->rows[3].owner);
	bench_destroy(b);
	b = bench_create();
	fake_target_unmap(&b->fake, WORDS);
	CHECK_OK(ms_engine_name_globals(&b->engine));
	for (unsigned i = 0; i < ROW_COUNT; i++)
		CHECK(!b->rows[i].owner);
	CHECK_EQ(b->report.coverage.typed, 1);
	bench_destroy(b);
}

MS_TEST(variables_are_named_whichever_read_fails_once)
{
	for (unsigned n = 0;; n++) {
		struct bench *b = bench_create();
		uint64_t reads;

		fake_target_fail_read(&b->fake, n);
		CHECK_OK(ms_engine_name_globals(&b->engine));
		CHECK(!b->rows[0].owner || !strncmp(b->rows[0].owner, "main.a", 6));
		CHECK(!b->rows[3].owner || !strcmp(b->rows[3].owner, "main.server.m"));
		reads = b->fake.reads;
		bench_destroy(b);
		if (n >= reads)
			break;
		CHECK(n < 64);
	}
}

MS_TEST(variables_of_a_target_that_goes_are_an_error)
{
	struct bench *b = bench_create();

	fake_target_gone_after(&b->fake, 1);
	CHECK_ERR(ms_engine_name_globals(&b->engine), MS_ERR_GONE);
	bench_destroy(b);
}
