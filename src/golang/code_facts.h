// code_facts.h - what a program's machine code says of its package-level variables and closures,
// for programs without debug information.
//
// The code is read from the executable's file once.  What it says is right or left out: facts of
// one variable that contradict each other are dropped and counted.
#pragma once

#include "golang/code_scan.h"

/** A word, or the start of a variable, at a fixed address. */
struct ms_code_global {
	ms_addr address; // At run time.
	ms_addr type;    // A descriptor.
	enum ms_code_shape shape;
	uint32_t evidence; // Places of the code that say so.
};

/** A function that is called through an object that begins with its address. */
struct ms_code_closure {
	ms_addr entry;
	ms_addr type; // The object's descriptor: a struct whose first field is "F".
};

enum { MS_CODE_USERS_MAX = 3 };

/** A function that refers to a variable by its address. */
struct ms_code_user {
	ms_addr entry;
	bool writes; // Stores to it, or inserts into the map that it holds.
};

struct ms_code_facts {
	struct {
		struct ms_code_global *items; // Sorted by address; one of each.
		size_t count, capacity;
	} globals;
	struct {
		struct ms_code_closure *items; // Sorted by entry; one of each.
		size_t count, capacity;
	} closures;
	size_t functions; // Of the program.
	size_t decoded;   // Of these, those that were taken apart.
	size_t conflicts; // Variables and closures that were dropped.
	size_t doubtful;  // Facts that were left out, as an interface may explain them.
	bool cut;         // A bound was reached: some may be missing.
	// For ms_code_users.
	struct ms_code_functions table;
	struct ms_code_references references;
	ms_addr data;
};

/**
 * The facts of the target's executable, found at the first call and kept: *ret_facts is owned by
 * @p rt and lives as long.  BAD_DATA when its function table cannot be read.
 */
MS_MUST_USE struct ms_error *ms_go_code_facts(struct ms_go_runtime *rt,
					      const struct ms_code_facts **ret_facts);

/** What is known of exactly this address, or NULL. */
const struct ms_code_global *ms_code_global_find(const struct ms_code_facts *facts,
						 ms_addr address);

/** The type of the closure object that begins with @p entry, or 0. */
ms_addr ms_code_closure_type(const struct ms_code_facts *facts, ms_addr entry);

/**
 * The functions that refer to the variable at @p address: how many, and the
 * @p *ret_count (at most MS_CODE_USERS_MAX) that tell most of it.  Functions that write or insert
 * come before others, and the program's own before the runtime's.
 */
size_t ms_code_users(const struct ms_code_facts *facts, ms_addr address,
		     struct ms_code_user ret_users[MS_CODE_USERS_MAX], size_t *ret_count);

/** Accepts NULL. */
void ms_code_facts_destroy(struct ms_code_facts *facts);
