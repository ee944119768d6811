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
//
// Growths begin here and not in the table: a hook that is told before a growth must run before the
// readers are held off for it.
#include "hmap/steady.h"

#include <hmap/hmap_safe.h>
#include <pthread.h>
#include <sched.h>

enum { STEPS_AT_ONCE = 64 }; // of a growth that is finished, between which others read

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
/* Who is where                                                                                */

enum hmapi_doing { HMAPI_READS, HMAPI_QUEUES, HMAPI_CHANGES };

/** A thread is in a map: it reads its table, has its writers wait, or changes its table. */
struct hmapi_stay {
	const struct hmap_safe *map; // NULL: it needed no lock
	enum hmapi_doing doing;
	struct hmapi_stay *outer;
};

// The thread's own memory is at a fixed distance, so that nothing but libc is linked for it.
static __thread struct hmapi_stay *stays __attribute__((tls_model("initial-exec")));

/** Where this thread is in a map, the innermost; NULL: nowhere. */
static const struct hmapi_stay *stay_in(const struct hmap_safe *s)
{
	const struct hmapi_stay *stay = stays;

	while (stay && stay->map != s)
		stay = stay->outer;
	return stay;
}

static void enter(struct hmapi_stay *stay, const struct hmap_safe *s, enum hmapi_doing doing)
{
	*stay = (struct hmapi_stay){ s, doing, stays };
	stays = stay;
}

static bool is_frozen(const struct hmap_safe *s)
{
	return __atomic_load_n(&s->frozen, __ATOMIC_ACQUIRE);
}

/** The lock of a map that is const to its readers. */
static pthread_rwlock_t *table_of(const struct hmap_safe *s)
{
	return (pthread_rwlock_t *)(uintptr_t)&s->table;
}

static enum hmap_status begin_read(const struct hmap_safe *s, struct hmapi_stay *stay)
{
	const struct hmapi_stay *outer;

	stay->map = NULL;
	if (is_frozen(s))
		return HMAP_OK;
	outer = stay_in(s);
	if (outer && outer->doing == HMAPI_CHANGES)
		return HMAP_BUSY;
	if (outer && outer->doing == HMAPI_READS)
		return HMAP_OK;
	while (pthread_rwlock_rdlock(table_of(s)) != 0)
		sched_yield(); // More readers than it can count: one of them will leave.
	enter(stay, s, HMAPI_READS);
	return HMAP_OK;
}

static void end_read(struct hmapi_stay *stay)
{
	if (!stay->map)
		return;
	stays = stay->outer;
	pthread_rwlock_unlock(table_of(stay->map));
}

static enum hmap_status begin_write(struct hmap_safe *s, struct hmapi_stay *stay)
{
	if (!s)
		return HMAP_NULL_MAP;
	if (is_frozen(s))
		return HMAP_FROZEN;
	if (stay_in(s))
		return HMAP_BUSY;
	pthread_mutex_lock(&s->writers);
	if (s->frozen) {
		pthread_mutex_unlock(&s->writers);
		return HMAP_FROZEN;
	}
	enter(stay, s, HMAPI_QUEUES);
	return HMAP_OK;
}

static void end_write(struct hmap_safe *s, const struct hmapi_stay *stay)
{
	stays = stay->outer;
	pthread_mutex_unlock(&s->writers);
}

/** Holds off the readers: the table is about to change.  The stay is the thread's innermost. */
static void begin_change(struct hmap_safe *s)
{
	pthread_rwlock_wrlock(&s->table);
	stays->doing = HMAPI_CHANGES;
}

/** Lets them in again, to what @p writes more writes have made of it. */
static void end_change(struct hmap_safe *s, unsigned writes)
{
	stays->doing = HMAPI_QUEUES;
	__atomic_store_n(&s->entries, hmap_count(s->map), __ATOMIC_RELAXED);
	__atomic_store_n(&s->version, s->version + writes, __ATOMIC_RELEASE);
	pthread_rwlock_unlock(&s->table);
}

/* ------------------------------------------------------------------------------------------- */
/* Versions of values                                                                          */

static uint32_t align_of_version(const struct hmap_type *t)
{
	uint32_t align = hmapi_align_of(t->value_size, t->value_align);

	return align > 16 ? align : 16;
}

static void *value_of_version(const struct hmapi_version *v)
{
	return (unsigned char *)(uintptr_t)v +
	       hmapi_round_up(sizeof(*v), align_of_version(v->type));
}

static size_t size_of_version(const struct hmap_type *t)
{
	return hmapi_round_up(sizeof(struct hmapi_version), align_of_version(t)) +
	       (size_t)t->value_size;
}

/** Of a value, a deep copy where there is a way to make one; false: no memory. */
static bool copy_value(const struct hmap_type *t, void *to, const void *from)
{
	if (from && t->value_copy && t->value_size)
		return t->value_copy(to, from, t->state);
	if (from)
		memcpy(to, from, t->value_size);
	else
		memset(to, 0, t->value_size);
	return true;
}

static void hold_version(struct hmapi_version *v)
{
	__atomic_fetch_add(&v->references, 1, __ATOMIC_RELAXED);
}

static void drop_version(struct hmapi_version *v)
{
	const struct hmap_allocator *a;

	if (!v || __atomic_sub_fetch(&v->references, 1, __ATOMIC_ACQ_REL))
		return;
	a = v->allocator;
	if (v->type->value_destroy && v->type->value_size)
		v->type->value_destroy(value_of_version(v), v->type->state);
	a->release(a->state, v, size_of_version(v->type), align_of_version(v->type));
}

/** The table's way to give back what it holds. */
static void drop_held(void *object, void *state)
{
	struct hmapi_version *v;

	(void)state;
	memcpy(&v, object, sizeof(v));
	drop_version(v);
}

static struct hmapi_version *new_version(const struct hmap_safe *s, const void *value)
{
	const struct hmap_allocator *a = s->allocator;
	size_t size = size_of_version(s->type), align = align_of_version(s->type);
	struct hmapi_version *v = a->allocate(a->state, size, align);

	if (!v)
		return NULL;
	*v = (struct hmapi_version){ s->type, a, 1, s->version + 1 };
	if (copy_value(s->type, value_of_version(v), value))
		return v;
	a->release(a->state, v, size, align);
	return NULL;
}

/** The version of @p key in the table; NULL: it is not there. */
static struct hmapi_version *version_of(const struct hmap_safe *s, const void *key)
{
	const void *held = hmap_get(s->map, key);
	struct hmapi_version *v = NULL;

	if (held)
		memcpy(&v, held, sizeof(v));
	return v;
}

/** The caller's value behind one of the table. */
static const void *value_of(const struct hmap_safe *s, const void *held)
{
	struct hmapi_version *v;

	if (!held || !s->copies_on_write)
		return held;
	memcpy(&v, held, sizeof(v));
	return value_of_version(v);
}

/* ------------------------------------------------------------------------------------------- */
/* Hooks                                                                                       */

/** Entries at which a table of so many groups grows. */
static size_t capacity_of(const struct hmap *m, size_t groups)
{
	if (groups == 1)
		return HMAP_GROUP_SLOTS;
	return (size_t)((double)(groups * HMAP_GROUP_SLOTS) * m->load) + 1;
}

/** Groups of the table, once a pass under way is over. */
static size_t groups_of(const struct hmap *m)
{
	if (m->pass == HMAP_PASS_GROW)
		return 2 * m->low;
	return m->pass == HMAP_PASS_SHRINK ? m->low : m->groups;
}

static size_t groups_after_growth(const struct hmap *m)
{
	size_t groups = groups_of(m);

	return groups == 1 ? HMAP_BLOCK_GROUPS : 2 * groups;
}

static void tell(struct hmap_safe *s, hmap_safe_event_fn hook, size_t from, size_t to)
{
	const struct hmap_safe_event event = { hmap_count(s->map), from, to };

	if (hook)
		hook(s, &event, s->hooks->state);
}

static void tell_barrier(struct hmap_safe *s, const void *key, const struct hmapi_version *from,
			 const struct hmapi_version *to)
{
	if (s->hooks->barrier)
		s->hooks->barrier(s, key, from ? value_of_version(from) : NULL,
				  to ? value_of_version(to) : NULL, s->hooks->state);
}

static void tell_growth(struct hmap_safe *s, size_t from, size_t to)
{
	s->grows = true;
	s->grows_from = from;
	tell(s, s->hooks->before_growth, from, to);
}

static void tell_grown(struct hmap_safe *s)
{
	s->grows = false;
	tell(s, s->hooks->after_growth, s->grows_from, capacity_of(s->map, groups_of(s->map)));
}

/** Tells of the end of a growth, where this is it. */
static void follow_growth(struct hmap_safe *s)
{
	const struct hmap *m = s->map;

	if (m->growths != s->growths) {
		// The pass ended late, and the next was due in the same write.
		s->growths = m->growths;
		if (s->grows)
			tell(s, s->hooks->after_growth, s->grows_from,
			     capacity_of(m, groups_of(m) / 2));
		tell_growth(s, capacity_of(m, groups_of(m) / 2), capacity_of(m, groups_of(m)));
	}
	if (s->grows && m->pass != HMAP_PASS_GROW)
		tell_grown(s);
}

/** Begins a growth if a new entry of @p key would, and tells of it first. */
static void make_way(struct hmap_safe *s, const void *key)
{
	struct hmap *m = s->map;

	if (m->pass || m->count < m->grow_at || m->count < m->usual_grow_at || hmap_get(m, key))
		return;
	tell_growth(s, capacity_of(m, groups_of(m)), capacity_of(m, groups_after_growth(m)));
	begin_change(s);
	(void)hmap_begin_pass(m, HMAP_PASS_GROW); // Without memory, the table goes on fuller.
	s->growths = m->growths;
	end_change(s, 0);
	follow_growth(s);
}

static size_t capacity_in_force(const struct hmap_safe *s)
{
	return s->given_capacity ? s->given_capacity : capacity_of(s->map, groups_of(s->map));
}

static void watch_load(struct hmap_safe *s)
{
	size_t capacity = capacity_in_force(s);

	if ((double)hmap_count(s->map) <= s->watermark * (double)capacity) {
		s->told_capacity = 0;
	} else if (capacity <= s->told_capacity) {
		s->told_capacity = capacity;
	} else {
		s->told_capacity = capacity;
		tell(s, s->hooks->high_load, capacity,
		     capacity_of(s->map, groups_after_growth(s->map)));
	}
}

/** After each write, whatever became of it. */
static void watch(struct hmap_safe *s)
{
	follow_growth(s);
	watch_load(s);
}

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

/** The type of a table whose values are versions. */
static struct hmap_type type_of_versions(const struct hmap_type *type)
{
	struct hmap_type kept = *type;

	kept.value_name = "struct hmapi_version *";
	kept.value_size = sizeof(struct hmapi_version *);
	kept.value_align = 0;
	kept.value_copy = NULL;
	kept.value_destroy = drop_held;
	return kept;
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
	s->kept = type_of_versions(type);
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
	if (stay_in(s))
		return HMAP_BUSY;
	a = s->allocator;
	enter(&stay, s, HMAPI_CHANGES);
	hmap_destroy(s->map);
	stays = stay.outer;
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
	return s && is_frozen(s);
}

enum hmap_status hmap_safe_get(const struct hmap_safe *s, const void *key, void *ret_value)
{
	struct hmapi_stay stay;
	enum hmap_status status = HMAP_NOT_FOUND;
	const void *value;

	if (!s)
		return HMAP_NOT_FOUND;
	status = begin_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	value = value_of(s, hmap_get(s->map, key));
	if (!value)
		status = HMAP_NOT_FOUND;
	else if (ret_value && !copy_value(s->type, ret_value, value))
		status = HMAP_NO_MEMORY;
	end_read(&stay);
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

	return v->visit(hmapi_key(&m->shape, slot), value_of(v->map, hmapi_value(&m->shape, slot)),
			v->state);
}

enum hmap_status hmap_safe_each(const struct hmap_safe *s, hmap_safe_visit_fn visit, void *state)
{
	struct hmapi_visit v = { s, visit, state };
	struct hmapi_stay stay;
	enum hmap_status status;

	if (!s)
		return HMAP_OK;
	status = begin_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	hmapi_each_slot(s->map, visit_slot, &v);
	end_read(&stay);
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
	status = begin_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	v = version_of(s, key);
	if (v)
		hold_version(v);
	end_read(&stay);
	if (!v)
		return HMAP_NOT_FOUND;
	*ret_ref = (struct hmap_safe_ref){ value_of_version(v), v->number, v };
	return HMAP_OK;
}

void hmap_safe_release(struct hmap_safe_ref *ref)
{
	struct hmapi_version *v = ref->own;

	*ref = (struct hmap_safe_ref){ NULL, 0, NULL };
	drop_version(v);
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
		made = new_version(s, value);
		if (!made)
			return HMAP_NO_MEMORY;
		old = version_of(s, key);
		if (old)
			hold_version(old);
		value = &made;
	}
	make_way(s, key);
	if (made)
		tell_barrier(s, key, old, made);
	begin_change(s);
	status = hmap_put(s->map, key, value);
	end_change(s, status == HMAP_OK);
	if (status != HMAP_OK && made) {
		tell_barrier(s, key, made, old);
		drop_version(made);
	}
	watch(s);
	*ret_old = old;
	return status;
}

enum hmap_status hmap_safe_put(struct hmap_safe *s, const void *key, const void *value)
{
	struct hmapi_version *old = NULL;
	struct hmapi_stay stay;
	enum hmap_status status = begin_write(s, &stay);

	if (status != HMAP_OK)
		return status;
	status = store(s, key, value, &old);
	end_write(s, &stay);
	drop_version(old);
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
	if (ret_value && !copy_value(t, ret_value, value))
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
	enum hmap_status status = begin_write(s, &stay);
	const void *there;

	if (status != HMAP_OK)
		return status;
	there = value_of(s, hmap_get(s->map, key));
	if (!there)
		status = add(s, key, value, ret_value);
	else if (ret_value && !copy_value(s->type, ret_value, there))
		status = HMAP_NO_MEMORY;
	end_write(s, &stay);
	if (status == HMAP_OK && ret_added)
		*ret_added = !there;
	return status;
}

enum hmap_status hmap_safe_erase(struct hmap_safe *s, const void *key)
{
	struct hmapi_version *old = NULL;
	struct hmapi_stay stay;
	enum hmap_status status = begin_write(s, &stay);

	if (status != HMAP_OK)
		return status;
	if (s->copies_on_write) {
		old = version_of(s, key);
		if (!old) {
			end_write(s, &stay);
			return HMAP_NOT_FOUND;
		}
		hold_version(old);
		tell_barrier(s, key, old, NULL);
	}
	begin_change(s);
	status = hmap_erase(s->map, key);
	end_change(s, status == HMAP_OK);
	watch(s);
	end_write(s, &stay);
	drop_version(old);
	return status;
}

static bool tell_of_clearing(const struct hmap *m, unsigned char *slot, void *state)
{
	struct hmap_safe *s = state;
	struct hmapi_version *v;

	memcpy(&v, hmapi_value(&m->shape, slot), sizeof(v));
	tell_barrier(s, hmapi_key(&m->shape, slot), v, NULL);
	return true;
}

enum hmap_status hmap_safe_clear(struct hmap_safe *s)
{
	struct hmapi_stay stay;
	enum hmap_status status = begin_write(s, &stay);
	bool any;

	if (status != HMAP_OK)
		return status;
	any = hmap_count(s->map) > 0;
	if (s->hooks->barrier)
		hmapi_each_slot(s->map, tell_of_clearing, s);
	begin_change(s);
	status = hmap_clear(s->map);
	end_change(s, any && status == HMAP_OK);
	watch(s);
	end_write(s, &stay);
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

		begin_change(s);
		m->wait = 0; // What was refused once is tried again.
		(void)hmap_step(m, STEPS_AT_ONCE);
		end_change(s, 0);
		if (m->pass == pass && m->wait && hmapi_steps_left(m) == left)
			return HMAP_NO_MEMORY;
	}
	return HMAP_OK;
}

/** With no growth under way, so that hooks are told of one after the other. */
static enum hmap_status reserve_room(struct hmap_safe *s, size_t entries, enum hmap_reserve_how how)
{
	struct hmap *m = s->map;
	size_t now = capacity_of(m, groups_of(m)), wanted;
	enum hmap_status status;

	if (entries > SIZE_MAX / 8 / (m->shape.slot_size + 1))
		return HMAP_TOO_LARGE;
	wanted = capacity_of(m, hmapi_groups_for(m, entries));
	if (wanted > now)
		tell_growth(s, now, wanted);
	begin_change(s);
	status = hmap_reserve(m, entries, how);
	s->growths = m->growths;
	end_change(s, 0);
	return status;
}

enum hmap_status hmap_safe_reserve(struct hmap_safe *s, size_t entries, enum hmap_reserve_how how)
{
	struct hmapi_stay stay;
	enum hmap_status status;

	if (s && how != HMAP_RESERVE_PLAIN && how != HMAP_RESERVE_HUGE)
		return HMAP_BAD_ARGUMENT;
	status = begin_write(s, &stay);
	if (status != HMAP_OK)
		return status;
	status = finish_pass(s);
	follow_growth(s);
	if (status == HMAP_OK)
		status = reserve_room(s, entries, how);
	watch(s);
	end_write(s, &stay);
	return status;
}

enum hmap_status hmap_safe_set_capacity(struct hmap_safe *s, size_t entries)
{
	struct hmapi_stay stay;
	enum hmap_status status = begin_write(s, &stay);

	if (status != HMAP_OK)
		return status;
	begin_change(s); // hmap_safe_stats reads it.
	s->given_capacity = entries;
	end_change(s, 0);
	watch_load(s);
	end_write(s, &stay);
	return HMAP_OK;
}

enum hmap_status hmap_safe_set_watermark(struct hmap_safe *s, double watermark)
{
	struct hmapi_stay stay;
	enum hmap_status status;

	if (s && !is_watermark(watermark))
		return HMAP_BAD_ARGUMENT;
	status = begin_write(s, &stay);
	if (status != HMAP_OK)
		return status;
	begin_change(s);
	s->watermark = watermark;
	end_change(s, 0);
	watch_load(s);
	end_write(s, &stay);
	return HMAP_OK;
}

enum hmap_status hmap_safe_freeze(struct hmap_safe *s)
{
	struct hmapi_stay stay;
	enum hmap_status status = begin_write(s, &stay);

	if (status == HMAP_FROZEN)
		return HMAP_OK;
	if (status != HMAP_OK)
		return status;
	status = finish_pass(s);
	watch(s);
	if (status == HMAP_OK)
		__atomic_store_n(&s->frozen, true, __ATOMIC_RELEASE);
	end_write(s, &stay);
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
	status = begin_read(s, &stay);
	if (status != HMAP_OK)
		return status;
	status = hmap_stats(s->map, how, &stats.table);
	stats.capacity = capacity_in_force(s);
	stats.watermark = s->watermark;
	stats.version = s->version;
	stats.frozen = is_frozen(s);
	if (s->copies_on_write)
		stats.value_bytes = stats.table.entries * size_of_version(s->type);
	end_read(&stay);
	if (status == HMAP_OK)
		*ret_stats = stats;
	return status;
}
