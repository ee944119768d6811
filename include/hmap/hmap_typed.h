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

/** A text as a key: not ended by a zero byte.  `reserved` is the map's. */
struct hmap_string {
	const char *text;
	uint32_t length;
	uint32_t reserved;
};

/** Whether two runs of bytes are the same; short ones without a call. */
HMAPI_INLINE bool hmapi_equal_bytes_of(const char *a, const char *b, size_t size)
{
	uint64_t x, y;
	uint32_t u, v;

	if (size > 64)
		return memcmp(a, b, size) == 0;
	if (size >= 8) {
		for (size_t at = 0; at + 8 <= size; at += 8) {
			memcpy(&x, a + at, 8);
			memcpy(&y, b + at, 8);
			if (x != y)
				return false;
		}
		memcpy(&x, a + size - 8, 8);
		memcpy(&y, b + size - 8, 8);
		return x == y;
	}
	if (size >= 4) {
		memcpy(&u, a, 4);
		memcpy(&v, b, 4);
		if (u != v)
			return false;
		memcpy(&u, a + size - 4, 4);
		memcpy(&v, b + size - 4, 4);
		return u == v;
	}
	for (size_t i = 0; i < size; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static inline uint64_t hmap_hash_string(const void *key, uint64_t seed, void *state)
{
	const struct hmap_string *s = (const struct hmap_string *)key;

	(void)state;
	return hmap_hash_bytes(s->text, s->length, seed);
}

static inline bool hmap_equal_strings(const void *a, const void *b, void *state)
{
	const struct hmap_string *s = (const struct hmap_string *)a,
				 *t = (const struct hmap_string *)b;

	(void)state;
	return s->length == t->length && hmapi_equal_bytes_of(s->text, t->text, s->length);
}

/** Callbacks of a type whose keys are texts of its own, from malloc. */
HMAP_API bool hmap_copy_string(void *to, const void *from, void *state);
HMAP_API void hmap_destroy_string(void *string, void *state);

/** Hash and equality of doubles, for HMAP_DEFINE_WITH(name, double, V, hmap_hash_double,
 *  hmap_equal_doubles, HMAP_IRREFLEXIVE): both zeros are one key, a NaN is never found again. */
HMAP_API uint64_t hmap_hash_double(const void *key, uint64_t seed, void *state);

static inline bool hmap_equal_doubles(const void *a, const void *b, void *state)
{
	double x, y;

	(void)state;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x == y;
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

#define HMAPI_FN static inline __attribute__((unused))
/* Where hmap_create is called from is where the map was made: not here, but in the program. */
#define HMAPI_FROM_CALLER static inline __attribute__((unused, always_inline))

#define HMAPI_COMMON(name, K, V)                                                                   \
	HMAPI_FROM_CALLER enum hmap_status name##_create(const struct hmap_options *options,       \
							 struct name **ret_map)                    \
	{                                                                                          \
		return hmap_create(&name##_type, options, (struct hmap **)(void *)ret_map);        \
	}                                                                                          \
	HMAPI_FN void name##_destroy(struct name *map)                                             \
	{                                                                                          \
		hmap_destroy(map ? &map->map : NULL);                                              \
	}                                                                                          \
	HMAPI_FN size_t name##_count(const struct name *map)                                       \
	{                                                                                          \
		return hmap_count(map ? &map->map : NULL);                                         \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_reserve(struct name *map, size_t entries)                 \
	{                                                                                          \
		return hmap_reserve(map ? &map->map : NULL, entries, HMAP_RESERVE_PLAIN);          \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_clear(struct name *map)                                   \
	{                                                                                          \
		return hmap_clear(map ? &map->map : NULL);                                         \
	}                                                                                          \
	HMAPI_FROM_CALLER enum hmap_status name##_clone(const struct name *map,                    \
							struct name **ret_map)                     \
	{                                                                                          \
		return hmap_clone(map ? &map->map : NULL, (struct hmap **)(void *)ret_map);        \
	}                                                                                          \
	HMAPI_FN void name##_iterate(struct name *map, struct hmap_iterator *ret_iterator)         \
	{                                                                                          \
		hmap_iterate(map ? &map->map : NULL, ret_iterator);                                \
	}                                                                                          \
	/** The next entry: pointers into the map, of which the key must not be changed. */        \
	HMAPI_FN bool name##_next(struct hmap_iterator *iterator, const K **ret_key,               \
				  V **ret_value)                                                   \
	{                                                                                          \
		if (!iterator->map || !hmapi_next(iterator, &name##_code))                         \
			return false;                                                              \
		*ret_key = (const K *)iterator->key;                                               \
		*ret_value = (V *)iterator->value;                                                 \
		return true;                                                                       \
	}

#define HMAPI_VALUES(name, K, V)                                                                   \
	/** The value, or NULL. */                                                                 \
	HMAPI_FN V *name##_get(const struct name *map, K key)                                      \
	{                                                                                          \
		return map ? (V *)hmapi_get(&map->map, &name##_code, &key) : NULL;                 \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_put(struct name *map, K key, V value)                     \
	{                                                                                          \
		return hmapi_put(map ? &map->map : NULL, &name##_code, &key, &value, true, NULL,   \
				 NULL);                                                            \
	}                                                                                          \
	/** The value of the key, put as `value` where it was not there (*ret_added, or NULL). */  \
	HMAPI_FN enum hmap_status name##_get_or_put(struct name *map, K key, V value,              \
						    V **ret_value, bool *ret_added)                \
	{                                                                                          \
		void *found = NULL;                                                                \
		enum hmap_status status = hmapi_put(map ? &map->map : NULL, &name##_code, &key,    \
						    &value, false, &found, ret_added);             \
                                                                                                   \
		if (status == HMAP_OK)                                                             \
			*ret_value = (V *)found;                                                   \
		return status;                                                                     \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_erase(struct name *map, K key)                            \
	{                                                                                          \
		return hmapi_erase(map ? &map->map : NULL, &name##_code, &key);                    \
	}

#define HMAPI_TEXTS(name, V)                                                                       \
	HMAPI_FN V *name##_get(const struct name *map, const char *text, size_t length)            \
	{                                                                                          \
		struct hmap_string key = { text, (uint32_t)length, 0 };                            \
                                                                                                   \
		return map && length <= UINT32_MAX ? (V *)hmapi_get(&map->map, &name##_code, &key) \
						   : NULL;                                         \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_put(struct name *map, const char *text, size_t length,    \
					     V value)                                              \
	{                                                                                          \
		struct hmap_string key = { text, (uint32_t)length, 0 };                            \
                                                                                                   \
		if (length > UINT32_MAX)                                                           \
			return HMAP_TOO_LARGE;                                                     \
		return hmapi_put(map ? &map->map : NULL, &name##_code, &key, &value, true, NULL,   \
				 NULL);                                                            \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_get_or_put(struct name *map, const char *text,            \
						    size_t length, V value, V **ret_value,         \
						    bool *ret_added)                               \
	{                                                                                          \
		struct hmap_string key = { text, (uint32_t)length, 0 };                            \
		void *found = NULL;                                                                \
		enum hmap_status status;                                                           \
                                                                                                   \
		if (length > UINT32_MAX)                                                           \
			return HMAP_TOO_LARGE;                                                     \
		status = hmapi_put(map ? &map->map : NULL, &name##_code, &key, &value, false,      \
				   &found, ret_added);                                             \
		if (status == HMAP_OK)                                                             \
			*ret_value = (V *)found;                                                   \
		return status;                                                                     \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_erase(struct name *map, const char *text, size_t length)  \
	{                                                                                          \
		struct hmap_string key = { text, (uint32_t)length, 0 };                            \
                                                                                                   \
		if (length > UINT32_MAX)                                                           \
			return HMAP_NOT_FOUND;                                                     \
		return hmapi_erase(map ? &map->map : NULL, &name##_code, &key);                    \
	}

#define HMAPI_SET(name, K)                                                                         \
	HMAPI_FN bool name##_has(const struct name *map, K key)                                    \
	{                                                                                          \
		return map && hmapi_get(&map->map, &name##_code, &key);                            \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_add(struct name *map, K key)                              \
	{                                                                                          \
		return hmapi_put(map ? &map->map : NULL, &name##_code, &key, NULL, true, NULL,     \
				 NULL);                                                            \
	}                                                                                          \
	HMAPI_FN enum hmap_status name##_erase(struct name *map, K key)                            \
	{                                                                                          \
		return hmapi_erase(map ? &map->map : NULL, &name##_code, &key);                    \
	}

#define HMAPI_MANY(name, K)                                                                        \
	/** hmap_get_many, inlined. */                                                             \
	HMAPI_FN size_t name##_get_many(const struct name *map, const K *keys, size_t count,       \
					void **ret_values)                                         \
	{                                                                                          \
		if (!map || map->map.state & ~(uintptr_t)HMAPI_CURSOR)                             \
			return hmap_get_many(map ? &map->map : NULL, keys, count, ret_values);     \
		return hmapi_get_many(&map->map, &name##_code, keys, count, ret_values);           \
	}

#define HMAP_DEFINE_WITH(name, K, V, hash, equal, flags)                                           \
	HMAPI_TYPE(name, #name, K, V, (uint32_t)sizeof(V), (uint32_t) __alignof__(V), flags, hash, \
		   equal, NULL, NULL);                                                             \
	HMAPI_COMMON(name, K, V)                                                                   \
	HMAPI_VALUES(name, K, V)                                                                   \
	HMAPI_MANY(name, K)

#define HMAPI_BYTES_HASH(name, K)                                                                  \
	static inline uint64_t name##_hash(const void *key, uint64_t seed, void *state)            \
	{                                                                                          \
		return sizeof(K) == 8   ? hmap_hash_key64(key, seed, state)                        \
		       : sizeof(K) == 4 ? hmap_hash_key32(key, seed, state)                        \
					: hmap_hash_bytes(key, sizeof(K), seed);                   \
	}

#define HMAP_DEFINE(name, K, V)                                                                    \
	HMAPI_BYTES_HASH(name, K)                                                                  \
	HMAP_DEFINE_WITH(name, K, V, name##_hash, NULL, 0)

#define HMAP_DEFINE_SET(name, K)                                                                   \
	HMAPI_BYTES_HASH(name, K)                                                                  \
	HMAPI_TYPE(name, #name, K, void, 0, 0, 0, name##_hash, NULL, NULL, NULL);                  \
	HMAPI_COMMON(name, K, void)                                                                \
	HMAPI_SET(name, K)

#define HMAP_DEFINE_STRINGS(name, V)                                                               \
	HMAPI_TYPE(name, #name, struct hmap_string, V, (uint32_t)sizeof(V),                        \
		   (uint32_t) __alignof__(V), HMAP_STORE_HASH | HMAP_HASH_IN_KEY,                  \
		   hmap_hash_string, hmap_equal_strings, NULL, NULL);                              \
	HMAPI_COMMON(name, struct hmap_string, V)                                                  \
	HMAPI_TEXTS(name, V)

#define HMAP_DEFINE_OWN_STRINGS(name, V)                                                           \
	HMAPI_TYPE(name, #name, struct hmap_string, V, (uint32_t)sizeof(V),                        \
		   (uint32_t) __alignof__(V), HMAP_STORE_HASH | HMAP_HASH_IN_KEY,                  \
		   hmap_hash_string, hmap_equal_strings, hmap_copy_string, hmap_destroy_string);   \
	HMAPI_COMMON(name, struct hmap_string, V)                                                  \
	HMAPI_TEXTS(name, V)

#ifdef __cplusplus
}
#endif

#endif
