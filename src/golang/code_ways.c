// code_ways.c - see code_ways.h.
//
// What follows a call that never returns is somebody else's way.  Nothing flows through what is no
// instruction, or stands where the function table knows no frame.
#include "golang/code_ways.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum {
	ROUNDS_MAX = 64, // A way through nested loops takes a round for each.
	AMD64_STEP = 1,
	ARM64_STEP = 4,
};

/** Whether a call of the function at @p target never returns, as the compiler knows. */
static bool is_last_call(const struct ms_functions *f, ms_addr target)
{
	static const char *const fronts[] = { "runtime.gopanic", "runtime.panic", "runtime.goPanic",
					      "runtime.throw", "runtime.fatal" };
	const struct ms_function *callee = target ? ms_functions_find(f, target) : NULL;

	for (size_t i = 0; callee && i < MS_ARRAY_SIZE(fronts); i++) {
		if (!strncmp(callee->name, fronts[i], strlen(fronts[i])))
			return true;
	}
	return false;
}

/** The instructions; false when a jump goes nobody knows where. */
static bool decode(const struct ms_functions *f, const struct ms_function *fn, struct ms_code *code,
		   const uint8_t *bytes, size_t size, struct ms_code_ways *w, bool *ret_short)
{
	unsigned least = f->rt->elf.arch == MS_ARCH_AMD64 ? AMD64_STEP : ARM64_STEP;

	for (size_t at = 0; at < size;) {
		struct ms_code_step s = { .offset = (uint32_t)at };
		bool known = ms_code_decode(code, bytes + at, size - at, fn->entry + at, &s.insn) &&
			     ms_function_frame_bytes(f, fn, fn->entry + at, &s.frame_bytes);

		if (known && s.insn.kind == MS_INSN_JUMP && !s.insn.value)
			return false;
		if (known && s.insn.kind == MS_INSN_CALL && is_last_call(f, s.insn.value))
			s.insn.kind = MS_INSN_STOP;
		if (!known)
			s.insn = (struct ms_insn){ .kind = MS_INSN_STOP, .length = (uint8_t)least };
		*ret_short = !ms_vec_push(w, s);
		if (*ret_short)
			return false;
		at += s.insn.length;
	}
	return true;
}

struct ms_error *ms_code_ways_create(const struct ms_functions *f, const struct ms_function *fn,
				     struct ms_code *code, struct ms_code_ways **ret_ways)
{
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_code_ways *w;
	struct ms_error *err = ms_function_code(f, fn, &bytes);
	bool is_short = false;

	*ret_ways = NULL;
	if (err || !bytes)
		return err;
	w = calloc(1, sizeof(*w));
	if (!w)
		return ms_error_no_memory();
	w->entry = fn->entry;
	w->stack_pointer = ms_code_stack_pointer(code);
	if (decode(f, fn, code, bytes, (size_t)(fn->end - fn->entry), w, &is_short) && w->count)
		*ret_ways = w;
	else
		ms_code_ways_destroy(w);
	return is_short ? ms_error_no_memory() : NULL;
}

void ms_code_ways_destroy(struct ms_code_ways *w)
{
	if (!w)
		return;
	ms_vec_free(w);
	free(w);
}

/** How many begin at @p offset or before. */
static size_t up_to(const struct ms_code_ways *w, uint64_t offset)
{
	size_t low = 0, high = w->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->items[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t ms_code_ways_at(const struct ms_code_ways *w, ms_addr pc)
{
	size_t before = pc >= w->entry ? up_to(w, pc - w->entry) : 0;

	return before ? before - 1 : w->count;
}

/** Whether an instruction begins at @p address, and it is not the entry. */
static bool begins_at(const struct ms_code_ways *w, ms_addr address, size_t *ret_index)
{
	*ret_index = ms_code_ways_at(w, address);
	return *ret_index && *ret_index < w->count &&
	       w->items[*ret_index].offset == address - w->entry;
}

static bool round_make(const struct ms_code_ways *w, ms_code_flow_fn flow, void *context)
{
	bool changed = false;

	for (size_t i = 0; i < w->count; i++) {
		const struct ms_insn *insn = &w->items[i].insn;
		size_t to;

		if (insn->kind != MS_INSN_JUMP && insn->kind != MS_INSN_STOP && i + 1 < w->count)
			changed |= flow(context, i, i + 1);
		if ((insn->kind == MS_INSN_JUMP || insn->kind == MS_INSN_BRANCH) &&
		    begins_at(w, insn->value, &to))
			changed |= flow(context, i, to);
	}
	return changed;
}

bool ms_code_ways_settle(const struct ms_code_ways *w, ms_code_flow_fn flow, void *context)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		if (!round_make(w, flow, context))
			return true;
	}
	return false;
}
