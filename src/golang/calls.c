// calls.c - a function's inline tree: what was inlined into it, and where.
//
// Steps (pc_values.h) say of each instruction which entry of the tree it belongs to, -1 for none.
// An entry has the name of the inlined function and the place of an instruction that stands where
// it was called, in the function or in what is inlined around.  So one goes from an instruction to
// its caller's until that is in no entry; file and line are those of each instruction on the way.
//
// The tree stands among the data of functions (go:func.*) in the file:
//
//	Go 1.18, 1.19	parent (2) id (1) - (1) file (4) line (4) name (4) caller (4)
//	from 1.20	id (1) - (3) name (4) caller (4) first line (4)
#include "golang/calls.h"

enum {
	STEPS_INDEX = 2, // abi.PCDATA_InlTreeIndex
	TREE_INDEX = 3,  // abi.FUNCDATA_InlTree
	ENTRIES_MAX = 1 << 20,
	ENTRY_BYTES_MAX = 20,
};

struct tree {
	uint32_t steps;  // Where the steps that lead into it are.
	uint64_t offset; // Of the tree in the file.
	uint32_t entry_bytes, id_at, name_at, caller_at;
};

/** The tree of a function; false when it has none. */
static bool tree_find(const struct ms_functions *f, const struct ms_function *fn,
		      struct tree *ret_tree)
{
	bool is_old = f->rt->pclntab.family == MS_PCLNTAB_1_18;
	struct tree tree = {
		.entry_bytes = is_old ? 20 : 16,
		.id_at = is_old ? 2 : 0,
		.name_at = is_old ? 12 : 4,
		.caller_at = is_old ? 16 : 8,
	};

	tree.steps = ms_function_steps(f, fn, STEPS_INDEX);
	if (!tree.steps || !ms_function_data(f, fn, TREE_INDEX, tree.entry_bytes, &tree.offset))
		return false;
	*ret_tree = tree;
	return true;
}

/** Entry @p index: what was inlined, without its place, and an instruction of its caller. */
static bool entry_read(const struct ms_functions *f, const struct ms_function *fn,
		       const struct tree *tree, int32_t index, struct ms_call *ret_call,
		       ms_addr *ret_caller)
{
	uint8_t raw[ENTRY_BYTES_MAX];
	uint32_t name;
	struct ms_error *err =
	    index >= ENTRIES_MAX
		? ms_error_new(MS_ERR_BAD_DATA, "an inline tree is too large")
		: ms_target_exe_read(f->rt->target,
				     tree->offset + (uint64_t)index * tree->entry_bytes, raw,
				     tree->entry_bytes);

	if (err) {
		ms_error_free(err);
		return false;
	}
	name = ms_load_u32(raw + tree->name_at);
	*ret_caller = fn->entry + ms_load_u32(raw + tree->caller_at);
	if (name >= f->names.size || *ret_caller >= fn->end)
		return false;
	*ret_call =
	    (struct ms_call){ .name = (const char *)f->names.bytes + name, .is_inlined = true };
	ret_call->is_wrapper = raw[tree->id_at] && !ms_function_name_is_runtime(ret_call->name);
	return true;
}

static void call_place(const struct ms_functions *f, const struct ms_function *fn, ms_addr pc,
		       struct ms_call *call)
{
	call->file = NULL;
	call->line = 0;
	(void)ms_function_line(f, fn, pc, &call->file, &call->line);
}

size_t ms_function_calls(const struct ms_functions *f, const struct ms_function *fn, ms_addr pc,
			 struct ms_call ret_calls[MS_CALLS_MAX])
{
	struct tree tree;
	bool has_tree = tree_find(f, fn, &tree);
	size_t count = 0;
	int32_t index;
	ms_addr caller;

	while (has_tree && count + 1 < MS_CALLS_MAX &&
	       ms_function_value(f, fn, tree.steps, pc, &index) && index >= 0 &&
	       entry_read(f, fn, &tree, index, &ret_calls[count], &caller)) {
		call_place(f, fn, pc, &ret_calls[count++]);
		pc = caller;
	}
	ret_calls[count] =
	    (struct ms_call){ .name = fn->name, .is_wrapper = fn->flags & MS_FUNCTION_WRAPPER };
	call_place(f, fn, pc, &ret_calls[count++]);
	return count;
}
