/*
 * hmap_typed.h - maps of one type, made when you compile.
 *
 *	HMAP_DEFINE(orders, uint64_t, struct order)
 *
 *	struct orders *open = NULL;
 *	enum hmap_status status = orders_create(NULL, &open);
 *	...
 *	status = orders_put(open, id, order);
 *	struct order *found = orders_get(open, id);
 *
 * Everything of hmap.h works on `&open->map` too, at the price of a call: hmap_stats, hmap_reserve,
 * iteration, and so on.  Thread rules, lifetimes and worst cases are those of hmap.h.
 *
 *	HMAP_DEFINE(name, K, V)			keys compared as bytes: integers, pointers, structs
 *						without padding
 *	HMAP_DEFINE_SET(name, K)		the same without values
 *	HMAP_DEFINE_STRINGS(name, V)		keys are text of up to 4 GiB, kept where it is: it
 *						must outlive the entry
 *	HMAP_DEFINE_OWN_STRINGS(name, V)	keys are text, copied into the map
 *	HMAP_DEFINE_WITH(name, K, V, hash, equal, flags)	your own hmap_hash_fn, hmap_equal_fn
 *and enum hmap_type_flags
 *
 * At file level, outside functions, once for each name in a source file; C11 and C++11.
 */
#ifndef HMAP_HMAP_TYPED_H
#define HMAP_HMAP_TYPED_H

#include <hmap/hmap_steady.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline uint64_t hmap_hash_key32(const void *key, uint64_t seed, void *state)
{
	uint32_t k;

	(void)state;
	memcpy(&k, key, sizeof(k));
	return hmap_hash_u64(k, seed);
}

static inline uint64_t hmap_hash_key64(const void *key, uint64_t seed, void *state)
{
	uint64_t k;

	(void)state;
	memcpy(&k, key, sizeof(k));
	return hmap_hash_u64(k, seed);
}

#define HMAPI_TYPE(name, text, K, V, value_size, value_align, flags, hash, equal, copy, destroy)   \
	static const struct hmap_type name##_type = { text,        #K,                             \
						      #V,          (uint32_t)sizeof(K),            \
						      value_size,  (uint32_t) __alignof__(K),      \
						      value_align, flags,                          \
						      hash,        equal,                          \
						      copy,        NULL,                           \
						      destroy,     NULL,                           \
						      NULL };                                      \
	struct name {                                                                              \
		struct hmap map;                                                                   \
	};                                                                                         \
	HMAPI_CODE(name, &name##_type, false)

#define HMAPI_COMMON(name)                                                                         \
	static inline __attribute__((unused)) enum hmap_status name##_create(                      \
	    const struct hmap_options *options, struct name **ret_map)                             \
	{                                                                                          \
		return hmap_create(&name##_type, options, (struct hmap **)(void *)ret_map);        \
	}                                                                                          \
	static inline __attribute__((unused)) void name##_destroy(struct name *map)                \
	{                                                                                          \
		hmap_destroy(map ? &map->map : NULL);                                              \
	}                                                                                          \
	static inline __attribute__((unused)) size_t name##_count(const struct name *map)          \
	{                                                                                          \
		return hmap_count(map ? &map->map : NULL);                                         \
	}

#define HMAPI_VALUES(name, V, PARAMETER, KEY)                                                      \
	/** The value, or NULL. */                                                                 \
	static inline __attribute__((unused)) V *name##_get(const struct name *map, PARAMETER)     \
	{                                                                                          \
		return map ? (V *)hmapi_get(&map->map, &name##_code, KEY) : NULL;                  \
	}                                                                                          \
	static inline __attribute__((unused)) enum hmap_status name##_put(struct name *map,        \
									  PARAMETER, V value)      \
	{                                                                                          \
		return hmapi_put(map ? &map->map : NULL, &name##_code, KEY, &value, true, NULL,    \
				 NULL);                                                            \
	}                                                                                          \
	/** The value of the key, put as `value` where it was not there (*ret_added, or NULL). */  \
	static inline __attribute__((unused)) enum hmap_status name##_get_or_put(                  \
	    struct name *map, PARAMETER, V value, V **ret_value, bool *ret_added)                  \
	{                                                                                          \
		void *found = NULL;                                                                \
		enum hmap_status status = hmapi_put(map ? &map->map : NULL, &name##_code, KEY,     \
						    &value, false, &found, ret_added);             \
                                                                                                   \
		if (status == HMAP_OK)                                                             \
			*ret_value = (V *)found;                                                   \
		return status;                                                                     \
	}                                                                                          \
	static inline                                                                              \
	    __attribute__((unused)) enum hmap_status name##_erase(struct name *map, PARAMETER)     \
	{                                                                                          \
		return hmapi_erase(map ? &map->map : NULL, &name##_code, KEY);                     \
	}

#define HMAPI_MANY(name, K)                                                                        \
	/** hmap_get_many, inlined. */                                                             \
	static inline __attribute__((unused)) size_t name##_get_many(                              \
	    const struct name *map, const K *keys, size_t count, void **ret_values)                \
	{                                                                                          \
		if (!map || map->map.state & ~(uintptr_t)HMAPI_CURSOR)                             \
			return hmap_get_many(map ? &map->map : NULL, keys, count, ret_values);     \
		return hmapi_get_many(&map->map, &name##_code, keys, count, ret_values);           \
	}

#define HMAP_DEFINE_WITH(name, K, V, hash, equal, flags)                                           \
	HMAPI_TYPE(name, #name, K, V, (uint32_t)sizeof(V), (uint32_t) __alignof__(V), flags, hash, \
		   equal, NULL, NULL);                                                             \
	HMAPI_COMMON(name)                                                                         \
	HMAPI_VALUES(name, V, K key, &key)                                                         \
	HMAPI_MANY(name, K)

#define HMAP_DEFINE(name, K, V)                                                                    \
	static inline uint64_t name##_hash(const void *key, uint64_t seed, void *state)            \
	{                                                                                          \
		return sizeof(K) == 8   ? hmap_hash_key64(key, seed, state)                        \
		       : sizeof(K) == 4 ? hmap_hash_key32(key, seed, state)                        \
					: hmap_hash_bytes(key, sizeof(K), seed);                   \
	}                                                                                          \
	HMAP_DEFINE_WITH(name, K, V, name##_hash, NULL, 0)

#ifdef __cplusplus
}
#endif

#endif
