// From C++: a graph as a map from nodes to lists, walked breadth first.
#include <cstdio>
#include <hmap/hmap_typed.h>
#include <queue>
#include <vector>

HMAP_DEFINE(edges, uint32_t, std::vector<uint32_t> *)
HMAP_DEFINE_SET(visited, uint32_t)

int main()
{
	edges *graph = nullptr;
	visited *seen = nullptr;
	std::queue<uint32_t> next;

	if (edges_create(nullptr, &graph) != HMAP_OK || visited_create(nullptr, &seen) != HMAP_OK)
		return 1;
	for (uint32_t i = 0; i < 10000; i++)
		edges_put(graph, i, new std::vector<uint32_t>{ i / 2, (i * 3 + 1) % 10000 });
	next.push(7);
	while (!next.empty()) {
		uint32_t node = next.front();

		next.pop();
		if (visited_has(seen, node))
			continue;
		visited_add(seen, node);
		for (uint32_t to : **edges_get(graph, node))
			next.push(to);
	}
	printf("%zu of %zu nodes can be reached\n", visited_count(seen), edges_count(graph));

	hmap_iterator it;
	const uint32_t *key;
	std::vector<uint32_t> **value;
	for (edges_iterate(graph, &it); edges_next(&it, &key, &value);)
		delete *value;
	edges_destroy(graph);
	visited_destroy(seen);
}
