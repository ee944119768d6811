// code_results.c - few functions make what a variable holds from its start on, and most of these
// only return it; so they are followed when all variables are known that ask for them, each once.
//
// A result has one type, whatever the way out: one that returns what a call made with a type says
// it.  Two that say different things say nothing.
#include "golang/code_results.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	FUNCTION_BYTES_MAX = 64 << 10, // Longer ones hardly return what they made.
	DEPTH_MAX = 6,                 // Functions that return each other's results.
	FOLLOWED_BYTES_MAX = 64 << 20, // Of all functions together.
};

struct results {
	struct ms_go_runtime *rt;
	const struct ms_code_functions *functions;
	struct ms_code_tracker *tracker;
	struct ms_code_found found;
	uint64_t bytes;
};

static void results_deinit(struct results *r)
{
	ms_code_found_deinit(&r->found);
}

/** The function that begins at @p entry; false when none does. */
static bool function_at(const struct ms_code_functions *f, ms_addr entry, size_t *ret_index)
{
	size_t low = 0, high = f->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->text + f->entries[middle] < entry)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == f->count || f->text + f->entries[low] != entry)
		return false;
	*ret_index = low;
	return true;
}

/** What the function at @p entry returns; not known when it cannot be followed. */
static struct ms_error *function_follow(struct results *r, ms_addr entry,
					struct ms_code_return *ret_returned)
{
	const struct ms_code_functions *f = r->functions;
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_error *err;
	uint64_t offset;
	size_t index, size;

	*ret_returned = (struct ms_code_return){ 0 };
	if (!function_at(f, entry, &index))
		return NULL;
	size = f->entries[index + 1] - f->entries[index];
	if (!size || size > FUNCTION_BYTES_MAX || r->bytes + size > FOLLOWED_BYTES_MAX ||
	    !ms_elf_offset_of(&r->rt->elf, entry - r->rt->elf.bias, size, &offset))
		return NULL;
	r->bytes += size;
	bytes = malloc(size);
	if (!bytes)
		return ms_error_no_memory();
	err = ms_target_exe_read(r->rt->target, offset, bytes, size);
	if (!err)
		err = ms_code_track(r->tracker, bytes, size, entry, &r->found);
	if (!err)
		*ret_returned = r->found.returned;
	return err;
}

static int given_compare(const void *a, const void *b)
{
	const struct ms_code_given *x = a, *y = b;

	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static struct ms_error *results_run(struct results *r, struct ms_code_raw *raw)
{
	struct ms_code_return returned = { 0 };

	for (size_t i = 0; i < raw->given.count; i++) {
		const struct ms_code_given *given = &raw->given.items[i];
		ms_addr entry = given->entry;

		for (unsigned depth = 0; entry && (!i || given[-1].entry != given->entry);
		     depth++) {
			struct ms_error *err = function_follow(r, entry, &returned);

			if (err)
				return err;
			entry = depth < DEPTH_MAX ? returned.entry : 0;
		}
		if (!returned.is_known || returned.entry)
			continue;
		returned.fact.address = given->address;
		if (!ms_vec_push(&raw->facts, returned.fact))
			return ms_error_no_memory();
	}
	return NULL;
}

struct ms_error *ms_code_results_resolve(struct ms_go_runtime *rt,
					 const struct ms_code_functions *functions,
					 struct ms_code_tracker *tracker, struct ms_code_raw *raw)
{
	MS_CLEANUP(results_deinit)
	struct results r = { .rt = rt, .functions = functions, .tracker = tracker };

	if (raw->given.count)
		qsort(raw->given.items, raw->given.count, sizeof(struct ms_code_given),
		      given_compare);
	return results_run(&r, raw);
}
