// hmap_census.c - the list is read, then each map, then the list again, then each map once more.
//
// Nobody is stopped: a map whose two looks differ is one on the move, and shown so; one that is
// no longer where it was listed, or whose words contradict each other twice, is skipped and
// counted. Types, names and places are read once each, however many maps have them.
#include "registry/hmap_census.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "base/vec.h"

enum {
	MAPS_MAX = 1 << 24, // Of one registry.
	LIST_TRIES = 3,
	TEXT_BYTES_MAX = 256,
	TEXTS_AT_ONCE = 1024,
	ROWS_AT_ONCE = 1024,
};

/** Why a map that was listed is no row. */
enum skip {
	SKIP_FREED,
	SKIP_UNREADABLE,
	SKIP_IMPOSSIBLE,
	SKIP_UNLISTED,
	SKIP_LIST,
	SKIP_COUNT_,
};

static const char *const skip_texts[SKIP_COUNT_] = {
	[SKIP_FREED] = "freed while read",
	[SKIP_UNREADABLE] = "unreadable",
	[SKIP_IMPOSSIBLE] = "its words contradict each other",
	[SKIP_UNLISTED] = "libhmap had no memory to list them",
	[SKIP_LIST] = "in a part of the list that could not be read",
};

struct looks {
	struct ms_hmap_look *items;
	size_t count, capacity;
};

/** A text of the target, read once. */
struct text {
	ms_addr address;
	const char *text; // NULL: it could not be read.
};

struct texts {
	struct text *items;
	size_t count, capacity;
	struct ms_number_map index; // By address.
};

/** A struct hmap_type of the target. */
struct type {
	ms_addr address;
	const struct ms_registry *registry;
	bool is_read;
	uint64_t name, key_name, value_name; // Addresses.
	uint64_t key_size, value_size;
	const char *text, *key, *value;
};

struct types {
	struct type *items;
	size_t count, capacity;
	struct ms_number_map index;
};

struct census {
	struct ms_target *target;
	struct ms_c_symbols *symbols;
	struct ms_census_report *report;
	struct looks looks;
	struct texts texts;
	struct types types;
	struct texts sites;
	uint64_t skips[SKIP_COUNT_];
};

// --- The list. ---

/** Words of the list, as they are now. */
struct list {
	uint64_t *items;
	size_t count, capacity;
};

/** Read @p words of one leaf, a piece at a time; what cannot be read is counted. */
static struct ms_error *leaf_read(struct ms_target *t, ms_addr leaf, uint64_t words,
				  struct list *list, uint64_t *unread)
{
	for (uint64_t from = 0; from < words;) {
		uint64_t count = ms_min_u64(words - from, MS_READ_BYTES_MAX / 8);
		struct ms_error *err;

		if (!ms_vec_reserve(list, list->count + (size_t)count))
			return ms_error_no_memory();
		err = ms_target_read(t, leaf + from * 8, list->items + list->count, count * 8);
		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (err)
			*unread += count;
		else
			list->count += count;
		ms_error_free(err);
		from += count;
	}
	return NULL;
}

/** The list takes no more memory than its leaves do in the target, however long it says it is. */
static struct ms_error *list_read(struct ms_target *t, const struct ms_registry_state *state,
				  struct list *list, uint64_t *ret_unread)
{
	uint64_t left = ms_min_u64(state->used, MAPS_MAX);
	struct ms_error *err = NULL;

	list->count = 0;
	*ret_unread = 0;
	for (unsigned leaf = 0; leaf < HMAP_REGISTRY_LEAVES && left && !err; leaf++) {
		uint64_t words = ms_min_u64((uint64_t)HMAP_REGISTRY_FIRST_LEAF << leaf, left);

		if (!state->leaves[leaf])
			break;
		err = leaf_read(t, state->leaves[leaf], words, list, ret_unread);
		left -= words;
	}
	*ret_unread += left;
	return err;
}

static bool is_map(uint64_t word)
{
	return word && !(word & 1);
}

static int by_address(const void *a, const void *b)
{
	const ms_addr *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/** Maps alone, by address: neighbours are read together. */
static void list_sort(struct list *list)
{
	bool is_sorted = true;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!is_map(list->items[i]))
			continue;
		is_sorted &= !kept || list->items[kept - 1] <= list->items[i];
		list->items[kept++] = list->items[i];
	}
	list->count = kept;
	if (!is_sorted)
		qsort(list->items, kept, sizeof(*list->items), by_address);
}

/** The list at a moment at which nobody changed it, or after some tries at any moment. */
static struct ms_error *list_take(struct census *c, const struct ms_registry *r, struct list *list,
				  struct ms_registry_state *ret_state)
{
	uint64_t unread = 0;
	struct ms_error *err = NULL;

	for (int i = 0; i < LIST_TRIES && !err; i++) {
		struct ms_registry_state after;

		err = ms_registry_state_read(c->target, r, ret_state);
		if (!err)
			err = list_read(c->target, ret_state, list, &unread);
		if (!err)
			err = ms_registry_state_read(c->target, r, &after);
		if (!err && after.changes == ret_state->changes && !(after.changes & 1))
			break;
	}
	c->skips[SKIP_LIST] += unread;
	list_sort(list);
	return err;
}

static struct ms_error *looks_add(struct census *c, const struct ms_registry *r,
				  const struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i && list->items[i] == list->items[i - 1])
			c->skips[SKIP_FREED]++; // A list that names a map twice names it once.
		else if (!ms_vec_push(&c->looks, { .address = list->items[i], .registry = r }))
			return ms_error_no_memory();
	}
	return NULL;
}

/** Let go of looks at maps that are not in the list any more.  Both are sorted. */
static void freed_drop(struct census *c, size_t from, const struct list *list)
{
	size_t kept = from, at = 0;

	for (size_t i = from; i < c->looks.count; i++) {
		ms_addr address = c->looks.items[i].address;

		while (at < list->count && list->items[at] < address)
			at++;
		if (at < list->count && list->items[at] == address)
			c->looks.items[kept++] = c->looks.items[i];
		else
			c->skips[SKIP_FREED]++;
	}
	c->looks.count = kept;
}

// --- Texts and types. ---

/** An address of a text, which is @p text where that is known by now; each is kept once. */
static struct ms_error *text_add(struct texts *t, ms_addr address, const char *text)
{
	if (!address || address == MS_UNKNOWN || ms_number_map_find(&t->index, address))
		return NULL;
	if (!ms_number_map_add(&t->index, address, (uint32_t)t->count) ||
	    !ms_vec_push(t, { .address = address, .text = text }))
		return ms_error_no_memory();
	return NULL;
}

static const char *text_of(const struct texts *t, ms_addr address)
{
	const uint32_t *at =
	    address && address != MS_UNKNOWN ? ms_number_map_find(&t->index, address) : NULL;

	return at ? t->items[*at].text : NULL;
}

static struct ms_error *text_keep(struct census *c, struct text *text, const char *bytes,
				  size_t size)
{
	const char *end = memchr(bytes, '\0', size);
	size_t length = end ? (size_t)(end - bytes) : size;

	if (!length)
		return NULL;
	text->text = ms_arena_strndup(&c->report->arena, bytes, length);
	return text->text ? NULL : ms_error_no_memory();
}

/** A text that may go over a page's end: the rest of it, too. */
static struct ms_error *text_read_rest(struct census *c, struct text *text, const char *start,
				       size_t have)
{
	char bytes[TEXT_BYTES_MAX];
	struct ms_error *err;

	memcpy(bytes, start, have);
	err = ms_target_read(c->target, text->address + have, bytes + have, sizeof(bytes) - have);
	if (err && ms_error_code(err) != MS_ERR_FAULT)
		return err;
	have = err ? have : sizeof(bytes);
	ms_error_free(err);
	return text_keep(c, text, bytes, have);
}

static struct ms_error *texts_read(struct census *c)
{
	size_t room = (size_t)ms_min_u64(c->texts.count, TEXTS_AT_ONCE) + 1;
	MS_AUTO_FREE struct ms_read *reads = calloc(room, sizeof(*reads));
	MS_AUTO_FREE char *bytes = malloc(room * TEXT_BYTES_MAX);
	struct ms_error *err = NULL;

	if (!reads || !bytes)
		return ms_error_no_memory();
	for (size_t from = 0; from < c->texts.count && !err; from += TEXTS_AT_ONCE) {
		size_t count =
		    c->texts.count - from < TEXTS_AT_ONCE ? c->texts.count - from : TEXTS_AT_ONCE;

		for (size_t i = 0; i < count; i++) {
			ms_addr at = c->texts.items[from + i].address;

			reads[i] = (struct ms_read){ .addr = at,
						     .buf = bytes + i * TEXT_BYTES_MAX,
						     .size = (uint32_t)ms_min_u64(
							 TEXT_BYTES_MAX, 4096 - (at & 4095)) };
		}
		err = ms_target_read_many(c->target, reads, count);
		for (size_t i = 0; i < count && !err; i++) {
			struct text *text = &c->texts.items[from + i];

			if (reads[i].status != MS_READ_OK)
				continue;
			if (reads[i].size < TEXT_BYTES_MAX &&
			    !memchr(reads[i].buf, '\0', reads[i].size))
				err = text_read_rest(c, text, reads[i].buf, reads[i].size);
			else
				err = text_keep(c, text, reads[i].buf, reads[i].size);
		}
	}
	return err;
}

static struct ms_error *type_add(struct census *c, const struct ms_hmap_look *look)
{
	ms_addr address = look->words.type;

	if (!address || address == MS_UNKNOWN || ms_number_map_find(&c->types.index, address))
		return NULL;
	if (!ms_number_map_add(&c->types.index, address, (uint32_t)c->types.count) ||
	    !ms_vec_push(&c->types, { .address = address, .registry = look->registry }))
		return ms_error_no_memory();
	return NULL;
}

static struct ms_error *type_read(struct census *c, struct type *type)
{
	const struct ms_registry *r = type->registry;
	MS_AUTO_FREE uint8_t *raw = malloc((size_t)r->type_bytes + 1);
	struct ms_error *err;

	if (!raw)
		return ms_error_no_memory();
	if (!r->type_bytes)
		return NULL;
	err = ms_target_read(c->target, type->address, raw, r->type_bytes);
	if (err) {
		if (ms_error_code(err) != MS_ERR_FAULT)
			return err;
		ms_error_free(err);
		return NULL;
	}
	type->is_read = true;
	type->name = ms_registry_load(r, HMAP_FIELD_TYPE_NAME, raw);
	type->key_name = ms_registry_load(r, HMAP_FIELD_TYPE_KEY_NAME, raw);
	type->value_name = ms_registry_load(r, HMAP_FIELD_TYPE_VALUE_NAME, raw);
	type->key_size = ms_registry_load(r, HMAP_FIELD_TYPE_KEY_SIZE, raw);
	type->value_size = ms_registry_load(r, HMAP_FIELD_TYPE_VALUE_SIZE, raw);
	err = text_add(&c->texts, type->name, NULL);
	if (!err)
		err = text_add(&c->texts, type->key_name, NULL);
	if (!err)
		err = text_add(&c->texts, type->value_name, NULL);
	return err;
}

static const char *part_of_type(struct census *c, ms_addr name, uint64_t size)
{
	const char *text = text_of(&c->texts, name);

	if (text || size == MS_UNKNOWN)
		return text;
	return ms_arena_printf(&c->report->arena, "%llu bytes", (unsigned long long)size);
}

/** What it is called: by itself, or in Go's way by its key and value. */
static void type_name(struct census *c, struct type *type)
{
	if (!type->is_read)
		return;
	type->key = part_of_type(c, type->key_name, type->key_size);
	type->value = part_of_type(c, type->value_name, type->value_size);
	type->text = text_of(&c->texts, type->name);
	if (!type->text && type->key && type->value)
		type->text =
		    ms_arena_printf(&c->report->arena, "map[%s]%s", type->key, type->value);
}

static struct ms_error *types_and_names_read(struct census *c)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < c->looks.count && !err; i++) {
		const struct ms_hmap_look *look = &c->looks.items[i];

		if (look->status != MS_HMAP_READ)
			continue;
		err = type_add(c, look);
		if (!err)
			err = text_add(&c->texts, look->words.name, NULL);
	}
	for (size_t i = 0; i < c->types.count && !err; i++)
		err = type_read(c, &c->types.items[i]);
	if (!err)
		err = texts_read(c);
	for (size_t i = 0; i < c->types.count && !err; i++)
		type_name(c, &c->types.items[i]);
	return err;
}

/** "make_sessions cache.c:42", for a map without a name; NULL where it is not known. */
static struct ms_error *site_of(struct census *c, ms_addr created_at, const char **ret_text)
{
	struct ms_stack_call calls[MS_C_INLINED_MAX];
	const struct ms_stack_call *call;
	const char *slash;
	size_t count;
	struct ms_error *err;

	*ret_text = NULL;
	if (!c->symbols || !created_at || created_at == MS_UNKNOWN)
		return NULL;
	*ret_text = text_of(&c->sites, created_at);
	if (*ret_text)
		return NULL;
	err = ms_c_symbols_calls(c->symbols, created_at, true, &c->report->arena, calls, &count);
	if (err)
		return err;
	call = &calls[0];
	while (call->is_runtime && call < &calls[count - 1])
		call++;
	slash = call->file ? strrchr(call->file, '/') : NULL;
	if (call->file && call->line)
		*ret_text = ms_arena_printf(&c->report->arena, "made by %s %s:%u", call->function,
					    slash ? slash + 1 : call->file, call->line);
	else
		*ret_text = ms_arena_printf(&c->report->arena, "made by %s", call->function);
	return *ret_text ? text_add(&c->sites, created_at, *ret_text) : ms_error_no_memory();
}

// --- Rows. ---

enum { CLASSIC_SAME_SIZE = 8, BUCKET_SLOTS = 8, B_MAX = 40 };

static bool classic_fill(const struct ms_hmap_words *w, struct ms_map_row *row)
{
	uint64_t buckets;

	if (w->c.B > B_MAX || w->c.count > (uint64_t)1 << 48)
		return false;
	buckets = (uint64_t)1 << w->c.B;
	row->kind = MS_MAP_HMAP_CLASSIC;
	row->entries = w->c.count;
	row->capacity = w->c.bytes == MS_UNKNOWN || w->c.bytes ? buckets * BUCKET_SLOTS : 0;
	row->grow_at = w->c.load == MS_UNKNOWN || w->c.load > 64 ? MS_UNKNOWN
		       : w->c.B                                  ? buckets * w->c.load / 2 + 1
								 : BUCKET_SLOTS + 1;
	row->overflow_buckets = w->c.overflow;
	row->total_bytes = w->c.bytes;
	if (!w->c.old || w->c.old == MS_UNKNOWN)
		return true;
	row->growing = true;
	row->growth.same_size = w->c.flags != MS_UNKNOWN && (w->c.flags & CLASSIC_SAME_SIZE);
	row->growth.to = buckets * BUCKET_SLOTS;
	row->growth.from = row->growth.same_size ? row->growth.to : row->growth.to / 2;
	if (w->c.evacuated > row->growth.from / BUCKET_SLOTS)
		return false;
	row->growth.progress =
	    (double)w->c.evacuated * BUCKET_SLOTS / (double)ms_max_u64(row->growth.from, 1);
	return true;
}

/** The pass under way, as hmap_peek of registry.c has it. */
static bool pass_fill(const struct ms_hmap_words *w, uint32_t group_slots, struct ms_map_row *row)
{
	uint64_t low = w->low, done;

	if (!w->pass || w->pass == MS_UNKNOWN)
		return true;
	if (w->pass > HMAP_PASS_SHRINK || !low || low == MS_UNKNOWN || low > (uint64_t)1 << 40)
		return false;
	row->growing = true;
	row->growth.same_size = w->pass == HMAP_PASS_COMPACT;
	row->growth.from = (w->pass == HMAP_PASS_SHRINK ? 2 * low : low) * group_slots;
	row->growth.to = (w->pass == HMAP_PASS_GROW ? 2 * low : low) * group_slots;
	done = w->pass == HMAP_PASS_GROW     ? w->groups - low
	       : w->pass == HMAP_PASS_SHRINK ? 2 * low - w->groups
					     : w->compacted;
	if (done == MS_UNKNOWN || done > low)
		return false;
	row->growth.progress = (double)done / (double)low;
	row->grow_at = MS_UNKNOWN;
	return true;
}

static bool steady_fill(const struct ms_registry *r, const struct ms_hmap_words *w,
			struct ms_map_row *row)
{
	row->kind = MS_MAP_HMAP_STEADY;
	row->entries = w->count;
	row->total_bytes = w->bytes;
	row->overflow_buckets = w->nodes;
	if (w->state != MS_UNKNOWN && (w->state & r->unborn_mask)) {
		row->capacity = 0;
		row->confidence = MS_CONFIDENCE_UNVERIFIED;
		return w->count == 0;
	}
	if (!w->groups || w->groups > (uint64_t)1 << 40 || w->count > (uint64_t)1 << 48)
		return false;
	row->capacity = w->groups * r->group_slots;
	row->grow_at = w->grow_at == MS_UNKNOWN ? MS_UNKNOWN : w->grow_at + 1;
	// A node of overflow has no more slots than 255: its tags are counted in a byte.
	if (w->nodes != MS_UNKNOWN && w->count > row->capacity + w->nodes * 255)
		return false;
	return pass_fill(w, r->group_slots, row);
}

bool ms_hmap_row_fill(const struct ms_hmap_look *look, uint64_t entry_bytes, struct ms_map_row *row)
{
	const struct ms_hmap_words *w = &look->words;
	bool is_classic = w->classic && w->classic != MS_UNKNOWN;

	*row = (struct ms_map_row){ .address = look->address,
				    .grow_at = MS_UNKNOWN,
				    .overflow_buckets = MS_UNKNOWN,
				    .deleted_slots = MS_UNKNOWN,
				    .where = MS_WHERE_HEAP,
				    .confidence = MS_CONFIDENCE_VERIFIED };
	if (w->count == MS_UNKNOWN ||
	    !(is_classic ? classic_fill(w, row) : steady_fill(look->registry, w, row)))
		return false;
	row->live_bytes = MS_UNKNOWN;
	if (entry_bytes != MS_UNKNOWN &&
	    __builtin_mul_overflow(row->entries, entry_bytes, &row->live_bytes))
		return false;
	row->slack_bytes = ms_map_row_slack(row);
	return true;
}

/** Whether two looks at one map found the same. */
static bool is_still(const struct ms_hmap_words *a, const struct ms_hmap_words *b)
{
	return a->count == b->count && a->groups == b->groups && a->pass == b->pass &&
	       a->bytes == b->bytes && a->classic == b->classic && a->c.count == b->c.count &&
	       a->c.B == b->c.B && a->c.old == b->c.old && a->c.bytes == b->c.bytes;
}

/** Take the second look; a first look whose words cannot be may have met a map on the move. */
static struct ms_error *row_add(struct census *c, const struct ms_hmap_look *first,
				const struct ms_hmap_look *second, struct ms_hmap_places *places)
{
	const uint32_t *at;
	const struct type *type;
	struct ms_census_report *report = c->report;
	uint64_t entry_bytes = MS_UNKNOWN;
	struct ms_map_row row;
	struct ms_error *err;

	if (second->status != MS_HMAP_READ || first->status != MS_HMAP_READ) {
		c->skips[SKIP_UNREADABLE]++;
		return NULL;
	}
	at = second->words.type ? ms_number_map_find(&c->types.index, second->words.type) : NULL;
	type = at ? &c->types.items[*at] : NULL;
	if (type && type->is_read && type->key_size < INT32_MAX && type->value_size < INT32_MAX)
		entry_bytes = type->key_size + type->value_size + 1;
	if (!ms_hmap_row_fill(second, entry_bytes, &row) &&
	    !ms_hmap_row_fill(first, entry_bytes, &row)) {
		c->skips[SKIP_IMPOSSIBLE]++;
		return NULL;
	}
	if (!is_still(&first->words, &second->words))
		row.confidence = MS_CONFIDENCE_CHANGED;
	if (type && type->text) {
		row.type = type->text;
		row.key_type = type->key;
		row.elem_type = type->value;
		row.type_source = MS_TYPE_REGISTRY;
		report->coverage.typed++;
	}
	row.owner = text_of(&c->texts, second->words.name);
	err = row.owner ? NULL : site_of(c, second->words.created_at, &row.owner);
	if (err)
		return err;
	row.owners = row.owner != NULL;
	report->coverage.changed += row.confidence == MS_CONFIDENCE_CHANGED;
	report->never_written += row.confidence == MS_CONFIDENCE_UNVERIFIED;
	if (!ms_vec_push(places,
			 { row.address,
			   second->words.created_at == MS_UNKNOWN ? 0 : second->words.created_at,
			   second->registry }))
		return ms_error_no_memory();
	report->maps[report->map_count++] = row;
	return NULL;
}

static int rows_by_address(const void *a, const void *b)
{
	const struct ms_map_row *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int places_by_map(const void *a, const void *b)
{
	const struct ms_hmap_place *x = a, *y = b;

	return x->map < y->map ? -1 : x->map > y->map;
}

/** Look at each map once more, some at a time, and make its row. */
static struct ms_error *rows_add(struct census *c, struct ms_hmap_places *places)
{
	MS_AUTO_FREE struct ms_hmap_look *again = malloc(ROWS_AT_ONCE * sizeof(*again));
	struct ms_error *err = NULL;

	if (!again)
		return ms_error_no_memory();
	for (size_t from = 0; from < c->looks.count && !err; from += ROWS_AT_ONCE) {
		size_t count = c->looks.count - from;

		count = count < ROWS_AT_ONCE ? count : ROWS_AT_ONCE;
		memcpy(again, c->looks.items + from, count * sizeof(*again));
		err = ms_hmap_look(c->target, again, count);
		for (size_t i = 0; i < count && !err; i++)
			err = row_add(c, &c->looks.items[from + i], &again[i], places);
	}
	return err;
}

/** Behind those of a Go program that has libhmap too, or of several libhmaps. */
static void sort_rows(struct ms_census_report *report, struct ms_hmap_places *places)
{
	bool is_sorted = true;

	for (size_t i = 1; i < report->map_count && is_sorted; i++)
		is_sorted = report->maps[i - 1].address <= report->maps[i].address;
	if (is_sorted)
		return; // So are their places: each has one, in this order.
	qsort(report->maps, report->map_count, sizeof(*report->maps), rows_by_address);
	if (places->count)
		qsort(places->items, places->count, sizeof(*places->items), places_by_map);
}

static struct ms_error *coverage_add(const struct census *c)
{
	struct ms_coverage *coverage = &c->report->coverage;
	size_t room = coverage->skip_count + SKIP_COUNT_;
	struct ms_skip *skips = realloc(coverage->skips, room * sizeof(*skips));

	if (!skips)
		return ms_error_no_memory();
	coverage->skips = skips;
	for (size_t i = 0; i < SKIP_COUNT_; i++) {
		if (c->skips[i])
			skips[coverage->skip_count++] =
			    (struct ms_skip){ skip_texts[i], c->skips[i] };
		coverage->seen += c->skips[i];
	}
	return NULL;
}

/** All maps of one registry, looked at once; twice if the list still has them behind that. */
static struct ms_error *registry_look(struct census *c, const struct ms_registry *r)
{
	struct list list = { 0 };
	struct ms_registry_state state = { 0 };
	size_t from = c->looks.count;
	struct ms_error *err;

	if (!r->is_begun)
		return NULL;
	err = list_take(c, r, &list, &state);
	c->skips[SKIP_UNLISTED] += ms_min_u64(state.unlisted, MAPS_MAX);
	if (!err)
		err = looks_add(c, r, &list);
	if (!err && c->looks.count > from)
		err = ms_hmap_look(c->target, c->looks.items + from, c->looks.count - from);
	if (!err) {
		uint64_t unread = c->skips[SKIP_LIST]; // Not to be counted twice.

		err = list_take(c, r, &list, &state);
		c->skips[SKIP_LIST] = unread;
	}
	if (!err)
		freed_drop(c, from, &list);
	free(list.items);
	return err;
}

static struct ms_error *census_run(struct census *c, const struct ms_registries *rs,
				   struct ms_hmap_places *places)
{
	struct ms_census_report *report = c->report;
	uint64_t before = report->map_count;
	struct ms_map_row *rows;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < rs->count && !err; i++)
		err = registry_look(c, &rs->items[i]);
	if (!err)
		err = types_and_names_read(c);
	if (err)
		return err;
	rows = realloc(report->maps, (before + c->looks.count + 1) * sizeof(*rows));
	if (!rows)
		return ms_error_no_memory();
	report->maps = rows;
	err = rows_add(c, places);
	if (err)
		return err;
	sort_rows(report, places);
	report->coverage.read += report->map_count - before;
	report->coverage.seen += report->map_count - before;
	return coverage_add(c);
}

struct ms_error *ms_hmap_census_add(const struct ms_registries *registries,
				    struct ms_c_symbols *symbols, struct ms_census_report *report,
				    struct ms_hmap_places *ret_places)
{
	struct census c = { .target = registries->target, .symbols = symbols, .report = report };
	struct ms_hmap_places places = { 0 };
	struct ms_error *err = census_run(&c, registries, &places);

	free(c.looks.items);
	free(c.texts.items);
	ms_number_map_deinit(&c.texts.index);
	free(c.types.items);
	ms_number_map_deinit(&c.types.index);
	free(c.sites.items);
	ms_number_map_deinit(&c.sites.index);
	if (err) {
		ms_hmap_places_deinit(&places);
		return err;
	}
	*ret_places = places;
	return NULL;
}

struct ms_error *ms_hmap_find(const struct ms_registries *rs, ms_addr address,
			      const struct ms_registry **ret_registry)
{
	struct census c = { .target = rs->target };
	struct list list = { 0 };
	struct ms_registry_state state;
	struct ms_error *err = NULL;

	*ret_registry = NULL;
	for (size_t i = 0; i < rs->count && !err && !*ret_registry; i++) {
		if (!rs->items[i].is_begun)
			continue;
		err = list_take(&c, &rs->items[i], &list, &state);
		if (!err && list.count &&
		    bsearch(&address, list.items, list.count, sizeof(address), by_address))
			*ret_registry = &rs->items[i];
	}
	free(list.items);
	return err;
}

const struct ms_hmap_place *ms_hmap_place_of(const struct ms_hmap_places *places, ms_addr address)
{
	struct ms_hmap_place key = { .map = address };

	return places->count
		   ? bsearch(&key, places->items, places->count, sizeof(key), places_by_map)
		   : NULL;
}

void ms_hmap_places_deinit(struct ms_hmap_places *places)
{
	free(places->items);
	*places = (struct ms_hmap_places){ 0 };
}
