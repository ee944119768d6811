// fake_heap.c - the parts lie far apart, so that a reader which goes too far is found out.
#include "tests/support/fake_heap.h"

#include "base/vec.h"
#include "golang/goroutines.h"
#include "golang/spans.h"
#include "maps/swiss.h"

#include <stdlib.h>

#define RUNTIME ((ms_addr)0x900000)
#define SPANS ((ms_addr)0xc010000000)
#define SPAN_TABLE ((ms_addr)0xc020000000)
#define GOROUTINE ((ms_addr)0xc030000000)

enum {
	SEED = 0x12345678, // Of every map.
	SWEEPGEN = 8,
	SPAN_PAGES = 4, // Of small objects.
	WORKER_FRAME = 256,
	PARK_FRAME = 32,
};

static const struct fake_function functions[FAKE_FN_COUNT] = {
	[FAKE_FN_GOEXIT] = { .name = "runtime.goexit", .bytes = 32, .line = 10, .flags = 1 },
	[FAKE_FN_PARK] = { .name = "runtime.gopark",
			   .bytes = 64,
			   .frame_bytes = PARK_FRAME,
			   .line = 20 },
	[FAKE_FN_WORKER] = { .name = "main.worker",
			     .bytes = 64,
			     .frame_bytes = WORKER_FRAME,
			     .line = 30 },
	[FAKE_FN_CLOSURE] = { .name = "main.(*Shop).Handler.func1",
			      .bytes = 64,
			      .frame_bytes = 16,
			      .line = 40 },
	[FAKE_FN_HASH] = { .name = "runtime.nilinterhash", .bytes = 32, .line = 50 },
	[FAKE_FN_EQUAL] = { .name = "runtime.nilinterequal", .bytes = 32, .line = 60 },
};

static void put(uint8_t *at, uint64_t value, size_t size)
{
	memcpy(at, &value, size);
}

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void slice_put(uint8_t *at, ms_addr data, uint64_t count)
{
	put(at, data, 8);
	put(at + 8, count, 8);
	put(at + 16, count, 8);
}

static void memory_map(struct fake_heap *h)
{
	struct fake_target *t = &h->functions->fake;
	const unsigned prot = MS_PROT_READ | MS_PROT_WRITE;

	fake_target_map_exe(t, FAKE_TYPES, h->types.bytes, FAKE_TYPES_BYTES, 0, MS_PROT_READ);
	fake_target_map_exe(t, FAKE_VARIABLES, h->variables, FAKE_VARIABLES_BYTES, 0x100000, prot);
	fake_target_map(t, RUNTIME, h->runtime, h->runtime_bytes, MS_REGION_ANON, prot);
	fake_target_map(t, FAKE_OBJECTS, h->objects, FAKE_OBJECTS_BYTES, MS_REGION_ANON, prot);
	fake_target_map(t, SPANS, h->spans, (uint64_t)FAKE_SPANS_MAX * h->layout->mspan_size,
			MS_REGION_ANON, prot);
	fake_target_map(t, SPAN_TABLE, h->table, (uint64_t)FAKE_SPANS_MAX * 8, MS_REGION_ANON,
			prot);
	fake_target_map(t, GOROUTINE, h->goroutine, sizeof(h->goroutine), MS_REGION_ANON, prot);
}

static void runtime_make(struct fake_heap *h)
{
	struct ms_go_runtime *rt = &h->functions->rt;
	uint32_t distance = h->layout->mheap_sweepgen_to_allspans;
	struct ms_go_module *m = &rt->modules[0];

	h->runtime_bytes = (size_t)ms_round_up(distance + 128ull, 4096);
	h->runtime = need(calloc(1, h->runtime_bytes));
	put(h->runtime, SWEEPGEN, 4);
	rt->allspans = RUNTIME + distance;
	rt->allgs = rt->allspans + 64;
	slice_put(h->runtime + distance + 64, GOROUTINE, 0);
	rt->layout = h->layout;
	rt->globals = need(calloc(1, sizeof(*rt->globals)));
	rt->code_facts = need(calloc(1, sizeof(*rt->code_facts)));
	m->types = FAKE_TYPES;
	m->etypes = FAKE_TYPES + FAKE_TYPES_BYTES;
	m->data = m->edata = FAKE_VARIABLES;
	m->bss = FAKE_VARIABLES;
	m->ebss = FAKE_VARIABLES + FAKE_VARIABLES_BYTES;
}

struct fake_heap *fake_heap_create(const struct ms_go_layout *layout)
{
	struct fake_heap *h = need(calloc(1, sizeof(*h)));
	const struct ms_functions *loaded;
	struct ms_error *err;

	h->functions = fake_functions_create(functions, FAKE_FN_COUNT, MS_ARCH_AMD64);
	err = ms_go_functions(&h->functions->rt, &loaded); // By the row that they were made for.
	if (err)
		abort();
	h->layout = layout ? layout : h->functions->rt.layout;
	fake_types_init(&h->types, h->layout);
	h->objects = need(calloc(1, FAKE_OBJECTS_BYTES));
	h->spans = need(calloc(FAKE_SPANS_MAX, h->layout->mspan_size));
	h->table = need(calloc(FAKE_SPANS_MAX, sizeof(*h->table)));
	runtime_make(h);
	memory_map(h);
	return h;
}

void fake_heap_forget_types(struct fake_heap *h)
{
	struct ms_go_runtime *rt = &h->functions->rt;

	if (rt->types) {
		ms_types_deinit(rt->types);
		free(rt->types);
		rt->types = NULL;
	}
}

void fake_heap_destroy(struct fake_heap *h)
{
	struct ms_go_runtime *rt = &h->functions->rt;

	fake_heap_forget_types(h);
	ms_go_globals_destroy(rt->globals);
	ms_code_facts_destroy(rt->code_facts);
	ms_regions_deinit(&rt->regions);
	fake_functions_destroy(h->functions);
	ms_census_report_deinit(&h->report);
	free(h->objects);
	free(h->spans);
	free(h->table);
	free(h->runtime);
	free(h);
}

// --- Objects. ---

/** A span for objects of @p elem_bytes; the record that describes it. */
static uint8_t *span_make(struct fake_heap *h, unsigned class, uint64_t elem_bytes, bool plain)
{
	const struct ms_go_layout *l = h->layout;
	uint64_t bytes = class ? (uint64_t)SPAN_PAGES * MS_GO_PAGE_BYTES
			       : ms_round_up(elem_bytes, MS_GO_PAGE_BYTES);
	uint8_t *raw = h->spans + h->span_count * l->mspan_size;
	ms_addr address = SPANS + h->span_count * l->mspan_size;
	uint64_t elems = class ? bytes / elem_bytes : 1;

	if (h->span_count == FAKE_SPANS_MAX || h->objects_used + bytes > FAKE_OBJECTS_BYTES)
		abort();
	put(raw + l->mspan_start, FAKE_OBJECTS + h->objects_used, 8);
	put(raw + l->mspan_npages, bytes / MS_GO_PAGE_BYTES, 8);
	put(raw + l->mspan_elemsize, class ? elem_bytes : bytes, 8);
	put(raw + l->mspan_nelems, elems, l->mspan_nelems_bytes);
	put(raw + l->mspan_sweepgen, SWEEPGEN, 4);
	raw[l->mspan_spanclass] = (uint8_t)(class * 2 + plain);
	raw[l->mspan_state] = MS_SPAN_IN_USE;
	h->objects_used += bytes;
	h->table[h->span_count++] = address;
	slice_put(h->runtime + l->mheap_sweepgen_to_allspans, SPAN_TABLE, h->span_count);
	return raw;
}

static ms_addr object_make(struct fake_heap *h, uint64_t bytes, ms_addr type, bool plain)
{
	const struct ms_go_layout *l = h->layout;
	uint64_t header = ms_go_has_malloc_headers(l) && !plain && bytes > 512 ? 8 : 0;
	unsigned class = 1;
	struct fake_open_span *open;
	uint64_t size;
	uint8_t *raw;
	ms_addr at;

	while (class < l->size_class_count && l->size_classes[class] < bytes + header)
		class ++;
	if (class == l->size_class_count) {
		raw = span_make(h, 0, bytes, plain);
		if (l->mspan_large_type != MS_ABSENT)
			put(raw + l->mspan_large_type, type, 8);
		return ms_load_u64(raw + l->mspan_start);
	}
	open = &h->open[plain][class];
	size = l->size_classes[class];
	if (open->next + size > open->end) {
		raw = span_make(h, class, size, plain);
		open->next = ms_load_u64(raw + l->mspan_start);
		open->end = open->next + SPAN_PAGES * MS_GO_PAGE_BYTES;
	}
	at = open->next;
	open->next += size;
	if (header)
		fake_heap_set(h, at, 0, type);
	return at + header;
}

ms_addr fake_heap_new(struct fake_heap *h, uint64_t bytes, ms_addr type)
{
	return object_make(h, bytes, type, false);
}

ms_addr fake_heap_new_plain(struct fake_heap *h, uint64_t bytes)
{
	return object_make(h, bytes, 0, true);
}

void fake_heap_set(struct fake_heap *h, ms_addr object, uint64_t offset, uint64_t value)
{
	put(h->objects + (object - FAKE_OBJECTS) + offset, value, 8);
}

void fake_heap_drop_span(struct fake_heap *h, ms_addr object)
{
	const struct ms_go_layout *l = h->layout;

	for (size_t i = 0; i < h->span_count; i++) {
		uint8_t *raw = h->spans + i * l->mspan_size;
		ms_addr start = ms_load_u64(raw + l->mspan_start);

		if (object - start < ms_load_u64(raw + l->mspan_npages) * MS_GO_PAGE_BYTES)
			raw[l->mspan_state] = MS_SPAN_DEAD;
	}
	memset(h->open, 0, sizeof(h->open));
}

// --- Variables. ---

ms_addr fake_heap_words(struct fake_heap *h, size_t count)
{
	size_t at = h->variables_used;

	h->variables_used += count * 8;
	if (h->variables_used > FAKE_VARIABLES_BYTES)
		abort();
	return FAKE_VARIABLES + at;
}

void fake_heap_set_word(struct fake_heap *h, ms_addr variable, size_t index, uint64_t value)
{
	put(h->variables + (variable - FAKE_VARIABLES) + index * 8, value, 8);
}

void fake_heap_typed(struct fake_heap *h, const struct ms_go_typed *typed)
{
	if (!ms_vec_push(&h->functions->rt.globals->typed, *typed))
		abort();
}

ms_addr fake_heap_variable(struct fake_heap *h, const char *name, ms_addr type, uint64_t value)
{
	uint64_t bytes = fake_types_get(&h->types, type, h->layout->type_bytes);
	ms_addr at = fake_heap_words(h, (size_t)(ms_round_up(bytes, 8) / 8));

	fake_heap_set_word(h, at, 0, value);
	fake_heap_typed(h, &(struct ms_go_typed){ .address = at,
						  .type = type,
						  .shape = MS_GO_TYPED_VALUE,
						  .variable = name,
						  .path = "" });
	return at;
}

// --- Maps. ---

ms_addr fake_heap_map(struct fake_heap *h, ms_addr map_type, ms_addr *ret_table)
{
	const struct ms_go_layout *l = h->layout;
	bool swiss = l->maps == MS_GO_MAPS_SWISS;
	ms_addr table_type =
	    fake_types_get(&h->types, map_type, swiss ? l->maptype_group : l->maptype_bucket);
	uint64_t bytes = fake_types_get(&h->types, table_type, l->type_bytes);
	ms_addr map = fake_heap_new(h, swiss ? l->map_size : l->hmap_size, 0);
	ms_addr table = fake_types_get(&h->types, table_type, l->type_ptrdata)
			    ? fake_heap_new(h, bytes, table_type)
			    : fake_heap_new_plain(h, bytes);

	if (swiss) {
		fake_heap_set(h, map, l->map_used, 1);
		fake_heap_set(h, map, l->map_seed, SEED);
		fake_heap_set(h, map, l->map_dir_ptr, table);
		fake_heap_set(h, table, 0, 0x8080808080808001);
	} else {
		fake_heap_set(h, map, l->hmap_count, 1);
		fake_heap_set(h, map, l->hmap_flags, (uint64_t)SEED << 32);
		fake_heap_set(h, map, l->hmap_buckets, table);
		fake_heap_set(h, table, 0, 0x20);
	}
	fake_heap_row(h, map);
	if (ret_table)
		*ret_table = table;
	return map;
}

struct ms_map_row *fake_heap_row(struct fake_heap *h, ms_addr address)
{
	struct ms_census_report *r = &h->report;
	size_t at = r->map_count;

	if (!ms_vec_reserve_raw((void **)&r->maps, &h->row_capacity, at + 1, sizeof(*r->maps)))
		abort();
	for (; at > 0 && r->maps[at - 1].address > address; at--)
		r->maps[at] = r->maps[at - 1];
	r->maps[at] = (struct ms_map_row){ .address = address,
					   .entries = 1,
					   .capacity = 8,
					   .grow_at = 8,
					   .live_bytes = MS_UNKNOWN,
					   .total_bytes = 300,
					   .slack_bytes = MS_UNKNOWN };
	r->map_count++;
	return &r->maps[at];
}

const struct ms_map_row *fake_heap_find(const struct fake_heap *h, ms_addr address)
{
	for (size_t i = 0; i < h->report.map_count; i++) {
		if (h->report.maps[i].address == address)
			return &h->report.maps[i];
	}
	abort();
}

// --- Closures and stacks. ---

ms_addr fake_heap_entry(unsigned function)
{
	ms_addr entry = FAKE_TEXT;

	for (unsigned i = 0; i < function; i++)
		entry += functions[i].bytes;
	return entry;
}

void fake_heap_closure(struct fake_heap *h, ms_addr entry, ms_addr type)
{
	if (!ms_vec_push(&h->functions->rt.code_facts->closures, { entry, type }))
		abort();
}

static ms_addr inside(unsigned function)
{
	return fake_heap_entry(function) + FAKE_PROLOGUE_BYTES + 8;
}

void fake_heap_goroutine(struct fake_heap *h, const ms_addr *words, size_t count)
{
	const struct ms_go_layout *l = h->layout;
	ms_addr *stack = h->functions->stack, sp = FAKE_STACK_LO + 64;
	size_t at = 8 + PARK_FRAME / 8;

	stack[at++] = inside(FAKE_FN_WORKER);
	memcpy(stack + at, words, count * sizeof(*words));
	at += WORKER_FRAME / 8;
	stack[at] = inside(FAKE_FN_GOEXIT);
	put(h->goroutine + l->g_stack_lo, FAKE_STACK_LO, 8);
	put(h->goroutine + l->g_stack_hi, FAKE_STACK_LO + sizeof(h->functions->stack), 8);
	put(h->goroutine + l->g_sched_sp, sp, 8);
	put(h->goroutine + l->g_sched_pc, inside(FAKE_FN_PARK), 8);
	put(h->goroutine + l->g_sched_g, GOROUTINE, 8);
	put(h->goroutine + l->g_status, MS_GO_WAITING, 4);
	put(h->goroutine + l->g_goid, 7, 8);
	put(h->goroutine + 504, GOROUTINE, 8); // The table of one.
	slice_put(h->runtime + l->mheap_sweepgen_to_allspans + 64, GOROUTINE + 504, 1);
}
