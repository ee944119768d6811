// Maps of others under the loops of loops.hpp: one of them for each -DPEER_NAME.
#include "loops.hpp"

static std::string_view plain(text t)
{
	return { t.at, t.length };
}

static uint64_t plain(uint64_t key)
{
	return key;
}

/** Whatever looks like std::unordered_map. */
template <class T> struct standard {
	T map;

	template <class K> void put(K key, uint64_t value)
	{
		map[plain(key)] = value;
	}
	template <class K> bool get(K key, uint64_t &value)
	{
		auto found = map.find(plain(key));

		if (found == map.end())
			return false;
		value = found->second;
		return true;
	}
	template <class K> bool erase(K key)
	{
		return map.erase(plain(key));
	}
	template <class F> void each(F f)
	{
		for (auto &entry : map)
			f(entry.second);
	}
	size_t size()
	{
		return map.size();
	}
	bool reserve(size_t n)
	{
		map.reserve(n);
		return true;
	}
};

typedef std::string_view view;

#if defined PEER_boost
#include <boost/unordered/unordered_flat_map.hpp>
typedef standard<boost::unordered_flat_map<uint64_t, uint64_t>> numbers_map;
typedef standard<boost::unordered_flat_map<view, uint64_t>> texts_map;
#elif defined PEER_absl
#include <absl/container/flat_hash_map.h>
typedef standard<absl::flat_hash_map<uint64_t, uint64_t>> numbers_map;
typedef standard<absl::flat_hash_map<view, uint64_t>> texts_map;
#elif defined PEER_robin
#include <tsl/robin_map.h>
typedef standard<tsl::robin_map<uint64_t, uint64_t>> numbers_map;
typedef standard<tsl::robin_map<view, uint64_t, std::hash<view>, std::equal_to<view>,
				std::allocator<std::pair<view, uint64_t>>, true>>
    texts_map;
#elif defined PEER_std
#include <unordered_map>
typedef standard<std::unordered_map<uint64_t, uint64_t>> numbers_map;
typedef standard<std::unordered_map<view, uint64_t>> texts_map;
#elif defined PEER_khash
#include <htslib/khash.h>
KHASH_MAP_INIT_INT64(number, uint64_t)

struct numbers_map {
	khash_t(number) *map = kh_init(number);

	~numbers_map()
	{
		kh_destroy(number, map);
	}
	void put(uint64_t key, uint64_t value)
	{
		int added;
		khint_t at = kh_put(number, map, key, &added);

		kh_val(map, at) = value;
	}
	bool get(uint64_t key, uint64_t &value)
	{
		khint_t at = kh_get(number, map, key);

		if (at == kh_end(map))
			return false;
		value = kh_val(map, at);
		return true;
	}
	bool erase(uint64_t key)
	{
		khint_t at = kh_get(number, map, key);

		if (at == kh_end(map))
			return false;
		kh_del(number, map, at);
		return true;
	}
	template <class F> void each(F f)
	{
		for (khint_t at = 0; at != kh_end(map); at++)
			if (kh_exist(map, at))
				f(kh_val(map, at));
	}
	size_t size()
	{
		return kh_size(map);
	}
	bool reserve(size_t n)
	{
		kh_resize(number, map, (khint_t)((double)n / 0.77) + 1);
		return true;
	}
};
#elif defined PEER_glib
#include <glib.h>

struct numbers_map {
	GHashTable *map = g_hash_table_new(g_direct_hash, NULL);

	~numbers_map()
	{
		g_hash_table_destroy(map);
	}
	void put(uint64_t key, uint64_t value)
	{
		g_hash_table_insert(map, (gpointer)key, (gpointer)value);
	}
	bool get(uint64_t key, uint64_t &value)
	{
		gpointer k, v;

		if (!g_hash_table_lookup_extended(map, (gpointer)key, &k, &v))
			return false;
		value = (uint64_t)v;
		return true;
	}
	bool erase(uint64_t key)
	{
		return g_hash_table_remove(map, (gpointer)key);
	}
	template <class F> void each(F f)
	{
		GHashTableIter at;
		gpointer k, v;

		for (g_hash_table_iter_init(&at, map); g_hash_table_iter_next(&at, &k, &v);)
			f((uint64_t)v);
	}
	size_t size()
	{
		return g_hash_table_size(map);
	}
	bool reserve(size_t)
	{
		return false;
	}
};
#elif defined PEER_uthash
#include <uthash.h>

struct entry {
	uint64_t key, value;
	UT_hash_handle hh;
};

struct numbers_map {
	entry *map = nullptr;

	~numbers_map()
	{
		entry *e, *next;

		HASH_ITER(hh, map, e, next)
		{
			HASH_DEL(map, e);
			free(e);
		}
	}
	void put(uint64_t key, uint64_t value)
	{
		entry *e;

		HASH_FIND(hh, map, &key, sizeof(key), e);
		if (!e) {
			e = (entry *)malloc(sizeof(*e));
			e->key = key;
			HASH_ADD(hh, map, key, sizeof(key), e);
		}
		e->value = value;
	}
	bool get(uint64_t key, uint64_t &value)
	{
		entry *e;

		HASH_FIND(hh, map, &key, sizeof(key), e);
		if (!e)
			return false;
		value = e->value;
		return true;
	}
	bool erase(uint64_t key)
	{
		entry *e;

		HASH_FIND(hh, map, &key, sizeof(key), e);
		if (!e)
			return false;
		HASH_DEL(map, e);
		free(e);
		return true;
	}
	template <class F> void each(F f)
	{
		for (entry *e = map; e; e = (entry *)e->hh.next)
			f(e->value);
	}
	size_t size()
	{
		return HASH_COUNT(map);
	}
	bool reserve(size_t)
	{
		return false;
	}
};
#else
#error "which peer?"
#endif

/** Stands in where a peer has no map of texts. */
struct no_texts {
	void put(text, uint64_t)
	{
		abort();
	}
	bool get(text, uint64_t &)
	{
		return false;
	}
	bool erase(text)
	{
		return false;
	}
	template <class F> void each(F)
	{
	}
	size_t size()
	{
		return 0;
	}
	bool reserve(size_t)
	{
		return false;
	}
};

int main(int argc, char **argv)
{
#if defined PEER_glib || defined PEER_uthash || defined PEER_khash
	return bench<numbers_map, no_texts>(argc, argv);
#else
	return bench<numbers_map, texts_map>(argc, argv);
#endif
}
