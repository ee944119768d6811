// fake_heap.h - a Go program as a typed walk sees it, made by hand: types, package-level variables,
// spans with objects, and the rows of a census.
//
//	struct fake_heap *h = fake_heap_create(layout);
//	... types with fake_type_*(&h->types, ...) ...
//	ms_addr node = fake_heap_new(h, 16, 0);
//	fake_heap_set(h, node, 0, next);
//	fake_heap_variable(h, "main.list", node_type, node);
//	fake_heap_row(h, map);
//	CHECK_OK(ms_walk_run(&h->functions->rt, &options, &h->report, &summary));
//	fake_heap_destroy(h);
#pragma once

#include "golang/code_facts.h"
#include "golang/globals.h"
#include "report/census.h"
#include "tests/support/fake_functions.h"
#include "tests/support/fake_types.h"

#define FAKE_VARIABLES ((ms_addr)0x800000)
#define FAKE_OBJECTS ((ms_addr)0xc000400000)

enum {
	FAKE_VARIABLES_BYTES = 1 << 16,
	FAKE_OBJECTS_BYTES = 16 << 20,
	FAKE_SPANS_MAX = 4096,
};

/** The functions of every fake program: a closure's, a stack's, and those of an interface's keys.
 */
enum {
	FAKE_FN_GOEXIT,
	FAKE_FN_PARK,
	FAKE_FN_WORKER,
	FAKE_FN_CLOSURE,
	FAKE_FN_HASH,
	FAKE_FN_EQUAL,
	FAKE_FN_COUNT,
};

struct fake_heap {
	struct fake_functions *functions; // Its target and its runtime.
	const struct ms_go_layout *layout;
	struct fake_types types;
	struct ms_census_report report;
	uint8_t variables[FAKE_VARIABLES_BYTES];
	uint8_t *objects;
	size_t objects_used;
	uint8_t *spans; // mspans, one behind the other.
	ms_addr *table; // Of pointers to them.
	size_t span_count;
	uint8_t *runtime; // Sweepgen ... the slices of spans and of goroutines.
	size_t runtime_bytes;
	uint8_t goroutine[512];
	size_t variables_used;
	size_t row_capacity;
	struct fake_open_span { // Where the next object of a size class goes.
		uint8_t *record;
		ms_addr next, end;
	} open[2][256];
};

/** NULL: of Go 1.24. */
struct fake_heap *fake_heap_create(const struct ms_go_layout *layout);
void fake_heap_destroy(struct fake_heap *h);

/** After types were changed: let the next walk read them anew. */
void fake_heap_forget_types(struct fake_heap *h);

/** An object that may hold pointers, zeroed; @p type goes into its header where it has one. */
ms_addr fake_heap_new(struct fake_heap *h, uint64_t bytes, ms_addr type);

/** One in a span without pointers. */
ms_addr fake_heap_new_plain(struct fake_heap *h, uint64_t bytes);

void fake_heap_set(struct fake_heap *h, ms_addr object, uint64_t offset, uint64_t value);

/** Let the span that holds @p object be dead. */
void fake_heap_drop_span(struct fake_heap *h, ms_addr object);

/** Room for a variable without a name; its address. */
ms_addr fake_heap_words(struct fake_heap *h, size_t count);
void fake_heap_set_word(struct fake_heap *h, ms_addr variable, size_t index, uint64_t value);

/** A variable that debug information names, of this type; its first word is @p value. */
ms_addr fake_heap_variable(struct fake_heap *h, const char *name, ms_addr type, uint64_t value);

/** Another place that debug information types. */
void fake_heap_typed(struct fake_heap *h, const struct ms_go_typed *typed);

/** A map of one group or bucket; the row of a census for it.  Returns its header. */
ms_addr fake_heap_map(struct fake_heap *h, ms_addr map_type, ms_addr *ret_table);

/** A row of the census for a map. */
struct ms_map_row *fake_heap_row(struct fake_heap *h, ms_addr address);

/** The row of @p address; the test fails when there is none. */
const struct ms_map_row *fake_heap_find(const struct fake_heap *h, ms_addr address);

/** What machine code says of a closure: its object is of this type. */
void fake_heap_closure(struct fake_heap *h, ms_addr entry, ms_addr type);

/** Where one of the functions begins. */
ms_addr fake_heap_entry(unsigned function);

/** A goroutine that waits in FAKE_FN_WORKER, with @p words in that function's frame. */
void fake_heap_goroutine(struct fake_heap *h, const ms_addr *words, size_t count);
