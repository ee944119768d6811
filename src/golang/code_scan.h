// code_scan.h - going through the whole text of a program: which functions refer to which
// variables, and which are worth to be taken apart.
#pragma once

#include "golang/code_functions.h"

/** A function's reference to a variable, in one number that sorts by the variable's address. */
typedef uint64_t ms_code_reference;

enum { MS_CODE_WRITES = 1 };

static inline ms_code_reference ms_code_reference_make(uint32_t offset, uint32_t function,
						       unsigned flags)
{
	return (uint64_t)offset << 32 | (uint64_t)function << 2 | flags;
}

/** From the start of the variables. */
static inline uint32_t ms_code_reference_offset(ms_code_reference r)
{
	return (uint32_t)(r >> 32);
}

/** Index in struct ms_code_functions. */
static inline uint32_t ms_code_reference_function(ms_code_reference r)
{
	return (uint32_t)r >> 2;
}

struct ms_code_references {
	ms_code_reference *items;
	size_t count, capacity;
};

/** What the bytes of one function hold. */
struct ms_code_glance {
	bool calls_map;   // A function that gets a map and its type.
	bool calls_at;    // One that gets an address and its type.
	bool calls_maker; // One that says something of its result.
	bool calls_new;   // One that makes an object.
	bool calls_method;
	bool has_load;     // Loads a variable.
	bool has_address;  // Takes the address of one.
	bool has_store;    // Stores to one.
	bool has_receiver; // Loads one, or takes its address, as a first argument.
	bool has_function; // Takes the address of a function.
};

struct ms_code_scan;

MS_MUST_USE struct ms_error *ms_code_scan_create(enum ms_arch arch,
						 const struct ms_code_world *world,
						 struct ms_code_scan **ret_scan);

/**
 * Look at the function with index @p function; its references are appended.  False when memory is
 * short.
 */
bool ms_code_glance(const struct ms_code_scan *scan, const uint8_t *bytes, size_t size,
		    ms_addr address, uint32_t function, struct ms_code_references *references,
		    struct ms_code_glance *ret_glance);

/** Sort by address, keeping the order of functions; false when memory is short. */
bool ms_code_references_sort(struct ms_code_references *references);

/** Accepts NULL. */
void ms_code_scan_destroy(struct ms_code_scan *scan);
