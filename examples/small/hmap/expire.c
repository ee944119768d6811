// A session cache: entries are erased while it is iterated over, and its memory goes back.
#include <hmap/hmap_typed.h>
#include <stdio.h>

struct session {
	uint64_t last_seen;
	char user[24];
};

HMAP_DEFINE(sessions, uint64_t, struct session)

int main(void)
{
	struct hmap_options options = { .name = "sessions", .shrink = HMAP_SHRINKTRIGGER_LOAD };
	struct sessions *cache = NULL;
	struct hmap_iterator it;
	struct hmap_stats before, after;
	const uint64_t *id;
	struct session *session;

	if (sessions_create(&options, &cache) != HMAP_OK)
		return 1;
	for (uint64_t i = 0; i < 200000; i++) {
		struct session s = { .last_seen = i, .user = "somebody" };

		if (sessions_put(cache, i * 2654435761, s) != HMAP_OK)
			return 1;
	}
	hmap_stats(&cache->map, HMAP_STATS_QUICK, &before);
	for (sessions_iterate(cache, &it); sessions_next(&it, &id, &session);)
		if (session->last_seen < 190000)
			sessions_erase(cache, *id);
	while (hmap_step(&cache->map, 16) > 0)
		; // what a program does when it has nothing else to do
	hmap_stats(&cache->map, HMAP_STATS_QUICK, &after);
	printf("%zu sessions left, in %s than a tenth of the memory\n", after.entries,
	       after.total_bytes * 10 < before.total_bytes ? "less" : "more");
	sessions_destroy(cache);
	return 0;
}
