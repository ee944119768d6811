/*
 * hmap_safe.h - a map for many threads: a lock, a watermark, a freeze, and values that stay.
 *
 *	struct hmap_safe *orders = NULL;
 *	enum hmap_status status = hmap_safe_create(&order_type, NULL, &orders);
 *	...
 *	status = hmap_safe_put(orders, &id, &order);
 *	status = hmap_safe_get(orders, &id, &order); // a copy
 *	...
 *	status = hmap_safe_freeze(orders); // from here on reads take no lock
 *
 * Any number of threads may use one map at once, with every call but hmap_safe_destroy.  Nothing
 * hands out a pointer into the table: a value is copied out, visited under the lock, or, with
 * HMAP_SAFE_COPY_ON_WRITE, borrowed.
 *
 * Locks: those who write queue up; one of them at a time looks up, copies and calls hooks while
 * reads go on, and holds the readers off only while the table itself changes.  A writer that waits
 * goes before readers that come.  Worst case of a wait: hmap_safe_reserve and hmap_safe_clear,
 * which are O(table); the rest changes as little at a time as hmap.h says.
 *
 * Calls from within a call (of a hook, a barrier, a visit, or a callback of the type) to the same
 * map never wait for themselves:
 *
 *	from                       reads              writes
 *	a hook, the barrier        yes                HMAP_BUSY
 *	a visit, a copy for a get  yes                HMAP_BUSY
 *	any other callback         yes or HMAP_BUSY   HMAP_BUSY
 *
 * They must not wait for another thread that writes to the map.  As with any lock, two threads
 * that each use a second map from within a call to a first one must do so in the same order.
 *
 * The type's callbacks run on several threads at once.  The type and the allocator must outlive the
 * map, and all that was borrowed of it: readers that release it use the allocator and value_destroy
 * on their own threads.
 */
#ifndef HMAP_HMAP_SAFE_H
#define HMAP_HMAP_SAFE_H

#include <hmap/hmap.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hmap_safe;

/* ------------------------------------------------------------------------------------------- */
/* What happens to it                                                                          */

/** What a hook is told.  Capacities are in entries: the number at which the table grows. */
struct hmap_safe_event {
	size_t entries;
	size_t old_capacity, new_capacity;
};

typedef void (*hmap_safe_event_fn)(struct hmap_safe *map, const struct hmap_safe_event *event,
				   void *state);

/**
 * Called on the thread that writes, before its call returns, while other threads read and none
 * writes.  Each may be NULL.
 */
struct hmap_safe_hooks {
	/** A growth is about to begin.  Where a refused growth has delayed it so long that the
	 *  next one was due as it ended, that one has just begun. */
	hmap_safe_event_fn before_growth;
	/** It has ended, some writes later.  Both capacities are the same: there was no memory for
	 *  it; the table goes on fuller, and it will be tried again. */
	hmap_safe_event_fn after_growth;
	/** Entries have come to exceed watermark x capacity.  Told once, and again only after they
	 *  fell below or the capacity rose.  `old_capacity` is the one that the watermark is a
	 *  share of, `new_capacity` what the table's will be after its next growth. */
	hmap_safe_event_fn high_load;
	/**
	 * With HMAP_SAFE_COPY_ON_WRITE: the value of `key` is about to become another one.  NULL as
	 * the old one: there is none yet; as the new one: the key goes.  Called for each entry of a
	 * map that is cleared, not of one that is destroyed.  A write that then fails for want of
	 * memory is told of again, the other way round, and both cancel out.
	 */
	void (*barrier)(struct hmap_safe *map, const void *key, const void *old_value,
			const void *new_value, void *state);
	void *state;
};

/* ------------------------------------------------------------------------------------------- */
/* Making and ending it                                                                        */

enum hmap_safe_values {
	HMAP_SAFE_IN_TABLE = 0, /**< as hmap.h keeps them */
	/** Each store makes an immutable version of the value, by value_copy, that lives as long
	 *  as somebody has it: see hmap_safe_borrow.  A store is an allocation. */
	HMAP_SAFE_COPY_ON_WRITE = 1,
};

#define HMAP_SAFE_WATERMARK 0.85

/** How it behaves.  All zero is the default; NULL means that. */
struct hmap_safe_options {
	struct hmap_options map; /**< of the table; HMAP_STEADY alone is supported */
	double watermark;        /**< 0: HMAP_SAFE_WATERMARK; at most 1 */
	size_t capacity;         /**< see hmap_safe_set_capacity */
	enum hmap_safe_values values;
	const struct hmap_safe_hooks *hooks; /**< must outlive the map; NULL: none */
};

/** A new map in *ret_map, which is untouched on failure. */
HMAP_API enum hmap_status hmap_safe_create(const struct hmap_type *type,
					   const struct hmap_safe_options *options,
					   struct hmap_safe **ret_map);

/** Ends a map that no other thread uses any more; what was borrowed of it stays.  NULL is fine.
 *  HMAP_BUSY, from within a call to it: nothing was done. */
HMAP_API enum hmap_status hmap_safe_destroy(struct hmap_safe *map);

/* ------------------------------------------------------------------------------------------- */
/* Entries                                                                                     */

/** How many entries, without waiting for anybody.  NULL: 0. */
HMAP_API size_t hmap_safe_count(const struct hmap_safe *map);

/**
 * A copy of the value of `key` in *ret_value, which has room for one; NULL: whether it is there.
 * With a value_copy the copy is a deep one, and the caller's to destroy; what is in *ret_value
 * after HMAP_NO_MEMORY is not one.  HMAP_NOT_FOUND: it is not there.
 */
HMAP_API enum hmap_status hmap_safe_get(const struct hmap_safe *map, const void *key,
					void *ret_value);

/** Gives `key` this value, whether it was there or not.  `value` NULL: zero bytes. */
HMAP_API enum hmap_status hmap_safe_put(struct hmap_safe *map, const void *key, const void *value);

/**
 * A copy of the value of `key` in *ret_value, as hmap_safe_get makes it; where it was not there, it
 * is put with a copy of `value` (NULL: zero bytes), and *ret_added is true.  Either result may be
 * NULL. `value` and `ret_value` may be the same place, if the value has no value_destroy.
 * HMAP_FROZEN wherever a put would say so.
 */
HMAP_API enum hmap_status hmap_safe_get_or_put(struct hmap_safe *map, const void *key,
					       const void *value, void *ret_value, bool *ret_added);

/** Takes `key` out.  HMAP_NOT_FOUND: it was not there. */
HMAP_API enum hmap_status hmap_safe_erase(struct hmap_safe *map, const void *key);

/** Takes all entries out and keeps the table.  O(table); readers wait. */
HMAP_API enum hmap_status hmap_safe_clear(struct hmap_safe *map);

/** Called for each entry until it says false.  Both hold as long as the call. */
typedef bool (*hmap_safe_visit_fn)(const void *key, const void *value, void *state);

/** Calls `visit` for all entries, in no order worth relying on.  Writers wait meanwhile: the map
 *  is that of one moment. */
HMAP_API enum hmap_status hmap_safe_each(const struct hmap_safe *map, hmap_safe_visit_fn visit,
					 void *state);

/* ------------------------------------------------------------------------------------------- */
/* Values that stay                                                                            */

/** A value that was borrowed: it never changes, whatever becomes of its key and its map. */
struct hmap_safe_ref {
	const void *value;
	uint64_t version; /**< the write that stored it, as hmap_safe_version counts them */
	void *own;        /**< the library's */
};

/** The value of `key` as it is now, without a copy, in *ret_ref, which is untouched on failure.
 *  Only with HMAP_SAFE_COPY_ON_WRITE (else HMAP_NOT_SUPPORTED).  Given back by
 *  hmap_safe_release, on any thread, even after the map's end. */
HMAP_API enum hmap_status hmap_safe_borrow(const struct hmap_safe *map, const void *key,
					   struct hmap_safe_ref *ret_ref);

/** Gives a value back, and empties *ref; the last one to do so destroys the value.  An empty one is
 *  fine. */
HMAP_API void hmap_safe_release(struct hmap_safe_ref *ref);

/** How many writes have taken effect: each put, erasure, and clearing of entries is one. */
HMAP_API uint64_t hmap_safe_version(const struct hmap_safe *map);

/* ------------------------------------------------------------------------------------------- */
/* The table                                                                                   */

/** Room for `entries` in all, at once: no growth up to there.  O(entries); readers wait. */
HMAP_API enum hmap_status hmap_safe_reserve(struct hmap_safe *map, size_t entries,
					    enum hmap_reserve_how how);

/** The capacity, in entries, that the watermark is a share of; 0: the table's own, which it has at
 *  first.  It limits nothing. */
HMAP_API enum hmap_status hmap_safe_set_capacity(struct hmap_safe *map, size_t entries);

/** The watermark, over 0 and at most 1. */
HMAP_API enum hmap_status hmap_safe_set_watermark(struct hmap_safe *map, double watermark);

/**
 * Ends all writes to a map for good: they say HMAP_FROZEN from now on, and reads take no lock.  A
 * write under way is waited for, and a growth is finished, in steps between which others read.
 * HMAP_NO_MEMORY: it could not be finished, and the map is not frozen.  HMAP_OK: it is, and may
 * have been before.
 */
HMAP_API enum hmap_status hmap_safe_freeze(struct hmap_safe *map);

HMAP_API bool hmap_safe_is_frozen(const struct hmap_safe *map);

/** A picture of its state. */
struct hmap_safe_stats {
	/** With HMAP_SAFE_COPY_ON_WRITE, a value is a pointer here. */
	struct hmap_stats table;
	size_t capacity; /**< that the watermark is a share of */
	double watermark;
	uint64_t version;
	/** With HMAP_SAFE_COPY_ON_WRITE: of the versions in the map.  Those that only readers have
	 *  are in no number. */
	size_t value_bytes;
	bool frozen;
};

HMAP_API enum hmap_status hmap_safe_stats(const struct hmap_safe *map, enum hmap_stats_how how,
					  struct hmap_safe_stats *ret_stats);

#ifdef __cplusplus
}
#endif

#endif
