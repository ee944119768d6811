// crash_map.c - the call that died has often dropped its arguments, above all a read of a Swiss
// map, which looks at the map's flag first and needs the map no more where it gives up.
//
// What is asked, in this order: the call's own registers and slots (goroutines/map_uses.h); the
// code of its caller, for where that had the map from; the words of the call's frames, if all
// addresses of maps among them are those of one map.  If none of these tells, the call's type
// leaves the maps that are of it.  One alone is the map; of several each may be it, and they are
// listed: first those whose header says that somebody was writing, which is what the call saw.
#include "diagnose/crash_map.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define SHAPE "go.shape."

enum {
	FRAMES_BYTES_MAX = 64 << 10,
	HEADER_BYTES_MAX = 128,
	CLASSIC_WRITING = 4, // runtime.hashWriting.
};

// --- Stacks. ---

struct ms_error *ms_crash_leave_out(struct ms_error *err)
{
	if (!err || ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err);
	return NULL;
}

struct ms_error *ms_crash_unwind(struct ms_crash_stacks *s, const struct ms_goroutine_row *row)
{
	struct ms_error *err = ms_goroutine_reread(s->rt, row->address, &s->goroutine);

	s->frames.count = 0;
	return err ? err : ms_unwind(s->unwinder, &s->goroutine, &s->frames);
}

struct ms_error *ms_crash_use_of_caller(struct ms_crash_stacks *s,
					const struct ms_goroutine_row *row,
					struct ms_map_use *ret_use)
{
	struct ms_error *err = ms_crash_unwind(s, row);

	*ret_use = (struct ms_map_use){ 0 };
	if (!err)
		err = ms_map_use_of_caller(s->finder, &s->frames, ret_use);
	return ms_crash_leave_out(err);
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

/** The one map that words of a stack are addresses of; NULL: none, or several. */
static const struct ms_map_row *only_map(const struct ms_crash_report *r, const uint8_t *bytes,
					 size_t size)
{
	const struct ms_map_row *only = NULL;

	for (size_t at = 0; at + 8 <= size; at += 8) {
		const struct ms_map_row *map = ms_census_row_at(r->census, ms_load_u64(bytes + at));

		if (!map || (map->type && r->map_type && strcmp(map->type, r->map_type) != 0))
			continue;
		if (only && map != only)
			return NULL;
		only = map;
	}
	return only;
}

/** The map that words of the frames at hand agree on. */
static struct ms_error *map_of_words(struct ms_crash_stacks *s, const struct ms_crash_report *r,
				     const struct ms_map_row **ret_map)
{
	MS_AUTO_FREE uint8_t *bytes = malloc(FRAMES_BYTES_MAX);
	ms_addr sp = s->goroutine.sp, end = own_frame_end(&s->frames);
	struct ms_error *err;

	if (!bytes)
		return ms_error_no_memory();
	if (end <= sp || end - sp > FRAMES_BYTES_MAX)
		return NULL;
	err = ms_target_read(s->rt->target, sp, bytes, (size_t)(end - sp));
	if (!err)
		*ret_map = only_map(r, bytes, (size_t)(end - sp));
	return ms_crash_leave_out(err);
}

// --- Those that it may be. ---

/** Whether the header of a map says that somebody writes it. */
static struct ms_error *is_written(struct ms_go_runtime *rt, const struct ms_map_row *map,
				   bool *ret_is)
{
	const struct ms_go_layout *l = rt->layout;
	bool classic = l->maps == MS_GO_MAPS_CLASSIC;
	uint8_t flags = 0;
	struct ms_error *err = ms_target_read(
	    rt->target, map->address + (classic ? l->hmap_flags : l->map_writing), &flags, 1);

	*ret_is = classic ? flags & CLASSIC_WRITING : flags != 0;
	return ms_crash_leave_out(err);
}

static bool is_go_map(const struct ms_map_row *map)
{
	return map->kind == MS_MAP_CLASSIC || map->kind == MS_MAP_SWISS;
}

/** A map without a type may be of any; nothing was read from one that is empty. */
static bool may_be(const struct ms_crash_report *r, const struct ms_map_row *map, bool written)
{
	if (!is_go_map(map) || (!written && !map->entries))
		return false;
	if (!r->map_type)
		return written;
	return !map->type || !strcmp(map->type, r->map_type);
}

static bool is_likelier(const struct ms_crash_candidate *a, const struct ms_crash_candidate *b)
{
	if (a->is_written != b->is_written)
		return a->is_written;
	if (!a->map->type != !b->map->type)
		return a->map->type;
	return a->map->entries != b->map->entries ? a->map->entries > b->map->entries
						  : a->map->address < b->map->address;
}

static void candidate_add(struct ms_crash_report *r, struct ms_crash_candidate fresh)
{
	size_t at = 0;

	while (at < r->candidate_count && is_likelier(&r->candidates[at], &fresh))
		at++;
	if (r->candidate_count == MS_CRASH_CANDIDATES_MAX) {
		r->more_candidates++;
		if (at == r->candidate_count)
			return;
		r->candidate_count--;
	}
	memmove(&r->candidates[at + 1], &r->candidates[at],
		(r->candidate_count - at) * sizeof(fresh));
	r->candidates[at] = fresh;
	r->candidate_count++;
}

static struct ms_error *candidates_find(struct ms_go_runtime *rt, struct ms_crash_report *r)
{
	for (size_t i = 0; i < r->census->map_count; i++) {
		const struct ms_map_row *map = &r->census->maps[i];
		bool written = false;
		struct ms_error *err = is_go_map(map) ? is_written(rt, map, &written) : NULL;

		if (err)
			return err;
		if (may_be(r, map, written))
			candidate_add(r, (struct ms_crash_candidate){ map, written });
	}
	return NULL;
}

/** One alone, of the call's type, and nothing that the census passed over: it is the map. */
static bool is_only_candidate(const struct ms_crash_report *r)
{
	uint64_t skipped = 0;

	for (size_t i = 0; i < r->census->coverage.skip_count; i++)
		skipped += r->census->coverage.skips[i].count;
	return r->candidate_count == 1 && r->map_type && r->candidates[0].map->type && !skipped &&
	       !r->census->partial && !r->missing_bytes;
}

// --- All of it. ---

/** The row of a map, with the type that the call says where the census has none. */
static struct ms_error *row_make(struct ms_crash_report *r, const struct ms_map_row *map,
				 const struct ms_map_row **ret_row)
{
	struct ms_map_row *row;

	*ret_row = map;
	if (!map || map->type || !r->map_type)
		return NULL;
	row = ms_arena_alloc(&r->census->arena, sizeof(*row));
	if (!row)
		return ms_error_no_memory();
	*row = *map;
	row->type = r->map_type;
	row->type_source = MS_TYPE_CALL;
	*ret_row = row;
	return NULL;
}

static struct ms_error *set(struct ms_crash_report *r, ms_addr address,
			    enum ms_crash_map_source source)
{
	r->map_address = address;
	r->map_source = (uint8_t)source;
	return row_make(r, ms_census_row_at(r->census, address), &r->map);
}

const char *ms_crash_type_name(struct ms_crash_stacks *s, struct ms_crash_report *r,
			       const struct ms_map_use *use)
{
	const char *name = ms_map_finder_type_name(s->finder, use->type, &r->census->arena);

	return name && strstr(name, SHAPE) ? NULL : name; // Generic code knows its shape alone.
}

struct ms_error *ms_crash_find_map(struct ms_crash_stacks *s, struct ms_crash_report *r,
				   const struct ms_goroutine_row *dead)
{
	const struct ms_map_row *map = NULL;
	struct ms_map_use use;
	struct ms_error *err = ms_crash_use_of_caller(s, dead, &use);

	if (err)
		return err;
	r->map_type = ms_crash_type_name(s, r, &use);
	r->map_type_at = use.type;
	if (dead->map)
		return set(r, dead->map, MS_CRASH_MAP_ARGUMENT);
	if (use.map)
		return set(r, use.map, MS_CRASH_MAP_CALLER);
	// Where maps may be missing, the only one that is known need not be the only one.
	err = s->rt->target->is_cut ? NULL : map_of_words(s, r, &map);
	if (err || map)
		return err ? err : set(r, map->address, MS_CRASH_MAP_WORDS);
	err = candidates_find(s->rt, r);
	if (err || !is_only_candidate(r))
		return err;
	r->candidate_count = 0;
	return set(r, r->candidates[0].map->address, MS_CRASH_MAP_TYPE);
}
