// functions.h - the functions of the main module: by address, by name, with lines and frames.
//
// Everything comes from the executable's function table (pclntab), stripped or not.  Plugins'
// functions are not in it.
#pragma once

#include "golang/runtime.h"

enum ms_function_flags {
	MS_FUNCTION_TOP = 1,      // Ends a stack: goexit, mstart, rt0_go.
	MS_FUNCTION_SP_WRITE = 2, // Sets the stack pointer: nothing is known beyond it.
	MS_FUNCTION_INJECTED = 4, // Entered without a call: sigpanic, asyncPreempt, debugCall.
	MS_FUNCTION_RUNTIME = 8,  // See ms_function_name_is_runtime.
	MS_FUNCTION_WRAPPER = 16, // The compiler's: Go leaves it out of the stacks it prints.
};

struct ms_function {
	ms_addr entry, end;
	const char *name; // As the linker wrote it; into the table.
	uint32_t record;  // Offset of its runtime._func.
	uint8_t id;       // abi.FuncID; its numbers differ between releases.
	uint8_t flags;    // Bits of ms_function_flags.
};

enum { MS_FUNCTION_CODE_MAX = 64 << 10 }; // Bytes; only generated code is longer.

/** A part of the function table. */
struct ms_functions_part {
	const uint8_t *bytes;
	size_t size;
};

struct ms_functions {
	struct ms_function *items; // Sorted by entry, without overlap.
	size_t count, capacity;
	uint64_t damaged; // Entries left out because they cannot be.
	ms_addr text, etext;
	// The rest is for functions.c and calls.c.
	struct ms_go_runtime *rt; // Borrowed.
	ms_addr gofunc;           // Where the data of functions begins.
	const struct ms_go_layout *layout;
	uint8_t quantum; // Bytes of the smallest instruction.
	uint8_t *bytes;  // What the parts point into.
	struct ms_functions_part names, units, files, steps, records;
	uint32_t *pages; // First function that ends behind the start of each page of text.
	size_t page_count;
};

/**
 * The target's functions, loaded when they are first asked for; they stay the runtime's.  BAD_DATA
 * when the table cannot be one, FAULT when it cannot be read.
 */
MS_MUST_USE struct ms_error *ms_go_functions(struct ms_go_runtime *rt,
					     const struct ms_functions **ret_functions);

/** Accepts NULL. */
void ms_functions_destroy(struct ms_functions *functions);

/** The function whose code holds @p pc, or NULL. */
const struct ms_function *ms_functions_find(const struct ms_functions *functions, ms_addr pc);

/** The first function of exactly this name, or NULL; looks at all of them. */
const struct ms_function *ms_functions_by_name(const struct ms_functions *functions,
					       const char *name);

/**
 * The value at @p pc of @p function in the steps at @p steps of the table (pc_values.h).  False
 * when there is none.
 */
bool ms_function_value(const struct ms_functions *functions, const struct ms_function *function,
		       uint32_t steps, ms_addr pc, int32_t *ret_value);

/** Where the steps of a function's table @p index (abi.PCDATA_*) begin; 0 for none. */
uint32_t ms_function_steps(const struct ms_functions *functions, const struct ms_function *function,
			   uint32_t index);

/**
 * Where in the file @p size bytes of a function's data @p index (abi.FUNCDATA_*) are.  False when
 * it has none.
 */
bool ms_function_data(const struct ms_functions *functions, const struct ms_function *function,
		      uint32_t index, uint64_t size, uint64_t *ret_offset);

/**
 * The code of @p function, as it is in the file; the caller frees it.  NULL where it is not there,
 * or longer than MS_FUNCTION_CODE_MAX.
 */
MS_MUST_USE struct ms_error *ms_function_code(const struct ms_functions *functions,
					      const struct ms_function *function,
					      uint8_t **ret_bytes);

/**
 * Where the instruction at @p pc stands in the source; of inlined code that is the inlined body
 * (calls.h tells who called it).  For a return address ask one byte before.  False when the table
 * does not say.
 */
bool ms_function_line(const struct ms_functions *functions, const struct ms_function *function,
		      ms_addr pc, const char **ret_file, uint32_t *ret_line);

/**
 * How far the stack pointer at @p pc stands below where it stood at the entry.  False when the
 * table does not say: code of C, or a damaged table.
 */
bool ms_function_frame_bytes(const struct ms_functions *functions,
			     const struct ms_function *function, ms_addr pc, uint32_t *ret_bytes);

/**
 * Whether a function of this name is the machinery below a program: package runtime and what
 * it stands on, map code wherever it lives, reflect's ways into it, code without a package.
 */
bool ms_function_name_is_runtime(const char *name);

/**
 * Write @p name as Go prints it: type arguments as "[...]".  Cut to @p size bytes with the
 * terminator; returns the whole length.
 */
size_t ms_function_name_print(const char *name, char *buf, size_t size);
