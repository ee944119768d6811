// table_type.c - the type of a map by the memory of its table, which names the type of its buckets
// or groups: in a word in front of it, where the object is larger than 512 bytes (Go 1.22 on,
// runtime/mbitmap.go), or in its span, where it has one of its own.
//
// The census asks this only where that costs it no read.  Here it is asked of some maps that
// nothing typed leads to: not only they have a type then, but what they hold.  Since the census,
// another map may have taken the place of one that was garbage: the header has to be that of the
// row.
#include "walk/walk_internal.h"

#include "maps/classic.h"
#include "maps/swiss.h"

enum {
	HEADER_BYTES_MAX = 128,
	TABLE_HEAD_BYTES_MAX = 64,
	NAMED_BYTES_MIN = 512,   // Smaller objects do not name their type.
	LOOKED_AT_MAX = 1 << 14, // Each is a few reads by themselves.
};

/** False in *ret_is_there where nothing can be read. */
static struct ms_error *read_bytes(struct ms_walk *w, ms_addr address, void *bytes, uint64_t size,
				   bool *ret_is_there)
{
	struct ms_error *err = ms_target_read(w->rt->target, address, bytes, size);

	*ret_is_there = !err;
	if (!err || ms_error_code(err) != MS_ERR_FAULT)
		return err;
	ms_error_free(err);
	return NULL;
}

/** Where the groups of a large map's first table begin; 0 where that is not known. */
static struct ms_error *groups_find(struct ms_walk *w, ms_addr directory, ms_addr *ret_groups)
{
	const struct ms_go_layout *l = w->layout;
	uint8_t raw[TABLE_HEAD_BYTES_MAX], word[8];
	struct ms_swiss_table table;
	struct ms_error *err;
	bool is_there;

	*ret_groups = 0;
	err = read_bytes(w, directory, word, sizeof(word), &is_there);
	if (err || !is_there || l->table_size > sizeof(raw))
		return err;
	err = read_bytes(w, ms_load_u64(word), raw, l->table_size, &is_there);
	if (!err && is_there && ms_swiss_table_parse(l, raw, &table))
		*ret_groups = table.groups;
	return err;
}

/** Where the buckets, or the groups of the first table, begin; 0 where that is not known. */
static struct ms_error *table_find(struct ms_walk *w, const struct ms_map_row *row,
				   ms_addr *ret_table)
{
	const struct ms_go_layout *l = w->layout;
	bool is_swiss = l->maps == MS_GO_MAPS_SWISS, is_there;
	uint32_t size = is_swiss ? l->map_size : l->hmap_size;
	uint8_t header[HEADER_BYTES_MAX];
	struct ms_classic_map classic;
	struct ms_swiss_map swiss;
	struct ms_error *err;

	*ret_table = 0;
	if (size > sizeof(header))
		return NULL;
	err = read_bytes(w, row->address, header, size, &is_there);
	if (err || !is_there)
		return err;
	if (!is_swiss) {
		if (ms_classic_parse(l, header, &classic) == MS_CLASSIC_MAP &&
		    classic.count == row->entries &&
		    row->capacity == (uint64_t)MS_CLASSIC_SLOTS << classic.bucket_log2)
			*ret_table = classic.buckets;
		return NULL;
	}
	switch (ms_swiss_parse(l, header, &swiss)) {
	case MS_SWISS_SMALL:
		if (swiss.used == row->entries && !row->tables)
			*ret_table = swiss.dir;
		return NULL;
	case MS_SWISS_LARGE:
		return swiss.used == row->entries && swiss.depth == row->directory_depth
			   ? groups_find(w, swiss.dir, ret_table)
			   : NULL;
	default:
		return NULL;
	}
}

/** The type that the memory of a table names; 0: none. */
static struct ms_error *named_find(struct ms_walk *w, ms_addr table, ms_addr *ret_named)
{
	const struct ms_span *span = ms_spans_find(&w->spans, table);
	uint8_t word[8];
	struct ms_error *err;
	bool is_there;

	*ret_named = 0;
	if (!span || !ms_span_is_object(w->layout, span, table))
		return NULL;
	*ret_named = span->large_type;
	if (!ms_span_has_headers(w->layout, span))
		return NULL;
	err = read_bytes(w, table - sizeof(word), word, sizeof(word), &is_there);
	*ret_named = !err && is_there ? ms_load_u64(word) : 0;
	return err;
}

/** Whether the row's table can have a name, and it is still worth the reads. */
static bool is_to_be_asked(const struct ms_walk *w, const struct ms_map_row *row)
{
	return ms_go_has_malloc_headers(w->layout) && row->where == MS_WHERE_HEAP &&
	       !ms_map_row_is_hmap(row) && !ms_map_row_never_written(row) &&
	       row->total_bytes != MS_UNKNOWN && row->total_bytes > NAMED_BYTES_MIN &&
	       w->tables_asked < LOOKED_AT_MAX;
}

struct ms_error *ms_walk_type_by_table(struct ms_walk *w, const struct ms_map_row *row,
				       ms_plan_id *ret_type)
{
	const struct ms_map_type *type;
	ms_addr table, named = 0;
	struct ms_error *err;

	*ret_type = 0;
	if (!is_to_be_asked(w, row))
		return NULL;
	w->tables_asked++;
	err = table_find(w, row, &table);
	if (!err && table)
		err = named_find(w, table, &named);
	type = named ? ms_types_by_table(w->types, named) : NULL;
	if (type)
		*ret_type = ms_plans_get(&w->plans, type->address);
	if (*ret_type && !ms_walk_map_fits(w, *ret_type, row->address))
		*ret_type = 0;
	return err;
}
