// steady.h - the steady engine, for the rest of the library.
#pragma once

#include <hmap/hmap_steady.h>

/** The operations for a type that is known only to the map, in one piece and in segments. */
extern const struct hmapi_code *const hmapi_flat_code;
extern const struct hmapi_code *const hmapi_segments_code;

static inline const struct hmapi_code *hmapi_code_of(const struct hmap *m)
{
	return m->state & HMAPI_SEGMENTS ? hmapi_segments_code : hmapi_flat_code;
}

/** Whether a map can be made of a type. */
bool hmapi_is_plausible(const struct hmap_type *type);

/** The map is whole: it is listed, and told of. */
void hmapi_begin_life(struct hmap *m, size_t hint, const void *created_at);

/** hmap_create, by name of the one who asked. */
enum hmap_status hmapi_create(const struct hmap_type *type, const struct hmap_options *options,
			      const void *created_at, struct hmap **ret_map);

/** The table's first memory: for @p hint entries. */
enum hmap_status hmapi_birth(struct hmap *m, size_t hint, enum hmap_reserve_how how);

/** Groups that hold @p entries without a growth. */
size_t hmapi_groups_for(const struct hmap *m, size_t entries);

/** When the table grows, shrinks and is called full, by its size. */
void hmapi_set_limits(struct hmap *m);

/** Calls @p visit for each entry's slot until it says false; it must not change the table. */
void hmapi_each_slot(const struct hmap *m,
		     bool (*visit)(const struct hmap *m, unsigned char *slot, void *state),
		     void *state);

/** Begins to double the table, whatever its load: no pass is under way.  A small table, and one
 * that cannot have memory, has no pass afterwards. */
void hmapi_grow(struct hmap *m, void (*step)(struct hmap *m), size_t adding);

/** Begins a pass if none is under way; HMAP_NO_MEMORY: not now. */
enum hmap_status hmapi_begin_compaction(struct hmap *m);
enum hmap_status hmapi_begin_halving(struct hmap *m);

/** All iterations of the map are over; their memory goes. */
void hmapi_end_iterations(struct hmap *m);

/** Begins a pass by name; hmapi_steps_left: how many blocks the one under way still has. */
enum hmap_status hmapi_begin(struct hmap *m, enum hmap_pass pass);
size_t hmapi_steps_left(const struct hmap *m);

/** Takes all entries out of a table. */
void hmapi_clear_table(struct hmap *m);

/** The steady engine's part of hmap_iterate and its siblings. */
void hmapi_iterate(struct hmap *m, struct hmap_iterator *ret_iterator);
void hmapi_iterate_end(struct hmap_iterator *iterator);

/** The table has moved as a whole; or it was emptied. */
void hmapi_rebase_iterations(struct hmap *m);
void hmapi_empty_iterations(struct hmap *m);
