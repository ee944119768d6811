// sample_store.c - a loop is sampled at a hundred places, and its stacks differ only there: so a
// stack is kept once, and beside it a number that is the same for all stacks with the same calls
// around the program's innermost function.
#include "goroutines/sample_store.h"

#include "base/hash.h"
#include "base/vec.h"

enum {
	SAMPLES_MAX = 1 << 18, // 12 MB.
	STACK_BYTES_MAX = 16 << 20,
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = ms_hash_number(hash * 31 + value);
	return hash ? hash : 1;
}

/** The program's innermost function, and the places from which it was called. */
static uint64_t code_of(const struct ms_functions *functions, const struct ms_sampled_stack *stack)
{
	const struct ms_function *f = NULL;
	uint64_t hash = 1;
	size_t i = 0;

	for (; i < stack->count; i++) {
		f = ms_functions_find(functions, stack->pcs[i].pc - stack->pcs[i].is_return);
		if (!f || !(f->flags & MS_FUNCTION_RUNTIME))
			break;
	}
	if (i == stack->count) // The runtime's alone.
		i = 0;
	f = i < stack->count
		? ms_functions_find(functions, stack->pcs[i].pc - stack->pcs[i].is_return)
		: NULL;
	hash = mix(hash, f ? f->entry : 0);
	for (i++; i < stack->count; i++)
		hash = mix(hash, stack->pcs[i].pc);
	return hash;
}

static uint64_t key_of(const struct ms_sampled_stack *stack)
{
	uint64_t hash = stack->cut ? 2 : 1;

	for (size_t i = 0; i < stack->count; i++)
		hash = mix(hash, stack->pcs[i].pc << 1 | stack->pcs[i].is_return);
	return hash;
}

static bool is_same(const struct ms_stored_stack *a, const struct ms_sampled_stack *b)
{
	if (a->count != b->count || a->cut != b->cut)
		return false;
	for (size_t i = 0; i < b->count; i++) {
		if (a->pcs[i].pc != b->pcs[i].pc || a->pcs[i].is_return != b->pcs[i].is_return)
			return false;
	}
	return true;
}

/** The index of a stack, added where it is new; MS_NO_SAMPLED_STACK where there is no room. */
static struct ms_error *stack_get(struct ms_sample_store *s, const struct ms_functions *functions,
				  const struct ms_sampled_stack *stack, uint32_t *ret_index)
{
	size_t bytes = stack->count * sizeof(*stack->pcs);
	struct ms_stored_stack fresh = { .count = (uint32_t)stack->count, .cut = stack->cut };
	struct ms_stack_pc *pcs;
	uint64_t key = key_of(stack);
	const uint32_t *known;

	*ret_index = MS_NO_SAMPLED_STACK;
	if (!stack->count)
		return NULL;
	for (; (known = ms_number_map_find(&s->stack_of, key)); key = mix(key, 1)) {
		if (is_same(&s->stacks.items[*known], stack)) {
			*ret_index = *known;
			return NULL;
		}
	}
	if (s->stack_bytes + bytes > STACK_BYTES_MAX)
		return NULL;
	pcs = ms_arena_alloc(&s->arena, bytes);
	if (!pcs)
		return ms_error_no_memory();
	memcpy(pcs, stack->pcs, bytes);
	fresh.pcs = pcs;
	fresh.code = code_of(functions, stack);
	if (!ms_vec_push(&s->stacks, fresh) ||
	    !ms_number_map_add(&s->stack_of, key, (uint32_t)s->stacks.count - 1))
		return ms_error_no_memory();
	s->stack_bytes += bytes;
	*ret_index = (uint32_t)s->stacks.count - 1;
	return NULL;
}

struct ms_error *ms_sample_store_add(struct ms_sample_store *s,
				     const struct ms_functions *functions,
				     const struct ms_cpu_sample *sample,
				     const struct ms_sampled_stack *stack,
				     const struct ms_map_use *use)
{
	struct ms_sample_seen seen = {
		.time = sample->time,
		.goroutine = stack->g.id,
		.map = use->map,
		.type = use->type,
		.thread = sample->thread,
		.role = (uint8_t)use->role,
	};
	struct ms_error *err;

	if (s->seen.count == SAMPLES_MAX) {
		s->left_out++;
		return NULL;
	}
	err = stack_get(s, functions, stack, &seen.stack);
	if (!err && !ms_vec_push(&s->seen, seen))
		err = ms_error_no_memory();
	return err;
}

struct ms_error *ms_sample_store_write(const struct ms_sample_store *s, uint32_t stack,
				       struct ms_stack_book *book, uint32_t *ret_index)
{
	const struct ms_stored_stack *stored;

	if (stack == MS_NO_SAMPLED_STACK) {
		*ret_index = MS_NO_STACK;
		return NULL;
	}
	stored = &s->stacks.items[stack];
	return ms_stack_book_add(book, stored->pcs, stored->count, stored->cut, ret_index);
}

void ms_sample_store_deinit(struct ms_sample_store *s)
{
	ms_vec_free(&s->seen);
	ms_vec_free(&s->stacks);
	ms_number_map_deinit(&s->stack_of);
	ms_arena_deinit(&s->arena);
}
