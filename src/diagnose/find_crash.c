// find_crash.c - the runtime dies in the call that met the other goroutine, so its stack says what
// it did.
//
//	runtime.fatal or throw  <-  mapassign, mapdelete, ...   concurrent map writes
//	                        <-  mapaccess                   concurrent map read and map write
//	                        <-  mapiterinit, mapiternext    concurrent map iteration and map
// write
//
// The other one is a writer in all three.  It went on, for microseconds or for as long as the dying
// took: where it is in code of this map still, that is it; else whoever has a function on its stack
// that writes maps of this type and place may be.  Each of these is said for what it is.
#include "diagnose/find_crash.h"

#include "base/cleanup.h"
#include "diagnose/code_sites.h"
#include "diagnose/crash_dead.h"
#include "diagnose/crash_map.h"
#include "diagnose/crash_words.h"

#include <stdlib.h>
#include <string.h>

static const struct ms_stack *stack_of(const struct ms_goroutines_report *g, uint32_t index)
{
	return index < g->stacks.count ? &g->stacks.items[index] : NULL;
}

static void add_user(struct ms_crash_report *r, const struct ms_goroutine_row *row,
		     enum ms_map_role role, enum ms_crash_second how)
{
	if (r->user_count == MS_CRASH_USERS_MAX) {
		r->more_users++;
		return;
	}
	r->users[r->user_count++] = (struct ms_crash_user){ .goroutine = row->id,
							    .state = row->state,
							    .stack = row->stack,
							    .role = (uint8_t)role,
							    .how = (uint8_t)how };
}

/** Whether a goroutine is in code of the map that the other died in. */
static struct ms_error *is_in_map(struct ms_crash_stacks *stacks, const struct ms_crash_report *r,
				  const struct ms_goroutine_row *row, bool *ret_is)
{
	struct ms_map_use use = { .map = row->map };
	struct ms_error *err = NULL;

	*ret_is = false;
	if (!r->map_address || row->id == r->goroutine || row->role < MS_ROLE_READS ||
	    row->role > MS_ROLE_ITERATES)
		return NULL;
	if (!row->map)
		err = ms_crash_use_of_caller(stacks, row, &use);
	*ret_is = !err && use.map == r->map_address;
	return err;
}

static bool calls_any(const struct ms_stack *stack, const struct ms_code_calls *calls)
{
	for (uint32_t i = 0; stack && i < stack->count; i++) {
		for (size_t k = 0; k < calls->count; k++) {
			if (stack->calls[i].function && calls->items[k].function &&
			    !strcmp(stack->calls[i].function, calls->items[k].function))
				return true;
		}
	}
	return false;
}

/** Those in code of this map; without any, those that have a function on their stack that writes.
 */
static struct ms_error *find_users(struct ms_crash_stacks *stacks, struct ms_crash_report *r)
{
	struct ms_goroutines_report *g = r->goroutines;
	struct ms_code_sites sites = { 0 };
	struct ms_error *err;

	for (size_t i = 0; i < g->row_count; i++) {
		bool is_in = false;

		err = is_in_map(stacks, r, &g->rows[i], &is_in);
		if (err)
			return err;
		if (is_in)
			add_user(r, &g->rows[i], (enum ms_map_role)g->rows[i].role,
				 MS_SECOND_IN_MAP_CODE);
	}
	if (r->user_count || !r->map)
		return NULL;
	err = ms_code_sites_of_map(stacks->rt, r->map, &r->census->arena, &sites);
	if (err)
		return err;
	r->code_is_known = sites.filled.count || sites.deleted.count;
	for (size_t i = 0; i < g->row_count; i++) {
		const struct ms_stack *stack = stack_of(g, g->rows[i].stack);

		if (g->rows[i].id != r->goroutine && !g->rows[i].is_system &&
		    (calls_any(stack, &sites.filled) || calls_any(stack, &sites.deleted)))
			add_user(r, &g->rows[i], MS_ROLE_NONE, MS_SECOND_CAN_WRITE);
	}
	return NULL;
}

static struct ms_error *find_all(struct ms_crash_stacks *stacks, struct ms_crash_report *r)
{
	const struct ms_goroutine_row *dead;
	struct ms_error *err = ms_crash_find_dead(stacks->rt, stacks->unwinder, r, &dead);

	if (err)
		return err;
	if (!dead || !ms_crash_error_text((enum ms_crash_error)r->error))
		return ms_crash_find_words(stacks, r, dead);
	err = ms_crash_find_map(stacks, r, dead);
	return err ? err : find_users(stacks, r);
}

struct ms_error *ms_crash_find(struct ms_go_runtime *rt, struct ms_crash_report *r)
{
	MS_AUTO_FREE struct ms_crash_stacks *stacks = NULL;
	struct ms_error *err;

	r->stack = MS_NO_STACK;
	if (!r->goroutines)
		return NULL;
	stacks = calloc(1, sizeof(*stacks));
	if (!stacks)
		return ms_error_no_memory();
	stacks->rt = rt;
	err = ms_unwinder_create(rt, &stacks->unwinder);
	if (!err)
		err = ms_map_finder_create(rt, r->census, &stacks->finder);
	if (!err)
		err = find_all(stacks, r);
	ms_map_finder_destroy(stacks->finder);
	ms_unwinder_destroy(stacks->unwinder);
	return err;
}
