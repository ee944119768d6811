// Goal: after any operation the classic engine's memory is what a real Go map's is, byte for byte.
// Method: tests/programs/maptrace, built with Go 1.19, works on maps of eight types and writes down
// each operation, the hashes of the keys, and a checksum of the map's memory after it: header, old
// and new array with what is to spare, chains, the dead slots too; pointers by shape.  Its file
// says how.  Here the same operations run with those hashes, and the memory is written down in the
// same way.  Two things are not compared: what an erased string's slot keeps of its length, and
// noverflow above B = 15, which is random.
//
// The recordings are in tests/hmap/recordings; CLASSIC_TRACES names a folder with others, as
// tests/hmap/make-go-traces.sh makes them.
#include "hmap/classic_internal.h"

#include "tests/hmap/classic_support.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MOST = 1024, VALUE_MOST = 256, DUMP_MOST = 1 << 20 };

/** How a slot's object is written down. */
enum form { PLAIN, TEXT, POINTER, INDIRECT };

struct go_string {
	const char *text;
	uint64_t length;
};

struct trace {
	unsigned char *file, *at, *end;
	struct hmap_type type;
	enum form key_form, value_form;
	unsigned key_count;
	const unsigned char *keys[KEYS_MOST]; // Their bytes in the file.
	uint16_t key_lengths[KEYS_MOST];
	struct go_string strings[KEYS_MOST];
	uint64_t hashes[KEYS_MOST];
	uint64_t seed;
	uint64_t numbers[1 << 14]; // What pointers of values point to.
	unsigned number_count;
	struct hmap_classic *c;
	unsigned char *dump;
	size_t dumped;
	unsigned operation, growths, same_size;
	bool grows;
};

/* ------------------------------------------------------------------------------------------- */
/* The file                                                                                    */

static const unsigned char *take(struct trace *t, size_t size)
{
	unsigned char *at = t->at;

	CHECK(size <= (size_t)(t->end - at));
	t->at += size;
	return at;
}

static uint64_t take_number(struct trace *t, unsigned size)
{
	const unsigned char *at = take(t, size);
	uint64_t number = 0;

	while (size--)
		number = number << 8 | at[size];
	return number;
}

static void read_file(struct trace *t, const char *base)
{
	const char *folder = getenv("CLASSIC_TRACES");
	char name[64], *path, other[512];
	FILE *file;
	long size;

	snprintf(name, sizeof(name), "tests/hmap/recordings/%s", base);
	path = ms_test_path(name);
	snprintf(other, sizeof(other), "%s/%s", folder ? folder : "", base);
	file = fopen(folder ? other : path, "rb");
	CHECK(file);
	CHECK(fseek(file, 0, SEEK_END) == 0);
	size = ftell(file);
	CHECK(size > 0 && fseek(file, 0, SEEK_SET) == 0);
	t->file = malloc((size_t)size);
	CHECK(t->file);
	CHECK_EQ(fread(t->file, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	free(path);
	t->at = t->file;
	t->end = t->file + size;
}

/* ------------------------------------------------------------------------------------------- */
/* Keys and their recorded hashes                                                              */

static unsigned number_of_key(const struct trace *t, const void *key)
{
	struct go_string string;

	for (unsigned i = 0; i < t->key_count; i++) {
		if (t->key_form != TEXT) {
			if (memcmp(t->keys[i], key, t->type.key_size) == 0)
				return i;
			continue;
		}
		memcpy(&string, key, sizeof(string));
		if (string.length == t->strings[i].length &&
		    memcmp(string.text, t->strings[i].text, string.length) == 0)
			return i;
	}
	ms_test_fail(__FILE__, __LINE__, "a key that is not in the trace");
}

static uint64_t recorded_hash(const void *key, uint64_t seed, void *state)
{
	const struct trace *t = state;

	CHECK_EQ(seed, t->seed);
	return t->hashes[number_of_key(t, key)];
}

static bool equal_strings(const void *a, const void *b, void *state)
{
	struct go_string one, other;

	(void)state;
	memcpy(&one, a, sizeof(one));
	memcpy(&other, b, sizeof(other));
	return one.length == other.length && memcmp(one.text, other.text, one.length) == 0;
}

static bool equal_doubles(const void *a, const void *b, void *state)
{
	double one, other;

	(void)state;
	memcpy(&one, a, sizeof(one));
	memcpy(&other, b, sizeof(other));
	return !(one < other) && !(one > other);
}

/** That there is a function says that there are pointers. */
static bool copy_16(void *to, const void *from, void *state)
{
	(void)state;
	memcpy(to, from, 16);
	return true;
}

static bool copy_8(void *to, const void *from, void *state)
{
	(void)state;
	memcpy(to, from, 8);
	return true;
}

static const void *key_number(const struct trace *t, unsigned number)
{
	CHECK(number < t->key_count);
	return t->key_form == TEXT ? (const void *)&t->strings[number] : t->keys[number];
}

static void take_hashes(struct trace *t)
{
	t->seed = take_number(t, 4);
	for (unsigned i = 0; i < t->key_count; i++)
		t->hashes[i] = take_number(t, 8);
}

/* ------------------------------------------------------------------------------------------- */
/* Memory, written down as maptrace does                                                       */

static void put_bytes(struct trace *t, const void *bytes, size_t size)
{
	CHECK(t->dumped + size <= DUMP_MOST);
	memcpy(t->dump + t->dumped, bytes, size);
	t->dumped += size;
}

static void put_number(struct trace *t, uint64_t number, unsigned size)
{
	unsigned char bytes[8];

	for (unsigned i = 0; i < size; i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
	put_bytes(t, bytes, size);
}

static void put_object(struct trace *t, const unsigned char *slot, enum form form, size_t size,
		       bool filled)
{
	struct go_string string;
	void *to;

	if (form == PLAIN) {
		put_bytes(t, slot, size);
		return;
	}
	memcpy(&to, slot, sizeof(to));
	put_number(t, to != NULL, 1);
	if (!to || !filled)
		return;
	switch (form) {
	case TEXT:
		memcpy(&string, slot, sizeof(string));
		put_number(t, string.length, 8);
		put_bytes(t, string.text, string.length);
		break;
	case POINTER:
		put_number(t, *(uint64_t *)to, 8);
		break;
	default:
		put_bytes(t, to, size);
	}
}

static void put_bucket(struct trace *t, const unsigned char *b, const unsigned char *array,
		       size_t count)
{
	const struct hmap_classic *c = t->c;
	size_t keysize = t->key_form == INDIRECT ? 8 : t->type.key_size;
	size_t elemsize = t->value_form == INDIRECT ? 8 : t->type.value_size;
	size_t end = 8 + 8 * (keysize + elemsize);
	const unsigned char *next;

	put_bytes(t, b, 8);
	for (unsigned i = 0; i < 8; i++)
		put_object(t, b + 8 + i * keysize, t->key_form, t->type.key_size, b[i] >= 5);
	for (unsigned i = 0; i < 8; i++)
		put_object(t, b + 8 + 8 * keysize + i * elemsize, t->value_form, t->type.value_size,
			   b[i] >= 5);
	put_bytes(t, b + end, c->bucketsize - 8 - end);
	memcpy(&next, b + c->bucketsize - 8, sizeof(next));
	if (!next) {
		put_number(t, 0, 1);
	} else if (next >= array && next < array + count * c->bucketsize) {
		put_number(t, 1, 1);
		put_number(t, (size_t)(next - array) / c->bucketsize, 4);
	} else {
		put_number(t, 2, 1);
		put_bucket(t, next, array, count);
	}
}

static void put_array(struct trace *t, const struct hmap_classic_table *table)
{
	size_t count;

	if (!table)
		return;
	count = (table->bytes - sizeof(*table)) / t->c->bucketsize;
	put_number(t, count, 4);
	for (size_t i = 0; i < count; i++)
		put_bucket(t, table->buckets + i * t->c->bucketsize, table->buckets, count);
}

static void put_list(struct trace *t, const struct go_overflow *list)
{
	put_number(t, list != NULL, 1);
	if (list)
		put_number(t, list->len, 8);
}

static void dump_memory(struct trace *t)
{
	const struct go_hmap *h = &t->c->h;

	t->dumped = 0;
	put_number(t, h->count, 8);
	put_number(t, h->flags, 1);
	put_number(t, h->B, 1);
	put_number(t, h->noverflow, 2);
	put_number(t, h->hash0, 4);
	put_number(t, h->buckets != NULL, 1);
	put_number(t, h->oldbuckets != NULL, 1);
	put_number(t, h->nevacuate, 8);
	put_number(t, h->extra != NULL, 1);
	if (h->extra) {
		const unsigned char *next = (void *)h->extra->nextOverflow;

		put_list(t, h->extra->overflow);
		put_list(t, h->extra->oldoverflow);
		put_number(t,
			   next ? (size_t)(next - (unsigned char *)h->buckets) / t->c->bucketsize
				: UINT32_MAX,
			   4);
	}
	CHECK(t->c->now ? h->buckets == t->c->now->buckets : !h->buckets);
	CHECK(t->c->old ? h->oldbuckets == t->c->old->buckets : !h->oldbuckets);
	put_array(t, t->c->now);
	put_array(t, t->c->old);
}

static uint32_t checksum(const unsigned char *bytes, size_t size)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	while (size--)
		hash = (hash ^ *bytes++) * UINT64_C(1099511628211);
	return (uint32_t)(hash ^ hash >> 32);
}

/* ------------------------------------------------------------------------------------------- */
/* The replay                                                                                  */

static void begin(struct trace *t, const char *base)
{
	static const char magic[] = "maptrace 1\n";
	char recorded[256] = "";
	struct hmap_options options = { .engine = HMAP_CLASSIC };
	uint64_t bucketsize;
	size_t length;

	CHECK(memcmp(take(t, sizeof(magic) - 1), magic, sizeof(magic) - 1) == 0);
	take(t, take_number(t, 1));
	length = take_number(t, 1);
	memcpy(recorded, take(t, length), length);
	CHECK_CONTAINS(base, recorded);
	t->type.key_size = (uint32_t)take_number(t, 2);
	t->type.value_size = (uint32_t)take_number(t, 2);
	bucketsize = take_number(t, 2);
	options.hint = take_number(t, 4);
	t->key_count = (unsigned)take_number(t, 2);
	CHECK(t->key_count <= KEYS_MOST);
	for (unsigned i = 0; i < t->key_count; i++) {
		t->key_lengths[i] = (uint16_t)take_number(t, 2);
		t->keys[i] = take(t, t->key_lengths[i]);
		t->strings[i] = (struct go_string){ (const char *)t->keys[i], t->key_lengths[i] };
	}
	CHECK_EQ(take_number(t, 1), 'H');
	take_hashes(t);
	t->type.hash = recorded_hash;
	t->type.state = t;
	options.allocator = hmap_malloc_allocator();
	CHECK_EQ(hmap_classic_create(NULL, &t->type, &options, t->seed, &t->c), HMAP_OK);
	CHECK_EQ(t->c->bucketsize, bucketsize);
}

static void assign(struct trace *t)
{
	const void *key = key_number(t, (unsigned)take_number(t, 2));
	uint32_t number = (uint32_t)take_number(t, 4);
	_Alignas(8) unsigned char value[VALUE_MOST];

	for (unsigned i = 0; i < t->type.value_size; i++)
		value[i] = (unsigned char)((number >> (8 * (i % 4))) ^ i);
	if (t->value_form == POINTER) {
		uint64_t *to = &t->numbers[t->number_count++];

		CHECK(t->number_count < sizeof(t->numbers) / sizeof(t->numbers[0]));
		*to = number;
		memcpy(value, &to, sizeof(to));
	}
	CHECK_EQ(hmap_classic_put(t->c, key, value), HMAP_OK);
}

static void operate(struct trace *t, uint64_t operation)
{
	uint32_t seed = t->c->h.hash0;
	struct hmap_iterator it;
	const void *key;
	bool there;

	switch (operation) {
	case 'A':
		assign(t);
		break;
	case 'D':
		key = key_number(t, (unsigned)take_number(t, 2));
		there = hmap_classic_get(t->c, key);
		CHECK_EQ(hmap_classic_erase(t->c, key), there ? HMAP_OK : HMAP_NOT_FOUND);
		break;
	case 'C':
		CHECK_EQ(hmap_classic_clear(t->c), HMAP_OK);
		break;
	case 'I':
		hmap_classic_iterate(t->c, &it);
		CHECK(hmap_classic_next(&it));
		hmap_classic_iterate_end(&it);
		break;
	default:
		ms_test_fail(__FILE__, __LINE__, "no record begins with %d", (int)operation);
	}
	t->operation++;
	if (*t->at == 'H') { // Ours has chosen another one, too; the recorded one stands for it.
		take(t, 1);
		take_hashes(t);
		CHECK(t->c->h.hash0 != seed);
		CHECK_EQ(t->c->h.count, 0);
		t->c->h.hash0 = (uint32_t)t->seed;
	}
}

static void compare(struct trace *t)
{
	uint32_t recorded, ours;

	CHECK_EQ(take_number(t, 1), 'S');
	recorded = (uint32_t)take_number(t, 4);
	dump_memory(t);
	ours = checksum(t->dump, t->dumped);
	if (*t->at == 'F') { // Says more than that checksums differ.
		const unsigned char *dump;
		size_t size;

		take(t, 1);
		size = take_number(t, 4);
		dump = take(t, size);
		CHECK_EQ(t->dumped, size);
		for (size_t i = 0; i < size; i++) {
			if (dump[i] != t->dump[i])
				ms_test_fail(__FILE__, __LINE__,
					     "operation %u, byte %zu: %u, not %u", t->operation, i,
					     t->dump[i], dump[i]);
		}
	}
	if (ours != recorded)
		ms_test_fail(__FILE__, __LINE__, "memory differs after operation %u", t->operation);
	classic_must_hold(t->c);
	if (t->c->h.oldbuckets && !t->grows) {
		t->growths++;
		t->same_size += (t->c->h.flags & HMAP_GO_SAME_SIZE_GROW) != 0;
	}
	t->grows = t->c->h.oldbuckets;
}

static void replay(struct trace *t, const char *base, unsigned growths, unsigned same_size)
{
	if (sizeof(void *) != 8 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		SKIP("the traces are of a 64-bit little-endian machine");
	read_file(t, base);
	t->dump = malloc(DUMP_MOST);
	CHECK(t->dump);
	begin(t, base);
	compare(t);
	for (uint64_t operation; (operation = take_number(t, 1)) != 'E';) {
		operate(t, operation);
		compare(t);
	}
	CHECK(t->at == t->end);
	CHECK(t->operation > 1000);
	if (!getenv("CLASSIC_TRACES")) { // How many there are is up to the hashes of a recording.
		CHECK(t->growths >= growths);
		CHECK(t->same_size >= same_size);
	}
	hmap_classic_destroy(t->c);
	free(t->dump);
	free(t->file);
}

MS_TEST(classic_leaves_the_bytes_of_go_u64)
{
	static struct trace t;

	replay(&t, "classic-u64.bin", 4, 1);
}

MS_TEST(classic_leaves_the_bytes_of_go_with_a_hint)
{
	static struct trace t;

	replay(&t, "classic-hint.bin", 1, 0);
}

MS_TEST(classic_leaves_the_bytes_of_go_set)
{
	static struct trace t;

	replay(&t, "classic-set.bin", 4, 1);
}

MS_TEST(classic_leaves_the_bytes_of_go_odd_sizes)
{
	static struct trace t;

	replay(&t, "classic-odd.bin", 4, 1);
}

MS_TEST(classic_leaves_the_bytes_of_go_pointers)
{
	static struct trace t;

	t.type.value_copy = copy_8;
	t.value_form = POINTER;
	replay(&t, "classic-pointer.bin", 4, 1);
}

MS_TEST(classic_leaves_the_bytes_of_go_large)
{
	static struct trace t;

	t.key_form = t.value_form = INDIRECT;
	replay(&t, "classic-large.bin", 3, 0);
}

MS_TEST(classic_leaves_the_bytes_of_go_floats)
{
	static struct trace t;

	t.type.equal = equal_doubles;
	t.type.flags = HMAP_IRREFLEXIVE;
	replay(&t, "classic-float.bin", 4, 1);
}

MS_TEST(classic_leaves_the_bytes_of_go_strings)
{
	static struct trace t;

	t.type.equal = equal_strings;
	t.type.key_copy = copy_16;
	t.key_form = TEXT;
	replay(&t, "classic-string.bin", 4, 1);
}
