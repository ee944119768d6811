// samples_pass.c - a goroutine that runs has no stack that could be read, but hundreds of samples.
//
// Its row gets the stack it was seen with most.  Samples of a loop differ in the instruction they
// hit, so stacks count as one that have the same program code around (sample_store.h), and of these
// the most frequent is shown.  What it does to which map is counted likewise.
//
// Goroutines that rest are asked where they were left.  Few are inside map code: one that waits for
// the collector in the middle of an insert, or was asked to stop at a function's entry.  Loops over
// maps are looked for only on stacks with a function that has such a loop.
#include "goroutines/samples_pass.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "goroutines/map_lines.h"
#include "goroutines/map_names.h"
#include "goroutines/race_clues.h"

#include <stdlib.h>

enum { IMAGE_BYTES_MAX = 64 << 10 }; // Of a stack at rest.

static const double WALK_SECONDS_MAX = 5; // For the names of maps.

struct samples {
	struct ms_cpu_sampler *sampler; // NULL: none are taken.
	struct ms_map_finder *finder;
	struct ms_sample_store store;
	struct ms_clue_sources sources;
	struct {
		struct rest_known {
			bool is_known, is_inside, may_loop;
		} * items; // By stack of the report.
		size_t count, capacity;
	} rest_stacks;
	struct ms_census_report names; // Of the maps that were seen, where there is no census.
	struct ms_sampled_stack stack;
	double began;
	uint64_t hashing; // Samples in map code that hashed a key.
	uint8_t bytes[IMAGE_BYTES_MAX];
};

static void destroy(void *state)
{
	struct samples *s = state;

	if (!s)
		return;
	ms_cpu_sampler_destroy(s->sampler);
	ms_map_finder_destroy(s->finder);
	ms_sample_store_deinit(&s->store);
	ms_census_report_deinit(&s->names);
	ms_vec_free(&s->sources.rests);
	ms_vec_free(&s->sources.loops);
	ms_vec_free(&s->rest_stacks);
	free(s);
}

/** Say why nothing is sampled, and go on without. */
static struct ms_error *do_without(struct ms_goroutines_run *run, struct ms_error *err)
{
	const char *text = ms_error_message(err);

	if (ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	run->report->no_samples = ms_arena_strndup(&run->report->arena, text, strlen(text));
	ms_error_free(err);
	return run->report->no_samples ? NULL : ms_error_no_memory();
}

static struct ms_error *sampler_start(struct ms_goroutines_run *run, struct samples *s)
{
	pid_t pid = run->rt->target->pid;
	struct ms_error *err;

	if (!pid) {
		run->report->no_samples = "there is no process whose threads could be sampled";
		return NULL;
	}
	if (!(run->options->seconds > 0)) {
		run->report->no_samples = "one look takes no samples: leave --once out";
		return NULL;
	}
	err = ms_cpu_sampler_create(pid, MS_CPU_HZ, &s->sampler);
	if (err)
		return do_without(run, err);
	run->report->no_samples = NULL;
	s->began = run->options->now(run->options->context);
	return NULL;
}

static struct ms_error *start(struct ms_goroutines_run *run, void **ret_state)
{
	struct samples *s = calloc(1, sizeof(*s));
	struct ms_error *err;

	if (!s)
		return ms_error_no_memory();
	err = ms_map_finder_create(run->rt, run->options->census, &s->finder);
	if (!err)
		err = sampler_start(run, s);
	if (err) {
		destroy(s);
		return err;
	}
	*ret_state = s;
	return NULL;
}

// --- Samples. ---

struct taking {
	struct ms_goroutines_run *run;
	struct samples *s;
};

/** Whether a function hashes keys: the runtime's own, or one that the compiler made for a type. */
static bool is_hash(const struct ms_frames *frames)
{
	static const char *const names[] = {
		"aeshash",      "memhash", "strhash",          "runtime.interhash", "f32hash",
		"nilinterhash", "f64hash", "runtime.typehash", "c64hash",           "c128hash"
	};
	const char *name =
	    frames->count && frames->items[0].function ? frames->items[0].function->name : NULL;

	if (!name)
		return false;
	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) {
		if (strstr(name, names[i]))
			return true;
	}
	return !strncmp(name, "type", 4) && strstr(name, ".hash.");
}

static struct ms_error *sample_take(const struct ms_cpu_sample *sample, void *context)
{
	struct taking *t = context;
	struct samples *s = t->s;
	struct ms_map_use use = { 0 };
	struct ms_error *err =
	    ms_sampled_stack_make(t->run->rt, t->run->unwinder, sample, &s->stack);

	if (!err)
		err = ms_map_use_find(s->finder, &s->stack.image, sample->registers,
				      &s->stack.frames, &use);
	if (!err && use.role != MS_ROLE_NONE)
		s->hashing += is_hash(&s->stack.frames);
	return err ? err
		   : ms_sample_store_add(&s->store, t->run->functions, sample, &s->stack, &use);
}

static struct ms_error *tick(struct ms_goroutines_run *run, void *state)
{
	struct samples *s = state;
	struct taking taking = { run, s };

	return s->sampler ? ms_cpu_sampler_take(s->sampler, sample_take, &taking) : NULL;
}

// --- Goroutines that rest. ---

/** The bytes of a stack at rest; false when they cannot be read, or it rests there no more. */
static bool image_read(struct ms_goroutines_run *run, struct samples *s,
		       const struct ms_goroutine *g, struct ms_stack_image *ret_image,
		       struct ms_error **ret_err)
{
	struct ms_stack_image image = { .pc = g->pc,
					.sp = g->sp,
					.bp = g->bp,
					.lr = g->lr,
					.stack_lo = g->stack_lo,
					.stack_hi = g->stack_hi,
					.bytes = s->bytes,
					.size = (size_t)ms_min_u64(g->stack_hi - g->sp,
								   IMAGE_BYTES_MAX),
					.is_return = true };
	struct ms_goroutine after;
	struct ms_error *err = ms_target_read(run->rt->target, g->sp, s->bytes, image.size);
	bool rests;

	if (!err)
		err = ms_goroutine_reread(run->rt, g->address, &after);
	rests = !err && ms_goroutine_is_same_stop(g, &after);
	*ret_image = image;
	if (err && ms_error_code(err) != MS_ERR_FAULT && ms_error_code(err) != MS_ERR_BAD_DATA) {
		*ret_err = err;
		return false;
	}
	ms_error_free(err);
	return rests;
}

static struct ms_error *use_take(struct ms_goroutines_run *run, struct samples *s,
				 const struct ms_goroutine *g, const struct ms_stack_image *image,
				 const struct ms_frames *frames, struct ms_goroutine_row *row)
{
	struct ms_map_rest rest = { .g = *g,
				    .stack = row->stack,
				    .time = run->options->now(run->options->context) };
	struct ms_map_use use;
	struct ms_error *err = ms_map_use_find(s->finder, image, NULL, frames, &use);

	if (err || use.role == MS_ROLE_NONE)
		return err;
	row->role = (uint8_t)use.role;
	row->role_stack = row->stack;
	row->map = rest.map = use.map;
	rest.type = use.type;
	rest.role = (uint8_t)use.role;
	if (use.map && !ms_vec_push(&s->sources.rests, rest))
		err = ms_error_no_memory();
	return err;
}

static struct ms_error *loops_take(struct samples *s, const struct ms_stack_image *image,
				   const struct ms_frames *frames, struct ms_goroutine_row *row)
{
	struct ms_map_loop loops[MS_MAP_LOOPS_MAX];
	size_t count;
	struct ms_error *err = ms_map_loops_find(s->finder, image, frames, loops, &count);

	for (size_t i = 0; !err && i < count; i++) {
		struct ms_open_loop loop = { row->id, loops[i].map, loops[i].type, row->stack,
					     loops[i].is_replaced };

		if (!ms_vec_push(&s->sources.loops, loop))
			err = ms_error_no_memory();
	}
	if (!err && count && row->role == MS_ROLE_NONE) {
		row->role = MS_ROLE_ITERATES;
		row->role_stack = row->stack;
		row->map = loops[0].map;
	}
	return err;
}

/** What the code on a stack may do to maps, asked once for each stack. */
static struct ms_error *rest_ask(struct samples *s, uint32_t stack, const struct ms_frames *frames,
				 struct rest_known *ret_known)
{
	struct ms_error *err;

	while (s->rest_stacks.count <= stack) {
		if (!ms_vec_push(&s->rest_stacks, { .is_known = false }))
			return ms_error_no_memory();
	}
	*ret_known = s->rest_stacks.items[stack];
	if (ret_known->is_known)
		return NULL;
	err = ms_map_loops_may_be(s->finder, frames, &ret_known->may_loop);
	ret_known->is_inside = ms_map_role_of_frames(s->finder, frames) != MS_ROLE_NONE;
	ret_known->is_known = true;
	if (!err)
		s->rest_stacks.items[stack] = *ret_known;
	return err;
}

static struct ms_error *goroutine(struct ms_goroutines_run *run, void *state,
				  const struct ms_goroutine *g, const struct ms_frames *frames,
				  struct ms_goroutine_row *row)
{
	struct samples *s = state;
	struct rest_known known;
	struct ms_stack_image image;
	struct ms_error *err;

	if (!frames->count || g->sp < g->stack_lo || g->sp >= g->stack_hi)
		return NULL;
	err = rest_ask(s, row->stack, frames, &known);
	if (err || (!known.is_inside && !known.may_loop))
		return err;
	if (!image_read(run, s, g, &image, &err))
		return err;
	if (known.is_inside)
		err = use_take(run, s, g, &image, frames, row);
	return err || !known.may_loop ? err : loops_take(s, &image, frames, row);
}

// --- Rows. ---

static int by_goroutine(const void *a, const void *b)
{
	const struct ms_sample_seen *x = a, *y = b;

	return x->goroutine < y->goroutine ? -1 : x->goroutine > y->goroutine;
}

/** How often each stack, and each code around it, is among the samples of one goroutine. */
struct tally {
	uint32_t stack;
	uint64_t code;
	size_t count, code_count;
};

static int by_stack(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

/** One entry for each stack, sorted by code; returns how many. */
static size_t tally_make(const struct ms_sample_store *store, const struct ms_sample_seen *seen,
			 size_t count, struct tally *tallies)
{
	size_t kept = 0, stacks = 0;

	for (size_t i = 0; i < count; i++) {
		if (seen[i].stack != MS_NO_SAMPLED_STACK)
			tallies[stacks++] =
			    (struct tally){ seen[i].stack, store->stacks.items[seen[i].stack].code,
					    1, 0 };
	}
	if (stacks)
		qsort(tallies, stacks, sizeof(*tallies), by_stack);
	for (size_t i = 0; i < stacks; i++) {
		if (kept && tallies[kept - 1].stack == tallies[i].stack)
			tallies[kept - 1].count++;
		else
			tallies[kept++] = tallies[i];
	}
	return kept;
}

/** The most frequent stack of the most frequent code; NULL for none. */
static const struct tally *tally_best(struct tally *tallies, size_t count)
{
	const struct tally *best = NULL;

	for (size_t i = 0, next; i < count; i = next) {
		size_t sum = 0, most = i;

		for (next = i; next < count && tallies[next].code == tallies[i].code; next++) {
			sum += tallies[next].count;
			most = tallies[next].count > tallies[most].count ? next : most;
		}
		tallies[most].code_count = sum;
		if (!best || sum > best->code_count)
			best = &tallies[most];
	}
	return best;
}

static int by_use(const void *a, const void *b)
{
	const struct ms_sample_seen *x = a, *y = b;

	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	return x->role < y->role ? -1 : x->role > y->role;
}

/** Sort one goroutine's samples by use; the most frequent of a map that is known, or of any. */
static size_t use_best(struct ms_sample_seen *seen, size_t count,
		       const struct ms_sample_seen **ret_first)
{
	size_t most = 0;
	bool known = false;

	*ret_first = NULL;
	qsort(seen, count, sizeof(*seen), by_use);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && !by_use(&seen[i], &seen[next]);)
			next++;
		if (seen[i].role == MS_ROLE_NONE || (known && !seen[i].map) ||
		    (known == !!seen[i].map && next - i <= most))
			continue;
		known = seen[i].map != 0;
		most = next - i;
		*ret_first = &seen[i];
	}
	return most;
}

/** The role of a row that has none, with a stack that shows it. */
static struct ms_error *role_write(struct ms_goroutines_run *run, const struct samples *s,
				   struct ms_sample_seen *seen, size_t count, struct tally *tallies,
				   struct ms_goroutine_row *row)
{
	const struct ms_sample_seen *use;
	size_t used = use_best(seen, count, &use);
	const struct tally *best = tally_best(tallies, tally_make(&s->store, use, used, tallies));

	if (!use || row->role != MS_ROLE_NONE)
		return NULL;
	row->role = use->role;
	row->map = use->map;
	row->role_share = (double)used / (double)count;
	return ms_sample_store_write(&s->store, best ? best->stack : MS_NO_SAMPLED_STACK, run->book,
				     &row->role_stack);
}

/** Write what the samples of one goroutine say into its row. */
static struct ms_error *row_write(struct ms_goroutines_run *run, const struct samples *s,
				  struct ms_sample_seen *seen, size_t count, struct tally *tallies,
				  struct ms_goroutine_row *row)
{
	const struct tally *best = tally_best(tallies, tally_make(&s->store, seen, count, tallies));
	struct ms_error *err = NULL;

	row->samples = count;
	if (best && row->stack == MS_NO_STACK) {
		err = ms_sample_store_write(&s->store, best->stack, run->book, &row->stack);
		row->stack_source = MS_STACK_SAMPLED;
		row->stack_share = (double)best->code_count / (double)count;
	}
	return err ? err : role_write(run, s, seen, count, tallies, row);
}

/** Where the samples of goroutine @p id begin among @p seen, sorted by goroutine. */
static size_t first_of(const struct ms_sample_seen *seen, size_t count, uint64_t id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (seen[middle].goroutine < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ms_error *rows_write(struct ms_goroutines_run *run, struct samples *s)
{
	size_t count = s->store.seen.count;
	MS_AUTO_FREE struct ms_sample_seen *seen = malloc((count + 1) * sizeof(*seen));
	MS_AUTO_FREE struct tally *tallies = malloc((count + 1) * sizeof(*tallies));
	struct ms_error *err = NULL;

	if (!seen || !tallies)
		return ms_error_no_memory();
	if (count) {
		memcpy(seen, s->store.seen.items, count * sizeof(*seen));
		qsort(seen, count, sizeof(*seen), by_goroutine);
	}
	for (size_t i = 0; i < run->report->row_count && !err; i++) {
		struct ms_goroutine_row *row = &run->report->rows[i];
		size_t first = first_of(seen, count, row->id), next = first;

		while (next < count && row->id && seen[next].goroutine == row->id)
			next++;
		if (next > first)
			err = row_write(run, s, seen + first, next - first, tallies, row);
	}
	return err;
}

// --- Names. ---

/** Every map that somebody was seen to work on, as often as that was. */
static bool sightings_take(const struct samples *s, struct ms_map_sightings *sightings)
{
	bool ok = true;

	for (size_t i = 0; i < s->store.seen.count && ok; i++) {
		if (s->store.seen.items[i].map)
			ok = ms_vec_push(sightings, s->store.seen.items[i].map);
	}
	for (size_t i = 0; i < s->sources.rests.count && ok; i++)
		ok = ms_vec_push(sightings, s->sources.rests.items[i].map);
	for (size_t i = 0; i < s->sources.loops.count && ok; i++)
		ok = ms_vec_push(sightings, s->sources.loops.items[i].map);
	return ok;
}

static struct ms_error *names_find(struct ms_goroutines_run *run, struct samples *s)
{
	struct ms_map_sightings sightings = { 0 };
	struct ms_error *err = NULL;

	if (!sightings_take(s, &sightings))
		err = ms_error_no_memory();
	if (!err && sightings.count)
		err = ms_map_names_find(run->rt, WALK_SECONDS_MAX, &sightings, &s->names);
	ms_vec_free(&sightings);
	if (!err)
		ms_map_finder_use_census(s->finder, &s->names);
	return err;
}

static struct ms_error *owners_write(struct ms_goroutines_run *run, const struct samples *s)
{
	struct ms_goroutines_report *report = run->report;

	for (size_t i = 0; i < report->row_count; i++) {
		struct ms_goroutine_row *row = &report->rows[i];
		const struct ms_map_row *map =
		    row->map ? ms_map_finder_row(s->finder, row->map) : NULL;

		if (!map || !map->owner || row->map_owner)
			continue;
		row->map_owner = ms_arena_strndup(&report->arena, map->owner, strlen(map->owner));
		if (!row->map_owner)
			return ms_error_no_memory();
	}
	return NULL;
}

/** What samples say of the types of maps that have none in the census. */
static void types_write(struct ms_goroutines_report *report, const struct samples *s)
{
	for (size_t i = 0; i < s->store.seen.count; i++) {
		const struct ms_sample_seen *seen = &s->store.seen.items[i];
		const struct ms_map_row *row =
		    seen->map && seen->type ? ms_map_finder_row(s->finder, seen->map) : NULL;
		struct ms_sampled_type *first = report->sampled_types, *type = first;
		size_t count = report->sampled_type_count;

		if (!row || row->type || count == MS_SAMPLED_TYPES_MAX)
			continue;
		while (type < first + count && type->map != seen->map)
			type++;
		if (type < first + count)
			continue;
		type->map = seen->map;
		type->type = ms_map_finder_type_name(s->finder, seen->type, &report->arena);
		if (!type->type)
			continue; // Not one that can be named; or memory is short, as others find.
		report->sampled_type_count++;
	}
}

static void figures_write(struct ms_goroutines_report *report, const struct samples *s)
{
	struct ms_cpu_figures figures = ms_cpu_sampler_figures(s->sampler);

	report->samples = figures.samples;
	report->samples_lost = figures.lost + s->store.left_out;
	report->threads_left_out = figures.threads_left_out;
	report->samples_hashing = s->hashing;
	for (size_t i = 0; i < s->store.seen.count; i++) {
		report->samples_nobody += !s->store.seen.items[i].goroutine;
		report->samples_by_role[s->store.seen.items[i].role]++;
	}
}

static struct ms_error *end(struct ms_goroutines_run *run, void *state)
{
	struct samples *s = state;
	struct ms_error *err = tick(run, state);

	if (!err && s->sampler) {
		s->sources.window_s = run->options->now(run->options->context) - s->began;
		figures_write(run->report, s);
		types_write(run->report, s);
		err = rows_write(run, s);
		if (!err)
			err = ms_map_lines_make(run, &s->store, s->finder);
	}
	if (!err && !run->options->census)
		err = names_find(run, s);
	if (!err)
		err = owners_write(run, s);
	s->sources.store = &s->store;
	s->sources.period_s = 1.0 / MS_CPU_HZ;
	s->sources.finder = s->finder;
	return err ? err : ms_race_clues_find(run, &s->sources);
}

const struct ms_goroutines_pass ms_samples_pass = {
	.name = "samples",
	.start = start,
	.tick = tick,
	.goroutine = goroutine,
	.end = end,
	.destroy = destroy,
};
