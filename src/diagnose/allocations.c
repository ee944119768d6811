// allocations.c - two looks at the memory profile, subtracted and summed by the program's own line.
//
// The profile is of one allocation in half a megabyte or so.  Counts up to now are used, not those
// that are published at a collection, so that a window has what was allocated in it.
#include "diagnose/allocations.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "goroutines/map_roles.h"
#include "stacks/book.h"

#include <stdlib.h>
#include <string.h>

enum { SITES_MAX = 4096 };

struct summing {
	const struct ms_functions *functions;
	struct ms_allocations *out;
	struct ms_stack_book book;
	struct {
		struct ms_alloc_site *items;
		size_t count, capacity;
	} sites;
	struct {
		double bytes; // Of the stack that stands for a site.
	} best[SITES_MAX];
};

/** What cannot be had costs these figures and no more. */
static bool can_do_without(const struct ms_error *err)
{
	return ms_error_code(err) == MS_ERR_UNSUPPORTED || ms_error_code(err) == MS_ERR_BAD_DATA ||
	       ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_LIMIT;
}

static struct ms_error *unknown_set(struct ms_error *err, struct ms_arena *arena,
				    const char **ret_unknown)
{
	if (!err || !can_do_without(err))
		return err;
	*ret_unknown = ms_arena_printf(arena, "%s", ms_error_message(err));
	ms_error_free(err);
	return *ret_unknown ? NULL : ms_error_no_memory();
}

struct ms_error *ms_allocations_begin(struct ms_go_runtime *rt, double now, struct ms_arena *arena,
				      struct ms_allocations_before *ret_before)
{
	struct ms_allocations_before before = { .at = now };
	struct ms_error *err = ms_profile_find(rt, &before.place);

	if (!err)
		err = ms_profile_read(rt, &before.place, &before.profile);
	err = unknown_set(err, arena, &before.unknown);
	*ret_before = before;
	return err;
}

/** A function that makes tables, or copies a map. */
static bool is_map_code(const char *name)
{
	enum ms_map_role role = ms_map_function_of(name).role;

	return role == MS_ROLE_WRITES || role == MS_ROLE_GROWS || ms_map_function_makes(name);
}

/** Whether a stack allocates inside map code: it is below the program's own innermost function. */
static bool is_of_maps(const struct summing *s, const ms_addr *pcs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct ms_function *f = ms_functions_find(s->functions, pcs[i] - 1);

		if (!f)
			continue;
		if (is_map_code(f->name))
			return true;
		if (!(f->flags & MS_FUNCTION_RUNTIME))
			return false;
	}
	return false;
}

static bool is_same_line(const struct ms_stack *a, const struct ms_stack *b)
{
	const struct ms_stack_call *x = ms_stack_program_line(a), *y = ms_stack_program_line(b);

	return ms_stack_call_is_same_line(x, y) &&
	       (x->file == y->file || (x->file && y->file && !strcmp(x->file, y->file)));
}

static struct ms_alloc_site *site_of(struct summing *s, uint32_t stack)
{
	const struct ms_stacks *stacks = &s->out->stacks;

	for (size_t i = 0; i < s->sites.count; i++) {
		if (is_same_line(&stacks->items[s->sites.items[i].stack], &stacks->items[stack]))
			return &s->sites.items[i];
	}
	if (s->sites.count == SITES_MAX || !ms_vec_push(&s->sites, { .stack = stack }))
		return NULL;
	return &s->sites.items[s->sites.count - 1];
}

static struct ms_error *site_add(struct summing *s, const struct ms_profile *profile,
				 const struct ms_profile_row *row, uint64_t allocs)
{
	struct ms_stack_pc pcs[MS_PROFILE_PCS_MAX];
	double bytes = ms_profile_scaled_bytes(allocs, row->size_bytes, s->out->rate);
	double in_use = ms_profile_scaled_bytes(row->in_use_now, row->size_bytes, s->out->rate);
	struct ms_alloc_site *site;
	struct ms_error *err;
	uint32_t stack;
	size_t at;

	for (uint32_t i = 0; i < row->pc_count; i++)
		pcs[i] = (struct ms_stack_pc){ profile->pcs[row->first_pc + i], true };
	err = ms_stack_book_add(&s->book, pcs, row->pc_count, NULL, &stack);
	if (err)
		return err;
	site = site_of(s, stack);
	if (!site)
		return s->sites.count == SITES_MAX ? NULL : ms_error_no_memory();
	at = (size_t)(site - s->sites.items);
	site->window_bytes += bytes;
	site->in_use_bytes += in_use;
	site->samples += allocs;
	if (bytes + in_use > s->best[at].bytes) {
		s->best[at].bytes = bytes + in_use;
		site->stack = stack;
	}
	return NULL;
}

/** All rows of @p now, less what they were in @p before. */
static struct ms_error *sum(struct summing *s, const struct ms_profile *before,
			    const struct ms_profile *now)
{
	struct ms_error *err = NULL;
	size_t b = 0;

	for (size_t i = 0; i < now->row_count && !err; i++) {
		const struct ms_profile_row *row = &now->rows[i];
		uint64_t allocs = row->allocs;
		double bytes;

		while (b < before->row_count && before->rows[b].address < row->address)
			b++;
		if (b < before->row_count && before->rows[b].address == row->address)
			allocs -= ms_min_u64(allocs, before->rows[b].allocs);
		bytes = ms_profile_scaled_bytes(allocs, row->size_bytes, s->out->rate);
		s->out->window_bytes += bytes;
		if (!is_of_maps(s, now->pcs + row->first_pc, row->pc_count))
			continue;
		s->out->map_bytes += bytes;
		if (allocs || row->in_use_now)
			err = site_add(s, now, row, allocs);
	}
	return err;
}

static int by_bytes(const void *a, const void *b)
{
	const struct ms_alloc_site *x = a, *y = b;

	if (x->window_bytes != y->window_bytes)
		return x->window_bytes > y->window_bytes ? -1 : 1;
	return x->in_use_bytes > y->in_use_bytes ? -1 : x->in_use_bytes < y->in_use_bytes;
}

struct ms_error *ms_allocations_end(struct ms_go_runtime *rt, double now,
				    const struct ms_allocations_before *before,
				    struct ms_diagnosis_report *report)
{
	struct ms_allocations *out = &report->allocations;
	MS_AUTO_FREE struct summing *s = calloc(1, sizeof(*s));
	struct ms_profile profile = { 0 };
	struct ms_error *err;

	if (!s)
		return ms_error_no_memory();
	out->rate = before->place.rate;
	out->window_s = now - before->at;
	out->unknown = before->unknown;
	if (before->unknown)
		return NULL;
	s->out = out;
	err = ms_go_functions(rt, &s->functions);
	if (!err)
		err = ms_profile_read(rt, &before->place, &profile);
	if (!err) {
		ms_stack_book_init(&s->book, s->functions, &report->arena, &out->stacks);
		err = sum(s, &before->profile, &profile);
	}
	if (!err && s->sites.count)
		qsort(s->sites.items, s->sites.count, sizeof(*s->sites.items), by_bytes);
	ms_stack_book_deinit(&s->book);
	ms_profile_deinit(&profile);
	out->sites = s->sites.items;
	out->site_count = s->sites.count;
	out->site_capacity = s->sites.capacity;
	return unknown_set(err, &report->arena, &out->unknown);
}

void ms_allocations_before_deinit(struct ms_allocations_before *before)
{
	ms_profile_deinit(&before->profile);
}
