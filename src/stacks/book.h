// book.h - addresses of code made into stacks in source words, each written once.
//
// A trace sees the same stack a thousand times, and 100,000 goroutines share a hundred: so each
// address is looked up once, and each stack is one entry of the report.
#pragma once

#include "base/number_map.h"
#include "golang/functions.h"
#include "report/call_stacks.h"

/** An address on a stack. */
struct ms_stack_pc {
	ms_addr pc;
	bool is_return; // A return address: the call is one byte before.
};

struct ms_stack_place; // The calls at one address.

enum { MS_STACK_RESOLVED_MAX = 16 };

/**
 * The calls at an address that is in no function of Go's: C code.  At most MS_STACK_RESOLVED_MAX,
 * innermost first; strings are @p arena's.  NO_MEMORY.
 */
typedef struct ms_error *(*ms_stack_resolve_fn)(void *context, ms_addr pc, bool is_return,
						struct ms_arena *arena,
						struct ms_stack_call *ret_calls, size_t *ret_count);

struct ms_stack_book {
	const struct ms_functions *functions; // Borrowed; NULL: this is no Go program.
	ms_stack_resolve_fn resolve;          // NULL: what is not Go's has no name.
	void *resolve_context;
	struct ms_arena *arena;   // The report's.
	struct ms_stacks *stacks; // The report's.
	// The rest is for book.c.
	struct ms_number_map place_of; // Address, with is_return, to an index in places.
	struct ms_stack_place *places;
	size_t place_count, place_capacity;
	struct ms_number_map stack_of;  // Hash of the addresses to an index in entries.
	struct ms_stack_entry *entries; // One for each of stacks.
	size_t entry_count, entry_capacity;
};

/** What it points to must outlive it; what it writes stays in @p arena and @p stacks. */
void ms_stack_book_init(struct ms_stack_book *book, const struct ms_functions *functions,
			struct ms_arena *arena, struct ms_stacks *stacks);

/**
 * The index of the stack of @p pcs, innermost first, added where it is new.  @p cut (static or
 * NULL) says why it ends early.  An address that is in no function becomes a call "0x...". Wrappers
 * of the compiler are left out, as Go does.  NO_MEMORY.
 */
MS_MUST_USE struct ms_error *ms_stack_book_add(struct ms_stack_book *book,
					       const struct ms_stack_pc *pcs, size_t count,
					       const char *cut, uint32_t *ret_index);

/** The call at one address without what it is inlined into: for the line of a go statement. */
MS_MUST_USE struct ms_error *ms_stack_book_call(struct ms_stack_book *book, struct ms_stack_pc pc,
						struct ms_stack_call *ret_call);

void ms_stack_book_deinit(struct ms_stack_book *book);
