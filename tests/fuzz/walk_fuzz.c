// A typed walk over types, variables and objects that the input makes (seed_walk.c writes them).
//
//	4 bytes  the row      4 bytes  the type of a closure, counted from the types' start
//	2 bytes  size of the type section      the type section
//	1 byte   how many variables; each: 1 byte shape, 2 times 4 bytes type, 3 words
//	then objects: 1 byte bits (1: without pointers, 2: a map of the census), 2 bytes size,
//	4 bytes the type that its header names, the bytes
//
// Where the objects come to lie follows from their sizes alone, so that words can point to them.
#include "census/census_run.h"
#include "golang/struct_types.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_heap.h"
#include "walk/retained.h"
#include "walk/walk.h"

enum {
	OBJECTS_MAX = 400,
	BATCHES_MAX = 300,
	OWNER_BYTES_MAX = 4100,
	ASKS_MAX = 8,
	PATH_BYTES_MAX = 256
};

static ms_addr type_at(uint64_t offset)
{
	return offset ? FAKE_TYPES + offset : 0;
}

static void variable_take(struct fake_heap *h, struct fuzz_input *in)
{
	struct ms_go_typed typed = { .shape = fuzz_number(in, 1) & 3,
				     .variable = "main.v",
				     .path = "" };

	typed.type = type_at(fuzz_number(in, 4));
	typed.elem = type_at(fuzz_number(in, 4));
	typed.address = fake_heap_words(h, 3);
	for (size_t i = 0; i < 3; i++)
		fake_heap_set_word(h, typed.address, i, fuzz_number(in, 8));
	fake_heap_typed(h, &typed);
}

static void object_take(struct fake_heap *h, struct fuzz_input *in)
{
	unsigned bits = (unsigned)fuzz_number(in, 1);
	uint64_t size = fuzz_number(in, 2);
	ms_addr type = type_at(fuzz_number(in, 4)), at;
	struct fuzz_input bytes;

	size += !size;
	at = bits & 1 ? fake_heap_new_plain(h, size) : fake_heap_new(h, size, type);
	bytes = fuzz_part(in, (size_t)size);
	if (bytes.left)
		memcpy(h->objects + (at - FAKE_OBJECTS), bytes.at, bytes.left);
	if (bits & 2)
		fake_heap_row(h, at);
}

static bool tick(void *context)
{
	unsigned *batches = context;

	return ++*batches > BATCHES_MAX;
}

static void check(const struct ms_census_report *report, size_t rows)
{
	uint64_t typed = 0;

	FUZZ_CHECK(report->map_count >= rows && report->coverage.walk.taken);
	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		FUZZ_CHECK(!i || row[-1].address <= row->address);
		FUZZ_CHECK(!row->owner ||
			   (row->owners && *row->owner && strlen(row->owner) < OWNER_BYTES_MAX));
		FUZZ_CHECK((row->type != NULL) == (row->type_source == MS_TYPE_WALK));
		typed += row->type != NULL;
	}
	FUZZ_CHECK(report->coverage.typed == typed);
	FUZZ_CHECK(!report->coverage.walk.cut || report->coverage.walk.cut_reason);
}

/** The same memory once more, for what the census's maps retain. */
static void retain(struct fake_heap *h)
{
	struct ms_retained_ask asks[ASKS_MAX] = { 0 };
	const struct ms_retained_options options = { 0 };
	struct ms_retained_figures figures;
	size_t count = (size_t)ms_min_u64(h->report.map_count, ASKS_MAX);

	for (size_t i = 0; i < count; i++) {
		asks[i].maps = &h->report.maps[i].address;
		asks[i].map_count = 1;
	}
	if (!fuzz_worked(ms_retained_run(&h->functions->rt, &options, asks, count, &figures)))
		return;
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK((asks[i].bytes == MS_UNKNOWN) == (asks[i].unknown != NULL));
		FUZZ_CHECK(asks[i].unknown || asks[i].bytes <= figures.bytes * (count + 1));
		FUZZ_CHECK(asks[i].unknown || asks[i].scan_bytes <= asks[i].bytes);
	}
}

/** The same memory once more, as of a core that was cut off: no span says what an object is. */
static void without_spans(struct fake_heap *h)
{
	struct ms_go_runtime *rt = &h->functions->rt;
	struct ms_typed_maps typed = { 0 };
	const struct ms_census_options options = { .typed = &typed };
	struct ms_walk_options walk = { .tick = tick, .typed = &typed };
	struct ms_census_report none = { 0 }, report;
	unsigned batches = 0;

	rt->lacks_spans = true;
	walk.tick_context = &batches;
	if (fuzz_worked(ms_walk_run(rt, &walk, &none)) &&
	    fuzz_worked(ms_census_run(rt, &options, &report))) {
		size_t rows = report.map_count;

		for (size_t i = 0; i < rows; i++)
			FUZZ_CHECK(!i || report.maps[i - 1].address < report.maps[i].address);
		batches = 0;
		walk.typed = NULL;
		if (fuzz_worked(ms_walk_run(rt, &walk, &report)))
			FUZZ_CHECK(report.coverage.walk.cut && report.map_count >= rows);
		ms_census_report_deinit(&report);
	}
	ms_census_report_deinit(&none);
	free(typed.items);
}

/** The first fields of the first structs, by what Go would print of them. */
static void offsets_ask(struct fake_heap *h)
{
	const struct ms_go_layout *l = h->functions->rt.layout;
	const struct ms_types *types;
	struct ms_struct_scan scan = { 0 };
	struct ms_struct_type type;
	unsigned asked = 0;

	if (!fuzz_worked(ms_go_types(&h->functions->rt, &types)))
		return;
	while (asked < ASKS_MAX && ms_struct_types_next(types, l, &scan, &type)) {
		struct ms_struct_member member;
		char path[PATH_BYTES_MAX];
		uint64_t offset;

		if (!ms_struct_type_member(types, l, &type, 0, &member) ||
		    type.name_size + 1 + member.name_size > sizeof(path))
			continue;
		memcpy(path, type.name, type.name_size);
		path[type.name_size] = '.';
		memcpy(path + type.name_size + 1, member.name, member.name_size);
		(void)ms_struct_types_offset(types, l, path, type.name_size + 1 + member.name_size,
					     &offset);
		asked++;
	}
}

MS_FUZZ_TARGET(walk)
{
	struct fuzz_input in = { data, size }, types;
	struct fake_heap *h = fake_heap_create(fuzz_layout(&in));
	ms_addr closure = type_at(fuzz_number(&in, 4));
	struct ms_walk_options options = { .tick = tick };
	unsigned batches = 0, variables;
	size_t rows;

	types = fuzz_part(&in, (size_t)fuzz_number(&in, 2));
	if (types.left)
		memcpy(h->types.bytes, types.at, types.left);
	h->functions->rt.modules[0].etypes =
	    FAKE_TYPES + ms_max_u64(ms_round_up(types.left, 8), 64);
	fake_heap_closure(h, fake_heap_entry(FAKE_FN_CLOSURE), closure);
	variables = (unsigned)fuzz_number(&in, 1);
	for (unsigned i = 0; i < variables && in.left; i++)
		variable_take(h, &in);
	for (unsigned i = 0; i < OBJECTS_MAX && in.left; i++)
		object_take(h, &in);
	fake_heap_goroutine(h, (const ms_addr[]){ FAKE_OBJECTS, FAKE_OBJECTS + 48 }, 2);
	rows = h->report.map_count;
	options.tick_context = &batches;
	if (fuzz_worked(ms_walk_run(&h->functions->rt, &options, &h->report)))
		check(&h->report, rows);
	retain(h);
	offsets_ask(h);
	without_spans(h);
	fake_heap_destroy(h);
}
