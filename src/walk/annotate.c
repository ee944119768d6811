// annotate.c - from what was found to the rows of a report.
#include "walk/walk_internal.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"

#include <search.h>

enum {
	INLINE_BYTES_MAX = 128, // A larger key or elem is stored as a pointer.
	SMALL_SLOTS = 8,        // Of one bucket or group.
};

static const char SHAPE[] = "go.shape.";

/** Owners written out, by label and root. */
struct owners {
	struct owner {
		uint64_t key;
		const char *text;
	} * slots;
	size_t count, slot_count;
};

static bool owners_grow(struct owners *o)
{
	size_t wanted = o->slot_count ? o->slot_count * 2 : 1 << 10;
	struct owner *slots = calloc(wanted, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < o->slot_count; i++) {
		size_t at = ms_hash_number(o->slots[i].key) & (wanted - 1);

		if (!o->slots[i].key)
			continue;
		while (slots[at].key)
			at = (at + 1) & (wanted - 1);
		slots[at] = o->slots[i];
	}
	free(o->slots);
	o->slots = slots;
	o->slot_count = wanted;
	return true;
}

/** What a label and a root are called; *ret_text is NULL when there is nothing to say. */
static struct ms_error *owner_text(struct ms_walk *w, struct owners *o, ms_label label,
				   uint32_t root, const char **ret_text)
{
	uint64_t key = (uint64_t)label << 32 | root;
	size_t at;

	*ret_text = NULL;
	if (!label)
		return NULL;
	if (o->count * 2 >= o->slot_count && !owners_grow(o))
		return ms_error_no_memory();
	at = ms_hash_number(key) & (o->slot_count - 1);
	while (o->slots[at].key && o->slots[at].key != key)
		at = (at + 1) & (o->slot_count - 1);
	if (!o->slots[at].key) {
		const char *text = ms_label_write(
		    &w->labels, label, root < w->roots.count ? w->roots.items[root] : NULL,
		    &w->report->arena);

		if (!text)
			return ms_error_no_memory();
		o->slots[at] = (struct owner){ key, text };
		o->count++;
	}
	*ret_text = o->slots[at].text;
	return NULL;
}

static uint64_t stored_bytes(uint64_t size)
{
	return size > INLINE_BYTES_MAX ? 8 : size;
}

/** The three names of map types, by plan. */
struct names {
	const char *type, *key, *elem;
};

static const char *plan_name(struct ms_walk *w, ms_plan_id id)
{
	return w->labels.texts[ms_plans_at(&w->plans, id)->name];
}

static struct ms_error *names_make(struct ms_walk *w, ms_plan_id type, struct names *n)
{
	const struct ms_plan *plan = ms_plans_ready(&w->plans, type);
	struct ms_arena *arena = &w->report->arena;
	const char *key, *elem;

	if (n->type || !plan->key || !plan->elem)
		return NULL;
	key = plan_name(w, plan->key);
	elem = plan_name(w, plan->elem);
	if (strstr(key, SHAPE) || strstr(elem, SHAPE))
		return NULL; // Generic code knows such a type by its shape alone.
	n->key = ms_arena_strndup(arena, key, strlen(key));
	n->elem = ms_arena_strndup(arena, elem, strlen(elem));
	n->type = ms_arena_printf(arena, "map[%s]%s", key, elem);
	return n->key && n->elem && n->type ? NULL : ms_error_no_memory();
}

static void row_type(struct ms_walk *w, const struct ms_walk_found *f, const struct names *n,
		     struct ms_map_row *row)
{
	const struct ms_plan *plan = ms_plans_at(&w->plans, f->type);

	if (row->type || !n->type)
		return;
	row->type = n->type;
	row->key_type = n->key;
	row->elem_type = n->elem;
	row->type_source = f->by_table ? MS_TYPE_MALLOC_HEADER : MS_TYPE_WALK;
	if (row->entries != MS_UNKNOWN)
		row->live_bytes =
		    row->entries * (stored_bytes(ms_plans_at(&w->plans, plan->key)->bytes) +
				    stored_bytes(ms_plans_at(&w->plans, plan->elem)->bytes) + 1);
	// A table that lies on the stack as well is in no span that would tell its size.
	if (row->where == MS_WHERE_STACK && row->capacity == SMALL_SLOTS && plan->table_plan &&
	    row->total_bytes ==
		(w->layout->maps == MS_GO_MAPS_SWISS ? w->layout->map_size : w->layout->hmap_size))
		row->total_bytes += ms_plans_at(&w->plans, plan->table_plan)->bytes;
	row->slack_bytes = ms_map_row_slack(row);
}

/** What nothing leads to may still say its type itself. */
static struct ms_error *unreached_type(struct ms_walk *w)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < w->report->map_count && !err; i++) {
		struct ms_walk_found *f = &w->found[i];

		if (f->type || f->holders || w->report->maps[i].type)
			continue;
		err = ms_walk_type_by_table(w, &w->report->maps[i], &f->type);
		f->by_table = f->type != 0;
	}
	return err;
}

/** Of a table on a stack only its type tells the size; where spans are missing that may be all. */
static void row_doubt(const struct ms_walk *w, struct ms_map_row *row)
{
	if (!w->spans.has_holes || row->type || row->where != MS_WHERE_STACK ||
	    ms_map_row_never_written(row))
		return;
	row->total_bytes = row->slack_bytes = MS_UNKNOWN;
}

static struct ms_error *rows_annotate(struct ms_walk *w, struct owners *owners)
{
	MS_AUTO_FREE struct names *names = calloc(w->plans.count + 1, sizeof(*names));
	struct ms_census_report *r = w->report;

	if (!names)
		return ms_error_no_memory();
	for (size_t i = 0; i < r->map_count; i++) {
		const struct ms_walk_found *f = &w->found[i];
		struct ms_map_row *row = &r->maps[i];
		struct ms_error *err = NULL;
		const char *owner;

		if (f->type) {
			err = names_make(w, f->type, &names[f->type]);
			if (err)
				return err;
			row_type(w, f, &names[f->type], row);
		}
		row_doubt(w, row);
		if (!f->holders)
			continue;
		err = owner_text(w, owners, f->label, f->root, &owner);
		if (err)
			return err;
		// Debug information knows better than what only looks like a pointer.
		if (owner && (f->type || !row->owner))
			row->owner = owner;
		row->owners = f->holders;
		row->held_at = f->holder;
	}
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct ms_map_row *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/** What a trie is a map of, by its branches' type: of sync.Map or of package unique. */
static const char *trie_name(struct ms_walk *w, const struct ms_walk_trie *t)
{
	const char *name = plan_name(w, t->type), *arguments = strchr(name, '[');
	bool is_unique = !strncmp(name, "unique.", 7);

	if (!arguments || (!is_unique && !strcmp(arguments, "[interface {},interface {}]")))
		return "sync.Map";
	return ms_arena_printf(&w->report->arena, "%s%s",
			       is_unique ? "unique.canonMap" : "sync.HashTrieMap",
			       strstr(arguments, SHAPE) ? "" : arguments);
}

static struct ms_map_row trie_row(struct ms_walk *w, const struct ms_walk_trie *t)
{
	bool is_whole = ms_walk_trie_is_whole(t);

	if (!is_whole)
		ms_walk_cut(w, "it did not get to all nodes of a sync.Map");
	return (struct ms_map_row){ .address = t->address,
				    .entries = is_whole ? t->entries : MS_UNKNOWN,
				    .capacity = MS_UNKNOWN,
				    .grow_at = MS_UNKNOWN,
				    .overflow_buckets = MS_UNKNOWN,
				    .deleted_slots = MS_UNKNOWN,
				    .live_bytes = MS_UNKNOWN,
				    .total_bytes = is_whole ? t->bytes : MS_UNKNOWN,
				    .slack_bytes = MS_UNKNOWN,
				    .type = trie_name(w, t),
				    .owners = 1,
				    .kind = MS_MAP_SYNC_TRIE,
				    .where = MS_WHERE_HEAP,
				    .confidence = is_whole && !t->is_moving ? MS_CONFIDENCE_VERIFIED
									    : MS_CONFIDENCE_CHANGED,
				    .type_source = MS_TYPE_WALK };
}

/** Hash tries are maps of a program, too. */
static struct ms_error *tries_add(struct ms_walk *w, struct owners *owners)
{
	struct ms_census_report *r = w->report;
	struct ms_map_row *rows;

	if (!w->tries.count)
		return NULL;
	rows = realloc(r->maps, (r->map_count + w->tries.count) * sizeof(*rows));
	if (!rows)
		return ms_error_no_memory();
	r->maps = rows;
	for (size_t i = 0; i < w->tries.count; i++) {
		const struct ms_walk_trie *t = &w->tries.items[i];
		struct ms_map_row row = trie_row(w, t);
		struct ms_error *err = owner_text(w, owners, t->label, t->root, &row.owner);

		if (err)
			return err;
		if (!row.type)
			return ms_error_no_memory();
		r->coverage.changed += row.confidence == MS_CONFIDENCE_CHANGED;
		r->maps[r->map_count++] = row;
	}
	qsort(r->maps, r->map_count, sizeof(*r->maps), by_address);
	return NULL;
}

/** The types that fill the heap, named in the report's own memory. */
static struct ms_error *types_total(struct ms_walk *w)
{
	MS_AUTO_FREE struct ms_type_total *types = calloc(w->totals.count + 1, sizeof(*types));

	if (!types)
		return ms_error_no_memory();
	for (size_t i = 0; i < w->totals.count; i++) {
		const struct ms_walk_total *t = &w->totals.items[i];
		const char *name = t->type ? plan_name(w, t->type) : "string";

		types[i] = (struct ms_type_total){
			.type =
			    ms_arena_printf(&w->report->arena, "%s%s", t->is_row ? "[]" : "", name),
			.objects = t->objects,
			.bytes = t->bytes,
			.span_class = t->span_class,
			.is_map = t->is_map,
		};
		if (!types[i].type)
			return ms_error_no_memory();
	}
	return ms_memory_take_types(&w->report->memory, types, w->totals.count)
		   ? NULL
		   : ms_error_no_memory();
}

struct ms_error *ms_walk_annotate(struct ms_walk *w)
{
	struct owners owners = { 0 };
	size_t rows = w->report->map_count, foreign = 0;
	struct ms_error *err = unreached_type(w);

	if (!err)
		err = rows_annotate(w, &owners);
	for (size_t i = 0; i < rows; i++) // No word of Go's leads to a map of C.
		foreign += ms_map_row_is_hmap(&w->report->maps[i]);
	if (!err)
		err = tries_add(w, &owners);
	free(owners.slots);
	if (!err && w->report->memory.known)
		err = types_total(w);
	if (err)
		return err;
	for (size_t i = 0; i < rows; i++)
		w->summary.unreached += !w->found[i].holders;
	w->summary.unreached -= w->summary.unreached < foreign ? w->summary.unreached : foreign;
	w->report->coverage.seen += w->report->map_count - rows; // Tries: whole or not at all.
	w->report->coverage.read = w->report->map_count;
	w->report->coverage.typed = 0;
	for (size_t i = 0; i < w->report->map_count; i++)
		w->report->coverage.typed += w->report->maps[i].type != NULL;
	return ms_census_sum_owners(w->report);
}
