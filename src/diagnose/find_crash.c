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

#include <stdlib.h>
#include <string.h>

enum { FRAMES_BYTES_MAX = 64 << 10 };

static const struct ms_stack *stack_of(const struct ms_goroutines_report *g, uint32_t index)
{
	return index < g->stacks.count ? &g->stacks.items[index] : NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct ms_map_row *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/** A census is by address. */
static const struct ms_map_row *map_at(const struct ms_census_report *census, ms_addr address)
{
	const struct ms_map_row key = { .address = address };

	return address && census->map_count
		   ? bsearch(&key, census->maps, census->map_count, sizeof(key), by_address)
		   : NULL;
}

/** The one map that words of a stack are addresses of; NULL: none, or several. */
static const struct ms_map_row *only_map(const struct ms_census_report *census,
					 const uint8_t *bytes, size_t size)
{
	const struct ms_map_row *only = NULL;

	for (size_t at = 0; at + 8 <= size; at += 8) {
		const struct ms_map_row *map = map_at(census, ms_load_u64(bytes + at));

		if (map && only && map != only)
			return NULL;
		only = map ? map : only;
	}
	return only;
}

/** Behind the program's own innermost frame: up to there a call into map code has its map. */
static ms_addr own_frame_end(const struct ms_frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		if (!(frames->items[i].function->flags & MS_FUNCTION_RUNTIME))
			return frames->items[i].end;
	}
	return 0;
}

/**
 * Where no register or argument has the map any more, words of the call's frames may: one that all
 * of them agree on.
 */
static struct ms_error *map_in_frames(struct ms_go_runtime *rt, struct ms_unwinder *unwinder,
				      ms_addr goroutine, const struct ms_census_report *census,
				      const struct ms_map_row **ret_map)
{
	MS_AUTO_FREE struct ms_frames *frames = malloc(sizeof(*frames));
	MS_AUTO_FREE uint8_t *bytes = malloc(FRAMES_BYTES_MAX);
	struct ms_goroutine g;
	ms_addr end = 0;
	struct ms_error *err;

	if (!frames || !bytes)
		return ms_error_no_memory();
	err = ms_goroutine_reread(rt, goroutine, &g);
	if (!err)
		err = ms_unwind(unwinder, &g, frames);
	if (!err)
		end = own_frame_end(frames);
	if (!err && end > g.sp && end - g.sp <= FRAMES_BYTES_MAX) {
		err = ms_target_read(rt->target, g.sp, bytes, end - g.sp);
		if (!err)
			*ret_map = only_map(census, bytes, end - g.sp);
	}
	if (!err || ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err); // A stack that cannot be read shows nothing.
	return NULL;
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

static bool is_in_map(const struct ms_goroutine_row *row, ms_addr map)
{
	return map && row->map == map && row->role >= MS_ROLE_READS &&
	       row->role <= MS_ROLE_ITERATES;
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
static struct ms_error *find_users(struct ms_go_runtime *rt, struct ms_crash_report *r)
{
	struct ms_goroutines_report *g = r->goroutines;
	struct ms_code_sites sites = { 0 };
	struct ms_error *err;

	for (size_t i = 0; i < g->row_count; i++) {
		if (g->rows[i].id != r->goroutine && is_in_map(&g->rows[i], r->map_address))
			add_user(r, &g->rows[i], (enum ms_map_role)g->rows[i].role,
				 MS_SECOND_IN_MAP_CODE);
	}
	if (r->user_count || !r->map)
		return NULL;
	err = ms_code_sites_of_map(rt, r->map, &r->census->arena, &sites);
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

static struct ms_error *find_all(struct ms_go_runtime *rt, struct ms_unwinder *unwinder,
				 struct ms_crash_report *r)
{
	const struct ms_goroutine_row *dead;
	struct ms_error *err = ms_crash_find_dead(rt, unwinder, r, &dead);

	if (err || !dead || !ms_crash_error_text((enum ms_crash_error)r->error))
		return err;
	r->map_address = dead->map;
	r->map = map_at(r->census, dead->map);
	if (!dead->map) {
		err = map_in_frames(rt, unwinder, dead->address, r->census, &r->map);
		if (err)
			return err;
		r->map_address = r->map ? r->map->address : 0;
	}
	return find_users(rt, r);
}

struct ms_error *ms_crash_find(struct ms_go_runtime *rt, struct ms_crash_report *r)
{
	struct ms_unwinder *unwinder = NULL;
	struct ms_error *err;

	r->stack = MS_NO_STACK;
	if (!r->goroutines)
		return NULL;
	err = ms_unwinder_create(rt, &unwinder);
	if (!err)
		err = find_all(rt, unwinder, r);
	ms_unwinder_destroy(unwinder);
	return err;
}
