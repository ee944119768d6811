// map_lines.c - samples summed by the place in the program that called map code.
//
// A map that is made, filled and dropped within a request is in no census, and no two samples see
// the same one; the line that fills it is always the same.
#include "goroutines/map_lines.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "goroutines/map_finder.h"
#include "goroutines/map_roles.h"

#include <stdlib.h>

enum { LINES_MAX = 64 };

struct tally {
	ms_addr place;    // Where the program's innermost function calls.
	ms_addr function; // Where that is.
	uint32_t stack;
	uint64_t samples, passing, growing, copying;
};

/** The innermost place that is not the runtime's; false for none.  Says whether a map is made. */
static bool place_find(const struct ms_functions *functions, const struct ms_stored_stack *stack,
		       struct tally *t, bool *ret_makes)
{
	*ret_makes = false;
	for (uint32_t i = 0; i < stack->count; i++) {
		const struct ms_function *f =
		    ms_functions_find(functions, stack->pcs[i].pc - stack->pcs[i].is_return);

		if (f && !(f->flags & MS_FUNCTION_RUNTIME)) {
			t->place = stack->pcs[i].pc;
			t->function = f->entry;
			// Copies all of a sync.Map (sync/map.go, up to Go 1.23).
			t->growing = !strcmp(f->name, "sync.(*Map).dirtyLocked");
			return true;
		}
		*ret_makes |= f && ms_map_function_makes(f->name);
	}
	return false;
}

/** What one sample adds; false for one that has nothing to do with making or copying maps. */
static bool tally_make(const struct ms_goroutines_run *run, const struct ms_sample_store *store,
		       const struct ms_map_finder *finder, const struct ms_sample_seen *seen,
		       struct tally *ret_tally)
{
	struct tally t = { .stack = seen->stack };
	bool grows = seen->role == MS_ROLE_GROWS, writes = grows || seen->role == MS_ROLE_WRITES;
	bool is_held = seen->map && finder->census && ms_census_holds(finder->census, seen->map);
	bool makes;

	if (seen->stack == MS_NO_SAMPLED_STACK ||
	    !place_find(run->functions, &store->stacks.items[seen->stack], &t, &makes))
		return false;
	t.copying = seen->role == MS_ROLE_ITERATES && is_held;
	t.samples = writes || makes;
	t.passing = t.samples && !(writes && is_held);
	t.growing |= (grows && !is_held) || (makes && seen->role == MS_ROLE_READS); // maps.Clone
	t.growing &= t.passing;
	*ret_tally = t;
	return t.samples || t.copying;
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

static int by_function(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	return x->function < y->function ? -1 : x->function > y->function;
}

/** Samples that go through a map count for the busiest line that makes one in that function. */
static void copies_join(struct tally *tallies, size_t count)
{
	if (count)
		qsort(tallies, count, sizeof(*tallies), by_function);
	for (size_t i = 0, next; i < count; i = next) {
		uint64_t copying = 0;
		size_t most = i;

		for (next = i; next < count && tallies[next].function == tallies[i].function;
		     next++) {
			copying += tallies[next].copying;
			tallies[next].copying = 0;
			most = tallies[next].passing > tallies[most].passing ? next : most;
		}
		tallies[most].copying = tallies[most].passing ? copying : 0;
	}
}

/** One entry for each place, the most frequent first; returns how many. */
static size_t tallies_make(const struct ms_goroutines_run *run, const struct ms_sample_store *store,
			   const struct ms_map_finder *finder, struct tally *tallies)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < store->seen.count; i++)
		count += tally_make(run, store, finder, &store->seen.items[i], &tallies[count]);
	if (count)
		qsort(tallies, count, sizeof(*tallies), by_place);
	for (size_t i = 0; i < count; i++) {
		struct tally *last = kept ? &tallies[kept - 1] : NULL;

		if (!last || last->place != tallies[i].place) {
			tallies[kept++] = tallies[i];
			continue;
		}
		last->samples += tallies[i].samples;
		last->passing += tallies[i].passing;
		last->growing += tallies[i].growing;
		last->copying += tallies[i].copying;
	}
	copies_join(tallies, kept);
	if (kept)
		qsort(tallies, kept, sizeof(*tallies), by_samples);
	while (kept && !tallies[kept - 1].samples)
		kept--;
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
		struct ms_map_line line = { .samples = tallies[i].samples,
					    .passing = tallies[i].passing,
					    .growing = tallies[i].growing,
					    .copying = tallies[i].copying };

		err = ms_sample_store_write(store, tallies[i].stack, run->book, &line.stack);
		if (!err && !ms_vec_push(&lines, line))
			err = ms_error_no_memory();
	}
	run->report->lines = lines.items;
	run->report->line_count = lines.count;
	run->report->line_capacity = lines.capacity;
	return err;
}
