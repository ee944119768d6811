// swiss_reader.c - one Swiss map of a census.
//
//	small	the group's control bytes must make the count
//	large	directory -> tables, each counted once however many entries point to it (a table
//		of local depth d fills 2^(depth - d) entries in a row) -> groups' object; the
//		tables' counts must make the map's.  Where spans are missing, so must the control
//		bytes of all groups
#include "census/engine.h"

enum {
	CONTROL_BYTES = 8,
	DIRECTORY_MAX = 1 << 22, // Tables of at least 896 entries each: four thousand million.
	CHUNK = MS_READ_BYTES_MAX,
};

static struct ms_error *want_directory(struct ms_engine *e, struct ms_candidate *c,
				       const struct ms_swiss_map *m)
{
	for (uint64_t at = 0; at < m->dir_len * 8; at += CHUNK) {
		uint32_t index;
		struct ms_error *err =
		    ms_fetch_add(&e->fetch, m->dir + at,
				 (uint32_t)ms_min_u64(CHUNK, m->dir_len * 8 - at), &index);

		if (err)
			return err;
		if (!c->want_count++)
			c->want = index;
	}
	return NULL;
}

/** The group of a small map: an object of one group, or on the goroutine's stack. */
static struct ms_error *plan_small(struct ms_engine *e, struct ms_candidate *c,
				   const struct ms_swiss_map *m, enum ms_judgement *ret_judgement)
{
	const struct ms_span *span = NULL;
	struct ms_shape shape = { 0 };
	struct ms_error *err;

	if (c->stack_hi && m->dir >= c->stack_lo && m->dir < c->stack_hi) {
		if (!m->used) {
			c->reject = MS_REJECT_NO_TABLE;
			*ret_judgement = MS_JUDGE_DROP;
			return NULL;
		}
	} else {
		span = ms_engine_table(e, c, m->dir, 1, &shape);
		if (!span)
			return NULL;
		c->table_bytes = span->elem_bytes;
		c->span = span;
	}
	c->unit_bytes = shape.table_bytes;
	c->entry_bytes = shape.entry_bytes;
	*ret_judgement = MS_JUDGE_MAP;
	err = ms_fetch_add(&e->fetch, m->dir, CONTROL_BYTES, &c->want);
	c->want_count = 1;
	if (!err && shape.fits)
		err = ms_engine_want_type(e, c, span, m->dir);
	return err;
}

struct ms_error *ms_swiss_plan(struct ms_engine *e, struct ms_candidate *c,
			       enum ms_judgement *ret_judgement)
{
	struct ms_swiss_map m;
	const struct ms_span *span;

	*ret_judgement = MS_JUDGE_AGAIN;
	c->table_bytes = 0;
	switch (ms_swiss_parse(e->layout, c->raw, &m)) {
	case MS_SWISS_NOT:
		c->reject = MS_REJECT_HEADER;
		return NULL;
	case MS_SWISS_NEVER_WRITTEN:
		*ret_judgement = MS_JUDGE_MAP;
		return NULL;
	case MS_SWISS_SMALL:
		return plan_small(e, c, &m, ret_judgement);
	case MS_SWISS_LARGE:
		break;
	}
	c->reject = MS_REJECT_NO_TABLE;
	if (m.dir_len > DIRECTORY_MAX)
		return NULL;
	span = ms_engine_part(e, c, m.dir, m.dir_len * 8, true);
	if (!span && e->spans.has_holes && ms_engine_may_be_in_hole(e, m.dir))
		c->reject = MS_REJECT_HOLE;
	if (!span || ms_go_alloc_bytes(e->layout, m.dir_len * 8, true) != span->elem_bytes)
		return NULL;
	c->table_bytes = span->elem_bytes;
	*ret_judgement = MS_JUDGE_MAP;
	return want_directory(e, c, &m);
}

static ms_addr directory_entry(const struct ms_engine *e, const struct ms_candidate *c, uint64_t i)
{
	const uint8_t *bytes = ms_fetch_bytes(&e->fetch, c->want + (uint32_t)(i * 8 / CHUNK));

	return bytes ? ms_load_u64(bytes + i * 8 % CHUNK) : 0;
}

/** Queue each table once: entries that point to the same table stand next to each other. */
struct ms_error *ms_swiss_plan_tables(struct ms_engine *e, struct ms_candidate *c)
{
	struct ms_swiss_map m;
	ms_addr last = 0;

	if (ms_swiss_parse(e->layout, c->raw, &m) != MS_SWISS_LARGE)
		return NULL;
	for (uint64_t i = 0; i < m.dir_len; i++) {
		ms_addr table = directory_entry(e, c, i);
		uint32_t index;
		struct ms_error *err;

		if (table == last || !table)
			continue;
		last = table;
		err = ms_fetch_add(&e->fetch, table, e->layout->table_size, &index);
		if (err)
			return err;
		if (!c->table_count++)
			c->table_want = index;
	}
	return NULL;
}

/** What the tables of one map add up to. */
struct sums {
	uint64_t used, capacity, deleted, tables, bytes, growth_left;
	uint64_t covered; // Directory entries that the tables account for.
	struct ms_shape shape;
	bool shape_known;
};

static bool table_add(struct ms_engine *e, struct ms_candidate *c, const struct ms_swiss_map *m,
		      const struct ms_swiss_table *t, struct sums *s)
{
	const struct ms_span *groups;
	struct ms_shape shape;

	c->reject = MS_REJECT_NO_TABLE;
	if (t->local_depth > m->depth || t->index != (int64_t)s->covered)
		return false;
	groups = ms_engine_table(e, c, t->groups, t->capacity / MS_SWISS_SLOTS, &shape);
	if (!groups)
		return false;
	if (!s->shape_known || (shape.entry_bytes && !s->shape.entry_bytes))
		s->shape = shape;
	s->shape_known = true;
	s->used += t->used;
	s->capacity += t->capacity;
	s->deleted += ms_swiss_table_deleted(t);
	s->bytes += groups->elem_bytes + ms_go_alloc_bytes(e->layout, e->layout->table_size, true);
	s->growth_left = t->growth_left;
	s->covered += (uint64_t)1 << (m->depth - t->local_depth);
	s->tables++;
	return true;
}

static bool tables_sum(struct ms_engine *e, struct ms_candidate *c, const struct ms_swiss_map *m,
		       struct sums *ret_sums)
{
	struct sums s = { 0 };

	for (uint32_t i = 0; i < c->table_count; i++) {
		const uint8_t *raw = ms_fetch_bytes(&e->fetch, c->table_want + i);
		struct ms_swiss_table t;

		c->reject = e->fetch.status[c->table_want + i] == MS_READ_SWAPPED
				? MS_REJECT_SWAPPED
				: MS_REJECT_UNREADABLE;
		if (!raw)
			return false;
		c->reject = MS_REJECT_TAGS;
		if (!ms_swiss_table_parse(e->layout, raw, &t) || !table_add(e, c, m, &t, &s))
			return false;
	}
	c->reject = MS_REJECT_TAGS;
	if (s.covered != m->dir_len)
		return false;
	*ret_sums = s;
	return true;
}

/** Whether the groups of a table have as many slots in use as it says: their size is a type's. */
static bool groups_fit(struct ms_engine *e, const struct ms_candidate *c,
		       const struct ms_swiss_table *t, uint8_t *buf)
{
	uint64_t size = (uint64_t)t->capacity / MS_SWISS_SLOTS * c->met_as->table_bytes;
	struct ms_error *err;
	uint64_t used = 0, deleted = 0;

	if (size > MS_READ_BYTES_MAX)
		return false;
	if (!ms_engine_may_count(e, size))
		return true;
	err = ms_target_read(e->rt->target, t->groups, buf, (size_t)size);
	if (err) {
		ms_error_free(err);
		return false;
	}
	for (uint64_t at = 0; at < size; at += c->met_as->table_bytes) {
		unsigned filled, gone;

		if (!ms_swiss_group_count(buf + at, &filled, &gone))
			return false;
		used += filled;
		deleted += gone;
	}
	return used == t->used && deleted == ms_swiss_table_deleted(t);
}

/** The same of all tables, where no span says that the groups are of this type. */
static bool tables_fit(struct ms_engine *e, const struct ms_candidate *c)
{
	uint8_t *buf = ms_engine_scratch(e);

	for (uint32_t i = 0; i < c->table_count && buf; i++) {
		const uint8_t *raw = ms_fetch_bytes(&e->fetch, c->table_want + i);
		struct ms_swiss_table t;

		if (!raw || !ms_swiss_table_parse(e->layout, raw, &t) || !groups_fit(e, c, &t, buf))
			return false;
	}
	return buf != NULL;
}

static enum ms_judgement judge_small(struct ms_engine *e, struct ms_candidate *c,
				     const struct ms_swiss_map *m)
{
	const uint8_t *control = ms_fetch_bytes(&e->fetch, c->want);
	int entries;

	c->reject =
	    e->fetch.status[c->want] == MS_READ_SWAPPED ? MS_REJECT_SWAPPED : MS_REJECT_UNREADABLE;
	if (!control)
		return MS_JUDGE_AGAIN;
	c->reject = MS_REJECT_NO_TYPE;
	if (c->span && !ms_engine_take_type(e, c, c->span))
		return MS_JUDGE_AGAIN;
	entries = ms_swiss_group_entries(control);
	c->reject = MS_REJECT_TAGS;
	if (entries < 0)
		return MS_JUDGE_AGAIN;
	c->sound = true;
	c->reject = MS_REJECT_COUNT;
	return (uint64_t)entries == m->used ? MS_JUDGE_MAP : MS_JUDGE_AGAIN;
}

enum ms_judgement ms_swiss_judge(struct ms_engine *e, struct ms_candidate *c)
{
	struct ms_swiss_map m;
	struct sums sums;

	switch (ms_swiss_parse(e->layout, c->raw, &m)) {
	case MS_SWISS_NEVER_WRITTEN:
		return MS_JUDGE_MAP;
	case MS_SWISS_SMALL:
		return judge_small(e, c, &m);
	default:
		break;
	}
	if (!tables_sum(e, c, &m, &sums))
		return MS_JUDGE_AGAIN;
	c->sound = true;
	c->reject = MS_REJECT_COUNT;
	if (sums.used != m.used)
		return MS_JUDGE_AGAIN;
	return !c->met_as || tables_fit(e, c) ? MS_JUDGE_MAP : MS_JUDGE_AGAIN;
}

/** The first table's memory names the type of all when it is large enough to say so. */
static void type_by_tables(struct ms_engine *e, const struct ms_candidate *c,
			   struct ms_candidate *typed)
{
	for (uint32_t i = 0; i < c->table_count && !typed->type; i++) {
		const uint8_t *raw = ms_fetch_bytes(&e->fetch, c->table_want + i);
		const struct ms_span *span;
		struct ms_swiss_table t;

		if (!raw || !ms_swiss_table_parse(e->layout, raw, &t))
			return;
		span = ms_engine_object(e, t.groups);
		if (span && span->large_type)
			typed->type = ms_types_by_table(e->types, span->large_type);
	}
}

void ms_swiss_fill(struct ms_engine *e, const struct ms_candidate *c, struct ms_map_row *row)
{
	struct ms_candidate typed = *c;
	struct ms_swiss_map m;
	struct sums sums;

	row->kind = MS_MAP_SWISS;
	switch (ms_swiss_parse(e->layout, c->raw, &m)) {
	case MS_SWISS_SMALL:
		row->entries = m.used;
		row->capacity = MS_SWISS_SLOTS;
		row->grow_at = MS_SWISS_SLOTS + 1;
		row->total_bytes = c->table_bytes + ms_engine_header_bytes(e);
		return;
	case MS_SWISS_LARGE:
		break;
	default:
		return;
	}
	row->entries = m.used;
	row->directory_depth = m.depth;
	row->capacity = row->grow_at = row->deleted_slots = row->total_bytes = MS_UNKNOWN;
	if (!tables_sum(e, &typed, &m, &sums))
		return;
	row->tables = (uint32_t)sums.tables;
	row->capacity = sums.capacity;
	row->deleted_slots = sums.deleted;
	row->total_bytes = c->table_bytes + sums.bytes + ms_engine_header_bytes(e);
	// Which of several tables fills first depends on the hashes to come.
	row->grow_at = sums.tables == 1 ? m.used + sums.growth_left + 1 : MS_UNKNOWN;
	if (sums.shape.entry_bytes)
		row->live_bytes = m.used * (sums.shape.entry_bytes + 1);
	type_by_tables(e, c, &typed);
	ms_engine_type_row(e, typed.type, MS_TYPE_MALLOC_HEADER, row);
}
