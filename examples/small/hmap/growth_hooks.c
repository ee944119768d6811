// Follows the life of a map: created, grows, has grown, is freed.
#include <hmap/hmap_typed.h>
#include <stdio.h>

HMAP_DEFINE(squares, uint32_t, uint64_t)

static void told(const struct hmap *map, const struct hmap_event *event, void *state)
{
	unsigned *growths = state;

	(void)map;
	if (event->kind == HMAP_EVENT_CREATED)
		printf("created with hint %zu\n", event->entries);
	else if (event->kind == HMAP_EVENT_GROWS)
		++*growths;
	else if (event->kind == HMAP_EVENT_HIGH_LOAD)
		printf("high load: %zu entries in %zu slots\n", event->entries, event->to);
	else if (event->kind == HMAP_EVENT_FREED)
		printf("freed with %zu entries after %u growths\n", event->entries, *growths);
}

int main(void)
{
	unsigned growths = 0;
	const struct hmap_hooks hooks = { .event = told,
					  .kinds = 1 << HMAP_EVENT_CREATED | 1 << HMAP_EVENT_GROWS |
						   1 << HMAP_EVENT_HIGH_LOAD |
						   1 << HMAP_EVENT_FREED,
					  .state = &growths };
	struct hmap_options options = { .hooks = &hooks, .hint = 50, .high_load = 0.8 };
	struct squares *m = NULL;

	if (squares_create(&options, &m) != HMAP_OK)
		return 1;
	for (uint32_t i = 0; i < 90; i++)
		if (squares_put(m, i, (uint64_t)i * i) != HMAP_OK)
			return 1;
	squares_destroy(m);
	return 0;
}
