// Who is in a safe map, and who waits: safe.c says why there are two locks.
#include "hmap/safe.h"

#include <sched.h>

// The thread's own memory is at a fixed distance, so that nothing but libc is linked for it.
static __thread struct hmapi_stay *stays __attribute__((tls_model("initial-exec")));

/** Where this thread is in a map, the innermost; NULL: nowhere. */
const struct hmapi_stay *hmapi_safe_stay(const struct hmap_safe *s)
{
	const struct hmapi_stay *stay = stays;

	while (stay && stay->map != s)
		stay = stay->outer;
	return stay;
}

void hmapi_safe_enter(struct hmapi_stay *stay, const struct hmap_safe *s, enum hmapi_doing doing)
{
	*stay = (struct hmapi_stay){ s, doing, stays };
	stays = stay;
}

void hmapi_safe_leave(const struct hmapi_stay *stay)
{
	stays = stay->outer;
}

bool hmapi_safe_frozen(const struct hmap_safe *s)
{
	return __atomic_load_n(&s->frozen, __ATOMIC_ACQUIRE);
}

/** The lock of a map that is const to its readers. */
static pthread_rwlock_t *table_of(const struct hmap_safe *s)
{
	return (pthread_rwlock_t *)(uintptr_t)&s->table;
}

enum hmap_status hmapi_begin_safe_read(const struct hmap_safe *s, struct hmapi_stay *stay)
{
	const struct hmapi_stay *outer;

	stay->map = NULL;
	if (hmapi_safe_frozen(s))
		return HMAP_OK;
	outer = hmapi_safe_stay(s);
	if (outer && outer->doing == HMAPI_CHANGES)
		return HMAP_BUSY;
	if (outer && outer->doing == HMAPI_READS)
		return HMAP_OK;
	while (pthread_rwlock_rdlock(table_of(s)) != 0)
		sched_yield(); // More readers than it can count: one of them will leave.
	hmapi_safe_enter(stay, s, HMAPI_READS);
	return HMAP_OK;
}

void hmapi_end_safe_read(struct hmapi_stay *stay)
{
	if (!stay->map)
		return;
	hmapi_safe_leave(stay);
	pthread_rwlock_unlock(table_of(stay->map));
}

enum hmap_status hmapi_begin_safe_write(struct hmap_safe *s, struct hmapi_stay *stay)
{
	if (!s)
		return HMAP_NULL_MAP;
	if (hmapi_safe_frozen(s))
		return HMAP_FROZEN;
	if (hmapi_safe_stay(s))
		return HMAP_BUSY;
	pthread_mutex_lock(&s->writers);
	if (s->frozen) {
		pthread_mutex_unlock(&s->writers);
		return HMAP_FROZEN;
	}
	hmapi_safe_enter(stay, s, HMAPI_QUEUES);
	return HMAP_OK;
}

void hmapi_end_safe_write(struct hmap_safe *s, const struct hmapi_stay *stay)
{
	hmapi_safe_leave(stay);
	pthread_mutex_unlock(&s->writers);
}

/** Holds off the readers: the table is about to change.  The stay is the thread's innermost. */
void hmapi_begin_change(struct hmap_safe *s)
{
	pthread_rwlock_wrlock(&s->table);
	stays->doing = HMAPI_CHANGES;
}

/** Lets them in again, to what @p writes more writes have made of it. */
void hmapi_end_change(struct hmap_safe *s, unsigned writes)
{
	stays->doing = HMAPI_QUEUES;
	__atomic_store_n(&s->entries, hmap_count(s->map), __ATOMIC_RELAXED);
	__atomic_store_n(&s->version, s->version + writes, __ATOMIC_RELEASE);
	pthread_rwlock_unlock(&s->table);
}
