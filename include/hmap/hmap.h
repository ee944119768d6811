/*
 * hmap.h - libhmap: Go's map in C, with no pause and no doubling.
 *
 * A hash map that grows by itself without ever stopping the program: each write moves a bounded
 * number of entries, memory appears in small pieces just ahead of them, and there is no old table
 * beside the new one.  It keeps what Go's map promises: iteration in random order that survives
 * growth, erasing while iterating, a map that is not there reads as empty, and two threads that
 * use one map without a lock are told so instead of corrupting it.
 *
 *	struct hmap *orders = NULL;
 *	enum hmap_status status = hmap_create(&order_type, NULL, &orders);
 *	...
 *	status = hmap_put(orders, &id, &order);
 *	struct order *found = hmap_get(orders, &id);
 *	...
 *	hmap_destroy(orders);
 *
 * C users who know key and value when they compile take hmap_typed.h: the same map, inlined, at
 * several times the speed.  This header is the manual of both.
 *
 * Threads: a map is used by one thread at a time, or by any number that only read it.  Whoever
 * breaks this is told (see "concurrent misuse").  Different maps have nothing in common.  A map
 * with a lock of its own, for many threads that write, is in hmap_safe.h.
 *
 * Pointers to keys and values hold until the next write to the map: a write may move entries.  The
 * write itself may be given them: hmap_erase(map, it.key) is fine.
 *
 * Worst case of one call, whatever the number of entries: `get` looks at one block (56 slots) and
 * its chain of overflow nodes; `put` and `erase` move at most one block beside that, and ask the
 * system for at most one piece of memory (32 KiB).  What is O(n) says so.
 *
 * Nothing here prints, but for the report of a misuse that nobody handles, before it aborts.
 */
#ifndef HMAP_HMAP_H
#define HMAP_HMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HMAP_VERSION_MAJOR 0
#define HMAP_VERSION_MINOR 1
#define HMAP_VERSION_PATCH 0

#if defined(__GNUC__)
#define HMAP_API __attribute__((visibility("default")))
#else
#define HMAP_API
#endif

/** What became of a call.  The numbers are pinned: they never change their meaning. */
enum hmap_status {
	HMAP_OK = 0,
	HMAP_NOT_FOUND = 1,     /**< the key is not in the map; nothing was changed */
	HMAP_NO_MEMORY = 2,     /**< an allocation was refused; the map is as it was, and usable */
	HMAP_NULL_MAP = 3,      /**< a write to a map that is not there */
	HMAP_BAD_ARGUMENT = 4,  /**< a type, option or number that cannot be meant */
	HMAP_TOO_LARGE = 5,     /**< more than an address space holds */
	HMAP_MISUSE = 6,        /**< another thread was using the map, and a hook chose to go on */
	HMAP_FROZEN = 7,        /**< a write to a map that was frozen */
	HMAP_NOT_SUPPORTED = 8, /**< this engine or this system does not have it */
	HMAP_BROKEN = 9,        /**< hmap_check found something that must not be */
	HMAP_BUSY = 10,         /**< a call from within a call of the same thread: hmap_safe.h */
};

/** One sentence without a full stop, for a message; never NULL. */
HMAP_API const char *hmap_status_text(enum hmap_status status);

/** Version of the library that is loaded, as "0.1.0". */
HMAP_API const char *hmap_version(void);

/* ------------------------------------------------------------------------------------------- */
/* What a map holds                                                                            */

/**
 * Hash of a key.  `seed` is the map's own random number: a hash that ignores it invites whoever
 * chooses the keys to choose collisions.  All 64 bits should depend on all of the key: the lowest
 * choose a group, the highest eight are the tag.  See hmap_hash.h for those that come with it.
 */
typedef uint64_t (*hmap_hash_fn)(const void *key, uint64_t seed, void *state);

/** Whether two keys are the same.  A key that is not equal to itself (a NaN) is legal, see below.
 */
typedef bool (*hmap_equal_fn)(const void *a, const void *b, void *state);

/** Makes `to` (uninitialised memory of the object's size) a copy of `from`; false: no memory. */
typedef bool (*hmap_copy_fn)(void *to, const void *from, void *state);

/** Gives back what a copy took, not the object's own bytes. */
typedef void (*hmap_destroy_fn)(void *object, void *state);

enum hmap_type_flags {
	/** Keep 32 bits of each hash beside its entry, so that growth does not hash again: for keys
	 *  that are dear to hash or live behind a pointer. */
	HMAP_STORE_HASH = 1,
	/** A key may be unequal to itself, as a NaN is.  Such a key is found by iteration only, and
	 *  every put of it is a new entry, as in Go.  Implies HMAP_STORE_HASH. */
	HMAP_IRREFLEXIVE = 2,
	/** The last four bytes of the key are padding that the map may keep hash bits in (as those
	 * of struct hmap_string are); with HMAP_STORE_HASH, an entry then needs no bytes for them.
	 */
	HMAP_HASH_IN_KEY = 4,
	/** Keep large values in the slot too, however large (default: over 128 bytes an allocation
	 *  for each, and a pointer in the slot, as Go does). */
	HMAP_KEEP_IN_PLACE = 8,
};

/** Sizes over this are stored by reference (Go: maxKeySize, maxElemSize in runtime/map.go). */
#define HMAP_MAX_IN_PLACE 128

/**
 * What a map holds: like Go's map type descriptor.  It must outlive its maps, and not change.
 * Members that are 0 have a default; `key_size` and `hash` have none.
 */
struct hmap_type {
	const char *name;       /**< of the map's type, for tools: "orders" */
	const char *key_name;   /**< "uint64_t"; may be NULL */
	const char *value_name; /**< "struct order"; may be NULL */
	uint32_t key_size;      /**< bytes, at least 1 */
	uint32_t value_size;    /**< bytes; 0 for a set: values then cost nothing */
	uint32_t key_align;   /**< a power of two; 0: the largest that divides the size, up to 8 */
	uint32_t value_align; /**< likewise */
	uint32_t flags;       /**< enum hmap_type_flags */
	hmap_hash_fn hash;
	hmap_equal_fn equal;                        /**< NULL: equal bytes */
	hmap_copy_fn key_copy, value_copy;          /**< NULL: the bytes are copied */
	hmap_destroy_fn key_destroy, value_destroy; /**< NULL: nothing to give back */
	void *state;                                /**< handed to each of the above */
};

/* ------------------------------------------------------------------------------------------- */
/* Where memory comes from                                                                     */

/**
 * Where a map's memory comes from.  `reserve`, `commit`, `decommit` and `unreserve` come together
 * or not at all: with them a table grows in place in one range of addresses; without them it is
 * made of segments of at most 64 KiB, each from `allocate`: a lookup then costs a load more.  The
 * semantics are the same.  Sizes and addresses of ranges are multiples of 64 KiB, those given to
 * commit and decommit of 4 KiB.
 */
struct hmap_allocator {
	void *(*allocate)(void *state, size_t size, size_t align); /**< NULL: refused */
	void (*release)(void *state, void *memory, size_t size, size_t align);
	/** A range of addresses without memory behind it, aligned to 2 MiB; NULL: refused. */
	void *(*reserve)(void *state, size_t size);
	/** Memory, zeroed, for a part of a range; false: refused. */
	bool (*commit)(void *state, void *part, size_t size);
	/** Optional: bring the memory of a committed part now, so that no write to it waits for a
	 * page; false: refused. */
	bool (*populate)(void *state, void *part, size_t size);
	/** Memory back to the system; a later populate or write finds it zeroed. */
	void (*decommit)(void *state, void *part, size_t size);
	/** The addresses back; what was committed in them too. */
	void (*unreserve)(void *state, void *range, size_t size);
	/** Optional: move what is committed at the start of `part` to `to`, in another range,
	 * without copying; false: it could not, and nothing was moved.  The addresses that it
	 * leaves stay reserved, until unreserve. */
	bool (*move)(void *state, void *to, void *part, size_t size);
	/** Optional: ask for huge pages in a committed part; may do nothing. */
	void (*huge)(void *state, void *part, size_t size);
	void *state;
};

/** malloc, and ranges from mmap where the system has it.  The default. */
HMAP_API const struct hmap_allocator *hmap_default_allocator(void);

/** malloc alone: tables in segments. */
HMAP_API const struct hmap_allocator *hmap_malloc_allocator(void);

/* ------------------------------------------------------------------------------------------- */
/* What happens to a map                                                                       */

struct hmap;

enum hmap_event_kind {
	HMAP_EVENT_CREATED = 1,   /**< `to` slots, `entries` the hint */
	HMAP_EVENT_GROWS = 2,     /**< a growth begins: `from` slots to `to` */
	HMAP_EVENT_COMPACTS = 3,  /**< a pass of the same size begins, because overflow piled up */
	HMAP_EVENT_MIGRATES = 4,  /**< one bucket or block: number `from`; entries that went to
				     number  `to` in `entries` */
	HMAP_EVENT_GROWN = 5,     /**< the pass has ended */
	HMAP_EVENT_SHRINKS = 6,   /**< a halving begins */
	HMAP_EVENT_SHRUNK = 7,    /**< it has ended */
	HMAP_EVENT_HIGH_LOAD = 8, /**< `entries` crossed the watermark of the options */
	HMAP_EVENT_FREED = 9,     /**< the map is about to be freed */
};

/** One event.  Sizes are in slots, as hmap_stats counts them; of a migration, bucket numbers. */
struct hmap_event {
	enum hmap_event_kind kind;
	size_t from, to;
	size_t entries; /**< GROWS: that were there before the write that made it grow */
	/** GROWS: 1 where that write adds an entry; 0 where a call asked for the growth, or
	 *  hmap_get_or_put, which grows before it knows.  0 of all other kinds. */
	size_t adding;
};

/**
 * Who wants to know.  Called on the thread that writes, in the middle of its call: a hook may read
 * the map's statistics, and must not use the map otherwise.  Kinds whose bit is not in `kinds`
 * cost nothing.
 */
struct hmap_hooks {
	void (*event)(const struct hmap *map, const struct hmap_event *event, void *state);
	uint32_t kinds; /**< 1 << HMAP_EVENT_GROWS | ... */
	void *state;
};

/** What an access that is looked at was (hmap_registry.h). */
enum hmap_access_kind { HMAP_ACCESS_GET = 1, HMAP_ACCESS_PUT = 2, HMAP_ACCESS_ERASE = 3 };

/** Concurrent misuse, as a hook is told of it. */
struct hmap_misuse {
	const struct hmap *map;
	const char *text;   /**< "concurrent map writes" and its siblings, in Go's words */
	uint64_t thread;    /**< the system's number of this thread */
	uint64_t other;     /**< of the other one; 0: not known */
	void *const *stack; /**< return addresses of this thread, `depth` of them */
	int depth;
	void *const *other_stack; /**< of the other one, where it could be had */
	int other_depth;
};

/** Called instead of the report and abort().  When it returns, the call goes on and says
 *  HMAP_MISUSE: the map may be damaged. */
typedef void (*hmap_misuse_fn)(const struct hmap_misuse *misuse, void *state);

/* ------------------------------------------------------------------------------------------- */
/* Making and ending a map                                                                     */

enum hmap_engine {
	HMAP_STEADY = 0,  /**< grows in place, one block a write: the default */
	HMAP_CLASSIC = 1, /**< Go's map of 1.19 to 1.23, byte for byte: see hmap_classic.h */
};

/** How a map behaves.  All zero is the default; NULL means that. */
struct hmap_options {
	enum hmap_engine engine;
	size_t hint;   /**< entries that will come: room for them at once, O(hint) */
	uint64_t seed; /**< 0: a random one.  A fixed seed makes hashes, not iteration, repeat */
	double load;   /**< entries per slot at which it grows; 0: 6.5/8; 0.25 to 0.95 */
	double shrink; /**< entries per slot under which it halves by itself; 0: never; 0.25 is
			    the classic choice.  At most `load` / 3 */
	double shrink_idle; /**< hysteresis: it halves only where at least this share of the slots
			       is idle afterwards; 0: 0.30 */
	double high_load;   /**< watermark of HMAP_EVENT_HIGH_LOAD, a share of the slots; 0: none */
	const char *name;   /**< of this map, for tools; must outlive it */
	const struct hmap_allocator *allocator; /**< must outlive the map; NULL: the default */
	const struct hmap_hooks *hooks;         /**< must outlive the map; NULL: none */
	hmap_misuse_fn misuse;                  /**< NULL: report on standard error, and abort */
	void *misuse_state;
};

/** The policy `shrinktrigger` (also: gcshrinktrigger) with its usual numbers. */
#define HMAP_SHRINKTRIGGER_LOAD 0.25
#define HMAP_SHRINKTRIGGER_IDLE 0.30

/** A new map in *ret_map, which is untouched on failure.  Small maps: two allocations. */
HMAP_API enum hmap_status hmap_create(const struct hmap_type *type,
				      const struct hmap_options *options, struct hmap **ret_map);

/** Ends a map, with its keys and values.  O(n) with destroy callbacks, else O(memory).  NULL is
 * fine. */
HMAP_API void hmap_destroy(struct hmap *map);

/* ------------------------------------------------------------------------------------------- */
/* One entry                                                                                   */

/** How many entries.  NULL: 0. */
HMAP_API size_t hmap_count(const struct hmap *map);

/** The value of `key`, to read or to change in place; NULL: not there.  Of a set, some address. */
HMAP_API void *hmap_get(const struct hmap *map, const void *key);

/**
 * The values of `count` keys, which lie one after the other: values[i] as hmap_get gives it.  One
 * call for 16 or more keys hides most of the latency of memory.  Returns how many were found.
 */
HMAP_API size_t hmap_get_many(const struct hmap *map, const void *keys, size_t count,
			      void **ret_values);

/** Gives `key` this value, whether it was there or not.  `value` NULL: zero bytes. */
HMAP_API enum hmap_status hmap_put(struct hmap *map, const void *key, const void *value);

/**
 * The value of `key` in *ret_value; where it was not there, it is put with a copy of `value` (NULL:
 * zero bytes), and *ret_added is true.  `ret_added` may be NULL.  One search for both.
 */
HMAP_API enum hmap_status hmap_get_or_put(struct hmap *map, const void *key, const void *value,
					  void **ret_value, bool *ret_added);

/** Takes `key` out.  HMAP_NOT_FOUND: it was not there. */
HMAP_API enum hmap_status hmap_erase(struct hmap *map, const void *key);

/* ------------------------------------------------------------------------------------------- */
/* All entries                                                                                 */

/**
 * An iteration over a map, in random order.  Entries may be put, changed and erased meanwhile, and
 * the map may grow and shrink: each entry is seen at most once, none that stays is missed, those
 * that come may or may not be seen.
 *
 *	struct hmap_iterator it;
 *	for (hmap_iterate(map, &it); hmap_next(&it);)
 *		use(it.key, it.value);
 *
 * An iteration that is left early is ended by hmap_iterate_end, which gives back its memory; a
 * forgotten one costs a few hundred bytes until its map is freed, and slows growth a little.
 * key and value hold until the next write.
 */
struct hmap_iterator {
	const void *key;
	void *value;
	/* The rest is the map's own. */
	struct hmap *map;
	struct hmap_iteration *state;
	uint64_t mask;
	const uint8_t *tags;
	unsigned char *slots;
	uint64_t reserved;
	enum hmap_status status; /**< after hmap_next said false: HMAP_OK, or why it stopped */
};

/** Begins.  NULL map: nothing to see.  The first allocation may fail: see `status`. */
HMAP_API void hmap_iterate(struct hmap *map, struct hmap_iterator *ret_iterator);

/** The next entry in key and value; false: that was all, or it had to stop (`status`). */
HMAP_API bool hmap_next(struct hmap_iterator *iterator);

/** Ends an iteration early.  One that came to its end needs it not, and does not mind. */
HMAP_API void hmap_iterate_end(struct hmap_iterator *iterator);

/** Takes all entries out and keeps the table.  O(table). */
HMAP_API enum hmap_status hmap_clear(struct hmap *map);

/** A copy with the same type, options and seed, in *ret_map.  O(table), O(n) with copy callbacks.
 */
HMAP_API enum hmap_status hmap_clone(const struct hmap *map, struct hmap **ret_map);

/* ------------------------------------------------------------------------------------------- */
/* The table                                                                                   */

enum hmap_reserve_how {
	HMAP_RESERVE_PLAIN = 0,
	HMAP_RESERVE_HUGE = 1, /**< huge pages where the system has them */
};

/** Room for `entries` in all, at once: no growth up to there.  O(entries). */
HMAP_API enum hmap_status hmap_reserve(struct hmap *map, size_t entries, enum hmap_reserve_how how);

/** Begins to halve the table as far as its load allows, step by step with the writes that follow
 *  and with hmap_step.  Memory goes back to the system as it goes. */
HMAP_API enum hmap_status hmap_shrink(struct hmap *map);

/** Begins a growth (or a pass of the same size) now, as if it were due: to build scenarios. */
enum hmap_pass { HMAP_PASS_GROW = 1, HMAP_PASS_COMPACT = 2, HMAP_PASS_SHRINK = 3 };
HMAP_API enum hmap_status hmap_begin_pass(struct hmap *map, enum hmap_pass pass);

/** Up to `blocks` moves of a pass under way, for an idle loop; how many are left to do. */
HMAP_API size_t hmap_step(struct hmap *map, size_t blocks);

/** Finishes a pass under way, and asks for huge pages under the table (Linux >= 6.1).  O(table). */
HMAP_API enum hmap_status hmap_settle(struct hmap *map);

/** A picture of a map's state.  Bytes are those of its own memory, not of what keys point to. */
struct hmap_stats {
	enum hmap_engine engine;
	size_t entries;
	size_t slots;     /**< of the table in use now, overflow not counted */
	size_t grow_at;   /**< entries at which the next growth begins */
	double load;      /**< entries / slots */
	size_t buckets;   /**< blocks of 56 slots (steady), buckets of 8 (classic) */
	size_t overflow;  /**< overflow nodes or buckets in use; classic: Go's approximate count */
	size_t displaced; /**< entries outside their group, in their block or its chain (steady);
			      255 of a group may be more, or less since */
	size_t total_bytes;        /**< all memory of the map */
	size_t live_bytes;         /**< entries x (key + value + tag) */
	size_t slack_bytes;        /**< total - live */
	size_t reserved_bytes;     /**< addresses held, whether or not memory is behind them */
	enum hmap_pass pass;       /**< 0: none under way */
	size_t pass_from, pass_to; /**< slots */
	size_t pass_done, pass_of; /**< buckets or blocks: nevacuate, of how many */
	uint64_t growths, compactions, shrinks; /**< begun since the map was made */
	size_t longest_chain; /**< overflow nodes of the longest chain; only with HMAP_STATS_WALK */
};

enum hmap_stats_how {
	HMAP_STATS_QUICK = 0, /**< O(1); displaced and longest_chain stay 0 */
	HMAP_STATS_WALK = 1,  /**< O(table) */
};

HMAP_API enum hmap_status hmap_stats(const struct hmap *map, enum hmap_stats_how how,
				     struct hmap_stats *ret_stats);

/** What is in a map's buckets, for pictures and tests: one call for each bucket or block. */
struct hmap_bucket_view {
	size_t number;         /**< in its array */
	bool old;              /**< of the old array (classic, while it grows) */
	bool moved;            /**< the pass under way has been here */
	size_t entries, slots; /**< in the bucket itself */
	size_t overflow_nodes, overflow_entries;
	const uint8_t *tags; /**< `slots` of them: 0 empty; see the engine's own header */
};
typedef bool (*hmap_bucket_fn)(const struct hmap_bucket_view *view, void *state);

/** Calls `visit` for each bucket until it says false.  O(table). */
HMAP_API void hmap_each_bucket(const struct hmap *map, hmap_bucket_fn visit, void *state);

/** HMAP_OK when everything that must hold in a table holds; else one sentence in `*ret_text`
 * (static or in the map's own storage) about the first thing that does not.  O(table). */
HMAP_API enum hmap_status hmap_check(const struct hmap *map, const char **ret_text);

/** The options a map was made with, its type, and its seed. */
HMAP_API const struct hmap_type *hmap_type_of(const struct hmap *map);
HMAP_API const char *hmap_name_of(const struct hmap *map);
HMAP_API uint64_t hmap_seed_of(const struct hmap *map);

#ifdef __cplusplus
}
#endif

#endif
