// map_lines.c - samples summed by the place in the program that called map code.
//
// A map that is made, filled and dropped within a request is in no census, and no two samples see
// the same one; the line that fills it is always the same.
#include "goroutines/map_lines.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdlib.h>

enum { LINES_MAX = 64 };

struct tally {
	ms_addr place; // Where the program's innermost function calls.
	uint32_t stack;
	uint64_t samples, passing;
};

/** The innermost address that is not the runtime's; 0 for none. */
static ms_addr place_of(const struct ms_functions *functions, const struct ms_stored_stack *stack)
{
	for (uint32_t i = 0; i < stack->count; i++) {
		const struct ms_function *f =
		    ms_functions_find(functions, stack->pcs[i].pc - stack->pcs[i].is_return);

		if (f && !(f->flags & MS_FUNCTION_RUNTIME))
			return stack->pcs[i].pc;
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

static int by_samples(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return by_place(a, b);
}

/** One entry for each place, the most frequent first; returns how many. */
static size_t tallies_make(const struct ms_goroutines_run *run, const struct ms_sample_store *store,
			   const struct ms_map_finder *finder, struct tally *tallies)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < store->seen.count; i++) {
		const struct ms_sample_seen *seen = &store->seen.items[i];
		struct tally t = { .stack = seen->stack, .samples = 1 };

		if ((seen->role != MS_ROLE_WRITES && seen->role != MS_ROLE_GROWS) ||
		    seen->stack == MS_NO_SAMPLED_STACK)
			continue;
		t.place = place_of(run->functions, &store->stacks.items[seen->stack]);
		t.passing = !seen->map || !ms_map_finder_row(finder, seen->map);
		if (t.place)
			tallies[count++] = t;
	}
	if (count)
		qsort(tallies, count, sizeof(*tallies), by_place);
	for (size_t i = 0; i < count; i++) {
		if (kept && tallies[kept - 1].place == tallies[i].place) {
			tallies[kept - 1].samples++;
			tallies[kept - 1].passing += tallies[i].passing;
		} else {
			tallies[kept++] = tallies[i];
		}
	}
	if (kept)
		qsort(tallies, kept, sizeof(*tallies), by_samples);
	return kept;
}

struct lines {
	struct ms_map_line *items;
	size_t count, capacity;
};

struct ms_error *ms_map_lines_make(struct ms_goroutines_run *run,
				   const struct ms_sample_store *store,
				   const struct ms_map_finder *finder)
{
	MS_AUTO_FREE struct tally *tallies = malloc((store->seen.count + 1) * sizeof(*tallies));
	struct lines lines = { 0 };
	struct ms_error *err = NULL;
	size_t count;

	if (!tallies)
		return ms_error_no_memory();
	count = tallies_make(run, store, finder, tallies);
	for (size_t i = 0; i < count && i < LINES_MAX && !err; i++) {
		struct ms_map_line line = { 0, tallies[i].samples, tallies[i].passing };

		err = ms_sample_store_write(store, tallies[i].stack, run->book, &line.stack);
		if (!err && !ms_vec_push(&lines, line))
			err = ms_error_no_memory();
	}
	run->report->lines = lines.items;
	run->report->line_count = lines.count;
	run->report->line_capacity = lines.capacity;
	return err;
}
