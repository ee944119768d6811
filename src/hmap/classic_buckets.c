// classic_buckets.c - the memory of a classic map: arrays of buckets, and overflow buckets.
//
// Go asks its allocator for 2^B buckets and, from B = 4 on, for 2^(B-4) more to use as overflow
// buckets; it takes as many as fit into what the allocator's size class rounds up to.  To leave the
// same bytes we make the same number: the size classes of Go 1.19 are below.  The last spare bucket
// is marked by an overflow pointer back to the array.
//
// When the spare ones are used up Go allocates overflow buckets one by one and leaves their end to
// the collector.  Here they come in pieces that belong to their array and go with it.  What is
// allocated but not handed out is linked in a list, so that a call that needs some can first see to
// it that they are there, and cannot fail in its middle.
//
// An array goes when the map and all iterations have let go of it.
#include "hmap/classic_internal.h"

enum {
	PIECE_MOST = 32, // Overflow buckets of one piece; it begins with one and doubles.
	LINE_BYTES = 64,
	LARGE_BYTES = 4096, // From here on arrays begin with a line of the cache.
	GO_SMALL_SIZE = 32768,
	GO_PAGE_SIZE = 8192,
};

void *hmap_classic_allocate(struct hmap_classic *c, size_t size, size_t align)
{
	void *memory = c->allocator->allocate(c->allocator->state, size, align);

	if (memory)
		c->bytes += size;
	return memory;
}

void hmap_classic_release(struct hmap_classic *c, void *memory, size_t size, size_t align)
{
	c->bytes -= size;
	c->allocator->release(c->allocator->state, memory, size, align);
}

uint64_t hmap_classic_fastrand(struct hmap_classic *c)
{
	uint64_t x = c->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static size_t align_of(size_t bytes)
{
	return bytes >= LARGE_BYTES ? LINE_BYTES : 16;
}

/** Bytes that Go's allocator makes of @p size: the next of its classes, or whole pages. */
static size_t roundupsize(size_t size)
{
	// class_to_size of Go 1.19, divided by 8.
	static const uint16_t classes[] = {
		1,    2,    3,    4,    6,    8,    10,   12,   14,   16,   18,   20,   22,   24,
		26,   28,   30,   32,   36,   40,   44,   48,   52,   56,   60,   64,   72,   80,
		88,   96,   112,  128,  144,  160,  176,  192,  224,  256,  288,  336,  384,  400,
		432,  512,  608,  672,  768,  816,  848,  864,  1024, 1184, 1216, 1280, 1360, 1536,
		1696, 1792, 2048, 2304, 2384, 2560, 2720, 3072, 3408, 3584, 4096,
	};
	size_t i = 0;

	if (size >= GO_SMALL_SIZE)
		return (size + GO_PAGE_SIZE - 1) & ~(size_t)(GO_PAGE_SIZE - 1);
	while (classes[i] * 8u < size)
		i++;
	return classes[i] * 8u;
}

static size_t buckets_and_spare(const struct hmap_classic *c, uint8_t B)
{
	size_t buckets = bucketShift(B), size;

	if (B < 4)
		return buckets;
	buckets += bucketShift((uint8_t)(B - 4));
	size = roundupsize(buckets * c->bucketsize);
	return size / c->bucketsize;
}

/** Where the array of a table ends the spare buckets do; nothing to spare: nothing is written. */
static void mark_last_spare(const struct hmap_classic *c, struct hmap_classic_table *table)
{
	if (table->spare)
		setoverflow(c,
			    bucket_at(c, table->buckets, bucketShift(table->B) + table->spare - 1),
			    (bmap *)(void *)table->buckets);
}

struct hmap_classic_table *hmap_classic_makeBucketArray(struct hmap_classic *c, uint8_t B)
{
	struct hmap_classic_table *table;
	unsigned char *buckets;
	size_t count, bytes;

	if (B >= sizeof(size_t) * 8 - 2 || bucketShift(B) > SIZE_MAX / 4 / c->bucketsize)
		return NULL;
	count = buckets_and_spare(c, B);
	bytes = (count * c->bucketsize + 15) & ~(size_t)15;
	buckets = hmap_classic_allocate(c, bytes + sizeof(*table), align_of(bytes));
	if (!buckets)
		return NULL;
	memset(buckets, 0, bytes + sizeof(*table));
	table = (void *)(buckets + bytes);
	table->buckets = buckets;
	table->bytes = bytes + sizeof(*table);
	table->B = B;
	table->spare = count - bucketShift(B);
	mark_last_spare(c, table);
	return table;
}

void hmap_classic_use_table(struct hmap_classic *c, struct hmap_classic_table *table)
{
	c->now = table;
	c->h.buckets = table->buckets;
	c->h.B = table->B;
	if (!table->spare)
		return;
	c->h.extra = &c->extra;
	c->extra.nextOverflow = bucket_at(c, table->buckets, bucketShift(table->B));
}

static void free_pieces(struct hmap_classic *c, struct hmap_classic_table *table)
{
	struct hmap_classic_piece *piece = table->overflow.pieces;

	while (piece) {
		struct hmap_classic_piece *next = piece->next;

		hmap_classic_release(c, piece, piece->bytes, 16);
		piece = next;
	}
	table->overflow = (struct go_overflow){ 0 };
	table->free = NULL;
	table->frees = table->pieced = 0;
}

void hmap_classic_wipe_table(struct hmap_classic *c, struct hmap_classic_table *table)
{
	free_pieces(c, table);
	table->spare = buckets_and_spare(c, table->B) - bucketShift(table->B);
	memset(table->buckets, 0, (bucketShift(table->B) + table->spare) * c->bucketsize);
	mark_last_spare(c, table);
}

static void free_table(struct hmap_classic *c, struct hmap_classic_table *table)
{
	size_t bytes = table->bytes;

	free_pieces(c, table);
	hmap_classic_release(c, table->buckets, bytes, align_of(bytes - sizeof(*table)));
}

void hmap_classic_drop_table(struct hmap_classic *c, struct hmap_classic_table *table)
{
	if (!table->refs) {
		free_table(c, table);
		return;
	}
	table->retired = true;
	table->next = c->retired;
	c->retired = table;
}

void hmap_classic_free_dropped(struct hmap_classic *c)
{
	while (c->dropped) {
		struct hmap_classic_table *table = c->dropped;

		c->dropped = table->next;
		free_table(c, table);
	}
}

void hmap_classic_unref_table(struct hmap_classic *c, struct hmap_classic_table *table)
{
	struct hmap_classic_table **link = &c->retired;

	if (--table->refs || !table->retired)
		return;
	while (*link != table)
		link = &(*link)->next;
	*link = table->next;
	free_table(c, table);
}

/** A piece with room for @p least overflow buckets or more. */
static bool add_piece(struct hmap_classic *c, size_t least)
{
	struct hmap_classic_table *table = c->now;
	size_t count = table->pieced < PIECE_MOST ? table->pieced : PIECE_MOST, bytes;
	struct hmap_classic_piece *piece;

	count = count > least ? count : least;
	bytes = sizeof(*piece) + count * c->bucketsize;
	piece = hmap_classic_allocate(c, bytes, 16);
	if (!piece)
		return false;
	memset(piece, 0, bytes);
	piece->next = table->overflow.pieces;
	piece->bytes = bytes;
	table->overflow.pieces = piece;
	table->pieced += count;
	table->frees += count;
	while (count--) { // From the last to the first, so that the first is taken first.
		bmap *b = bucket_at(c, piece + 1, count);

		setoverflow(c, b, table->free);
		table->free = b;
	}
	return true;
}

bool hmap_classic_reserve_overflow(struct hmap_classic *c, size_t count)
{
	bool spare = c->h.extra && c->h.extra->nextOverflow;
	size_t ready = c->now->frees + (spare ? c->now->spare : 0);

	return ready >= count || add_piece(c, count - ready);
}

void hmap_classic_createOverflow(struct hmap_classic *c)
{
	c->h.extra = &c->extra;
	c->extra.overflow = &c->now->overflow;
}

/** Above B = 15 one in 2^(B-15) is counted, or 16 bits would not do. */
static void incrnoverflow(struct hmap_classic *c)
{
	if (c->h.noverflow == UINT16_MAX)
		return;
	if (c->h.B < 16 || !(hmap_classic_fastrand(c) & ((UINT64_C(1) << (c->h.B - 15)) - 1)))
		c->h.noverflow++;
}

bmap *hmap_classic_newoverflow(struct hmap_classic *c, bmap *b)
{
	struct hmap_classic_table *table = c->now;
	bmap *ovf;

	if (c->h.extra && c->h.extra->nextOverflow) {
		ovf = c->extra.nextOverflow;
		table->spare--;
		if (overflow(c, ovf)) {
			setoverflow(c, ovf, NULL);
			c->extra.nextOverflow = NULL;
		} else {
			c->extra.nextOverflow = bucket_at(c, ovf, 1);
		}
	} else {
		ovf = table->free;
		table->free = overflow(c, ovf);
		table->frees--;
		setoverflow(c, ovf, NULL);
	}
	incrnoverflow(c);
	if (pointer_free(c))
		hmap_classic_createOverflow(c);
	table->overflow.len++;
	table->overflow.cap = table->overflow.len + table->frees;
	setoverflow(c, b, ovf);
	return ovf;
}
