// inspect_run.c - looks at one map until one of them held still.
//
// The type comes from the census by name, and is taken only when the table's own size agrees with
// it: the program may have two types of one name.  Without a type the size of a table may still say
// what a unit takes (maps/shape.h); where it does not, the header is all that is shown.
#include "inspect/inspection.h"

#include "base/vec.h"

#include <stdlib.h>
#include <time.h>

enum {
	LOOKS = 12,
	PAUSE_NS = 2000000, // Before the second look; each next one is twice as long, to a bound.
	PAUSE_DOUBLINGS = 6,
	UNIT_BYTES_MIN = 16,   // Tags, and a link or eight slots of a byte or more.
	UNIT_BYTES_MAX = 4096, // Eight keys and elems of at most 128 bytes each take half of it.
};

bool ms_inspect_stopped(struct ms_inspection *i)
{
	if (!i->is_cut && i->options->stop && i->options->stop(i->options->stop_context))
		i->is_cut = true;
	return i->is_cut;
}

void ms_inspect_unread(struct ms_inspection *i, const char *why)
{
	if (!i->report->unread_why)
		i->report->unread_why = why;
}

const struct ms_span *ms_inspect_object(struct ms_inspection *i, ms_addr addr)
{
	const struct ms_span *span = ms_spans_find(&i->spans, addr);

	if (span && span->state == MS_SPAN_IN_USE && ms_span_is_object(i->layout, span, addr))
		return span;
	i->spans_stale = true;
	return NULL;
}

const char ms_inspect_no_span[] = "the record of its span is in what is missing of the core";

bool ms_inspect_lacks_span(const struct ms_inspection *i, ms_addr addr)
{
	const struct ms_region *r;

	if (!i->spans.has_holes || (addr & 7) || ms_spans_find(&i->spans, addr))
		return false;
	r = ms_regions_find(&i->rt->regions, addr);
	return r && r->kind == MS_REGION_ANON && (r->prot & MS_PROT_WRITE);
}

void ms_inspect_word(struct ms_inspection *i, const char *name, uint64_t value, const char *meaning,
		     bool is_hex)
{
	struct ms_inspect_report *r = i->report;

	if (r->word_count < MS_ARRAY_SIZE(r->words))
		r->words[r->word_count++] = (struct ms_header_word){ name, value, meaning, is_hex };
}

void ms_inspect_renew_row(struct ms_inspection *i, uint64_t entries, uint64_t capacity)
{
	struct ms_map_row *row = &i->report->row;

	if (row->capacity != capacity)
		row->total_bytes = MS_UNKNOWN;
	row->entries = entries;
	row->capacity = capacity;
	row->live_bytes = i->type ? entries * (i->type->entry_bytes + 1u) : MS_UNKNOWN;
	row->slack_bytes = ms_map_row_slack(row);
}

struct ms_error *ms_inspect_array_init(struct ms_inspect_array *a, ms_addr address, uint64_t units)
{
	*a = (struct ms_inspect_array){ .address = address, .units = units };
	a->fills = calloc(units + 1, sizeof(*a->fills));
	a->chains = calloc(units + 1, sizeof(*a->chains));
	a->bits = calloc(units + 1, sizeof(*a->bits));
	return a->fills && a->chains && a->bits ? NULL : ms_error_no_memory();
}

void ms_inspect_count_fills(struct ms_inspect_report *r)
{
	for (uint64_t u = 0; u < r->now.units; u++)
		r->fills[ms_min_u64(r->now.fills[u], MS_INSPECT_FILLS - 1)]++;
}

// --- The type. ---

static bool is_called(const struct ms_inspection *i, const struct ms_map_type *type,
		      const char *name)
{
	const char *text;
	size_t size;

	return ms_types_name(i->types, i->layout, type->address, &text, &size) &&
	       size == strlen(name) && !memcmp(text, name, size);
}

static bool fits(const struct ms_inspection *i, const struct ms_map_type *type,
		 const struct ms_span *span, uint64_t units)
{
	return !span || (type->has_pointers == ms_span_has_pointers(span) &&
			 ms_go_alloc_bytes(i->layout, units * type->table_bytes,
					   type->has_pointers) == span->elem_bytes);
}

/** The map type of that name whose units fit; NULL when there is none, or two that differ. */
static const struct ms_map_type *type_find(const struct ms_inspection *i, const char *name,
					   const struct ms_span *span, uint64_t units)
{
	const struct ms_map_type *found = NULL;

	for (size_t k = 0; name && k < i->types->count; k++) {
		const struct ms_map_type *type = &i->types->items[k];

		if (!is_called(i, type, name) || !fits(i, type, span, units))
			continue;
		if (found && (found->table_bytes != type->table_bytes ||
			      found->entry_bytes != type->entry_bytes))
			return NULL;
		found = type;
	}
	return found;
}

static bool unit_is_sane(uint32_t bytes)
{
	return bytes >= UNIT_BYTES_MIN && bytes <= UNIT_BYTES_MAX;
}

void ms_inspect_know_unit(struct ms_inspection *i, const struct ms_span *span, uint64_t units)
{
	struct ms_shape shape;

	i->unit_bytes = 0;
	i->type = type_find(i, i->report->row.type, span, units);
	if (!i->type && span) // Then its table is not of the size that it should have.
		i->type = type_find(i, i->report->row.type, NULL, units);
	if (i->type && !unit_is_sane(i->type->table_bytes))
		i->type = NULL;
	if (i->type) {
		i->unit_bytes = i->type->table_bytes;
		i->has_pointers = i->type->has_pointers;
		return;
	}
	if (!span)
		return;
	i->has_pointers = ms_span_has_pointers(span);
	shape = ms_shapes_fit(i->shapes, units, span->elem_bytes, i->has_pointers);
	if (unit_is_sane(shape.table_bytes))
		i->unit_bytes = shape.table_bytes;
}

// --- Looks. ---

static bool is_swiss(const struct ms_inspection *i)
{
	return i->layout->maps == MS_GO_MAPS_SWISS;
}

static uint32_t header_bytes(const struct ms_inspection *i)
{
	return is_swiss(i) ? i->layout->map_size : i->layout->hmap_size;
}

/** Read the header; *ret_read: it could be. */
static struct ms_error *header_read(struct ms_inspection *i, uint8_t *raw, bool *ret_read)
{
	struct ms_error *err =
	    ms_target_read(i->rt->target, i->report->row.address, raw, header_bytes(i));

	*ret_read = !err;
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	return err;
}

static struct ms_error *spans_renew(struct ms_inspection *i)
{
	struct ms_error *err = ms_go_refresh(i->rt);

	ms_spans_deinit(&i->spans);
	i->spans = (struct ms_spans){ 0 };
	i->spans_stale = false;
	return err ? err : ms_spans_load(i->rt, &i->spans);
}

static bool anything_broken(const struct ms_inspection *i)
{
	for (size_t k = 0; k < MS_INV_COUNT_; k++) {
		if (i->invariants[k].broken)
			return true;
	}
	return false;
}

/** One look, from the header to the header; *ret_same: it was the same at the end. */
static struct ms_error *look(struct ms_inspection *i, bool *ret_same)
{
	uint8_t after[MS_INSPECT_HEADER_MAX];
	bool is_read;
	struct ms_error *err;

	ms_inspect_report_clear(i->report);
	memset(i->invariants, 0, sizeof(i->invariants));
	i->fingerprint = 1;
	i->report->looks++;
	*ret_same = true;
	ms_inspect_know_unit(i, NULL, 0);
	err = header_read(i, i->raw, &is_read);
	if (err || !is_read) {
		ms_invariant_unknown(i, MS_INV_HEADER, "the header cannot be read");
		ms_inspect_unread(i, "its header cannot be read");
		return err;
	}
	for (uint32_t at = 0; at + 8 <= header_bytes(i); at += 8)
		ms_inspect_mix(i, ms_load_u64(i->raw + at));
	ms_invariant_ask(i, MS_INV_HEADER);
	err = is_swiss(i) ? ms_inspect_swiss(i) : ms_inspect_classic(i);
	if (!err)
		err = header_read(i, after, &is_read);
	*ret_same = is_read && !memcmp(after, i->raw, header_bytes(i));
	return err;
}

static void pause_before(unsigned looks)
{
	unsigned doublings = looks < PAUSE_DOUBLINGS ? looks : PAUSE_DOUBLINGS;
	const struct timespec t = { .tv_nsec = (long)PAUSE_NS << doublings };

	nanosleep(&t, NULL);
}

static struct ms_error *looks(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	unsigned most = i->options->looks ? i->options->looks : LOOKS;
	uint64_t before = 0;
	bool same = false;
	struct ms_error *err = NULL;

	for (unsigned n = 0; n < most && !err && !ms_inspect_stopped(i); n++) {
		if (n)
			pause_before(n - 1);
		if (n == 0 || i->spans_stale)
			err = spans_renew(i);
		if (!err)
			err = look(i, &same);
		if (err || i->is_cut)
			break;
		r->settled = same && (!anything_broken(i) || (n && before == i->fingerprint));
		if (r->settled)
			return NULL;
		before = i->fingerprint;
	}
	r->settled = false;
	r->unsettled_why = i->is_cut ? "the look was cut short"
			   : same    ? "it changed from look to look"
				     : "it was written to during each look";
	return err;
}

static struct ms_error *strings_copy(struct ms_inspect_report *r)
{
	const char **strings[] = { &r->row.type, &r->row.key_type, &r->row.elem_type,
				   &r->row.owner };

	for (size_t k = 0; k < MS_ARRAY_SIZE(strings); k++) {
		if (!*strings[k])
			continue;
		*strings[k] = ms_arena_strndup(&r->arena, *strings[k], strlen(*strings[k]));
		if (!*strings[k])
			return ms_error_no_memory();
	}
	return NULL;
}

static struct ms_error *inspect(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	struct ms_error *err = strings_copy(r);

	if (!err)
		err = ms_go_types(i->rt, &i->types);
	if (!err)
		err = ms_shapes_create(i->types, i->layout, &i->shapes);
	if (!err)
		err = looks(i);
	if (!err)
		err = ms_invariants_report(i);
	if (err)
		return err;
	ms_inspect_layout(i);
	ms_inspect_views(i);
	r->partial = i->is_cut;
	r->partial_reason = i->is_cut ? "the map was not looked at to its end" : NULL;
	r->keys.asked = i->options->keys;
	return i->options->keys ? ms_inspect_keys(i) : NULL;
}

struct ms_error *ms_inspect_run(struct ms_go_runtime *rt, const struct ms_map_row *row,
				const struct ms_inspect_options *options,
				struct ms_inspect_report *ret_report)
{
	struct ms_inspect_report report = { .row = *row };
	struct ms_inspection i = {
		.rt = rt, .layout = rt->layout, .options = options, .report = &report
	};
	struct ms_error *err;

	if (header_bytes(&i) > MS_INSPECT_HEADER_MAX)
		return ms_error_new(MS_ERR_INTERNAL, "a map header is over %d bytes long",
				    (int)MS_INSPECT_HEADER_MAX);
	err = inspect(&i);
	ms_shapes_destroy(i.shapes);
	ms_spans_deinit(&i.spans);
	ms_fetch_deinit(&i.fetch);
	if (err)
		ms_inspect_report_deinit(&report);
	else
		*ret_report = report;
	return err;
}
