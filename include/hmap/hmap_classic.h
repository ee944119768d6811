/*
 * hmap_classic.h - how Go's map of 1.19 to 1.23 lies in memory, for people and for tools.
 *
 * A map made with HMAP_CLASSIC is Go's own, byte for byte on a 64-bit machine: the header, the
 * buckets, what a growth leaves in the old array, what an erased entry leaves in its slot.  Nobody
 * needs this header to use one; it is for those who look at its memory, beside an article about
 * Go's map or the source of runtime/map.go, whose names these are.
 *
 *	struct go_hmap                        2^B buckets, and some to spare
 *	+--------------------+               +----------+----------+-----+ . . . . . . +
 *	| count, flags, B .. |   buckets --->| bucket 0 | bucket 1 | ... | spare       :
 *	| buckets            |               +----------+----------+-----+ . . . . . . +
 *	| oldbuckets         |-- while it grows: the array before, of half the size or the same
 *	| nevacuate          |-- buckets of it, counted from the first, that are all done
 *	| extra              |-> nextOverflow: the first spare bucket that nobody took
 *	+--------------------+
 *
 * A bucket (bmap) has eight slots.  The hash of a key says both where it goes and what to look for:
 * its lowest B bits choose the bucket, its highest eight become the tag (tophash), 5 to 255.
 *
 *	offset 0                8                   8 + 8 k             8 + 8 k + 8 v
 *	+-----------------------+-------------------+-------------------+----------+
 *	| 8 tags                | 8 keys of k bytes | 8 values of v     | overflow |
 *	+-----------------------+-------------------+-------------------+----------+
 *
 * `overflow` points to another bucket like this one, with the next eight entries of the same hash
 * bits.  Keys and values of more than 128 bytes lie elsewhere, and their slots hold pointers.
 */
#ifndef HMAP_HMAP_CLASSIC_H
#define HMAP_HMAP_CLASSIC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HMAP_GO_BUCKET_COUNT 8 /**< bucketCnt: slots of a bucket */
#define HMAP_GO_DATA_OFFSET 8  /**< dataOffset: of the keys in a bucket */
#define HMAP_GO_MAX_SIZE 128   /**< maxKeySize, maxElemSize: larger ones lie elsewhere */
#define HMAP_GO_LOAD_NUM 13    /**< loadFactorNum / loadFactorDen: 6.5 entries for each bucket */
#define HMAP_GO_LOAD_DEN 2

/** What a tag says.  The first five are states, in Go's own names; an entry has 5 or more. */
enum hmap_go_tag {
	HMAP_GO_EMPTY_REST = 0,      /**< emptyRest: empty, and so is all behind it in its chain */
	HMAP_GO_EMPTY_ONE = 1,       /**< emptyOne: empty, and an entry may follow */
	HMAP_GO_EVACUATED_X = 2,     /**< evacuatedX: moved to the bucket of the same number */
	HMAP_GO_EVACUATED_Y = 3,     /**< evacuatedY: moved to that number + half the new array */
	HMAP_GO_EVACUATED_EMPTY = 4, /**< evacuatedEmpty: there was nothing to move */
	HMAP_GO_MIN_TOP_HASH = 5,    /**< minTopHash: the smallest tag of an entry */
};

/** Bits of `flags`. */
enum hmap_go_flags {
	HMAP_GO_ITERATOR = 1,       /**< iterator: an iteration may be using buckets */
	HMAP_GO_OLD_ITERATOR = 2,   /**< oldIterator: an iteration may be using oldbuckets */
	HMAP_GO_HASH_WRITING = 4,   /**< hashWriting: a thread is writing to the map */
	HMAP_GO_SAME_SIZE_GROW = 8, /**< sameSizeGrow: the growth under way keeps the size */
};

/** The start of a bucket: its tags.  Keys, values and overflow follow, by the map's type. */
struct go_bmap {
	uint8_t tophash[HMAP_GO_BUCKET_COUNT];
};

/**
 * What keeps overflow buckets alive.  In Go a slice of pointers to them, so that the collector sees
 * them although buckets without pointers are not looked into; here the count is the same, and the
 * buckets belong to pieces of memory which the first word names.
 */
struct go_overflow {
	void *pieces;
	size_t len; /**< overflow buckets handed out since the array was made */
	size_t cap; /**< of them, and of those that are ready */
};

/** mapextra: there when buckets are to spare, or overflow buckets are kept alive by a list. */
struct go_mapextra {
	struct go_overflow *overflow;    /**< of `buckets`, when neither keys nor values point */
	struct go_overflow *oldoverflow; /**< of `oldbuckets`, likewise */
	struct go_bmap *nextOverflow;    /**< the next spare bucket; NULL: all are taken */
};

/** hmap: the header of a map; 48 bytes on a 64-bit machine, at Go's offsets. */
struct go_hmap {
	size_t count;        /**< entries */
	uint8_t flags;       /**< enum hmap_go_flags */
	uint8_t B;           /**< the array has 2^B buckets */
	uint16_t noverflow;  /**< overflow buckets; an estimate when B is 16 or more */
	uint32_t hash0;      /**< the seed of the map's hashes; a new one when it becomes empty */
	void *buckets;       /**< 2^B buckets; NULL before the first write to a small map */
	void *oldbuckets;    /**< the array before, while a growth is under way; else NULL */
	uintptr_t nevacuate; /**< old buckets below this one have been moved */
	struct go_mapextra *extra;
};

#ifdef __cplusplus
}
#endif

#endif
