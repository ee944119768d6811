// code_merge.c - places of the code speak of one variable in different words, and all are right:
//
//	a struct		its first field, when that field's method is called
//	a pointer to a struct	a pointer to the struct's first field, likewise
//	a slice			a pointer to its first element
//	a named map type	an unnamed one with the same key and elem
//
// The larger one is kept.  Words that cannot both be right (a pointer is put into a variable of
// another type by way of unsafe, a name stands for two types) drop the variable.
#include "golang/code_merge.h"

#include "base/vec.h"
#include "golang/struct_types.h"

enum {
	KIND_UINT8 = 8,
	KIND_UINTPTR = 12,
	KIND_ARRAY = 17,
	KIND_CHAN = 18,
	KIND_POINTER = 22,
	KIND_SLICE = 23,
	DEPTH_MAX = 8,
};

struct merge {
	const struct ms_types *types;
	const struct ms_go_layout *layout;
};

/** The kind of the type at @p type, 0 when none is there. */
static unsigned kind_of(const struct merge *m, ms_addr type)
{
	const uint8_t *raw = type & 7 ? NULL : ms_types_bytes(m->types, type, m->layout->type_size);
	unsigned kind = raw ? raw[m->layout->type_kind] & MS_KIND_MASK : 0;

	return kind <= MS_KIND_MAX ? kind : 0;
}

/** The word of a descriptor at @p offset, 0 when there is none. */
static ms_addr word_of(const struct merge *m, ms_addr type, uint32_t offset)
{
	const uint8_t *raw = ms_types_bytes(m->types, type, offset + 8ull);

	return raw ? ms_load_u64(raw + offset) : 0;
}

/** What lies at the start of a value of @p type: a struct's first field, an array's element. */
static ms_addr first_part(const struct merge *m, ms_addr type)
{
	const struct ms_go_layout *l = m->layout;
	struct ms_struct_type s;
	const uint8_t *field;

	if (kind_of(m, type) == KIND_ARRAY)
		return word_of(m, type, l->arraytype_elem);
	if (!ms_struct_type_read(m->types, l, type, &s))
		return 0;
	field = ms_types_bytes(m->types, s.fields, l->structfield_size);
	return field ? ms_load_u64(field + l->structfield_type) : 0;
}

static bool same_map(const struct merge *m, ms_addr a, ms_addr b)
{
	return a == b ||
	       (word_of(m, a, m->layout->maptype_key) == word_of(m, b, m->layout->maptype_key) &&
		word_of(m, a, m->layout->maptype_elem) == word_of(m, b, m->layout->maptype_elem));
}

/** Whether a value of @p outer starts with one of @p inner. */
static bool starts_with(const struct merge *m, ms_addr outer, ms_addr inner)
{
	for (unsigned depth = 0; outer && depth < DEPTH_MAX; depth++) {
		if (outer == inner)
			return true;
		outer = first_part(m, outer);
	}
	return false;
}

/** Whether a value of @p type says the same of its first word as @p fact does, or more. */
static bool value_covers(const struct merge *m, ms_addr type, const struct ms_code_fact *fact)
{
	const struct ms_go_layout *l = m->layout;

	for (unsigned depth = 0; type && depth < DEPTH_MAX; depth++) {
		unsigned kind = kind_of(m, type);

		if (fact->shape == MS_CODE_VALUE && type == fact->type)
			return true;
		if (kind == KIND_POINTER)
			return fact->shape == MS_CODE_POINTER &&
			       starts_with(m, word_of(m, type, l->ptrtype_elem), fact->type);
		if (kind == KIND_SLICE)
			return (fact->shape == MS_CODE_POINTER || fact->shape == MS_CODE_SLICE) &&
			       starts_with(m, word_of(m, type, l->slicetype_elem), fact->type);
		if (kind == MS_KIND_MAP)
			return fact->shape == MS_CODE_MAP && same_map(m, type, fact->type);
		if (kind == KIND_CHAN)
			return fact->shape == MS_CODE_CHAN &&
			       word_of(m, type, l->chantype_elem) ==
				   word_of(m, fact->type, l->chantype_elem);
		type = first_part(m, type);
	}
	return false;
}

/** Whether @p a says all that @p b says. */
static bool covers(const struct merge *m, const struct ms_code_fact *a,
		   const struct ms_code_fact *b)
{
	switch (a->shape) {
	case MS_CODE_VALUE:
		return value_covers(m, a->type, b);
	case MS_CODE_POINTER:
		return b->shape == MS_CODE_POINTER && starts_with(m, a->type, b->type);
	case MS_CODE_SLICE:
		return (b->shape == MS_CODE_POINTER || b->shape == MS_CODE_SLICE) &&
		       starts_with(m, a->type, b->type);
	case MS_CODE_MAP:
		return b->shape == MS_CODE_MAP && same_map(m, a->type, b->type);
	case MS_CODE_CHAN:
		return b->shape == MS_CODE_CHAN && a->type == b->type;
	}
	return false;
}

/** What went into an interface as one word says of the variable that it came from. */
static bool boxed_check(const struct merge *m, struct ms_code_fact *fact)
{
	switch (kind_of(m, fact->type)) {
	case MS_KIND_MAP:
		fact->shape = MS_CODE_MAP;
		return true;
	case KIND_CHAN:
		fact->shape = MS_CODE_CHAN;
		return true;
	case KIND_POINTER:
		fact->shape = MS_CODE_POINTER;
		fact->type = word_of(m, fact->type, m->layout->ptrtype_elem);
		return kind_of(m, fact->type) != 0;
	default:
		return false;
	}
}

/** A struct whose first field is "F" (".F" in older releases), a uintptr; bytes 0: of any size. */
static bool is_closure(const struct merge *m, ms_addr type, uint64_t bytes)
{
	const struct ms_go_layout *l = m->layout;
	struct ms_struct_type s;
	const uint8_t *field;
	const char *name;
	size_t size;

	if (!ms_struct_type_read(m->types, l, type, &s) || (bytes && bytes != s.bytes))
		return false;
	field = ms_types_bytes(m->types, s.fields, l->structfield_size);
	return field && kind_of(m, ms_load_u64(field + l->structfield_type)) == KIND_UINTPTR &&
	       ms_types_text(m->types, ms_load_u64(field + l->structfield_name), &name, &size) &&
	       ((size == 1 && *name == 'F') || (size == 2 && !memcmp(name, ".F", 2)));
}

/**
 * What a function returned may be an array with its length behind, or bytes that are a string; and
 * of a function it says less than the object itself, which begins with the function's address.
 */
static bool is_told_by_result(const struct merge *m, const struct ms_code_fact *fact, unsigned kind)
{
	if (fact->source != MS_CODE_BY_RESULT)
		return true;
	if (fact->shape == MS_CODE_SLICE)
		return kind != KIND_UINT8;
	return kind != KIND_ARRAY && !is_closure(m, fact->type, 0);
}

/** Whether the descriptor is of the kind that the fact needs; an array behind a length is a slice.
 */
static bool fact_check(const struct merge *m, struct ms_code_fact *fact)
{
	unsigned kind;
	uint64_t bytes;

	if (fact->is_boxed && !boxed_check(m, fact))
		return false;
	kind = kind_of(m, fact->type);
	if (!kind || !ms_type_bytes(m->types, m->layout, fact->type, &bytes) ||
	    (fact->bytes && fact->bytes != bytes) || !is_told_by_result(m, fact, kind))
		return false;
	switch (fact->shape) {
	case MS_CODE_MAP:
		return kind == MS_KIND_MAP;
	case MS_CODE_CHAN:
		return kind == KIND_CHAN;
	case MS_CODE_POINTER:
		if (kind == KIND_ARRAY && fact->has_length) {
			fact->shape = MS_CODE_SLICE;
			fact->type = word_of(m, fact->type, m->layout->arraytype_elem);
			return kind_of(m, fact->type) != 0;
		}
		return bytes > 0;
	default:
		return bytes > 0; // What takes no room may lie at anybody's address.
	}
}

static int fact_compare(const void *a, const void *b)
{
	const struct ms_code_fact *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->shape != y->shape)
		return x->shape < y->shape ? -1 : 1;
	return x->type < y->type ? -1 : x->type > y->type;
}

/** One variable's facts, [from, to); false when memory is short. */
static bool global_merge(const struct merge *m, const struct ms_code_fact *from,
			 const struct ms_code_fact *to, struct ms_code_facts *facts)
{
	const struct ms_code_fact *best = from;
	uint32_t evidence = 0;

	for (const struct ms_code_fact *f = from; f < to; f++) {
		if (!covers(m, best, f) && covers(m, f, best))
			best = f;
	}
	for (const struct ms_code_fact *f = from; f < to; f++, evidence++) {
		if (!covers(m, best, f)) {
			facts->conflicts++;
			return true;
		}
	}
	return ms_vec_push(&facts->globals, { best->address, best->type, best->shape, evidence });
}

static struct ms_error *globals_merge(const struct merge *m, struct ms_code_raw *raw,
				      struct ms_code_facts *facts)
{
	struct ms_code_fact *items = raw->facts.items;
	size_t count = 0;

	for (size_t i = 0; i < raw->facts.count; i++) {
		if (fact_check(m, &items[i]))
			items[count++] = items[i];
	}
	raw->facts.count = count;
	if (count)
		qsort(items, count, sizeof(*items), fact_compare);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && items[next].address == items[i].address;)
			next++;
		if (!global_merge(m, items + i, items + next, facts))
			return ms_error_no_memory();
	}
	return NULL;
}

static int function_compare(const void *a, const void *b)
{
	const struct ms_code_function *x = a, *y = b;

	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return x->type < y->type ? -1 : x->type > y->type;
}

static struct ms_error *closures_merge(const struct merge *m, struct ms_code_raw *raw,
				       struct ms_code_facts *facts)
{
	struct ms_code_function *items = raw->functions.items;
	size_t count = 0;

	for (size_t i = 0; i < raw->functions.count; i++) {
		if (is_closure(m, items[i].type, items[i].bytes))
			items[count++] = items[i];
	}
	raw->functions.count = count;
	if (count)
		qsort(items, count, sizeof(*items), function_compare);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && items[next].entry == items[i].entry;)
			next++;
		if (items[next - 1].type != items[i].type)
			facts->conflicts++;
		else if (!ms_vec_push(&facts->closures, { items[i].entry, items[i].type }))
			return ms_error_no_memory();
	}
	return NULL;
}

struct ms_error *ms_code_merge(const struct ms_types *types, const struct ms_go_layout *layout,
			       struct ms_code_raw *raw, struct ms_code_facts *facts)
{
	const struct merge m = { types, layout };
	struct ms_error *err = globals_merge(&m, raw, facts);

	return err ? err : closures_merge(&m, raw, facts);
}
