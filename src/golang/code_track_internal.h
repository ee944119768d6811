// code_track_internal.h - where a way through a function is, and what it knows.
#pragma once

#include "golang/code_track.h"
#include "golang/code_values.h"

/** A result whose type is not said where it is made, and what is said of it later. */
struct small_map {
	uint32_t site;
	ms_addr number; // An address of a variable, or a type.
};

/** A place that jumps lead back to. */
struct loop {
	struct ms_values values; // What all of these jumps agree on.
	bool is_set;
};

struct ms_code_tracker {
	const struct ms_code_world *world;
	struct ms_code *code;
	// The function.
	ms_addr start;
	size_t size;
	struct ms_insn *insns;
	size_t insn_count, insn_capacity;
	uint32_t *ahead; // By offset: 1 + index of the state that jumps bring there.
	uint32_t *back;  // By offset: whether a jump leads back there.
	size_t map_capacity;
	struct {
		struct ms_values *items;
		size_t count, capacity;
	} states;
	struct {
		uint32_t *items;
		size_t count, capacity;
	} free;
	struct {
		int64_t *items;
		size_t count, capacity;
	} taken; // Stack addresses that are taken, sorted, one of each.
	struct {
		struct loop *items;
		size_t count, capacity;
	} loops;
	bool loops_changed;
	bool has_table;
	unsigned sp;
	// Where we are.
	struct ms_values now;
	bool reachable;
	bool waits; // For what comes back to a loop that no way leads into yet.
	uint32_t offset;
	struct ms_code_found *found;
	struct {
		ms_addr *items;
		size_t count, capacity;
	} doubtful; // Words that may belong to an interface.
	struct {
		struct small_map *items;
		size_t count, capacity;
	} small_types, small_stores;
	struct {
		ms_addr *items;
		size_t count, capacity;
	} lengths;              // Words that were given a number.
	struct ms_value result; // What the function returns where that was made by a call.
	bool results_differ;
	bool out_of_memory;
};

/** Do what an instruction does, other than go elsewhere. */
void ms_code_effect(struct ms_code_tracker *t, const struct ms_insn *insn);

/** The function ends here, and this is what it returns first. */
void ms_code_returned(struct ms_code_tracker *t, const struct ms_value *v);

/** What is known of a word that is given what a call made; false when that says nothing. */
bool ms_code_made_fact(const struct ms_value *v, struct ms_code_fact *ret_fact);

/** Keep a fact if a variable may lie at its address. */
void ms_code_fact_add(struct ms_code_tracker *t, struct ms_code_fact fact);
