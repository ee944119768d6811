// Types by name: enough of C's and Go's grammar for what people put into maps.
//
// The text comes from a command line, so it may be anything: depth and sizes are bounded, and the
// first thing that is not understood ends it.
#include "hmap_tools/type_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { DEPTH_MAX = 16, NAME_MAX_BYTES = 64 };
#define SIZE_LIMIT ((uint64_t)1 << 30)

struct reader {
	const char *at;
	const char *wrong;
	unsigned depth;
};

static const struct {
	const char *name;
	struct type_size size;
} known[] = {
	{ "uint8_t", { 1, 1 } },      { "int8_t", { 1, 1 } },    { "uint8", { 1, 1 } },
	{ "int8", { 1, 1 } },         { "u8", { 1, 1 } },        { "i8", { 1, 1 } },
	{ "byte", { 1, 1 } },         { "bool", { 1, 1 } },      { "char", { 1, 1 } },
	{ "uint16_t", { 2, 2 } },     { "int16_t", { 2, 2 } },   { "uint16", { 2, 2 } },
	{ "int16", { 2, 2 } },        { "u16", { 2, 2 } },       { "i16", { 2, 2 } },
	{ "short", { 2, 2 } },        { "uint32_t", { 4, 4 } },  { "int32_t", { 4, 4 } },
	{ "uint32", { 4, 4 } },       { "int32", { 4, 4 } },     { "u32", { 4, 4 } },
	{ "i32", { 4, 4 } },          { "rune", { 4, 4 } },      { "float", { 4, 4 } },
	{ "float32", { 4, 4 } },      { "uint64_t", { 8, 8 } },  { "int64_t", { 8, 8 } },
	{ "uint64", { 8, 8 } },       { "int64", { 8, 8 } },     { "u64", { 8, 8 } },
	{ "i64", { 8, 8 } },          { "long", { 8, 8 } },      { "size_t", { 8, 8 } },
	{ "double", { 8, 8 } },       { "float64", { 8, 8 } },   { "complex64", { 8, 4 } },
	{ "uintptr", { 8, 8 } },      { "uintptr_t", { 8, 8 } }, { "complex128", { 16, 8 } },
	{ "string", { 16, 8 } },      { "any", { 16, 8 } },      { "error", { 16, 8 } },
	{ "hmap_string", { 16, 8 } }, { "void", { 0, 1 } },
};

static void skip_space(struct reader *r)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
}

static bool fail(struct reader *r, const char *wrong)
{
	if (!r->wrong)
		r->wrong = wrong;
	return false;
}

static bool take(struct reader *r, const char *token)
{
	skip_space(r);
	if (strncmp(r->at, token, strlen(token)) != 0)
		return false;
	r->at += strlen(token);
	return true;
}

static bool take_word(struct reader *r, char *ret_word)
{
	size_t length = 0;

	skip_space(r);
	while (isalnum((unsigned char)r->at[length]) || r->at[length] == '_' ||
	       r->at[length] == '.')
		length++;
	if (!length || length >= NAME_MAX_BYTES)
		return false;
	memcpy(ret_word, r->at, length);
	ret_word[length] = '\0';
	r->at += length;
	return true;
}

static bool take_count(struct reader *r, uint64_t *ret_count)
{
	uint64_t count = 0;

	skip_space(r);
	if (!isdigit((unsigned char)*r->at))
		return fail(r, "a number of elements is missing between [ and ]");
	for (; isdigit((unsigned char)*r->at); r->at++) {
		count = count * 10 + (uint64_t)(*r->at - '0');
		if (count > SIZE_LIMIT)
			return fail(r, "an array is larger than a key or value can be");
	}
	*ret_count = count;
	return take(r, "]") || fail(r, "an array's ] is missing");
}

static bool times(struct reader *r, struct type_size *size, uint64_t count)
{
	if (size->size && count > SIZE_LIMIT / size->size)
		return fail(r, "an array is larger than a key or value can be");
	size->size = (uint32_t)(size->size * count);
	return true;
}

static bool take_type(struct reader *r, struct type_size *ret_size);

/** The members of a struct up to its brace: C's `T a, b[3];` and Go's `a, b T`. */
static bool take_struct(struct reader *r, struct type_size *ret_size)
{
	struct type_size whole = { 0, 1 };
	uint64_t end = 0;

	if (!take(r, "{"))
		return fail(r, "only structs written out, struct { ... }, are known here");
	while (!take(r, "}")) {
		struct reader saved = *r;
		struct type_size member;
		char name[NAME_MAX_BYTES];
		unsigned names = 1;
		bool is_c;

		// C begins with the type; where that is not followed by a name, it is Go's order.
		is_c = take_type(r, &member) && !r->wrong && take_word(r, name);
		if (is_c) {
			uint64_t count;

			while (take(r, "["))
				if (!take_count(r, &count) || !times(r, &member, count))
					return false;
			while (take(r, ",")) {
				if (!take_word(r, name))
					return fail(r, "a member's name is missing");
				names++;
			}
		} else {
			*r = saved;
			if (!take_word(r, name))
				return fail(r, "a struct's member is neither C's nor Go's");
			while (take(r, ",")) {
				if (!take_word(r, name))
					return fail(r, "a member's name is missing");
				names++;
			}
			if (!take_type(r, &member))
				return fail(r, "a member's type is not known");
		}
		if (names > 1000)
			return fail(r, "too many members");
		for (unsigned i = 0; i < names; i++) {
			end = (end + member.align - 1) / member.align * member.align + member.size;
			if (end > SIZE_LIMIT)
				return fail(r, "a struct is larger than a key or value can be");
		}
		if (member.align > whole.align)
			whole.align = member.align;
		if (!take(r, ";") && *r->at != '}' && !isspace((unsigned char)*r->at))
			return fail(r, "a ; is missing between two members");
	}
	whole.size = (uint32_t)((end + whole.align - 1) / whole.align * whole.align);
	*ret_size = whole;
	return true;
}

static bool take_named(struct reader *r, struct type_size *ret_size)
{
	char word[NAME_MAX_BYTES];

	if (!take_word(r, word))
		return fail(r, "a type is missing");
	if (strcmp(word, "const") == 0 || strcmp(word, "unsigned") == 0 ||
	    strcmp(word, "signed") == 0) {
		struct reader saved = *r;

		if (take_named(r, ret_size))
			return true;
		*r = saved;
		r->wrong = NULL;
		ret_size->size = ret_size->align = 4;
		return strcmp(word, "const") != 0 || fail(r, "a type is missing after const");
	}
	if (strcmp(word, "struct") == 0)
		return take_struct(r, ret_size);
	if (strcmp(word, "map") == 0 || strcmp(word, "chan") == 0) {
		struct type_size ignored;

		if (take(r, "[") && !(take_type(r, &ignored) && take(r, "]")))
			return fail(r, "a map's key type is not known");
		ret_size->size = ret_size->align = 8;
		return take_type(r, &ignored);
	}
	if (strcmp(word, "int") == 0 || strcmp(word, "uint") == 0)
		return fail(r, "int has 4 bytes in C and 8 in Go: write int32 or int64");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(word, known[i].name) == 0) {
			*ret_size = known[i].size;
			if (strcmp(word, "long") == 0)
				while (take(r, "long") || take(r, "int"))
					;
			return true;
		}
	return fail(r, "a type is not known by that name; write its struct out, or [N]byte");
}

static bool take_type(struct reader *r, struct type_size *ret_size)
{
	bool good;

	if (++r->depth > DEPTH_MAX)
		return fail(r, "types are nested too deeply");
	if (take(r, "*")) {
		struct type_size ignored;

		// What it points to need not be known.
		good = take_type(r, &ignored) || !strncmp(r->wrong, "a type is not known", 19);
		r->wrong = good ? NULL : r->wrong;
		ret_size->size = ret_size->align = 8;
	} else if (take(r, "[]")) {
		struct type_size ignored;

		good = take_type(r, &ignored) || !strncmp(r->wrong, "a type is not known", 19);
		r->wrong = good ? NULL : r->wrong;
		ret_size->size = 24;
		ret_size->align = 8;
	} else if (take(r, "[")) {
		uint64_t count = 0;

		good = take_count(r, &count) && take_type(r, ret_size) && times(r, ret_size, count);
	} else {
		good = take_named(r, ret_size);
		while (good && take(r, "*"))
			ret_size->size = ret_size->align = 8;
	}
	r->depth--;
	return good;
}

const char *type_size_of_name(const char *name, struct type_size *ret_size)
{
	struct reader r = { .at = name };
	struct type_size size = { 0, 1 };
	uint64_t count;

	if (!take_type(&r, &size))
		return r.wrong ? r.wrong : "a type is missing";
	while (take(&r, "["))
		if (!take_count(&r, &count) || !times(&r, &size, count))
			return r.wrong;
	skip_space(&r);
	if (*r.at)
		return "something is left over behind the type";
	*ret_size = size;
	return NULL;
}
