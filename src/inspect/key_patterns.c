// key_patterns.c - what keys look like, without showing one.
//
// A sample of keys, from units all over the table.  What leaves this file are sums - lengths, kinds
// of characters - and hashes with a salt of this run alone, of keys and of their first bytes: equal
// hashes are equal beginnings, and a hash leads back to nothing.
#include "inspect/inspection.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"
#include "golang/struct_types.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
	KEYS_MAX = 4096,
	UNITS_MAX = 1024,
	TEXT_BYTES = 64, // Of a text that are looked at.
	TEXT_MAX = 1 << 30,
	KIND_INT = 2,
	KIND_INT64 = 6,
	KIND_UINTPTR = 12,
	KIND_STRING = 24,
	CONTROL_FULL_MAX = 0x7f,
};

struct key {
	uint64_t length; // Of a text; else the number.
	ms_addr text;
	uint32_t want;
	uint32_t prefix; // Salted hash of its first bytes.
};

struct sample {
	struct ms_inspection *i;
	const struct ms_unit_field *field;
	unsigned kind;
	uint64_t salt;
	struct keys {
		struct key *items;
		size_t count, capacity;
	} keys;
};

static uint32_t salted(const struct sample *s, const uint8_t *bytes, size_t size)
{
	uint64_t hash = ms_hash_text((const char *)bytes, size) ^ s->salt;

	for (unsigned round = 0; round < 3; round++)
		hash = ms_hash_number(hash + s->salt);
	return (uint32_t)(hash >> 16);
}

// --- The sample. ---

static bool is_filled(const struct sample *s, uint8_t tag)
{
	return s->i->report->row.kind == MS_MAP_SWISS ? tag <= CONTROL_FULL_MAX
						      : tag >= MS_CLASSIC_TAG_MIN;
}

/** A number as wide as its type, without its sign. */
static uint64_t number_load(const struct sample *s, const uint8_t *bytes)
{
	uint64_t value = 0;
	unsigned unused_bits = 64 - 8 * (unsigned)s->field->bytes;
	int64_t with_sign;

	memcpy(&value, bytes, s->field->bytes);
	if (s->kind > KIND_INT64)
		return value;
	with_sign = (int64_t)(value << unused_bits) >> unused_bits;
	return with_sign < 0 ? 0 - (uint64_t)with_sign : (uint64_t)with_sign;
}

static bool unit_take(struct sample *s, const uint8_t *unit)
{
	for (unsigned n = 0; n < MS_CLASSIC_SLOTS && s->keys.count < KEYS_MAX; n++) {
		const uint8_t *at = unit + s->field->offset + n * s->field->stride;
		struct key key = { 0 };

		if (!is_filled(s, unit[n]))
			continue;
		if (s->kind == KIND_STRING) {
			key.text = ms_load_u64(at);
			key.length = ms_load_u64(at + 8);
		} else {
			key.length = number_load(s, at);
		}
		if (!ms_vec_push(&s->keys, key))
			return false;
	}
	return true;
}

/** Where a unit of the current array lies. */
static ms_addr unit_address(const struct ms_inspect_report *r, uint64_t unit)
{
	size_t n = 0;

	if (!r->table_count)
		return r->now.address + unit * r->layout.unit_bytes;
	while (unit >= r->tables[n].capacity / MS_SWISS_SLOTS)
		unit -= r->tables[n++].capacity / MS_SWISS_SLOTS;
	return r->tables[n].groups + unit * r->layout.unit_bytes;
}

static struct ms_error *units_read(struct sample *s)
{
	struct ms_inspection *i = s->i;
	const struct ms_inspect_array *now = &i->report->now;
	uint64_t step = now->units / UNITS_MAX + 1;
	struct ms_error *err = NULL;
	uint32_t want;

	ms_fetch_reset(&i->fetch);
	for (uint64_t u = 0; u < now->units && !err; u += step)
		err = ms_fetch_add(&i->fetch, unit_address(i->report, u),
				   (uint32_t)i->report->layout.unit_bytes, &want);
	if (!err)
		err = ms_fetch_run(&i->fetch, i->target);
	for (uint32_t n = 0; n < i->fetch.count && !err; n++) {
		const uint8_t *bytes = ms_fetch_bytes(&i->fetch, n);

		if (bytes && !unit_take(s, bytes))
			err = ms_error_no_memory();
	}
	return err;
}

// --- Texts. ---

static struct ms_error *texts_read(struct sample *s)
{
	struct ms_fetch *fetch = &s->i->fetch;
	struct ms_error *err = NULL;

	ms_fetch_reset(fetch);
	for (size_t n = 0; n < s->keys.count && !err; n++) {
		struct key *key = &s->keys.items[n];

		key->want = UINT32_MAX;
		if (key->length && key->length <= TEXT_MAX)
			err =
			    ms_fetch_add(fetch, key->text,
					 (uint32_t)ms_min_u64(key->length, TEXT_BYTES), &key->want);
	}
	return err ? err : ms_fetch_run(fetch, s->i->target);
}

static const uint8_t *text_of(const struct sample *s, const struct key *key, size_t *ret_size)
{
	*ret_size = (size_t)ms_min_u64(key->length, TEXT_BYTES);
	return key->want == UINT32_MAX ? NULL : ms_fetch_bytes(&s->i->fetch, key->want);
}

static bool all_of(const uint8_t *text, size_t size, const char *letters)
{
	for (size_t n = 0; n < size; n++) {
		if (!text[n] || !strchr(letters, text[n]))
			return false;
	}
	return true;
}

static void kind_count(struct ms_key_patterns *p, const uint8_t *text, size_t size)
{
	static const char digits[] = "0123456789", hex[] = "0123456789abcdefABCDEF-";
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./: ";

	if (all_of(text, size, digits))
		p->digits++;
	else if (size >= 8 && all_of(text, size, hex))
		p->hex++;
	else if (all_of(text, size, letters))
		p->letters++;
	else
		p->others++;
}

static int by_prefix(const void *a, const void *b)
{
	uint32_t x = ((const struct key *)a)->prefix, y = ((const struct key *)b)->prefix;

	return (x > y) - (x < y);
}

/** Keep the largest classes, by how many keys. */
static void class_keep(struct ms_key_patterns *p, uint32_t hash, uint64_t keys)
{
	size_t at = p->class_count;

	if (keys < 2)
		return;
	while (at > 0 && p->classes[at - 1].keys < keys)
		at--;
	if (at == MS_INSPECT_CLASSES)
		return;
	if (p->class_count < MS_INSPECT_CLASSES)
		p->class_count++;
	memmove(p->classes + at + 1, p->classes + at,
		(p->class_count - at - 1) * sizeof(*p->classes));
	p->classes[at] = (struct ms_key_class){ hash, keys };
}

/** Classes of the keys that have @p bytes, by these. */
static bool classes_make(struct sample *s, unsigned bytes)
{
	struct ms_key_patterns *p = &s->i->report->keys;
	MS_AUTO_FREE struct key *keys = calloc(s->keys.count + 1, sizeof(*keys));
	size_t count = 0, size;

	if (!keys)
		return false;
	p->class_count = 0;
	p->prefix_bytes = bytes;
	for (size_t n = 0; n < s->keys.count; n++) {
		const uint8_t *text = text_of(s, &s->keys.items[n], &size);

		if (text && size >= bytes)
			keys[count++].prefix = salted(s, text, bytes);
	}
	qsort(keys, count, sizeof(*keys), by_prefix);
	for (size_t n = 0, first = 0; n < count; n++) {
		if (n + 1 < count && keys[n + 1].prefix == keys[n].prefix)
			continue;
		class_keep(p, keys[n].prefix, n + 1 - first);
		first = n + 1;
	}
	return true;
}

/** By as many first bytes as a quarter of all keys still have alike. */
static bool classes_choose(struct sample *s)
{
	static const unsigned tries[] = { 32, 16, 8, 4, 2 };
	const struct ms_key_patterns *p = &s->i->report->keys;

	for (size_t n = 0; n < MS_ARRAY_SIZE(tries); n++) {
		if (!classes_make(s, tries[n]))
			return false;
		if (p->class_count && p->classes[0].keys * 4 >= s->keys.count)
			return true;
	}
	return true;
}

static struct ms_error *texts_tell(struct sample *s)
{
	struct ms_key_patterns *p = &s->i->report->keys;
	struct ms_error *err = texts_read(s);

	if (err)
		return err;
	for (size_t n = 0; n < s->keys.count; n++) {
		size_t size;
		const uint8_t *text = text_of(s, &s->keys.items[n], &size);

		if (!text) {
			p->unreadable += s->keys.items[n].length != 0;
			continue;
		}
		kind_count(p, text, size);
		if (p->hash_count < MS_ARRAY_SIZE(p->hashes))
			p->hashes[p->hash_count++] = salted(s, text, size);
	}
	return classes_choose(s) ? NULL : ms_error_no_memory();
}

// --- The whole. ---

static unsigned bits_of(uint64_t value)
{
	return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

static void lengths_tell(struct sample *s)
{
	struct ms_key_patterns *p = &s->i->report->keys;

	p->sampled = s->keys.count;
	p->shortest = s->keys.count ? UINT64_MAX : 0;
	for (size_t n = 0; n < s->keys.count; n++) {
		uint64_t length = s->keys.items[n].length;
		uint64_t of = p->are_texts ? length : bits_of(length);

		p->lengths[bits_of(length)]++;
		p->shortest = ms_min_u64(p->shortest, of);
		p->longest = ms_max_u64(p->longest, of);
		if (p->are_texts)
			continue;
		p->multiples_of_8 += length % 8 == 0;
		if (p->hash_count < MS_ARRAY_SIZE(p->hashes))
			p->hashes[p->hash_count++] =
			    salted(s, (const uint8_t *)&length, sizeof(length));
	}
}

static const struct ms_unit_field *key_field(const struct ms_unit_layout *u)
{
	for (size_t n = 0; n < u->field_count; n++) {
		if (!strcmp(u->fields[n].name, "keys") || !strcmp(u->fields[n].name, "key"))
			return &u->fields[n];
	}
	return NULL;
}

/** Why nothing can be said of the keys; NULL when something can. */
static const char *refusal(struct sample *s)
{
	struct ms_inspection *i = s->i;
	const struct ms_unit_layout *u = &i->report->layout;
	const uint8_t *raw;
	uint64_t bytes;

	if (!i->report->is_read)
		return i->report->unread_why ? i->report->unread_why : "its table was not read";
	if (!u->known)
		return u->unknown_why;
	s->field = key_field(u);
	raw = ms_types_bytes(i->types, i->type->key, i->layout->type_size);
	if (!s->field || !raw || !ms_type_bytes(i->types, i->layout, i->type->key, &bytes) ||
	    bytes != s->field->bytes)
		return "keys of this type are kept behind a pointer";
	s->kind = raw[i->layout->type_kind] & MS_KIND_MASK;
	if (s->field->offset + (MS_CLASSIC_SLOTS - 1) * s->field->stride + bytes > u->unit_bytes)
		return "its layout does not add up";
	if (s->kind == KIND_STRING && bytes == 16)
		return NULL;
	if (s->kind >= KIND_INT && s->kind <= KIND_UINTPTR && bytes >= 1 && bytes <= 8)
		return NULL;
	return "only of texts and whole numbers something is said";
}

struct ms_error *ms_inspect_keys(struct ms_inspection *i)
{
	struct ms_key_patterns *p = &i->report->keys;
	struct sample s = { .i = i };
	struct ms_error *err;

	p->unknown_why = refusal(&s);
	if (p->unknown_why)
		return NULL;
	if (getrandom(&s.salt, sizeof(s.salt), 0) != sizeof(s.salt)) {
		p->unknown_why = "the kernel has no random numbers for a salt";
		return NULL;
	}
	p->known = true;
	p->are_texts = s.kind == KIND_STRING;
	err = units_read(&s);
	if (!err)
		lengths_tell(&s);
	if (!err && p->are_texts)
		err = texts_tell(&s);
	ms_vec_free(&s.keys);
	return err;
}
