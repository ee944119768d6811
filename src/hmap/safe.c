// safe.c - a map for many threads: the steady map behind two locks.
//
// `writers` is held for the whole of a call that writes, `table` for writing only while the table
// itself changes, and for reading by whoever reads it.  So
//
//  1. what the table holds changes under both: with either of them it may be read;
//  2. hooks, the barrier and deep copies run under `writers` alone: readers go on, and a hook may
//     read;
//  3. at most one thread at a time waits to write the table, so that readers are held off once for
//     each write, and not by a queue.
//
// Whether a thread may wait at all is asked of the thread: it keeps a list, on its own stack, of
// the maps that it is in.  One that holds the table for reading reads on without a lock, because
// a second one would wait for a writer that waits for the first; whatever else would wait for
// itself is HMAP_BUSY.
//
// A frozen map is one whose writers find a flag behind `writers`.  It is set once, when no write
// is under way and none can begin any more; a reader that sees it (acquire) also sees all that was
// written before (release), and needs no lock.  A reader that does not see it yet takes one, which
// harms nobody.
#include "hmap/safe.h"

enum { STEPS_AT_ONCE = 64 }; // of a growth that is finished, between which others read

/* ------------------------------------------------------------------------------------------- */
/* Making and ending                                                                           */

static bool is_watermark(double watermark)
{
	return watermark > 0 && watermark <= 1;
}

static bool are_plausible(const struct hmap_type *type, const struct hmap_safe_options *o)
{
	const struct hmap_allocator *a = o->map.allocator;

	if (!hmapi_is_plausible(type) || (a && !(a->allocate && a->release)))
		return false;
	if (o->values != HMAP_SAFE_IN_TABLE && o->values != HMAP_SAFE_COPY_ON_WRITE)
		return false;
	if (o->hooks && o->hooks->barrier && o->values != HMAP_SAFE_COPY_ON_WRITE)
		return false;
	return o->watermark == 0 || is_watermark(o->watermark);
}

static bool make_locks(struct hmap_safe *s)
{
	pthread_rwlockattr_t attributes;
	bool made = false;

	if (pthread_mutex_init(&s->writers, NULL) != 0)
		return false;
	if (pthread_rwlockattr_init(&attributes) == 0) {
#if defined(__GLIBC__)
		// A writer goes first: readers that overlap would keep it waiting for ever.  This
		// asks that no thread take the lock twice, which begin_read sees to.
		pthread_rwlockattr_setkind_np(&attributes,
					      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
		made = pthread_rwlock_init(&s->table, &attributes) == 0;
		pthread_rwlockattr_destroy(&attributes);
	}
	if (!made)
		pthread_mutex_destroy(&s->writers);
	return made;
}

static void end_locks(struct hmap_safe *s)
{
	pthread_rwlock_destroy(&s->table);
	pthread_mutex_destroy(&s->writers);
}

enum hmap_status hmap_safe_create(const struct hmap_type *type,
				  const struct hmap_safe_options *options,
				  struct hmap_safe **ret_map)
{
	static const struct hmap_safe_options usual = { .watermark = 0 };
	static const struct hmap_safe_hooks none = { .state = NULL };
	const struct hmap_safe_options *o = options ? options : &usual;
	enum hmap_status status = HMAP_NO_MEMORY;
	const struct hmap_allocator *a;
	struct hmap_safe *s;

	if (!ret_map || !are_plausible(type, o))
		return HMAP_BAD_ARGUMENT;
	if (o->map.engine == HMAP_CLASSIC) // Its iterations write.
		return HMAP_NOT_SUPPORTED;
	a = o->map.allocator ? o->map.allocator : hmap_default_allocator();
	s = a->allocate(a->state, sizeof(*s), 64);
	if (!s)
		return HMAP_NO_MEMORY;
	memset(s, 0, sizeof(*s));
	s->type = type;
	s->kept = hmapi_type_of_versions(type);
	s->allocator = a;
	s->hooks = o->hooks ? o->hooks : &none;
	s->copies_on_write = o->values == HMAP_SAFE_COPY_ON_WRITE;
	s->watermark = o->watermark > 0 ? o->watermark : HMAP_SAFE_WATERMARK;
	s->given_capacity = o->capacity;
	if (make_locks(s)) {
		status = hmapi_create(s->copies_on_write ? &s->kept : type, &o->map,
				      __builtin_return_address(0), &s->map);
		if (status == HMAP_OK) {
			*ret_map = s;
			return HMAP_OK;
		}
		end_locks(s);
	}
	a->release(a->state, s, sizeof(*s), 64);
	return status;
}

enum hmap_status hmap_safe_destroy(struct hmap_safe *s)
{
	struct hmapi_stay stay;
	const struct hmap_allocator *a;

	if (!s)
		return HMAP_OK;
	if (hmapi_safe_stay(s))
		return HMAP_BUSY;
	a = s->allocator;
	hmapi_safe_enter(&stay, s, HMAPI_CHANGES);
	hmap_destroy(s->map);
	hmapi_safe_leave(&stay);
	end_locks(s);
	a->release(a->state, s, sizeof(*s), 64);
	return HMAP_OK;
}

/* ------------------------------------------------------------------------------------------- */
/* Reads                                                                                       */

size_t hmap_safe_count(const struct hmap_safe *s)
{
	return s ? __atomic_load_n(&s->entries, __ATOMIC_RELAXED) : 0;
}

uint64_t hmap_safe_version(const struct hmap_safe *s)
{
	return s ? __atomic_load_n(&s->version, __ATOMIC_ACQUIRE) : 0;
}

bool hmap_safe_is_frozen(const struct hmap_safe *s)
{
	return s && hmapi_safe_frozen(s);
}

enum hmap_status hmap_safe_get(const struct hmap_safe *s, const void *key, void *ret_value)
{
	struct hmapi_stay stay;
	enum hmap_status status = HMAP_NOT_FOUND;
	const void *value;

	if (!s)
		return HMAP_NOT_FOUND;
	status = hmapi_begin_safe_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	value = hmapi_value_of(s, hmap_get(s->map, key));
	if (!value)
		status = HMAP_NOT_FOUND;
	else if (ret_value && !hmapi_copy_value(s->type, ret_value, value))
		status = HMAP_NO_MEMORY;
	hmapi_end_safe_read(&stay);
	return status;
}

struct hmapi_visit {
	const struct hmap_safe *map;
	hmap_safe_visit_fn visit;
	void *state;
};

static bool visit_slot(const struct hmap *m, unsigned char *slot, void *state)
{
	const struct hmapi_visit *v = state;

	return v->visit(hmapi_key(&m->shape, slot),
			hmapi_value_of(v->map, hmapi_value(&m->shape, slot)), v->state);
}

enum hmap_status hmap_safe_each(const struct hmap_safe *s, hmap_safe_visit_fn visit, void *state)
{
	struct hmapi_visit v = { s, visit, state };
	struct hmapi_stay stay;
	enum hmap_status status;

	if (!s)
		return HMAP_OK;
	status = hmapi_begin_safe_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	hmapi_each_slot(s->map, visit_slot, &v);
	hmapi_end_safe_read(&stay);
	return HMAP_OK;
}

enum hmap_status hmap_safe_borrow(const struct hmap_safe *s, const void *key,
				  struct hmap_safe_ref *ret_ref)
{
	struct hmapi_stay stay;
	struct hmapi_version *v;
	enum hmap_status status;

	if (!s)
		return HMAP_NOT_FOUND;
	if (!s->copies_on_write)
		return HMAP_NOT_SUPPORTED;
	status = hmapi_begin_safe_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	v = hmapi_version_of(s, key);
	if (v)
		hmapi_hold_version(v);
	hmapi_end_safe_read(&stay);
	if (!v)
		return HMAP_NOT_FOUND;
	*ret_ref = (struct hmap_safe_ref){ hmapi_value_of_version(v), v->number, v };
	return HMAP_OK;
}

void hmap_safe_release(struct hmap_safe_ref *ref)
{
	struct hmapi_version *v = ref->own;

	*ref = (struct hmap_safe_ref){ NULL, 0, NULL };
	hmapi_drop_version(v);
}

/* ------------------------------------------------------------------------------------------- */
/* Writes                                                                                      */

/** A put.  With copy-on-write, what was there is the caller's to drop, once nothing is locked. */
static enum hmap_status store(struct hmap_safe *s, const void *key, const void *value,
			      struct hmapi_version **ret_old)
{
	struct hmapi_version *made = NULL, *old = NULL;
	enum hmap_status status;

	if (s->copies_on_write) {
		made = hmapi_new_version(s, value);
		if (!made)
			return HMAP_NO_MEMORY;
		old = hmapi_version_of(s, key);
		if (old)
			hmapi_hold_version(old);
		value = &made;
	}
	hmapi_make_way(s, key);
	if (made)
		hmapi_tell_barrier(s, key, old, made);
	hmapi_begin_change(s);
	status = hmap_put(s->map, key, value);
	hmapi_end_change(s, status == HMAP_OK);
	if (status != HMAP_OK && made) {
		hmapi_tell_barrier(s, key, made, old);
		hmapi_drop_version(made);
	}
	hmapi_watch(s);
	*ret_old = old;
	return status;
}

enum hmap_status hmap_safe_put(struct hmap_safe *s, const void *key, const void *value)
{
	struct hmapi_version *old = NULL;
	struct hmapi_stay stay;
	enum hmap_status status = hmapi_begin_safe_write(s, &stay);

	if (status != HMAP_OK)
		return status;
	status = store(s, key, value, &old);
	hmapi_end_safe_write(s, &stay);
	hmapi_drop_version(old);
	return status;
}

/** The copy that hmap_safe_get_or_put hands out is made first: it may fail, a put of it must not be
 *  undone. */
static enum hmap_status add(struct hmap_safe *s, const void *key, const void *value,
			    void *ret_value)
{
	const struct hmap_type *t = s->type;
	struct hmapi_version *old = NULL; // None: the key is new.
	enum hmap_status status;

	if (ret_value == value)
		ret_value = NULL; // It is there already, and stays the caller's.
	if (ret_value && !hmapi_copy_value(t, ret_value, value))
		return HMAP_NO_MEMORY;
	status = store(s, key, value, &old);
	if (status != HMAP_OK && ret_value && t->value_destroy && t->value_size)
		t->value_destroy(ret_value, t->state);
	return status;
}

enum hmap_status hmap_safe_get_or_put(struct hmap_safe *s, const void *key, const void *value,
				      void *ret_value, bool *ret_added)
{
	struct hmapi_stay stay;
	enum hmap_status status = hmapi_begin_safe_write(s, &stay);
	const void *there;

	if (status != HMAP_OK)
		return status;
	there = hmapi_value_of(s, hmap_get(s->map, key));
	if (!there)
		status = add(s, key, value, ret_value);
	else if (ret_value && !hmapi_copy_value(s->type, ret_value, there))
		status = HMAP_NO_MEMORY;
	hmapi_end_safe_write(s, &stay);
	if (status == HMAP_OK && ret_added)
		*ret_added = !there;
	return status;
}

enum hmap_status hmap_safe_erase(struct hmap_safe *s, const void *key)
{
	struct hmapi_version *old = NULL;
	struct hmapi_stay stay;
	enum hmap_status status = hmapi_begin_safe_write(s, &stay);

	if (status != HMAP_OK)
		return status;
	if (s->copies_on_write) {
		old = hmapi_version_of(s, key);
		if (!old) {
			hmapi_end_safe_write(s, &stay);
			return HMAP_NOT_FOUND;
		}
		hmapi_hold_version(old);
		hmapi_tell_barrier(s, key, old, NULL);
	}
	hmapi_begin_change(s);
	status = hmap_erase(s->map, key);
	hmapi_end_change(s, status == HMAP_OK);
	hmapi_watch(s);
	hmapi_end_safe_write(s, &stay);
	hmapi_drop_version(old);
	return status;
}

static bool tell_of_clearing(const struct hmap *m, unsigned char *slot, void *state)
{
	struct hmap_safe *s = state;
	struct hmapi_version *v;

	memcpy(&v, hmapi_value(&m->shape, slot), sizeof(v));
	hmapi_tell_barrier(s, hmapi_key(&m->shape, slot), v, NULL);
	return true;
}

enum hmap_status hmap_safe_clear(struct hmap_safe *s)
{
	struct hmapi_stay stay;
	enum hmap_status status = hmapi_begin_safe_write(s, &stay);
	bool any;

	if (status != HMAP_OK)
		return status;
	any = hmap_count(s->map) > 0;
	if (s->hooks->barrier)
		hmapi_each_slot(s->map, tell_of_clearing, s);
	hmapi_begin_change(s);
	status = hmap_clear(s->map);
	hmapi_end_change(s, any && status == HMAP_OK);
	hmapi_watch(s);
	hmapi_end_safe_write(s, &stay);
	return status;
}

/* ------------------------------------------------------------------------------------------- */
/* The table                                                                                   */

/** Ends a pass under way, in steps between which others read. */
static enum hmap_status finish_pass(struct hmap_safe *s)
{
	struct hmap *m = s->map;

	while (m->pass) {
		size_t left = hmapi_steps_left(m);
		enum hmap_pass pass = m->pass;

		hmapi_begin_change(s);
		m->wait = 0; // What was refused once is tried again.
		(void)hmap_step(m, STEPS_AT_ONCE);
		hmapi_end_change(s, 0);
		if (m->pass == pass && m->wait && hmapi_steps_left(m) == left)
			return HMAP_NO_MEMORY;
	}
	return HMAP_OK;
}

/** With no growth under way, so that hooks are told of one after the other. */
static enum hmap_status reserve_room(struct hmap_safe *s, size_t entries, enum hmap_reserve_how how)
{
	struct hmap *m = s->map;
	size_t now = hmapi_capacity_of(m, hmapi_groups_of(m)), wanted;
	enum hmap_status status;

	if (entries > SIZE_MAX / 8 / (m->shape.slot_size + 1))
		return HMAP_TOO_LARGE;
	wanted = hmapi_capacity_of(m, hmapi_groups_for(m, entries));
	if (wanted > now)
		hmapi_tell_growth(s, now, wanted);
	hmapi_begin_change(s);
	status = hmap_reserve(m, entries, how);
	s->growths = m->growths;
	hmapi_end_change(s, 0);
	return status;
}

enum hmap_status hmap_safe_reserve(struct hmap_safe *s, size_t entries, enum hmap_reserve_how how)
{
	struct hmapi_stay stay;
	enum hmap_status status;

	if (s && how != HMAP_RESERVE_PLAIN && how != HMAP_RESERVE_HUGE)
		return HMAP_BAD_ARGUMENT;
	status = hmapi_begin_safe_write(s, &stay);
	if (status != HMAP_OK)
		return status;
	status = finish_pass(s);
	hmapi_follow_growth(s);
	if (status == HMAP_OK)
		status = reserve_room(s, entries, how);
	hmapi_watch(s);
	hmapi_end_safe_write(s, &stay);
	return status;
}

enum hmap_status hmap_safe_set_capacity(struct hmap_safe *s, size_t entries)
{
	struct hmapi_stay stay;
	enum hmap_status status = hmapi_begin_safe_write(s, &stay);

	if (status != HMAP_OK)
		return status;
	hmapi_begin_change(s); // hmap_safe_stats reads it.
	s->given_capacity = entries;
	hmapi_end_change(s, 0);
	hmapi_watch_load(s);
	hmapi_end_safe_write(s, &stay);
	return HMAP_OK;
}

enum hmap_status hmap_safe_set_watermark(struct hmap_safe *s, double watermark)
{
	struct hmapi_stay stay;
	enum hmap_status status;

	if (s && !is_watermark(watermark))
		return HMAP_BAD_ARGUMENT;
	status = hmapi_begin_safe_write(s, &stay);
	if (status != HMAP_OK)
		return status;
	hmapi_begin_change(s);
	s->watermark = watermark;
	hmapi_end_change(s, 0);
	hmapi_watch_load(s);
	hmapi_end_safe_write(s, &stay);
	return HMAP_OK;
}

enum hmap_status hmap_safe_freeze(struct hmap_safe *s)
{
	struct hmapi_stay stay;
	enum hmap_status status = hmapi_begin_safe_write(s, &stay);

	if (status == HMAP_FROZEN)
		return HMAP_OK;
	if (status != HMAP_OK)
		return status;
	status = finish_pass(s);
	hmapi_watch(s);
	if (status == HMAP_OK)
		__atomic_store_n(&s->frozen, true, __ATOMIC_RELEASE);
	hmapi_end_safe_write(s, &stay);
	return status;
}

enum hmap_status hmap_safe_stats(const struct hmap_safe *s, enum hmap_stats_how how,
				 struct hmap_safe_stats *ret_stats)
{
	struct hmap_safe_stats stats = { .watermark = 0 };
	struct hmapi_stay stay;
	enum hmap_status status;

	if (!s || !ret_stats)
		return s ? HMAP_BAD_ARGUMENT : HMAP_NULL_MAP;
	status = hmapi_begin_safe_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	status = hmap_stats(s->map, how, &stats.table);
	stats.capacity = hmapi_capacity_in_force(s);
	stats.watermark = s->watermark;
	stats.version = s->version;
	stats.frozen = hmapi_safe_frozen(s);
	if (s->copies_on_write)
		stats.value_bytes = stats.table.entries * hmapi_size_of_version(s->type);
	hmapi_end_safe_read(&stay);
	if (status == HMAP_OK)
		*ret_stats = stats;
	return status;
}
