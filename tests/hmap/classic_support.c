// What tests of the classic engine share, see the header.
#include "tests/hmap/classic_support.h"

#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t hash_bytes(const void *key, size_t size, uint64_t seed)
{
	const unsigned char *bytes = key;
	uint64_t hash = seed;

	for (size_t i = 0; i < size; i++)
		hash = hmap_hash_u64(hash + bytes[i], 0x9e3779b97f4a7c15);
	return hash;
}

static uint64_t hash_8(const void *key, uint64_t seed, void *state)
{
	(void)state;
	return hash_bytes(key, 8, seed);
}

static uint64_t hash_4(const void *key, uint64_t seed, void *state)
{
	(void)state;
	return hash_bytes(key, 4, seed);
}

static uint64_t hash_24(const void *key, uint64_t seed, void *state)
{
	(void)state;
	return hash_bytes(key, 24, seed);
}

static uint64_t hash_200(const void *key, uint64_t seed, void *state)
{
	(void)state;
	return hash_bytes(key, 200, seed);
}

static uint64_t hash_text(const void *key, uint64_t seed, void *state)
{
	const char *text;

	(void)state;
	memcpy(&text, key, sizeof(text));
	return hash_bytes(text, strlen(text), seed);
}

static uint64_t hash_few(const void *key, uint64_t seed, void *state)
{
	uint64_t hash = hash_bytes(key, 4, seed) % 7;

	(void)state;
	return hash << 60 | hash << 1;
}

static bool equal_text(const void *a, const void *b, void *state)
{
	const char *one, *other;

	(void)state;
	memcpy(&one, a, sizeof(one));
	memcpy(&other, b, sizeof(other));
	return strcmp(one, other) == 0;
}

static bool copy_text(void *to, const void *from, void *state)
{
	const char *text;
	char *copy;

	(void)state;
	memcpy(&text, from, sizeof(text));
	copy = strdup(text);
	memcpy(to, &copy, sizeof(copy));
	return copy;
}

static void destroy_text(void *object, void *state)
{
	char *text;

	(void)state;
	memcpy(&text, object, sizeof(text));
	free(text);
}

static void make_u64(uint64_t number, void *ret)
{
	memcpy(ret, &number, 8);
}

static void make_u32(uint64_t number, void *ret)
{
	uint32_t small = (uint32_t)number;

	memcpy(ret, &small, 4);
}

static void make_u16(uint64_t number, void *ret)
{
	uint16_t small = (uint16_t)number;

	memcpy(ret, &small, 2);
}

static void make_nothing(uint64_t number, void *ret)
{
	(void)number, (void)ret;
}

static void make_24(uint64_t number, void *ret)
{
	memset(ret, 7, 24);
	memcpy((char *)ret + 5, &number, 8);
}

static void make_200(uint64_t number, void *ret)
{
	memset(ret, 8, 200);
	memcpy((char *)ret + 190, &number, 8);
}

static void make_300(uint64_t number, void *ret)
{
	memset(ret, 9, 300);
	memcpy((char *)ret + 192, &number, 8);
}

/** Texts of the caller live until the fourth after them. */
static void make_text(uint64_t number, void *ret)
{
	static char texts[4][24];
	static unsigned next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof(texts[0]), "usr:%llu", (unsigned long long)number);
	memcpy(ret, &text, sizeof(text));
}

static uint64_t number_u64(const void *object)
{
	uint64_t number;

	memcpy(&number, object, 8);
	return number;
}

static uint64_t number_u32(const void *object)
{
	uint32_t number;

	memcpy(&number, object, 4);
	return number;
}

static uint64_t number_u16(const void *object)
{
	uint16_t number;

	memcpy(&number, object, 2);
	return number;
}

static uint64_t number_nothing(const void *object)
{
	(void)object;
	return 0;
}

static uint64_t number_24(const void *object)
{
	return number_u64((const char *)object + 5);
}

static uint64_t number_200(const void *object)
{
	return number_u64((const char *)object + 190);
}

static uint64_t number_300(const void *object)
{
	return number_u64((const char *)object + 192);
}

static uint64_t number_text(const void *object)
{
	const char *text;

	memcpy(&text, object, sizeof(text));
	return strtoull(text + 4, NULL, 10);
}

const struct classic_kind classic_kinds[] = {
	{
	    .name = "uint64 to uint64",
	    .type = { .key_size = 8, .value_size = 8, .hash = hash_8 },
	    .make_key = make_u64,
	    .make_value = make_u64,
	    .value_number = number_u64,
	    .key_number = number_u64,
	},
	{
	    .name = "set of uint32",
	    .type = { .key_size = 4, .value_size = 0, .hash = hash_4 },
	    .make_key = make_u32,
	    .make_value = make_nothing,
	    .value_number = number_nothing,
	    .key_number = number_u32,
	},
	{
	    .name = "24 bytes to uint16",
	    .type = { .key_size = 24, .value_size = 2, .hash = hash_24 },
	    .make_key = make_24,
	    .make_value = make_u16,
	    .value_number = number_u16,
	    .key_number = number_24,
	},
	{
	    .name = "200 bytes to 300",
	    .type = { .key_size = 200, .value_size = 300, .hash = hash_200 },
	    .make_key = make_200,
	    .make_value = make_300,
	    .value_number = number_300,
	    .key_number = number_200,
	},
	{
	    .name = "text to text",
	    .type = { .key_size = sizeof(char *),
		      .value_size = sizeof(char *),
		      .hash = hash_text,
		      .equal = equal_text,
		      .key_copy = copy_text,
		      .value_copy = copy_text,
		      .key_destroy = destroy_text,
		      .value_destroy = destroy_text },
	    .make_key = make_text,
	    .make_value = make_text,
	    .value_number = number_text,
	    .key_number = number_text,
	},
};

const size_t classic_kind_count = sizeof(classic_kinds) / sizeof(classic_kinds[0]);

struct hmap_type classic_colliding(const struct hmap_type *base)
{
	struct hmap_type type = *base;

	type.hash = hash_few;
	return type;
}

static void *allocate(void *state, size_t size, size_t align)
{
	struct classic_memory *m = state;
	size_t call = ++m->calls;
	void *memory;

	if (m->refuse_at && (m->once ? call == m->refuse_at : call >= m->refuse_at))
		return NULL;
	if (m->refuse_from && size >= m->refuse_from)
		return NULL;
	CHECK(align && (align & (align - 1)) == 0);
	memory = aligned_alloc(align, (size + align - 1) & ~(align - 1));
	CHECK(memory);
	memset(memory, 0xa5, size);
	m->blocks++;
	m->bytes += size;
	return memory;
}

static void release(void *state, void *memory, size_t size, size_t align)
{
	struct classic_memory *m = state;

	(void)align;
	CHECK(memory);
	CHECK(m->blocks > 0 && m->bytes >= size);
	m->blocks--;
	m->bytes -= size;
	memset(memory, 0x5a, size);
	free(memory);
}

struct hmap_allocator classic_allocator(struct classic_memory *memory)
{
	return (struct hmap_allocator){ .allocate = allocate, .release = release, .state = memory };
}

struct hmap_classic *classic_map(const struct hmap_type *type, const struct hmap_allocator *a,
				 uint64_t seed)
{
	struct hmap_options options = { .engine = HMAP_CLASSIC, .allocator = a };
	struct hmap_classic *c;

	CHECK_EQ(hmap_classic_create(NULL, type, &options, seed, &c), HMAP_OK);
	return c;
}

void classic_must_hold(const struct hmap_classic *c)
{
	const char *text = "";

	if (hmap_classic_check(c, &text) != HMAP_OK)
		ms_test_fail(__FILE__, __LINE__, "%s", text);
}
