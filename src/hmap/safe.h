// safe.h - a safe map from inside: its locks, its versions, its hooks.
#pragma once

#include "hmap/steady.h"

#include <hmap/hmap_safe.h>
#include <pthread.h>

/** An immutable value, of copy-on-write.  It outlives its map, and knows all it needs to go. */
struct hmapi_version {
	const struct hmap_type *type;
	const struct hmap_allocator *allocator;
	size_t references;
	uint64_t number;
};

struct hmap_safe {
	struct hmap *map;
	const struct hmap_type *type; // of the caller's values
	const struct hmap_allocator *allocator;
	const struct hmap_safe_hooks *hooks; // never NULL
	bool copies_on_write;
	bool frozen; // read without a lock, like the next two; written under `writers`
	size_t entries;
	uint64_t version;
	pthread_mutex_t writers;
	pthread_rwlock_t table;
	// Under `writers`.
	double watermark;
	size_t given_capacity; // 0: the table's own
	size_t told_capacity;  // at which high load was told of; 0: it is not high
	uint64_t growths;      // of the table that were told of
	size_t grows_from;     // capacity before the one under way
	bool grows;            // told of, and its end not yet
	struct hmap_type kept; // with copy-on-write: of the table, whose values are pointers
};

/* ------------------------------------------------------------------------------------------- */
/* Who is where: safe_locks.c                                                                  */

enum hmapi_doing { HMAPI_READS, HMAPI_QUEUES, HMAPI_CHANGES };

/** A thread is in a map: it reads its table, has its writers wait, or changes its table. */
struct hmapi_stay {
	const struct hmap_safe *map; // NULL: it needed no lock
	enum hmapi_doing doing;
	struct hmapi_stay *outer;
};

/** Where this thread is in a map, the innermost; NULL: nowhere. */
const struct hmapi_stay *hmapi_safe_stay(const struct hmap_safe *s);

/** This thread is in a map from now on, or no longer; @p stay is on its stack. */
void hmapi_safe_enter(struct hmapi_stay *stay, const struct hmap_safe *s, enum hmapi_doing doing);
void hmapi_safe_leave(const struct hmapi_stay *stay);

/** Whether a map is frozen: then all that was written before can be read without a lock. */
bool hmapi_safe_frozen(const struct hmap_safe *s);

/** From one to the other, a map can be read.  HMAP_BUSY: this thread changes it. */
enum hmap_status hmapi_begin_safe_read(const struct hmap_safe *s, struct hmapi_stay *stay);
void hmapi_end_safe_read(struct hmapi_stay *stay);

/** From one to the other, no other thread writes, and the map can be read. */
enum hmap_status hmapi_begin_safe_write(struct hmap_safe *s, struct hmapi_stay *stay);
void hmapi_end_safe_write(struct hmap_safe *s, const struct hmapi_stay *stay);

/** Within a write: holds off the readers, for the table is about to change. */
void hmapi_begin_change(struct hmap_safe *s);

/** Lets them in again, to what @p writes more writes have made of it. */
void hmapi_end_change(struct hmap_safe *s, unsigned writes);

/* ------------------------------------------------------------------------------------------- */
/* Values: safe_values.c                                                                       */

/** The type of a table whose values are versions of those of @p type. */
struct hmap_type hmapi_type_of_versions(const struct hmap_type *type);

/** A deep copy where there is a way to make one; false: no memory.  @p from NULL: zero bytes. */
bool hmapi_copy_value(const struct hmap_type *t, void *to, const void *from);

/** The next version, of a copy of @p value, held once; NULL: no memory. */
struct hmapi_version *hmapi_new_version(const struct hmap_safe *s, const void *value);

void hmapi_hold_version(struct hmapi_version *v);

/** Lets go of it; the last one to do so destroys it.  NULL is fine. */
void hmapi_drop_version(struct hmapi_version *v);

void *hmapi_value_of_version(const struct hmapi_version *v);

/** All bytes of a version. */
size_t hmapi_size_of_version(const struct hmap_type *t);

/** The version of @p key in the table; NULL: it is not there. */
struct hmapi_version *hmapi_version_of(const struct hmap_safe *s, const void *key);

/** The caller's value behind one of the table; NULL for NULL. */
const void *hmapi_value_of(const struct hmap_safe *s, const void *held);

/* ------------------------------------------------------------------------------------------- */
/* Hooks: safe_hooks.c                                                                         */

/** Entries at which a table of so many groups grows. */
size_t hmapi_capacity_of(const struct hmap *m, size_t groups);

/** Groups of the table, once a pass under way is over. */
size_t hmapi_groups_of(const struct hmap *m);

/** The capacity that the watermark is a share of. */
size_t hmapi_capacity_in_force(const struct hmap_safe *s);

/** Tells of a change of @p key's value; NULL: there is none. */
void hmapi_tell_barrier(struct hmap_safe *s, const void *key, const struct hmapi_version *from,
			const struct hmapi_version *to);

/** Tells of a growth that is about to begin. */
void hmapi_tell_growth(struct hmap_safe *s, size_t from, size_t to);

/** Tells of the end of a growth, where this is it. */
void hmapi_follow_growth(struct hmap_safe *s);

/** Begins a growth if a new entry of @p key would, and tells of it first. */
void hmapi_make_way(struct hmap_safe *s, const void *key);

/** Tells of high load, where it has just come. */
void hmapi_watch_load(struct hmap_safe *s);

/** After each write, whatever became of it: both. */
void hmapi_watch(struct hmap_safe *s);
