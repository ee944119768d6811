// The calls of hmap.h: a map is made, asked and ended here, by whichever engine it has.
#include "hmap/classic.h"
#include "hmap/debug.h"
#include "hmap/misuse.h"
#include "hmap/registry.h"
#include "hmap/space.h"
#include "hmap/steady.h"

#include <sys/random.h>

static const double LOAD = 6.5 / 8, LEAST_LOAD = 0.25, MOST_LOAD = 0.95;
enum { LARGEST_SLOT = 1024, LARGEST_ALIGN = 64 };

static bool plausible_align(uint32_t align)
{
	return (align & (align - 1)) == 0 && align <= LARGEST_ALIGN;
}

bool hmapi_is_plausible(const struct hmap_type *type)
{
	if (!type || !type->hash || !type->key_size || type->key_size > INT32_MAX ||
	    type->value_size > INT32_MAX || !plausible_align(type->key_align) ||
	    !plausible_align(type->value_align))
		return false;
	if (type->key_align && type->key_size % type->key_align)
		return false;
	if (type->value_align && type->value_size % type->value_align)
		return false;
	return !(type->flags & HMAP_KEEP_IN_PLACE) ||
	       (type->key_size <= LARGEST_SLOT && type->value_size <= LARGEST_SLOT);
}

static bool plausible_options(const struct hmap_options *o)
{
	const struct hmap_allocator *a = o->allocator;
	double load = o->load > 0 ? o->load : LOAD;

	if (o->engine != HMAP_STEADY && o->engine != HMAP_CLASSIC)
		return false;
	if (!(o->load == 0) && !(o->load >= LEAST_LOAD && o->load <= MOST_LOAD))
		return false;
	if (!(o->shrink >= 0 && o->shrink <= load / 3) ||
	    !(o->shrink_idle >= 0 && o->shrink_idle < 1) ||
	    !(o->high_load >= 0 && o->high_load <= 1))
		return false;
	return !a || (a->allocate && a->release);
}

static uint64_t random_seed(const void *salt)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = hmap_hash_u64((uintptr_t)salt, (uintptr_t)&seed);
	return seed;
}

void hmapi_begin_life(struct hmap *m, size_t hint, const void *created_at)
{
	size_t slots = m->classic                ? (size_t)8 << hmap_classic_B(m->classic)
		       : m->state & HMAPI_UNBORN ? 0
						 : m->groups * HMAP_GROUP_SLOTS;

	m->straight = (uintptr_t)m->classic;
	hmapi_list(m, created_at);
	hmapi_tell(m, HMAP_EVENT_CREATED, 0, slots, hint);
}

enum hmap_status hmapi_create(const struct hmap_type *type, const struct hmap_options *options,
			      const void *created_at, struct hmap **ret_map)
{
	static const struct hmap_options usual = { 0 };
	const struct hmap_allocator *a;
	const struct hmap_options *o = options ? options : &usual;
	struct hmap *m;

	if (!ret_map || !hmapi_is_plausible(type) || !plausible_options(o))
		return HMAP_BAD_ARGUMENT;
	a = o->allocator ? o->allocator : hmap_default_allocator();
	m = a->allocate(a->state, sizeof(*m), 64);
	if (!m)
		return HMAP_NO_MEMORY;
	memset(m, 0, sizeof(*m));
	m->type = type;
	m->shape = hmapi_shape_of(type);
	m->allocator = a;
	m->hooks = o->hooks;
	hmapi_begin_debug();
	m->kinds = m->wanted_kinds = hmapi_kinds(o);
	m->seed = o->seed ? o->seed : random_seed(m);
	m->load = o->load > 0 ? o->load : LOAD;
	m->shrink = o->shrink > 0 || !hmapi_wants_shrink() ? o->shrink : HMAP_SHRINKTRIGGER_LOAD;
	m->shrink_idle = o->shrink_idle > 0 ? o->shrink_idle : HMAP_SHRINKTRIGGER_IDLE;
	m->high_load = o->high_load;
	m->name = o->name;
	m->misuse = o->misuse;
	m->misuse_state = o->misuse_state;
	if (o->engine == HMAP_CLASSIC) {
		struct hmap_options resolved = *o;
		enum hmap_status status;

		resolved.allocator = a;
		status = hmap_classic_create(m, type, &resolved, m->seed, &m->classic);
		if (status != HMAP_OK) {
			a->release(a->state, m, sizeof(*m), 64);
			return status;
		}
		m->state = HMAPI_CLASSIC;
		hmapi_begin_life(m, o->hint, created_at);
		*ret_map = m;
		return HMAP_OK;
	}
	m->tags = (uint8_t *)(uintptr_t)hmapi_no_tags;
	m->state = HMAPI_UNBORN;
	m->groups = 1;
	hmapi_set_limits(m);
	if (m->shape.slot_size > LARGEST_SLOT) {
		a->release(a->state, m, sizeof(*m), 64);
		return HMAP_BAD_ARGUMENT;
	}
	if (o->hint) {
		enum hmap_status status = hmapi_birth(m, o->hint, HMAP_RESERVE_PLAIN);

		if (status != HMAP_OK) {
			a->release(a->state, m, sizeof(*m), 64);
			return status;
		}
	}
	hmapi_space_note(m);
	hmapi_begin_life(m, o->hint, created_at);
	*ret_map = m;
	return HMAP_OK;
}

enum hmap_status hmap_create(const struct hmap_type *type, const struct hmap_options *options,
			     struct hmap **ret_map)
{
	return hmapi_create(type, options, __builtin_return_address(0), ret_map);
}

static bool drop_slot(const struct hmap *m, unsigned char *slot, void *state)
{
	(void)m;
	hmapi_drop(state, slot);
	return true;
}

void hmap_destroy(struct hmap *m)
{
	if (!m)
		return;
	if (m->classic) {
		hmapi_tell(m, HMAP_EVENT_FREED, (size_t)8 << hmap_classic_B(m->classic), 0,
			   hmap_classic_count(m->classic));
		hmapi_unlist(m);
		hmap_classic_destroy(m->classic);
		m->allocator->release(m->allocator->state, m, sizeof(*m), 64);
		return;
	}
	hmapi_tell(m, HMAP_EVENT_FREED, m->groups * HMAP_GROUP_SLOTS, 0, m->count);
	hmapi_unlist(m);
	if (m->shape.flags)
		hmapi_each_slot(m, drop_slot, m);
	hmapi_end_iterations(m);
	if (!(m->state & HMAPI_UNBORN))
		hmapi_space_free(m);
	m->allocator->release(m->allocator->state, m, sizeof(*m), 64);
}

size_t hmap_count(const struct hmap *m)
{
	if (!m)
		return 0;
	return m->classic ? hmap_classic_count(m->classic) : m->count;
}

void *hmap_get(const struct hmap *m, const void *key)
{
	uintptr_t straight;

	if (!m)
		return NULL;
	if (HMAPI_UNLIKELY(m->state != 0) && (straight = HMAPI_LOAD(m->straight)))
		return hmap_classic_get((const struct hmap_classic *)straight, key);
	return hmapi_get(m, hmapi_flat_code, key);
}

static void look_at(const struct hmap *m, const void *key, enum hmap_access_kind kind)
{
	if (HMAPI_UNLIKELY(!HMAPI_LOAD(m->straight)))
		hmapi_audit(m, key, kind);
}

void *hmapi_get_any(const struct hmap *m, const void *key)
{
	if (m->classic) {
		look_at(m, key, HMAP_ACCESS_GET);
		return hmap_classic_get(m->classic, key);
	}
	if (m->state & HMAPI_UNBORN)
		return NULL;
	return hmapi_get(m, hmapi_segments_code, key);
}

size_t hmap_get_many(const struct hmap *m, const void *keys, size_t count, void **ret_values)
{
	if (m && m->classic) {
		size_t found = 0;

		for (size_t i = 0; i < count; i++) {
			ret_values[i] = hmap_classic_get(m->classic, (const char *)keys +
									 i * m->type->key_size);
			found += ret_values[i] != NULL;
		}
		return found;
	}
	if (!m || (m->state & HMAPI_UNBORN)) {
		memset(ret_values, 0, count * sizeof(*ret_values));
		return 0;
	}
	if (m->state & HMAPI_SEGMENTS)
		return hmapi_get_many(m, hmapi_segments_code, keys, count, ret_values);
	return hmapi_get_many(m, hmapi_flat_code, keys, count, ret_values);
}

enum hmap_status hmapi_put_any(struct hmap *m, const void *key, const void *value, bool replace,
			       void **ret_value, bool *ret_added)
{
	if (m->classic)
		look_at(m, key, HMAP_ACCESS_PUT);
	if (m->classic && replace && !ret_value)
		return hmap_classic_put(m->classic, key, value);
	if (m->classic)
		return hmap_classic_get_or_put(m->classic, key, value, ret_value, ret_added);
	if (m->state & HMAPI_UNBORN) {
		enum hmap_status status = hmapi_begin_write(m);

		if (status == HMAP_OK)
			status = hmapi_end_write(m, hmapi_birth(m, 0, HMAP_RESERVE_PLAIN));
		if (status != HMAP_OK)
			return status;
		return hmapi_put(m, hmapi_flat_code, key, value, replace, ret_value, ret_added);
	}
	return hmapi_put(m, hmapi_segments_code, key, value, replace, ret_value, ret_added);
}

enum hmap_status hmap_put(struct hmap *m, const void *key, const void *value)
{
	uintptr_t straight;

	if (m && HMAPI_UNLIKELY(m->state != 0) && (straight = HMAPI_LOAD(m->straight)))
		return hmap_classic_put((struct hmap_classic *)straight, key, value);
	return hmapi_put(m, hmapi_flat_code, key, value, true, NULL, NULL);
}

enum hmap_status hmap_get_or_put(struct hmap *m, const void *key, const void *value,
				 void **ret_value, bool *ret_added)
{
	return hmapi_put(m, hmapi_flat_code, key, value, false, ret_value, ret_added);
}

enum hmap_status hmapi_erase_any(struct hmap *m, const void *key)
{
	if (m->classic) {
		look_at(m, key, HMAP_ACCESS_ERASE);
		return hmap_classic_erase(m->classic, key);
	}
	if (m->state & HMAPI_UNBORN)
		return HMAP_NOT_FOUND;
	return hmapi_erase(m, hmapi_segments_code, key);
}

enum hmap_status hmap_erase(struct hmap *m, const void *key)
{
	return hmapi_erase(m, hmapi_flat_code, key);
}

/* ------------------------------------------------------------------------------------------- */

enum hmap_status hmap_clear(struct hmap *m)
{
	enum hmap_status status;

	if (!m)
		return HMAP_NULL_MAP;
	if (m->classic)
		return hmap_classic_clear(m->classic);
	status = hmapi_begin_write(m);
	if (status != HMAP_OK)
		return status;
	if (!(m->state & HMAPI_UNBORN))
		hmapi_clear_table(m);
	return hmapi_end_write(m, HMAP_OK);
}

enum hmap_status hmap_begin_pass(struct hmap *m, enum hmap_pass pass)
{
	enum hmap_status status;

	if (!m)
		return HMAP_NULL_MAP;
	if (m->classic)
		return hmap_classic_begin_pass(m->classic, pass);
	status = hmapi_begin_write(m);
	if (status != HMAP_OK)
		return status;
	if (m->state & HMAPI_UNBORN)
		status = hmapi_birth(m, 0, HMAP_RESERVE_PLAIN);
	if (status == HMAP_OK && m->pass)
		status = HMAP_NOT_SUPPORTED;
	else if (status == HMAP_OK)
		status = hmapi_begin(m, pass);
	return hmapi_end_write(m, status);
}

size_t hmap_step(struct hmap *m, size_t blocks)
{
	if (m && m->classic)
		return hmap_classic_step(m->classic, blocks);
	if (!m || hmapi_begin_write(m) != HMAP_OK)
		return 0;
	for (; m->pass && blocks; blocks--)
		hmapi_code_of(m)->step(m);
	(void)hmapi_end_write(m, HMAP_OK);
	return hmapi_steps_left(m);
}

enum hmap_status hmap_shrink(struct hmap *m)
{
	enum hmap_status status;

	if (!m)
		return HMAP_NULL_MAP;
	if (m->classic)
		return HMAP_NOT_SUPPORTED;
	status = hmapi_begin_write(m);
	if (status != HMAP_OK)
		return status;
	return hmapi_end_write(m, hmapi_begin(m, HMAP_PASS_SHRINK));
}

void hmap_iterate(struct hmap *m, struct hmap_iterator *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->map = m;
	if (m && m->classic)
		hmap_classic_iterate(m->classic, ret);
	else if (m)
		hmapi_iterate(m, ret);
}

bool hmap_next(struct hmap_iterator *iterator)
{
	return iterator->map && hmapi_next(iterator, hmapi_flat_code);
}

void hmap_iterate_end(struct hmap_iterator *iterator)
{
	if (iterator->map && iterator->map->classic)
		hmap_classic_iterate_end(iterator);
	else if (iterator->map)
		hmapi_iterate_end(iterator);
}

enum hmap_status hmapi_end_busy_write(struct hmap *m, enum hmap_status status)
{
	return hmapi_end_write(m, status);
}

enum hmap_status hmapi_misuse(const struct hmap *m, const char *text, uintptr_t other)
{
	hmap_misuse_found(m, text, other);
	return HMAP_MISUSE;
}

void hmap_misuse_hook(const struct hmap *m, hmap_misuse_fn *ret_hook, void **ret_state)
{
	*ret_hook = m->misuse;
	*ret_state = m->misuse_state;
}

const struct hmap_type *hmap_type_of(const struct hmap *m)
{
	return m ? m->type : NULL;
}

const char *hmap_name_of(const struct hmap *m)
{
	return m ? m->name : NULL;
}

uint64_t hmap_seed_of(const struct hmap *m)
{
	return m ? m->seed : 0;
}
