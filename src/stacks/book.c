// book.c - see book.h.
//
// Two stacks are the same when their addresses are.  The table is asked by a hash of them and the
// addresses are compared; where two stacks share a hash, the later one is kept under the next
// number that is free.
#include "stacks/book.h"

#include "base/hash.h"
#include "base/vec.h"
#include "golang/calls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct ms_stack_place {
	struct ms_stack_call *calls; // Innermost first; the arena's.
	uint32_t count;
	uint64_t wrappers; // Bit N: calls[N] is the compiler's.
};

struct ms_stack_entry {
	const struct ms_stack_pc *pcs; // The arena's.
	uint32_t count;
	const char *cut;
};

enum { NAME_MAX_BYTES = 1024 };

struct places {
	struct ms_stack_place *items;
	size_t count, capacity;
};

void ms_stack_book_init(struct ms_stack_book *book, const struct ms_functions *functions,
			struct ms_arena *arena, struct ms_stacks *stacks)
{
	*book = (struct ms_stack_book){ .functions = functions, .arena = arena, .stacks = stacks };
}

static uint64_t key_of(struct ms_stack_pc pc)
{
	return pc.pc << 1 | pc.is_return;
}

static struct ms_error *write_call(struct ms_stack_book *book, const struct ms_call *call,
				   ms_addr pc, struct ms_stack_call *ret_call)
{
	char name[NAME_MAX_BYTES];
	size_t size = ms_function_name_print(call->name, name, sizeof(name));

	*ret_call = (struct ms_stack_call){
		.function = ms_arena_strndup(book->arena, name,
					     size < sizeof(name) ? size : sizeof(name) - 1),
		.file = call->file ? ms_arena_strndup(book->arena, call->file, strlen(call->file))
				   : NULL,
		.line = call->line,
		.is_inlined = call->is_inlined,
		.is_runtime = ms_function_name_is_runtime(call->name),
		.pc = pc,
	};
	return ret_call->function && (!call->file || ret_call->file) ? NULL : ms_error_no_memory();
}

static struct ms_error *write_unknown(struct ms_stack_book *book, ms_addr pc,
				      struct ms_stack_place *ret_place)
{
	struct ms_stack_call *call = ms_arena_alloc(book->arena, sizeof(*call));

	if (!call)
		return ms_error_no_memory();
	call->function = ms_arena_printf(book->arena, "0x%" PRIx64, pc);
	call->pc = pc;
	*ret_place = (struct ms_stack_place){ call, 1, 0 };
	return call->function ? NULL : ms_error_no_memory();
}

static struct ms_error *write_resolved(struct ms_stack_book *book, struct ms_stack_pc pc,
				       struct ms_stack_place *ret_place)
{
	struct ms_stack_call calls[MS_STACK_RESOLVED_MAX], *written;
	size_t count = 0;
	struct ms_error *err =
	    book->resolve(book->resolve_context, pc.pc, pc.is_return, book->arena, calls, &count);

	if (err)
		return err;
	written = ms_arena_alloc(book->arena, (count + 1) * sizeof(*written));
	if (!written)
		return ms_error_no_memory();
	memcpy(written, calls, count * sizeof(*written));
	*ret_place = (struct ms_stack_place){ written, (uint32_t)count, 0 };
	return NULL;
}

static struct ms_error *write_place(struct ms_stack_book *book, struct ms_stack_pc pc,
				    struct ms_stack_place *ret_place)
{
	ms_addr at = pc.is_return && pc.pc ? pc.pc - 1 : pc.pc;
	const struct ms_function *function =
	    book->functions ? ms_functions_find(book->functions, at) : NULL;
	struct ms_call calls[MS_CALLS_MAX];
	struct ms_stack_call *written;
	uint64_t wrappers = 0;
	size_t count;

	if (!function && book->resolve)
		return write_resolved(book, pc, ret_place);
	if (!function)
		return write_unknown(book, pc.pc, ret_place);
	count = ms_function_calls(book->functions, function, at, calls);
	written = ms_arena_alloc(book->arena, count * sizeof(*written));
	if (!written)
		return ms_error_no_memory();
	for (size_t i = 0; i < count; i++) {
		struct ms_error *err = write_call(book, &calls[i], at, &written[i]);

		if (err)
			return err;
		wrappers |= (uint64_t)calls[i].is_wrapper << i;
	}
	*ret_place = (struct ms_stack_place){ written, (uint32_t)count, wrappers };
	return NULL;
}

static struct ms_error *find_place(struct ms_stack_book *book, struct ms_stack_pc pc,
				   struct ms_stack_place *ret_place)
{
	struct places places = { book->places, book->place_count, book->place_capacity };
	const uint32_t *known = ms_number_map_find(&book->place_of, key_of(pc));
	struct ms_stack_place place = { 0 };
	struct ms_error *err;
	bool added;

	if (known) {
		*ret_place = book->places[*known];
		return NULL;
	}
	err = write_place(book, pc, &place);
	if (err)
		return err;
	added = ms_vec_push(&places, place);
	book->places = places.items;
	book->place_count = places.count;
	book->place_capacity = places.capacity;
	if (!added ||
	    (pc.pc && !ms_number_map_add(&book->place_of, key_of(pc), (uint32_t)places.count - 1)))
		return ms_error_no_memory();
	*ret_place = place;
	return NULL;
}

struct ms_error *ms_stack_book_call(struct ms_stack_book *book, struct ms_stack_pc pc,
				    struct ms_stack_call *ret_call)
{
	struct ms_stack_place place;
	struct ms_error *err = find_place(book, pc, &place);

	if (!err)
		*ret_call = place.calls[0];
	return err;
}

// --- Stacks. ---

static uint64_t hash_of(const struct ms_stack_pc *pcs, size_t count, const char *cut)
{
	uint64_t hash = cut ? 2 : 1;

	for (size_t i = 0; i < count; i++)
		hash = ms_hash_number(hash * 31 + key_of(pcs[i]));
	return hash ? hash : 1;
}

static bool is_same(const struct ms_stack_entry *entry, const struct ms_stack_pc *pcs, size_t count,
		    const char *cut)
{
	if (entry->count != count || entry->cut != cut)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (key_of(entry->pcs[i]) != key_of(pcs[i]))
			return false;
	}
	return true;
}

/** A wrapper is not in the source; Go shows one where it panics itself, and so do we. */
static bool is_left_out(const struct ms_stack_place *place, uint32_t index, const char *inner)
{
	static const char *const panics[] = { "runtime.gopanic", "runtime.sigpanic",
					      "runtime.panicwrap" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(panics) && inner; i++) {
		if (!strcmp(inner, panics[i]))
			return false;
	}
	return place->wrappers >> index & 1;
}

static struct ms_error *write_stack(struct ms_stack_book *book, const struct ms_stack_pc *pcs,
				    size_t count, struct ms_stack *stack)
{
	struct ms_stack_place place;
	const char *inner = NULL;
	uint32_t used = 0, total = 0;

	for (size_t i = 0; i < count; i++) {
		struct ms_error *err = find_place(book, pcs[i], &place);

		if (err)
			return err;
		total += place.count;
	}
	stack->calls = ms_arena_alloc(book->arena, (total + 1) * sizeof(*stack->calls));
	if (!stack->calls)
		return ms_error_no_memory();
	for (size_t i = 0; i < count; i++) {
		struct ms_error *err = find_place(book, pcs[i], &place);

		if (err)
			return err;
		if (used + place.count > total)
			break; // An address of 0, which is not kept, is the same each time.
		for (uint32_t k = 0; k < place.count; k++) {
			if (!is_left_out(&place, k, inner))
				stack->calls[used++] = place.calls[k];
			inner = place.calls[k].function;
		}
	}
	stack->count = used;
	return NULL;
}

static struct ms_error *add_stack(struct ms_stack_book *book, uint64_t hash,
				  const struct ms_stack_pc *pcs, size_t count, const char *cut)
{
	struct {
		struct ms_stack_entry *items;
		size_t count, capacity;
	} entries = { book->entries, book->entry_count, book->entry_capacity };
	struct ms_stack_pc *kept = ms_arena_alloc(book->arena, (count + 1) * sizeof(*kept));
	struct ms_stack stack = { .cut = cut };
	struct ms_error *err = kept ? write_stack(book, pcs, count, &stack) : ms_error_no_memory();
	bool added;

	if (err)
		return err;
	if (count)
		memcpy(kept, pcs, count * sizeof(*kept));
	added = ms_vec_push(&entries, { kept, (uint32_t)count, cut });
	book->entries = entries.items;
	book->entry_count = entries.count;
	book->entry_capacity = entries.capacity;
	if (!added || !ms_vec_push(book->stacks, stack) ||
	    !ms_number_map_add(&book->stack_of, hash, (uint32_t)book->stacks->count - 1))
		return ms_error_no_memory();
	return NULL;
}

struct ms_error *ms_stack_book_add(struct ms_stack_book *book, const struct ms_stack_pc *pcs,
				   size_t count, const char *cut, uint32_t *ret_index)
{
	uint64_t hash = hash_of(pcs, count, cut);
	const uint32_t *known;
	struct ms_error *err;

	while ((known = ms_number_map_find(&book->stack_of, hash))) {
		if (is_same(&book->entries[*known], pcs, count, cut)) {
			*ret_index = *known;
			return NULL;
		}
		hash = hash + 1 ? hash + 1 : 1;
	}
	err = add_stack(book, hash, pcs, count, cut);
	if (!err)
		*ret_index = (uint32_t)book->stacks->count - 1;
	return err;
}

void ms_stack_book_deinit(struct ms_stack_book *book)
{
	ms_number_map_deinit(&book->place_of);
	ms_number_map_deinit(&book->stack_of);
	free(book->places);
	free(book->entries);
	book->places = NULL;
	book->entries = NULL;
}
