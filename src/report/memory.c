// memory.c - the parts of a process's memory, by name and in order.
#include "report/memory.h"

#include <math.h>
#include <stdlib.h>

uint64_t ms_memory_map_bytes(const struct ms_memory *m)
{
	return m->map_live_bytes + m->map_slack_bytes + m->map_untyped_bytes;
}

uint64_t ms_memory_live_bytes(const struct ms_memory *m)
{
	return m->known ? ms_memory_map_bytes(m) + m->other_live_bytes : MS_UNKNOWN;
}

void ms_memory_split_maps(struct ms_memory *m, struct ms_map_bytes maps)
{
	uint64_t left = ms_memory_map_bytes(m) + m->other_live_bytes;
	uint64_t known = maps.live + maps.untyped;
	uint64_t slack = maps.total > known ? maps.total - known : 0;

	slack = slack > m->map_absent_bytes ? slack - m->map_absent_bytes : 0;
	m->map_live_bytes = ms_min_u64(maps.live, left);
	left -= m->map_live_bytes;
	m->map_untyped_bytes = ms_min_u64(maps.untyped, left);
	left -= m->map_untyped_bytes;
	m->map_slack_bytes = ms_min_u64(slack, left);
	m->other_live_bytes = left - m->map_slack_bytes;
}

double ms_memory_map_share(const struct ms_memory *m)
{
	uint64_t live = ms_memory_live_bytes(m);

	if (live == MS_UNKNOWN || live == 0)
		return NAN;
	return (double)ms_memory_map_bytes(m) / (double)live;
}

void ms_memory_parts(const struct ms_memory *m, struct ms_memory_part ret_parts[MS_MEMORY_PARTS])
{
	const struct ms_memory_part parts[MS_MEMORY_PARTS] = {
		{ "map_live_bytes", "maps: entries", m->map_live_bytes },
		{ "map_slack_bytes", "maps: slack", m->map_slack_bytes },
		{ "map_untyped_bytes", "maps: of unknown type", m->map_untyped_bytes },
		{ "other_live_bytes", "other live objects", m->other_live_bytes },
		{ "garbage_bytes", "garbage not yet swept", m->garbage_bytes },
		{ "span_free_bytes", "free slots in spans", m->span_free_bytes },
		{ "heap_free_bytes", "free pages not given back", m->heap_free_bytes },
		{ "stack_bytes", "stacks of goroutines", m->stack_bytes },
		{ "manual_bytes", "work buffers of the collector", m->manual_bytes },
		{ "runtime_bytes", "the runtime's own", m->runtime_bytes },
		{ "off_heap_bytes", "off-heap: C, mmap, threads", m->off_heap_bytes },
		{ "executable_bytes", "executable", m->executable_bytes },
		{ "file_bytes", "libraries and files", m->file_bytes },
		{ "unknown_bytes", "unknown", m->unknown_bytes },
	};

	for (size_t i = 0; i < MS_MEMORY_PARTS; i++) {
		ret_parts[i] = parts[i];
		if (!m->known)
			ret_parts[i].bytes = MS_UNKNOWN;
	}
}

size_t *ms_memory_class_order(const struct ms_memory *m)
{
	size_t *order = malloc((m->class_count + 1) * sizeof(*order));

	if (!order)
		return NULL;
	for (size_t i = 0; i < m->class_count; i++) { // A hundred rows, nearly in order: insert.
		size_t at = i;

		while (at > 0 && m->classes[order[at - 1]].live_bytes < m->classes[i].live_bytes) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = i;
	}
	return order;
}

static int by_bytes(const void *a, const void *b)
{
	const struct ms_type_total *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->type, y->type);
}

bool ms_memory_take_types(struct ms_memory *m, const struct ms_type_total *types, size_t count)
{
	struct ms_type_total *sorted = malloc((count + 1) * sizeof(*sorted));
	size_t kept = 0;

	if (!sorted)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (types[i].type)
			sorted[kept++] = types[i];
	}
	qsort(sorted, kept, sizeof(*sorted), by_bytes);
	free(m->types);
	m->types = sorted;
	m->type_count = ms_min_u64(kept, MS_MEMORY_TYPES_MAX);
	return true;
}

void ms_memory_top_types(const struct ms_memory *m, size_t most, struct ms_type_total *ret_types,
			 size_t *ret_count)
{
	struct ms_type_total sums[MS_MEMORY_TYPES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < m->type_count; i++) {
		const struct ms_type_total *type = &m->types[i];
		size_t at = 0;

		if (type->is_map)
			continue;
		while (at < count && strcmp(sums[at].type, type->type) != 0)
			at++;
		if (at == count) {
			sums[count++] = *type;
			continue;
		}
		sums[at].objects += type->objects;
		sums[at].bytes += type->bytes;
	}
	qsort(sums, count, sizeof(*sums), by_bytes);
	*ret_count = ms_min_u64(count, most);
	memcpy(ret_types, sums, *ret_count * sizeof(*sums));
}

void ms_memory_deinit(struct ms_memory *m)
{
	free(m->classes);
	free(m->types);
	*m = (struct ms_memory){ 0 };
}
