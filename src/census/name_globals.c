// name_globals.c - owners, and types, from the package-level variables that DWARF describes.
//
// A slot (golang/globals.h) is the address of a word that holds a map.  All of them, and the words
// that lead to those behind a pointer, are read in two batches.  A word that is the address of a
// row names it; where several do, the first slot wins: one without a pointer in between, and of
// these the first by name.
//
// DWARF gives the descriptors of key and elem, and these one map type of the program: a named map
// type and the plain one are the same to a map.  A type that the map's own memory names stays.
#include "census/engine.h"

#include "base/cleanup.h"
#include "golang/globals.h"

enum { WORD_BYTES = 8 };

/** The program's map types by what they map. */
struct by_pair {
	const struct ms_map_type **items;
	size_t count;
};

static int pair_compare(ms_addr key, ms_addr elem, const struct ms_map_type *type)
{
	if (key != type->key)
		return key < type->key ? -1 : 1;
	return elem < type->elem ? -1 : elem > type->elem;
}

static int type_compare(const void *a, const void *b)
{
	const struct ms_map_type *const *x = a, *const *y = b;
	int order = pair_compare((*x)->key, (*x)->elem, *y);

	return order ? order : (*x > *y) - (*x < *y);
}

static struct ms_error *pairs_sort(const struct ms_types *types, struct by_pair *ret_pairs)
{
	struct by_pair pairs = { calloc(types->count + 1, sizeof(*pairs.items)), types->count };

	if (!pairs.items)
		return ms_error_no_memory();
	for (size_t i = 0; i < pairs.count; i++)
		pairs.items[i] = &types->items[i];
	qsort(pairs.items, pairs.count, sizeof(*pairs.items), type_compare);
	*ret_pairs = pairs;
	return NULL;
}

/** The map type of a slot, or NULL. */
static const struct ms_map_type *type_of(const struct by_pair *pairs, const struct ms_go_slot *slot)
{
	size_t low = 0, high = pairs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pair_compare(slot->key, slot->elem, pairs->items[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pairs->count && !pair_compare(slot->key, slot->elem, pairs->items[low])
		   ? pairs->items[low]
		   : NULL;
}

static struct ms_map_row *row_find(struct ms_census_report *r, ms_addr address)
{
	size_t low = 0, high = r->map_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->maps[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->map_count && r->maps[low].address == address ? &r->maps[low] : NULL;
}

static struct ms_error *row_name(struct ms_engine *e, struct ms_map_row *row,
				 const struct ms_go_slot *slot, const struct ms_map_type *type)
{
	if (row->owner)
		return NULL;
	row->owner = ms_arena_strndup(&e->report->arena, slot->owner, strlen(slot->owner));
	if (!row->owner)
		return ms_error_no_memory();
	if (row->type)
		return NULL;
	ms_engine_type_row(e, type, MS_TYPE_DWARF, row);
	e->report->coverage.typed += row->type != NULL;
	row->slack_bytes = ms_map_row_slack(row);
	return NULL;
}

/** Read @p count words into @p words; one that cannot be read is 0. */
static struct ms_error *words_read(struct ms_engine *e, const ms_addr *addresses, size_t count,
				   ms_addr *words)
{
	struct ms_error *err = NULL;
	uint32_t index;

	ms_fetch_reset(&e->fetch);
	for (size_t i = 0; i < count && !err; i++)
		err = ms_fetch_add(&e->fetch, addresses[i], WORD_BYTES, &index);
	if (!err && count)
		err = ms_fetch_run(&e->fetch, e->rt->target);
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *bytes = ms_fetch_bytes(&e->fetch, (uint32_t)i);

		words[i] = bytes ? ms_load_u64(bytes) : 0;
	}
	return err;
}

/** What each slot holds; 0 where a pointer on the way is nil. */
static struct ms_error *slots_read(struct ms_engine *e, const struct ms_go_globals *g,
				   ms_addr *maps)
{
	MS_AUTO_FREE ms_addr *targets = calloc(g->pointers.count + 1, sizeof(*targets));
	MS_AUTO_FREE ms_addr *at = calloc(g->slots.count + 1, sizeof(*at));
	struct ms_error *err;

	if (!targets || !at)
		return ms_error_no_memory();
	err = words_read(e, g->pointers.items, g->pointers.count, targets);
	if (err)
		return err;
	for (size_t i = 0; i < g->slots.count; i++) {
		const struct ms_go_slot *slot = &g->slots.items[i];

		at[i] = slot->address;
		if (slot->pointer != MS_GO_NO_POINTER)
			at[i] = targets[slot->pointer] ? targets[slot->pointer] + slot->address : 0;
	}
	return words_read(e, at, g->slots.count, maps);
}

static struct ms_error *rows_name(struct ms_engine *e, const struct ms_go_globals *g,
				  const struct by_pair *pairs)
{
	MS_AUTO_FREE ms_addr *maps = calloc(g->slots.count + 1, sizeof(*maps));
	struct ms_error *err;

	if (!maps)
		return ms_error_no_memory();
	err = slots_read(e, g, maps);
	for (size_t i = 0; i < g->slots.count && !err; i++) {
		struct ms_map_row *row = maps[i] ? row_find(e->report, maps[i]) : NULL;

		if (row)
			err = row_name(e, row, &g->slots.items[i],
				       type_of(pairs, &g->slots.items[i]));
	}
	return err;
}

struct ms_error *ms_engine_name_globals(struct ms_engine *e)
{
	const struct ms_go_globals *globals;
	struct by_pair pairs = { 0 };
	struct ms_error *err = ms_go_globals_load(e->rt, &globals);

	if (err)
		return err;
	e->skips[MS_REJECT_DWARF] += globals->refused;
	e->skips[MS_REJECT_GLOBAL] += globals->left_out;
	if (!globals->slots.count || !e->report->map_count)
		return NULL;
	err = pairs_sort(e->types, &pairs);
	if (err)
		return err;
	err = rows_name(e, globals, &pairs);
	free(pairs.items);
	return err;
}
