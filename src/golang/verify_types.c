// verify_types.c - type descriptors that no descriptor describes: their own names tell.
//
//   ptrtype_elem slicetype_elem    "*T", "[]T", "[N]T", "chan T" are called after what the word at
//     arraytype_* chantype_elem    that place describes; an array's length stands in its name
//   functype_size                  behind it are the parameters, in the order of "func(A, B)"
//   interfacetype_methods          named methods, whose types are functions
//   uncommontype_package           the path of a package
//   uncommontype_size              the methods of a type without parts of its own follow there
//
// Any position may look like a type and be none, so a share has to agree; some hundred of each
// kind are enough.  A kind that the program has none of is not asked about.
#include "golang/verify_internal.h"

#include "golang/types.h"

#include <stdio.h>

enum {
	KIND_ARRAY = 17,
	KIND_CHAN = 18,
	KIND_FUNC = 19,
	KIND_INTERFACE = 20,
	KIND_POINTER = 22,
	KIND_SLICE = 23,
	KIND_STRING = 24,
	KIND_UNCOMMON = 0, // Stands for what follows named types.
	WINDOWS = 32,      // Of each section, evenly spread: a large program's has 10 MB.
	WINDOW_BYTES = 32768,
	ENOUGH = 128,      // Of one kind.
	FLAG_UNCOMMON = 1, // abi.TFlagUncommon
	FLAG_NAMED = 4,    // abi.TFlagNamed
	VARIADIC = 0x8000,
	METHODS_MAX = 4096,
	METHODS_AT = 8, // abi.UncommonType.Moff behind PkgPath.
};

struct text {
	const char *text;
	size_t size;
};

struct seen {
	uint64_t seen, good;
};

struct search {
	const struct ms_types *types;
	const struct ms_go_layout *layout;
	struct seen kinds[MS_KIND_MAX + 1];
};

/** One position that may hold a type. */
struct candidate {
	ms_addr address;
	const uint8_t *raw; // type_size bytes.
	const struct ms_types_section *section;
	struct text name;
};

static bool name_of(const struct search *s, ms_addr type, struct text *ret_name)
{
	return ms_types_name(s->types, s->layout, type, &ret_name->text, &ret_name->size);
}

static bool skip(struct text *name, const char *text, size_t size)
{
	if (name->size < size || memcmp(name->text, text, size) != 0)
		return false;
	name->text += size;
	name->size -= size;
	return true;
}

static bool skip_text(struct text *name, const char *text)
{
	return skip(name, text, strlen(text));
}

/** A word behind the descriptor's head. */
static bool word_at(const struct search *s, const struct candidate *c, uint64_t offset,
		    uint64_t *ret_word)
{
	const uint8_t *raw = ms_types_bytes(s->types, c->address + offset, 8);

	if (raw)
		*ret_word = ms_load_u64(raw);
	return raw != NULL;
}

/** Whether what is left of @p name is the name of the type at @p offset. */
static bool ends_in_elem(const struct search *s, const struct candidate *c, struct text name,
			 uint32_t offset)
{
	struct text elem;
	uint64_t type;
	bool in_brackets;

	if (!word_at(s, c, offset, &type) || !name_of(s, type, &elem))
		return false;
	in_brackets = name.size == elem.size + 2 && skip_text(&name, "(");
	return skip(&name, elem.text, elem.size) && name.size == (in_brackets ? 1 : 0);
}

static bool array_is_sound(const struct search *s, const struct candidate *c)
{
	struct text name = c->name;
	uint64_t count;
	char text[32];

	if (!word_at(s, c, s->layout->arraytype_len, &count))
		return false;
	snprintf(text, sizeof(text), "[%llu]", (unsigned long long)count);
	return skip_text(&name, text) && ends_in_elem(s, c, name, s->layout->arraytype_elem);
}

static bool chan_is_sound(const struct search *s, const struct candidate *c)
{
	struct text name = c->name;

	return (skip_text(&name, "<-chan ") || skip_text(&name, "chan<- ") ||
		skip_text(&name, "chan ")) &&
	       ends_in_elem(s, c, name, s->layout->chantype_elem);
}

/** The parameters, one behind the other.  Their number stands behind the head of the type. */
static bool func_is_sound(const struct search *s, const struct candidate *c)
{
	const uint8_t *counts = ms_types_bytes(s->types, c->address + s->layout->type_size, 4);
	uint64_t at =
	    s->layout->functype_size +
	    (c->raw[s->layout->type_tflag] & FLAG_UNCOMMON ? s->layout->uncommontype_size : 0ull);
	unsigned count = counts ? ms_load_u16(counts) : 0;
	bool is_variadic = counts && (ms_load_u16(counts + 2) & VARIADIC);
	struct text name = c->name;

	if (!count || !skip_text(&name, "func("))
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct text in;
		uint64_t type;

		if (!word_at(s, c, at + 8ull * i, &type) || !name_of(s, type, &in))
			return false;
		if (is_variadic && i + 1 == count && skip_text(&name, "...") &&
		    !skip_text(&in, "[]"))
			return false;
		if (!skip(&name, in.text, in.size) ||
		    !skip_text(&name, i + 1 == count ? ")" : ", "))
			return false;
	}
	return true;
}

static bool interface_is_sound(const struct search *s, const struct candidate *c)
{
	uint32_t at = s->layout->interfacetype_methods;
	uint64_t methods, count, capacity;
	struct text name;
	const uint8_t *raw;
	const uint8_t *type;

	if (!word_at(s, c, at, &methods) || !word_at(s, c, at + 8ull, &count) ||
	    !word_at(s, c, at + 16ull, &capacity) || !count || count != capacity ||
	    count > METHODS_MAX)
		return false;
	raw = ms_types_bytes(s->types, methods, count * 8);
	if (!raw ||
	    !ms_types_text(s->types, c->section->start + ms_load_u32(raw), &name.text, &name.size))
		return false;
	type = ms_types_bytes(s->types, c->section->start + ms_load_u32(raw + 4),
			      s->layout->type_size);
	return type && (type[s->layout->type_kind] & MS_KIND_MASK) == KIND_FUNC;
}

/** Whether its name says what it is made of. */
static bool is_asked(const struct candidate *c, uint8_t kind)
{
	struct text name = c->name;

	switch (kind) {
	case KIND_POINTER:
		return *name.text == '*';
	case KIND_SLICE:
		return skip_text(&name, "[]");
	case KIND_ARRAY:
		return *name.text == '[';
	case KIND_CHAN:
		return (skip_text(&name, "chan ") || skip_text(&name, "<-chan ") ||
			skip_text(&name, "chan<- "));
	case KIND_FUNC:
		return skip_text(&name, "func(") && name.size && *name.text != ')';
	case KIND_INTERFACE:
		return !(skip_text(&name, "interface {}") && !name.size);
	default:
		return false;
	}
}

static bool is_sound(const struct search *s, const struct candidate *c, uint8_t kind)
{
	struct text name = c->name;

	switch (kind) {
	case KIND_POINTER:
		return skip_text(&name, "*") && ends_in_elem(s, c, name, s->layout->ptrtype_elem);
	case KIND_SLICE:
		return skip_text(&name, "[]") &&
		       ends_in_elem(s, c, name, s->layout->slicetype_elem);
	case KIND_ARRAY:
		return array_is_sound(s, c);
	case KIND_CHAN:
		return chan_is_sound(s, c);
	case KIND_FUNC:
		return func_is_sound(s, c);
	default:
		return interface_is_sound(s, c);
	}
}

static bool is_uncommon(const struct ms_go_layout *l, const uint8_t *raw)
{
	const uint8_t wanted = FLAG_UNCOMMON | FLAG_NAMED;

	return (raw[l->type_tflag] & wanted) == wanted;
}

/** A named type without parts of its own: where its methods are, and the path of its package. */
static void ask_uncommon(struct search *s, const struct candidate *c, uint8_t kind)
{
	struct seen *seen = &s->kinds[KIND_UNCOMMON];
	const struct ms_go_layout *l = s->layout;
	const uint8_t *raw = ms_types_bytes(s->types, c->address + l->type_size,
					    l->uncommontype_package + METHODS_AT + 4ull);
	struct text path;

	if (!is_uncommon(l, c->raw) || seen->seen >= ENOUGH ||
	    !memchr(c->name.text, '.', c->name.size) || // Go's own: no package.
	    (kind >= KIND_ARRAY && kind != KIND_STRING))
		return;
	seen->seen++;
	seen->good +=
	    raw &&
	    ms_load_u32(raw + l->uncommontype_package + METHODS_AT) == l->uncommontype_size &&
	    ms_types_text(s->types, c->section->start + ms_load_u32(raw + l->uncommontype_package),
			  &path.text, &path.size);
}

static void ask(struct search *s, const struct candidate *c)
{
	uint8_t kind = c->raw[s->layout->type_kind] & MS_KIND_MASK;
	struct seen *seen = &s->kinds[kind];

	ask_uncommon(s, c, kind);
	if (seen->seen >= ENOUGH || !is_asked(c, kind))
		return;
	seen->seen++;
	seen->good += is_sound(s, c, kind);
}

/** The compiler's stand-ins for type arguments: named after what they are like. */
static bool is_shape(const struct candidate *c)
{
	struct text name = c->name;

	return skip_text(&name, "go.shape.");
}

/** A kind that is still asked about, of the size that it always has. */
static bool may_be_type(const struct search *s, const uint8_t *raw)
{
	const struct ms_go_layout *l = s->layout;
	uint8_t kind = raw[l->type_kind] & MS_KIND_MASK;
	uint64_t bytes, pointers;

	if (!kind || kind > KIND_STRING || kind == MS_KIND_MAP || s->kinds[kind].seen >= ENOUGH)
		return false;
	bytes = ms_load_u64(raw + l->type_bytes);
	pointers = ms_load_u64(raw + l->type_ptrdata);
	if (kind == KIND_ARRAY)
		return pointers <= bytes && bytes < (uint64_t)1 << 40;
	if (kind == KIND_INTERFACE)
		return bytes == 16 && pointers == 16;
	if (kind == KIND_SLICE)
		return bytes == 24 && pointers == 8;
	if (kind > KIND_ARRAY && kind != KIND_STRING)
		return bytes == 8 && pointers == 8;
	return bytes && bytes <= 16 && pointers <= 8 && is_uncommon(l, raw) &&
	       s->kinds[KIND_UNCOMMON].seen < ENOUGH;
}

static struct ms_error *judge(const struct search *s)
{
	static const struct {
		uint8_t kind;
		const char *what;
	} kinds[] = {
		{ KIND_POINTER, "pointer types named after what they point to" },
		{ KIND_SLICE, "slice types named after their elem" },
		{ KIND_ARRAY, "array types named after their length and elem" },
		{ KIND_CHAN, "channel types named after their elem" },
		{ KIND_FUNC, "function types named after their parameters" },
		{ KIND_INTERFACE, "interface types with methods" },
		{ KIND_UNCOMMON, "named types with a package and methods behind them" },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(kinds); i++) {
		const struct seen *seen = &s->kinds[kinds[i].kind];

		if (!ms_verify_enough(seen->good, seen->seen))
			return ms_verify_refusal(kinds[i].what, seen->good, seen->seen);
	}
	return NULL;
}

/** Ask all that looks like a type from @p from on. */
static void window_ask(struct search *s, const struct ms_types_section *section, uint64_t from,
		       uint64_t bytes)
{
	for (uint64_t at = from; at < from + bytes; at += 8) {
		struct candidate c = { .address = section->start + at,
				       .raw = section->bytes + at,
				       .section = section };

		if (at + s->layout->type_size > section->size)
			return;
		if (may_be_type(s, c.raw) && name_of(s, c.address, &c.name) && !is_shape(&c))
			ask(s, &c);
	}
}

struct ms_error *ms_go_verify_types(const struct ms_types *types, const struct ms_go_layout *layout)
{
	struct search s = { .types = types, .layout = layout };

	for (size_t i = 0; i < types->section_count; i++) {
		const struct ms_types_section *section = &types->sections[i];
		uint64_t step = ms_max_u64(section->size / WINDOWS & ~(uint64_t)7, WINDOW_BYTES);

		for (uint64_t from = 0; from < section->size; from += step)
			window_ask(&s, section, from, WINDOW_BYTES);
	}
	return judge(&s);
}
