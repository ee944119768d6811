// libhmap under the loops of loops.hpp: typed, generic, and the classic engine.
#include "loops.hpp"

#include <hmap/hmap_typed.h>

HMAP_DEFINE(pairs, uint64_t, uint64_t)
HMAP_DEFINE_STRINGS(words, uint64_t)

static const double SHRINK = 0.21;

static hmap_options options()
{
	hmap_options o;

	memset(&o, 0, sizeof(o));
#if defined OURS_shrinking
	o.shrink = SHRINK;
#endif
#if defined OURS_classic
	o.engine = HMAP_CLASSIC;
#endif
	return o;
}

struct texts_map {
	words *map = nullptr;

	texts_map()
	{
		hmap_options o = options();

		words_create(&o, &map);
	}
	~texts_map()
	{
		words_destroy(map);
	}
	void put(text key, uint64_t value)
	{
		words_put(map, key.at, key.length, value);
	}
	bool get(text key, uint64_t &value)
	{
		uint64_t *found = words_get(map, key.at, key.length);

		if (!found)
			return false;
		value = *found;
		return true;
	}
	bool erase(text key)
	{
		return words_erase(map, key.at, key.length) == HMAP_OK;
	}
	template <class F> void each(F f)
	{
		hmap_iterator it;
		const hmap_string *key;
		uint64_t *value;

		for (words_iterate(map, &it); words_next(&it, &key, &value);)
			f(*value);
	}
	size_t size()
	{
		return words_count(map);
	}
	bool reserve(size_t n)
	{
		return words_reserve(map, n) == HMAP_OK;
	}
};

#if defined OURS_generic || defined OURS_classic
static uint64_t hash(const void *key, uint64_t seed, void *)
{
	return hmap_hash_u64(*(const uint64_t *)key, seed);
}

struct numbers_map {
	hmap *map = nullptr;
	hmap_type type;

	numbers_map()
	{
		hmap_options o = options();

		memset(&type, 0, sizeof(type));
		type.key_size = type.value_size = 8;
		type.hash = hash;
		hmap_create(&type, &o, &map);
	}
	~numbers_map()
	{
		hmap_destroy(map);
	}
	void put(uint64_t key, uint64_t value)
	{
		hmap_put(map, &key, &value);
	}
	bool get(uint64_t key, uint64_t &value)
	{
		uint64_t *found = (uint64_t *)hmap_get(map, &key);

		if (!found)
			return false;
		value = *found;
		return true;
	}
	bool erase(uint64_t key)
	{
		return hmap_erase(map, &key) == HMAP_OK;
	}
	template <class F> void each(F f)
	{
		hmap_iterator it;

		for (hmap_iterate(map, &it); hmap_next(&it);)
			f(*(uint64_t *)it.value);
	}
	size_t size()
	{
		return hmap_count(map);
	}
	bool reserve(size_t n)
	{
		return hmap_reserve(map, n, HMAP_RESERVE_PLAIN) == HMAP_OK;
	}
};
#else
struct numbers_map {
	pairs *map = nullptr;

	numbers_map()
	{
		hmap_options o = options();

		pairs_create(&o, &map);
	}
	~numbers_map()
	{
		pairs_destroy(map);
	}
	void put(uint64_t key, uint64_t value)
	{
		pairs_put(map, key, value);
	}
	bool get(uint64_t key, uint64_t &value)
	{
		uint64_t *found = pairs_get(map, key);

		if (!found)
			return false;
		value = *found;
		return true;
	}
	bool erase(uint64_t key)
	{
		return pairs_erase(map, key) == HMAP_OK;
	}
	template <class F> void each(F f)
	{
		hmap_iterator it;
		const uint64_t *key;
		uint64_t *value;

		for (pairs_iterate(map, &it); pairs_next(&it, &key, &value);)
			f(*value);
	}
	size_t size()
	{
		return pairs_count(map);
	}
	bool reserve(size_t n)
	{
		return pairs_reserve(map, n) == HMAP_OK;
	}
};

/** 32 at a time against one by one, over the same shuffled keys; with huge pages too. */
static int many(size_t n)
{
	keys<uint64_t> k = numbers(n);

	for (int huge = 0; huge < 2; huge++) {
		numbers_map m;
		void *found[32];
		uint64_t sum = 0;

		for (size_t i = 0; i < n; i++)
			m.put(k.put[i], i);
		if (huge)
			hmap_settle(&m.map->map);
		double one = hits(m, k, 9),
		       batch = each_ns(9, k.hit.size(), [&] {
			       for (size_t i = 0; i + 32 <= k.hit.size(); i += 32) {
				       pairs_get_many(m.map, &k.hit[i], 32, found);
				       for (void *value : found)
					       sum += *(uint64_t *)value;
			       }
			       sink = sum;
		       });
		say(huge ? "many_huge" : "many", n, one / batch);
	}
	return 0;
}
#endif

int main(int argc, char **argv)
{
#if !defined OURS_generic && !defined OURS_classic
	if (argc > 2 && strcmp(argv[1], "many") == 0)
		return many((size_t)atof(argv[2]));
#endif
	return bench<numbers_map, texts_map>(argc, argv);
}
