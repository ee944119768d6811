// snapshot_columns.c - a column for each field, its values one behind the other.
//
// Neighbours in a column are alike: addresses rise, types repeat, most of the rest is small or 0.
// So a number is written as what it differs from the one before, in as few bytes as that takes, and
// texts are kept once and stand there by number.  What is left is mostly zeros, which pack well.
//
// The reader knows nothing of what it is given.  A column says how many bytes it has, so that one
// it does not know is passed over; a list of rows has to be as long in bytes as honest rows would
// be at the least, before room for it is made.
#include "snapshot/snapshot_columns.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"
#include "snapshot/snapshot_fields.h"

enum encoding {
	NUMBERS = 'n', // Differences: zigzag, seven bits a byte.
	DOUBLES = 'd', // Eight bytes.
	BOOLS = 'b',   // One byte, 0 or 1.
	TEXTS = 't',   // As numbers: 0 for none, else the text's place in the list, from 1 on.
};

enum {
	MAPS_MAX = 1 << 26,
	OWNERS_MAX = 1 << 24,
	TEXT_BYTES_MAX = 1 << 20, // As in a document.
	ROW_BYTES_MIN = 8,        // Less than any version of ours writes, for all columns together.
	SLOTS_FIRST = 1024,
};

static const struct section_row {
	enum ms_snapshot_section section;
	const char *name;
} sections[] = {
	{ SECTION_DOCUMENT, "document" }, { SECTION_TARGET, "target" }, { SECTION_COST, "cost" },
	{ SECTION_COVERAGE, "coverage" }, { SECTION_MEMORY, "memory" }, { SECTION_OWNER, "owners" },
	{ SECTION_MAP, "maps" },          { SECTION_GROWTH, "growth" },
};

static enum encoding encoding_of(enum ms_field_type type)
{
	switch (type) {
	case FIELD_DOUBLE:
		return DOUBLES;
	case FIELD_BOOL:
	case FIELD_BOOL_OR_NULL:
		return BOOLS;
	case FIELD_SCHEMA:
	case FIELD_TEXT:
	case FIELD_KIND:
	case FIELD_WHERE:
	case FIELD_CONFIDENCE:
	case FIELD_TYPE_SOURCE:
		return TEXTS;
	default:
		return NUMBERS;
	}
}

/** The struct that fields of a section's row @p index are in. */
static char *row_of(struct ms_census_report *r, enum ms_snapshot_section section, size_t index)
{
	switch (section) {
	case SECTION_TARGET:
		return (char *)&r->target;
	case SECTION_COST:
		return (char *)&r->cost;
	case SECTION_COVERAGE:
		return (char *)&r->coverage;
	case SECTION_OWNER:
		return (char *)&r->owners[index];
	case SECTION_MAP:
		return (char *)&r->maps[index];
	case SECTION_GROWTH:
		return (char *)&r->maps[index].growth;
	default:
		return (char *)r;
	}
}

// --- Writing. ---

/** Texts that were met, each once, and a table of their numbers by hash. */
struct texts {
	struct {
		const char **items;
		size_t count, capacity;
	} list;
	uint32_t *slots; // 0: empty.
	size_t slot_count;
};

struct writer {
	struct ms_bytes *out;
	struct texts texts;
	bool failed; // Memory ran out.
};

static void texts_deinit(struct texts *t)
{
	ms_vec_free(&t->list);
	free(t->slots);
}

static void put_bytes(struct writer *w, const void *bytes, size_t size)
{
	if (w->failed || !size)
		return;
	w->failed = !ms_vec_reserve(w->out, w->out->count + size);
	if (w->failed)
		return;
	memcpy(w->out->items + w->out->count, bytes, size);
	w->out->count += size;
}

static void put_number(struct writer *w, uint64_t value)
{
	uint8_t bytes[10];
	size_t size = 0;

	do {
		bytes[size] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (bytes[size++] & 0x80);
	put_bytes(w, bytes, size);
}

static void put_difference(struct writer *w, uint64_t before, uint64_t value)
{
	uint64_t difference = value - before;

	put_number(w, difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0));
}

static uint32_t *slot_of(const struct texts *t, const char *text)
{
	size_t at = ms_hash_text(text, strlen(text)) & (t->slot_count - 1);

	while (t->slots[at] && strcmp(t->list.items[t->slots[at] - 1], text) != 0)
		at = (at + 1) & (t->slot_count - 1);
	return &t->slots[at];
}

static bool texts_widen(struct texts *t)
{
	size_t count = t->slot_count ? t->slot_count * 2 : SLOTS_FIRST;

	free(t->slots);
	t->slots = calloc(count, sizeof(*t->slots));
	t->slot_count = t->slots ? count : 0;
	for (size_t i = 0; t->slots && i < t->list.count; i++)
		*slot_of(t, t->list.items[i]) = (uint32_t)i + 1;
	return t->slots;
}

/** The number of a text, which is added where it is new; 0 for NULL. */
static uint32_t text_number(struct writer *w, const char *text)
{
	struct texts *t = &w->texts;
	uint32_t *slot;

	if (!text || w->failed)
		return 0;
	if (t->list.count * 2 >= t->slot_count && !texts_widen(t)) {
		w->failed = true;
		return 0;
	}
	slot = slot_of(t, text);
	if (*slot)
		return *slot;
	w->failed = !ms_vec_push(&t->list, text);
	return *slot = (uint32_t)t->list.count;
}

/** What a column of numbers or texts has of this row. */
static uint64_t value_of(struct writer *w, const struct ms_snapshot_field *field, const char *row)
{
	const char *place = row + field->offset, *text;
	uint32_t number;

	switch (field->type) {
	case FIELD_TEXT:
		memcpy(&text, place, sizeof(text));
		return text_number(w, text);
	case FIELD_U32:
		memcpy(&number, place, sizeof(number));
		return number;
	case FIELD_U8:
		return (uint8_t)*place;
	case FIELD_U64:
	case FIELD_ADDRESS:
		return ms_load_u64(place);
	default:
		return text_number(w, ms_snapshot_word(field->type, (uint8_t)*place));
	}
}

static void put_values(struct writer *w, const struct ms_snapshot_field *field,
		       struct ms_census_report *report, size_t rows)
{
	uint64_t last = 0;

	for (size_t i = 0; i < rows && !w->failed; i++) {
		const char *row = row_of(report, field->section, i);

		if (encoding_of(field->type) == DOUBLES) {
			put_bytes(w, row + field->offset, sizeof(double));
		} else if (encoding_of(field->type) == BOOLS) {
			put_bytes(w, row + field->offset, 1);
		} else {
			uint64_t value = value_of(w, field, row);

			put_difference(w, last, value);
			last = value;
		}
	}
}

static void put_column(struct writer *w, const struct ms_snapshot_field *field,
		       struct ms_census_report *report, size_t rows)
{
	struct ms_bytes values = { 0 }, *out = w->out;
	uint8_t encoding = (uint8_t)encoding_of(field->type);

	w->out = &values;
	put_values(w, field, report, rows);
	w->out = out;
	put_number(w, text_number(w, field->key));
	put_bytes(w, &encoding, 1);
	put_number(w, values.count);
	put_bytes(w, values.items, values.count);
	ms_vec_free(&values);
}

static void put_section(struct writer *w, const struct section_row *section,
			struct ms_census_report *report, size_t rows)
{
	const struct ms_snapshot_field *field;
	uint64_t columns = 0;

	for (size_t i = 0; (field = ms_snapshot_field_at(i)); i++)
		columns += field->section == section->section && field->type != FIELD_SCHEMA;
	put_number(w, text_number(w, section->name));
	put_number(w, rows);
	put_number(w, columns);
	for (size_t i = 0; (field = ms_snapshot_field_at(i)); i++) {
		if (field->section == section->section && field->type != FIELD_SCHEMA)
			put_column(w, field, report, rows);
	}
}

static size_t rows_of(const struct ms_census_report *report, enum ms_snapshot_section section)
{
	if (section == SECTION_OWNER)
		return report->owner_count;
	return section == SECTION_MAP || section == SECTION_GROWTH ? report->map_count : 1;
}

struct ms_error *ms_snapshot_columns_write(const struct ms_census_report *report,
					   enum ms_snapshot_rows rows, struct ms_bytes *out)
{
	struct ms_census_report kept = *report;
	struct ms_bytes body = { 0 };
	struct writer w = { .out = &body };

	if (rows == MS_SNAPSHOT_OWNERS)
		kept.map_count = 0;
	for (size_t i = 0; i < MS_ARRAY_SIZE(sections); i++)
		put_section(&w, &sections[i], &kept, rows_of(&kept, sections[i].section));
	w.out = out; // The texts come first, and are known only now.
	put_number(&w, w.texts.list.count);
	for (size_t i = 0; i < w.texts.list.count; i++) {
		put_number(&w, strlen(w.texts.list.items[i]));
		put_bytes(&w, w.texts.list.items[i], strlen(w.texts.list.items[i]));
	}
	put_number(&w, MS_ARRAY_SIZE(sections));
	put_bytes(&w, body.items, body.count);
	ms_vec_free(&body);
	texts_deinit(&w.texts);
	return w.failed ? ms_error_no_memory() : NULL;
}

// --- Reading. ---

struct reader {
	const uint8_t *at;
	size_t left;
	struct ms_census_report *report;
	const char **texts;
	size_t text_count;
	bool has_owners, has_maps;
};

static struct ms_error *damaged(const char *what)
{
	return ms_error_new(MS_ERR_IO, "it is damaged: %s", what);
}

/** False behind the end, or when it is longer than any number. */
static bool take_number(struct reader *r, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && r->left; shift += 7) {
		uint8_t byte = *r->at++;

		r->left--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool take_bytes(struct reader *r, uint64_t size, struct reader *ret_part)
{
	if (size > r->left)
		return false;
	*ret_part = *r;
	ret_part->left = (size_t)size;
	r->at += size;
	r->left -= (size_t)size;
	return true;
}

/** The text of a number that was read, NULL for 0; false when there is none. */
static bool text_at(const struct reader *r, uint64_t number, const char **ret_text)
{
	if (number > r->text_count)
		return false;
	*ret_text = number ? r->texts[number - 1] : NULL;
	return true;
}

static struct ms_error *take_texts(struct reader *r)
{
	uint64_t count;

	if (!take_number(r, &count) || count > r->left)
		return damaged("its texts are cut short");
	r->texts = calloc((size_t)count + 1, sizeof(*r->texts));
	if (!r->texts)
		return ms_error_no_memory();
	for (; r->text_count < count; r->text_count++) {
		struct reader text;
		uint64_t size;

		if (!take_number(r, &size) || size > TEXT_BYTES_MAX || !take_bytes(r, size, &text))
			return damaged("its texts are cut short");
		if (memchr(text.at, '\0', text.left))
			return damaged("a text holds a zero byte");
		r->texts[r->text_count] =
		    ms_arena_strndup(&r->report->arena, (const char *)text.at, text.left);
		if (!r->texts[r->text_count])
			return ms_error_no_memory();
	}
	return NULL;
}

/** Put a number where the field is; false when it does not fit. */
static bool store_number(const struct ms_snapshot_field *field, uint64_t value, void *place)
{
	uint32_t number = (uint32_t)value;

	if (field->type == FIELD_U32 && value <= UINT32_MAX)
		memcpy(place, &number, sizeof(number));
	else if (field->type == FIELD_U8 && value <= UINT8_MAX)
		*(uint8_t *)place = (uint8_t)value;
	else if (field->type == FIELD_U64 || field->type == FIELD_ADDRESS)
		memcpy(place, &value, sizeof(value));
	else
		return false;
	return true;
}

static bool store_text(const struct reader *r, const struct ms_snapshot_field *field,
		       uint64_t number, void *place)
{
	const char *text;

	if (!text_at(r, number, &text))
		return false;
	if (field->type == FIELD_TEXT) {
		memcpy(place, &text, sizeof(text));
		return true;
	}
	return text ? ms_snapshot_word_value(field->type, text, strlen(text), place)
		    : field->type == FIELD_TYPE_SOURCE;
}

/** One value of a column, in whichever form its type has; *last is the number before it. */
static bool take_value(struct reader *column, const struct ms_snapshot_field *field, char *place,
		       uint64_t *last)
{
	struct reader value;
	uint64_t difference;

	switch (encoding_of(field->type)) {
	case DOUBLES:
		if (!take_bytes(column, sizeof(double), &value))
			return false;
		memcpy(place, value.at, sizeof(double));
		return true;
	case BOOLS:
		if (!take_bytes(column, 1, &value) || *value.at > 1)
			return false;
		*(bool *)place = *value.at;
		return true;
	default:
		if (!take_number(column, &difference))
			return false;
		*last += difference >> 1 ^ (difference & 1 ? UINT64_MAX : 0);
		return encoding_of(field->type) == TEXTS ? store_text(column, field, *last, place)
							 : store_number(field, *last, place);
	}
}

static struct ms_error *take_column(struct reader *r, enum ms_snapshot_section section, size_t rows)
{
	const struct ms_snapshot_field *field;
	struct reader column;
	uint64_t key, size, last = 0;
	const char *name;
	uint8_t encoding;

	if (!take_number(r, &key) || !text_at(r, key, &name) || !name || !r->left)
		return damaged("a column has no name");
	encoding = *r->at++;
	r->left--;
	if (!take_number(r, &size) || !take_bytes(r, size, &column))
		return damaged("a column is cut short");
	field = ms_snapshot_field(section, name, strlen(name));
	if (!field || field->type == FIELD_SCHEMA)
		return NULL;
	if (encoding != encoding_of(field->type))
		return ms_error_new(MS_ERR_IO, "it is damaged: %s has another form", field->key);
	for (size_t i = 0; i < rows; i++) {
		char *row = row_of(r->report, section, i);

		if (!take_value(&column, field, row + field->offset, &last))
			return ms_error_new(MS_ERR_IO,
					    "it is damaged: %s of row %zu makes no sense",
					    field->key, i);
	}
	return column.left ? damaged("a column is too long") : NULL;
}

/** Room for the rows of a section; what is no list has one. */
static struct ms_error *make_rows(struct reader *r, enum ms_snapshot_section section, uint64_t rows)
{
	struct ms_census_report *report = r->report;
	bool is_owners = section == SECTION_OWNER;

	if (section == SECTION_IGNORED)
		return NULL;
	if (section != SECTION_MAP && !is_owners)
		return rows == rows_of(report, section) ? NULL : damaged("rows are missing");
	if (is_owners ? r->has_owners : r->has_maps)
		return damaged("a list is there twice");
	if (rows > (is_owners ? OWNERS_MAX : MAPS_MAX) || rows > r->left / ROW_BYTES_MIN)
		return damaged("it has fewer rows than it says");
	r->has_owners = r->has_owners || is_owners;
	r->has_maps = r->has_maps || !is_owners;
	if (is_owners)
		report->owners = calloc((size_t)rows + 1, sizeof(*report->owners));
	else
		report->maps = calloc((size_t)rows + 1, sizeof(*report->maps));
	if (is_owners ? !report->owners : !report->maps)
		return ms_error_no_memory();
	for (size_t i = 0; i < rows; i++) {
		if (is_owners)
			report->owners[report->owner_count++] = ms_snapshot_begin_owner();
		else
			report->maps[report->map_count++] = ms_snapshot_begin_map();
	}
	return NULL;
}

static struct ms_error *take_section(struct reader *r)
{
	enum ms_snapshot_section section = SECTION_IGNORED;
	uint64_t key, rows, columns;
	struct ms_error *err;
	const char *name;

	if (!take_number(r, &key) || !text_at(r, key, &name) || !name || !take_number(r, &rows) ||
	    !take_number(r, &columns))
		return damaged("a part of it has no name");
	for (size_t i = 0; i < MS_ARRAY_SIZE(sections); i++) {
		if (!strcmp(sections[i].name, name))
			section = sections[i].section;
	}
	err = make_rows(r, section, rows);
	for (uint64_t i = 0; i < columns && !err; i++)
		err = take_column(r, section, (size_t)rows);
	return err;
}

static struct ms_error *take_all(struct reader *r)
{
	struct ms_error *err = take_texts(r);
	uint64_t count;

	if (err)
		return err;
	if (!take_number(r, &count))
		return damaged("it ends behind its texts");
	for (uint64_t i = 0; i < count && !err; i++)
		err = take_section(r);
	if (!err && (!r->has_owners || !r->has_maps))
		err = damaged("it lacks owners or maps");
	return err;
}

struct ms_error *ms_snapshot_columns_read(const void *bytes, size_t size,
					  struct ms_census_report *ret_report)
{
	struct ms_census_report report;
	struct reader r = { .at = bytes, .left = size, .report = &report };
	struct ms_error *err;

	ms_snapshot_begin_report(&report);
	err = take_all(&r);
	free(r.texts);
	if (err)
		ms_census_report_deinit(&report);
	else
		*ret_report = report;
	return err;
}
