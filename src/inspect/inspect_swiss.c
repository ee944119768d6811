// inspect_swiss.c - a Swiss map's directory, its tables, and all groups of each.
//
// A probe begins at one group of a table and goes on, one, three, six groups further, until a group
// has an empty slot.  Which group a key begins at is its hash's secret; but how far a probe for an
// absent key goes from each group is not, and that is what chains are told for.
#include "inspect/inspection.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <inttypes.h>

enum {
	CONTROL_EMPTY = 0x80,
	CONTROL_DELETED = 0xfe,
	DIRECTORY_MAX =
	    1 << 18, // Entries: over 200 M map entries; beyond, only the header is told.
	OPEN = 2,    // Bit of a unit: it has an empty slot.
};

struct look {
	struct ms_inspection *i;
	struct ms_swiss_map m;
	struct tables {
		struct ms_inspect_table *items;
		size_t count, capacity;
	} tables;
	bool is_whole;
};

// --- The header. ---

static void words_tell(struct ms_inspection *i)
{
	const struct ms_go_layout *l = i->layout;
	const uint8_t *raw = i->raw;
	uint64_t length = ms_load_u64(raw + l->map_dir_len);

	ms_inspect_word(i, "used", ms_load_u64(raw + l->map_used), "entries", false);
	ms_inspect_word(i, "seed", ms_load_u64(raw + l->map_seed), "of its hashes", true);
	ms_inspect_word(i, "dirPtr", ms_load_u64(raw + l->map_dir_ptr),
			length ? "the directory" : "its one group, or nothing yet", true);
	ms_inspect_word(i, "dirLen", length,
			length ? "entries of the directory" : "small: no directory", false);
	ms_inspect_word(i, "globalDepth", raw[l->map_global_depth],
			"bits of the hash that choose the directory's entry", false);
	ms_inspect_word(i, "globalShift", raw[l->map_global_shift], "64 less the depth", false);
	ms_inspect_word(i, "writing", raw[l->map_writing],
			raw[l->map_writing] ? "a write is under way" : "nobody writes", false);
}

// --- Groups. ---

/** Take the control bytes of one group in; how many of its slots are deleted. */
static unsigned control_take(struct look *k, uint64_t unit, const uint8_t *control)
{
	struct ms_inspect_report *r = k->i->report;
	unsigned entries = 0, deleted = 0;

	ms_inspect_mix(k->i, ms_load_u64(control));
	for (unsigned s = 0; s < MS_SWISS_SLOTS; s++) {
		if (control[s] < CONTROL_EMPTY) {
			r->tags[control[s]]++;
			entries++;
		} else if (control[s] == CONTROL_DELETED) {
			deleted++;
		} else if (control[s] == CONTROL_EMPTY) {
			r->now.bits[unit] |= OPEN;
		} else {
			ms_invariant_break(k->i, MS_INV_TAGS,
					   "slot %u of group %" PRIu64 " has the control byte 0x%x",
					   s, unit, control[s]);
		}
	}
	r->now.fills[unit] = (uint16_t)entries;
	r->now.entries += entries;
	r->deleted += deleted;
	return deleted;
}

static struct ms_error *groups_read(struct look *k, ms_addr start, uint64_t count, uint8_t *buf,
				    size_t size, bool *ret_read)
{
	struct ms_error *err = ms_target_read(k->i->target, start, buf, size);

	*ret_read = !err;
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		k->is_whole = false;
		ms_inspect_unread(k->i, count == 1 ? "its group cannot be read"
						   : "some of its groups cannot be read");
		return NULL;
	}
	return err;
}

/** Probes for absent keys that begin at each group of a table from unit @p first on. */
static void probes_count(struct ms_inspect_report *r, uint64_t first, uint64_t groups)
{
	for (uint64_t g = 0; g < groups; g++) {
		uint64_t at = g, looked = 1;

		while (looked < groups && !(r->now.bits[first + at] & OPEN))
			at = (at + looked++) & (groups - 1);
		r->now.chains[first + g] = (uint16_t)looked;
		r->chains[ms_min_u64(looked, MS_INSPECT_CHAINS - 1)]++;
		r->longest = ms_max_u64(r->longest, looked);
	}
}

// --- Tables. ---

static void table_counts_check(struct look *k, struct ms_inspect_table *t, uint64_t first)
{
	uint64_t entries = 0;
	uint32_t deleted = t->deleted;

	for (uint64_t g = 0; g < t->capacity / MS_SWISS_SLOTS; g++)
		entries += k->i->report->now.fills[first + g];
	t->deleted = ms_swiss_table_deleted(&(struct ms_swiss_table){
	    .used = t->used, .capacity = t->capacity, .growth_left = t->growth_left });
	if (entries != t->used)
		ms_invariant_break(k->i, MS_INV_TABLE_COUNTS,
				   "the table at directory entry %" PRIu64 " has %" PRIu64
				   " entries and counts %u",
				   t->index, entries, t->used);
	else if (deleted != t->deleted)
		ms_invariant_break(k->i, MS_INV_TABLE_COUNTS,
				   "the table at directory entry %" PRIu64 " has %u deleted slots, "
				   "and by its growthLeft %u",
				   t->index, deleted, t->deleted);
	t->deleted = deleted;
}

static struct ms_error *table_groups(struct look *k, struct ms_inspect_table *t, uint64_t first,
				     uint8_t *buf)
{
	struct ms_inspection *i = k->i;
	uint64_t groups = t->capacity / MS_SWISS_SLOTS;
	bool is_read;
	struct ms_error *err =
	    groups_read(k, t->groups, groups, buf, (size_t)(groups * i->unit_bytes), &is_read);

	if (err || !is_read)
		return err;
	t->deleted = 0;
	for (uint64_t g = 0; g < groups; g++)
		t->deleted += control_take(k, first + g, buf + g * i->unit_bytes);
	table_counts_check(k, t, first);
	probes_count(i->report, first, groups);
	return NULL;
}

/** Hold a table's groups to being one object of the right size. */
static void groups_check(struct look *k, const struct ms_inspect_table *t)
{
	struct ms_inspection *i = k->i;
	const struct ms_span *span = ms_inspect_object(i, t->groups);
	uint64_t groups = t->capacity / MS_SWISS_SLOTS;

	if (!i->unit_bytes)
		ms_inspect_know_unit(i, span, groups);
	if (!span && ms_inspect_lacks_span(i, t->groups))
		ms_invariant_unknown(i, MS_INV_TABLES, ms_inspect_no_span);
	else if (!span)
		ms_invariant_break(i, MS_INV_TABLES,
				   "the groups of the table at directory entry %" PRIu64
				   " are at 0x%" PRIx64 ", where no heap object begins",
				   t->index, t->groups);
	else if (i->unit_bytes && ms_go_alloc_bytes(i->layout, groups * i->unit_bytes,
						    i->has_pointers) != span->elem_bytes)
		ms_invariant_break(i, MS_INV_TABLES,
				   "the groups of the table at directory entry %" PRIu64
				   " have %" PRIu64 " bytes, not those of %" PRIu64 " groups of %u",
				   t->index, span->elem_bytes, groups, i->unit_bytes);
}

/** Take a table's own words in; it may be the next in the directory. */
static struct ms_error *table_take(struct look *k, uint64_t index, ms_addr address,
				   const uint8_t *raw, uint64_t *ret_covers)
{
	struct ms_inspection *i = k->i;
	struct ms_swiss_table t;

	*ret_covers = 1;
	if (!raw || !ms_swiss_table_parse(i->layout, raw, &t)) {
		ms_invariant_break(i, MS_INV_TABLES,
				   "directory entry %" PRIu64 " leads to 0x%" PRIx64
				   ", where no table %s",
				   index, address, raw ? "is" : "can be read");
		return NULL;
	}
	for (uint32_t at = 0; at + 8 <= i->layout->table_size; at += 8)
		ms_inspect_mix(i, ms_load_u64(raw + at));
	if (t.local_depth > k->m.depth || t.index != (int64_t)index) {
		ms_invariant_break(i, MS_INV_DIRECTORY,
				   "the table at directory entry %" PRIu64 " says it is %" PRId64
				   " of depth %u",
				   index, t.index, t.local_depth);
		return NULL;
	}
	*ret_covers = (uint64_t)1 << (k->m.depth - t.local_depth);
	if (!ms_vec_push(&k->tables, { address, t.groups, index, t.used, t.capacity, t.growth_left,
				       0, t.local_depth }))
		return ms_error_no_memory();
	groups_check(k, &k->tables.items[k->tables.count - 1]);
	return NULL;
}

/** The directory's runs: each table once, and each entry of a run the same table. */
static struct ms_error *directory_take(struct look *k, const ms_addr *directory)
{
	struct ms_inspection *i = k->i;
	struct ms_error *err = NULL;
	uint32_t want = 0, unused;

	ms_fetch_reset(&i->fetch);
	for (uint64_t n = 0; n < k->m.dir_len && !err; n++) {
		if (!n || directory[n] != directory[n - 1])
			err = ms_fetch_add(&i->fetch, directory[n], i->layout->table_size, &unused);
	}
	if (!err)
		err = ms_fetch_run(&i->fetch, i->target);
	for (uint64_t n = 0, next = 0; n < k->m.dir_len && !err; n++) {
		uint64_t covers;

		if (n && directory[n] == directory[n - 1])
			continue;
		if (n != next)
			ms_invariant_break(i, MS_INV_DIRECTORY,
					   "directory entry %" PRIu64 " is another table's than "
					   "the depth of the one before says",
					   n);
		err = table_take(k, n, directory[n], ms_fetch_bytes(&i->fetch, want++), &covers);
		next = n + covers;
		if (n + covers > k->m.dir_len)
			ms_invariant_break(i, MS_INV_DIRECTORY,
					   "the table at directory entry %" PRIu64 " reaches "
					   "beyond its end",
					   n);
	}
	return err;
}

static struct ms_error *directory_read(struct look *k)
{
	struct ms_inspection *i = k->i;
	MS_AUTO_FREE ms_addr *directory = calloc(k->m.dir_len, sizeof(*directory));
	const struct ms_span *span = ms_inspect_object(i, k->m.dir);
	struct ms_error *err;

	if (!directory)
		return ms_error_no_memory();
	ms_invariant_ask(i, MS_INV_DIRECTORY);
	ms_invariant_ask(i, MS_INV_TABLES);
	if (!span && ms_inspect_lacks_span(i, k->m.dir))
		ms_invariant_unknown(i, MS_INV_DIRECTORY, ms_inspect_no_span);
	else if (!span || ms_go_alloc_bytes(i->layout, k->m.dir_len * 8, true) != span->elem_bytes)
		ms_invariant_break(i, MS_INV_DIRECTORY,
				   "0x%" PRIx64 " is not where a directory of %" PRIu64
				   " entries begins",
				   k->m.dir, k->m.dir_len);
	err = ms_target_read(i->target, k->m.dir, directory, k->m.dir_len * 8);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		k->is_whole = false;
		ms_inspect_unread(i, "its directory cannot be read");
		return NULL;
	}
	return err ? err : directory_take(k, directory);
}

static struct ms_error *tables_read(struct look *k)
{
	struct ms_inspection *i = k->i;
	MS_AUTO_FREE uint8_t *buf = NULL;
	uint64_t units = 0, first = 0;
	struct ms_error *err;

	for (size_t n = 0; n < k->tables.count; n++)
		units += k->tables.items[n].capacity / MS_SWISS_SLOTS;
	err = ms_inspect_array_init(&i->report->now, k->m.dir, units);
	if (err || !i->unit_bytes)
		return err;
	buf = malloc((size_t)MS_SWISS_TABLE_CAPACITY_MAX / MS_SWISS_SLOTS * i->unit_bytes);
	if (!buf)
		return ms_error_no_memory();
	for (size_t n = 0; n < k->tables.count && !err && !ms_inspect_stopped(i); n++) {
		err = table_groups(k, &k->tables.items[n], first, buf);
		first += k->tables.items[n].capacity / MS_SWISS_SLOTS;
	}
	return err;
}

// --- What holds of all of it. ---

static void judge(struct look *k)
{
	struct ms_inspection *i = k->i;
	struct ms_inspect_report *r = i->report;

	if (i->invariants[MS_INV_DIRECTORY].broken || i->invariants[MS_INV_TABLES].broken)
		ms_inspect_unread(i, "not every table could be told from the directory");
	r->is_read = k->is_whole && !i->is_cut && !r->unread_why;
	if (!r->is_read) {
		const char *why = r->unread_why ? r->unread_why : "the look was cut short";

		ms_invariant_unknown(i, MS_INV_TAGS, why);
		ms_invariant_unknown(i, MS_INV_COUNT, why);
		return;
	}
	ms_invariant_ask(i, MS_INV_COUNT);
	if (r->now.entries != k->m.used)
		ms_invariant_break(i, MS_INV_COUNT,
				   "%" PRIu64 " entries are in the table, and the header counts "
				   "%" PRIu64,
				   r->now.entries, k->m.used);
	ms_inspect_count_fills(r);
	r->row.deleted_slots = r->deleted;
	ms_inspect_evenness_swiss(i);
}

static void unit_look(struct look *k)
{
	struct ms_inspect_report *r = k->i->report;
	struct ms_unit_look *u = &r->unit;
	uint64_t first = 0;
	size_t n = 0;

	*u = (struct ms_unit_look){ .asked = true, .index = k->i->options->unit };
	if (u->index >= r->now.units || !k->i->unit_bytes)
		return;
	while (n < k->tables.count &&
	       u->index >= first + k->tables.items[n].capacity / MS_SWISS_SLOTS)
		first += k->tables.items[n++].capacity / MS_SWISS_SLOTS;
	u->table = n;
	u->group = u->index - first;
	u->address =
	    (k->tables.count ? k->tables.items[n].groups : k->m.dir) + u->group * k->i->unit_bytes;
	u->entries = r->now.fills[u->index];
	u->chain = r->now.chains[u->index];
}

/** Its control bytes: read by themselves, as the groups were not kept. */
static struct ms_error *unit_tags(struct look *k)
{
	struct ms_unit_look *u = &k->i->report->unit;
	bool is_read;
	struct ms_error *err;

	unit_look(k);
	if (!u->address)
		return NULL;
	err = groups_read(k, u->address, 1, u->tags, MS_INSPECT_TAG_BYTES, &is_read);
	u->tag_count = MS_SWISS_SLOTS;
	u->exists = !err && is_read;
	return err;
}

// --- The whole. ---

static struct ms_error *small_read(struct look *k)
{
	struct ms_inspection *i = k->i;
	const struct ms_span *span = ms_inspect_object(i, k->m.dir);
	uint8_t control[MS_INSPECT_TAG_BYTES];
	bool is_read;
	struct ms_error *err = ms_inspect_array_init(&i->report->now, k->m.dir, 1);

	if (err)
		return err;
	ms_invariant_ask(i, MS_INV_TABLE);
	ms_inspect_know_unit(i, span, 1);
	if (!span && ms_inspect_lacks_span(i, k->m.dir))
		ms_invariant_unknown(i, MS_INV_TABLE, ms_inspect_no_span);
	else if (!span && i->report->row.where != MS_WHERE_STACK)
		ms_invariant_break(i, MS_INV_TABLE,
				   "0x%" PRIx64 " is not where a heap object begins", k->m.dir);
	else if (span && i->unit_bytes &&
		 ms_go_alloc_bytes(i->layout, i->unit_bytes, i->has_pointers) != span->elem_bytes)
		ms_invariant_break(i, MS_INV_TABLE,
				   "its object has %" PRIu64 " bytes, not those of a group of %u",
				   span->elem_bytes, i->unit_bytes);
	ms_invariant_ask(i, MS_INV_TAGS);
	err = groups_read(k, k->m.dir, 1, control, sizeof(control), &is_read);
	if (err || !is_read)
		return err;
	control_take(k, 0, control);
	probes_count(i->report, 0, 1);
	return NULL;
}

static struct ms_error *large_read(struct look *k)
{
	struct ms_inspection *i = k->i;
	struct ms_error *err;

	i->unit_bytes = 0;
	i->report->directory = k->m.dir_len;
	err = directory_read(k);
	if (!err)
		err = tables_read(k);
	if (!err && !i->unit_bytes)
		ms_inspect_unread(i, "its type is not known, and so not how long its groups are");
	ms_invariant_ask(i, MS_INV_TAGS);
	ms_invariant_ask(i, MS_INV_TABLE_COUNTS);
	return err;
}

/** What was found now, in place of what the census found. */
static void row_renew(const struct look *k)
{
	struct ms_map_row *row = &k->i->report->row;

	ms_inspect_renew_row(k->i, k->m.used, k->i->report->now.units * MS_SWISS_SLOTS);
	row->tables = (uint32_t)k->tables.count;
	row->directory_depth = k->m.depth;
	row->grow_at = MS_UNKNOWN;
	if (!k->tables.count)
		row->grow_at = MS_SWISS_SLOTS + 1;
	else if (k->tables.count == 1)
		row->grow_at = k->m.used + k->tables.items[0].growth_left + 1;
}

struct ms_error *ms_inspect_swiss(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	struct look k = { .i = i, .is_whole = true };
	enum ms_swiss_header header;
	struct ms_error *err;

	words_tell(i);
	i->is_writing = i->raw[i->layout->map_writing] == 1;
	header = ms_swiss_parse(i->layout, i->raw, &k.m);
	if (header == MS_SWISS_NOT) {
		ms_invariant_break(i, MS_INV_HEADER, "no Go program leaves such a header");
		ms_inspect_unread(i, "its header is not one of a map");
		return NULL;
	}
	if (header == MS_SWISS_NEVER_WRITTEN) {
		r->stage = MS_STAGE_NEVER_WRITTEN;
		ms_inspect_unread(i, "it was never written to, and has no table yet");
		return NULL;
	}
	r->stage = MS_STAGE_NONE;
	if (k.m.dir_len > DIRECTORY_MAX) {
		ms_inspect_unread(i, "its directory is larger than is read");
		return NULL;
	}
	err = header == MS_SWISS_SMALL ? small_read(&k) : large_read(&k);
	r->tables = k.tables.items;
	r->table_count = k.tables.count;
	row_renew(&k);
	if (!err)
		judge(&k);
	return err || i->options->unit == MS_UNKNOWN ? err : unit_tags(&k);
}
