// code_sites.c - calls in the machine code joined to findings: by the type of the map, and by the
// field or variable that it is in, as far as the code says it.
//
// A map[string]string may be in many places of a program; its owner says which field it is, and the
// code in front of a call loads the map from some offset.  Where calls are found that agree, those
// that load from elsewhere are left out.
#include "diagnose/code_sites.h"

#include "golang/map_calls.h"
#include "golang/struct_types.h"
#include "stacks/book.h"

#include <stdlib.h>
#include <string.h>

enum {
	CALLS_MAX = 256, // Of one type and kind: taken apart one by one.
	SYNC_MAP_BYTES_MAX = 64,
};

struct sites {
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	const struct ms_types *types;
	struct ms_map_calls calls;
	struct ms_stacks stacks; // Their text is the report's.
	struct ms_stack_book book;
};

static bool is_of_sync_map(const struct ms_map_row *map)
{
	bool is_trie = map->kind == MS_MAP_SYNC_TRIE && map->type && !strcmp(map->type, "sync.Map");

	return is_trie || ms_map_row_is_of_sync_map(map);
}

/** Where the maps of a finding are: the field that its owner names, or the variable. */
struct wanted {
	struct ms_map_place place;
	bool is_guess; // It may as well be none: what does not agree is not left out.
};

/**
 * A variable that is the map, or has it inside; one that only leads there says nothing.  What has
 * no name may as well be a field of a struct that is initialized in place, used by its pointer.
 */
static struct wanted of_global(const struct ms_map_row *map, ms_addr variable)
{
	bool is_inside = map->held_at >= variable && map->held_at - variable < SYNC_MAP_BYTES_MAX;

	if (map->held_at && map->held_at != variable && !(is_of_sync_map(map) && is_inside))
		return (struct wanted){ { MS_MAP_PLACE_UNKNOWN, 0 }, true };
	return (struct wanted){ { MS_MAP_PLACE_GLOBAL, variable }, true };
}

static struct wanted wanted_of(const struct sites *s, const struct ms_map_row *map)
{
	static const char global[] = "global 0x";
	const char *end = map->owner ? strstr(map->owner, " <- ") : NULL;
	struct wanted w = { { MS_MAP_PLACE_UNKNOWN, 0 }, true };

	if (!map->owner)
		return w;
	if (ms_struct_types_offset(s->types, s->rt->layout, map->owner,
				   end ? (size_t)(end - map->owner) : strlen(map->owner),
				   &w.place.value))
		w = (struct wanted){ { MS_MAP_PLACE_FIELD, w.place.value }, false };
	else if (!strncmp(map->owner, global, strlen(global)))
		w = of_global(map, strtoull(map->owner + strlen(global), NULL, 16));
	else if (map->held_at && !is_of_sync_map(map))
		w.place = (struct ms_map_place){ MS_MAP_PLACE_GLOBAL, map->held_at };
	return w;
}

static bool is_of_type(const struct sites *s, const struct ms_map_call *call,
		       const struct ms_map_row *map)
{
	if (call->is_sync || is_of_sync_map(map))
		return call->is_sync && is_of_sync_map(map);
	return call->type && ms_types_is_called(s->types, s->rt->layout, call->type, map->type);
}

static struct ms_error *line_add(struct sites *s, ms_addr at, struct ms_code_calls *calls)
{
	struct ms_stack_pc pc = { at, true };
	const struct ms_stack_call *call;
	uint32_t stack;
	struct ms_error *err = ms_stack_book_add(&s->book, &pc, 1, NULL, &stack);

	if (err)
		return err;
	call = ms_stack_program_line(&s->stacks.items[stack]);
	if (!call || !call->function || call->is_runtime)
		return NULL;
	for (size_t i = 0; i < calls->count; i++) {
		if (ms_stack_call_is_same_line(&calls->items[i], call))
			return NULL;
	}
	if (calls->count < MS_CODE_CALLS_SHOWN)
		calls->items[calls->count++] = *call;
	calls->lines++;
	return NULL;
}

/** Calls of one kind on maps of one type. */
struct found {
	ms_addr of_place[CALLS_MAX], others[CALLS_MAX];
	size_t of_place_count, other_count;
};

static struct ms_error *call_sort(struct sites *s, const struct ms_map_call *call,
				  const struct wanted *wanted, struct found *found)
{
	struct ms_map_place from = { MS_MAP_PLACE_UNKNOWN, 0 };
	struct ms_error *err = NULL;

	if (found->of_place_count == CALLS_MAX || found->other_count == CALLS_MAX)
		return NULL;
	if (call->kind != MS_MAP_CALL_MAKE && wanted->place.kind != MS_MAP_PLACE_UNKNOWN)
		err = ms_map_call_place(s->functions, &s->calls, call, &from);
	if (from.kind == MS_MAP_PLACE_UNKNOWN)
		found->others[found->other_count++] = call->at;
	else if (from.kind == wanted->place.kind && from.value == wanted->place.value)
		found->of_place[found->of_place_count++] = call->at;
	else if (wanted->is_guess && from.kind != wanted->place.kind)
		found->others[found->other_count++] = call->at;
	return err;
}

/** Those of its place where there are any. */
static struct ms_error *lines_make(struct sites *s, const struct found *found,
				   struct ms_code_calls *calls)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < found->of_place_count && !err; i++)
		err = line_add(s, found->of_place[i], calls);
	calls->is_of_place = calls->lines > 0;
	for (size_t i = 0; i < found->other_count && !calls->is_of_place && !err; i++)
		err = line_add(s, found->others[i], calls);
	return err;
}

static struct ms_error *map_fill(struct sites *s, const struct ms_map_row *map,
				 struct ms_code_sites *sites)
{
	struct wanted wanted = wanted_of(s, map);
	struct found found[MS_MAP_CALL_KINDS] = { 0 };
	struct ms_error *err = NULL;

	for (size_t i = 0; i < s->calls.count && !err; i++) {
		const struct ms_map_call *call = &s->calls.items[i];

		if (is_of_type(s, call, map))
			err = call_sort(s, call, &wanted, &found[call->kind]);
	}
	if (!err)
		err = lines_make(s, &found[MS_MAP_CALL_MAKE], &sites->made);
	if (!err)
		err = lines_make(s, &found[MS_MAP_CALL_FILL], &sites->filled);
	if (!err)
		err = lines_make(s, &found[MS_MAP_CALL_DELETE], &sites->deleted);
	return err;
}

static struct ms_error *finding_fill(struct sites *s, struct ms_finding *f)
{
	struct ms_error *err = map_fill(s, &f->map, &f->sites);

	f->no_delete = (f->verdict == MS_VERDICT_GROWING || f->verdict == MS_VERDICT_SUSPECT) &&
		       f->map.kind != MS_MAP_SYNC_TRIE &&
		       ms_map_calls_never_delete(s->rt, &s->calls, f->map.type);
	return err;
}

static bool asks_for_change(const struct ms_finding *f)
{
	return f->kind != MS_FINDING_CODE && f->map.type && !ms_map_row_is_hmap(&f->map) &&
	       f->verdict != MS_VERDICT_STABLE;
}

/** Look through the code; to be ended in any case. */
static struct ms_error *begin(struct sites *s, struct ms_arena *arena)
{
	struct ms_error *err = ms_go_functions(s->rt, &s->functions);

	if (!err)
		err = ms_go_types(s->rt, &s->types);
	if (!err)
		err = ms_map_calls_find(s->rt, s->functions, &s->calls);
	if (!err)
		ms_stack_book_init(&s->book, s->functions, arena, &s->stacks);
	return err;
}

/** Code that cannot be read says nothing. */
static struct ms_error *end(struct sites *s, struct ms_error *err)
{
	ms_stack_book_deinit(&s->book);
	ms_stacks_deinit(&s->stacks);
	ms_map_calls_deinit(&s->calls);
	if (!err || ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err);
	return NULL;
}

struct ms_error *ms_code_sites_of_map(struct ms_go_runtime *rt, const struct ms_map_row *map,
				      struct ms_arena *arena, struct ms_code_sites *ret_sites)
{
	struct sites s = { .rt = rt };
	struct ms_error *err = NULL;

	*ret_sites = (struct ms_code_sites){ 0 };
	if (!map->type || ms_map_row_is_hmap(map))
		return NULL;
	err = begin(&s, arena);
	if (!err)
		err = map_fill(&s, map, ret_sites);
	return end(&s, err);
}

struct ms_error *ms_code_sites_find(struct ms_go_runtime *rt, struct ms_diagnosis_report *report)
{
	struct sites s = { .rt = rt };
	struct ms_error *err;
	size_t i = 0;

	while (i < report->finding_count && !asks_for_change(&report->findings[i]))
		i++;
	if (i == report->finding_count)
		return NULL;
	err = begin(&s, &report->arena);
	for (; i < report->finding_count && !err; i++) {
		if (asks_for_change(&report->findings[i]))
			err = finding_fill(&s, &report->findings[i]);
	}
	return end(&s, err);
}
