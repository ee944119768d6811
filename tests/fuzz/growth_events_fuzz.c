// What the kernel's probes send, with any values in it, made into a report and all its pages.
//
//	1 byte  which recording      1 byte  bits (trace_run.h)
//	2 bytes how many bytes are stacks; each: 1 byte how many frames, 4 bytes offset of each into
//	        the program's code, the caller's first
//	1 byte  how many events come at each look      counters of 8 bytes, a flag for each
//	then events as the kernel writes them, and behind 32 of them sums
//
// A type below 4096 is a map type of the program, a map below 65536 one of its maps, a goroutine
// was begun in its code: what the kernel sends is true of such things, or anything at all.  The
// kernel's side is replaced by the functions below, for every fuzz target.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_run.h"
#include "trace/growth_kernel.h"
#include "trace/growth_place.h"

#include <math.h>

enum {
	READS_MAX = 60000,
	EVENTS_MAX = 32,
	SUMS_MAX = 16,
	COUNTERS = sizeof(struct ms_bpf_counters) / 8,
	SOON_BIT = 0x80, // Of unread, which has six: the time is one within the trace.
};

/** The kernel's side, out of an input. */
struct ms_growth_kernel {
	const struct trace_run *run;
	struct fuzz_input stacks, events;
	struct ms_bpf_counters counters;
	unsigned per_look;
	unsigned sent;
};

static struct ms_growth_kernel kernel;

/** Recordings have no code of these functions: they are taken to be where they would be. */
struct ms_error *ms_growth_places_find(struct ms_go_runtime *rt,
				       struct ms_growth_places *ret_places)
{
	bool is_swiss = rt->layout->maps == MS_GO_MAPS_SWISS;

	*ret_places = (struct ms_growth_places){ .count = is_swiss ? 4 : 1 };
	for (size_t i = 0; i < ret_places->count; i++)
		ret_places->items[i].kind =
		    is_swiss ? MS_BPF_TO_SMALL + (unsigned)i : MS_BPF_HASH_GROW;
	return NULL;
}

struct ms_error *ms_probe_place_find(struct ms_go_runtime *rt, struct ms_code *code,
				     const struct ms_function *fn, uint64_t *ret_file_offset,
				     struct ms_probe_site *ret_site)
{
	(void)rt;
	(void)code;
	(void)fn;
	(void)ret_file_offset;
	(void)ret_site;
	return ms_error_new(MS_ERR_UNSUPPORTED, "a recording is not probed");
}

struct ms_error *ms_return_places_find(struct ms_go_runtime *rt, struct ms_code *code,
				       const struct ms_function *fn,
				       const struct ms_probe_site *entry_site,
				       struct ms_return_sites *ret_offsets)
{
	(void)rt;
	(void)code;
	(void)fn;
	(void)entry_site;
	(void)ret_offsets;
	return ms_error_new(MS_ERR_UNSUPPORTED, "a recording is not probed");
}

void ms_probe_namespace(uint64_t *ret_device, uint64_t *ret_inode)
{
	*ret_device = *ret_inode = 0;
}

void ms_growth_config(const struct ms_go_runtime *rt, const struct ms_growth_places *places,
		      struct ms_bpf_config *ret_config)
{
	(void)rt;
	(void)places;
	*ret_config = (struct ms_bpf_config){ 0 };
}

struct ms_error *ms_growth_kernel_open(const struct ms_bpf_config *config,
				       struct ms_growth_kernel **ret_kernel)
{
	(void)config;
	*ret_kernel = &kernel;
	return NULL;
}

struct ms_error *ms_growth_kernel_attach(struct ms_growth_kernel *k, enum ms_bpf_kind kind,
					 pid_t pid, uint64_t offset)
{
	(void)k;
	(void)offset;
	FUZZ_CHECK(kind < MS_BPF_KINDS && pid > 0);
	return NULL;
}

static ms_addr address_of(const struct recorded *r, uint64_t value)
{
	return value < 65536 && r->census.map_count
		   ? r->census.maps[value % r->census.map_count].address
		   : value;
}

static ms_addr type_of(const struct recorded *r, uint64_t value)
{
	return value < 4096 && r->type_count ? r->types[value % r->type_count] : value;
}

static struct ms_bpf_event event_take(struct ms_growth_kernel *k)
{
	struct fuzz_input part = fuzz_part(&k->events, sizeof(struct ms_bpf_event));
	struct ms_bpf_event e = { 0 };

	if (part.left)
		memcpy(&e, part.at, part.left);
	e.map = address_of(k->run->recorded, e.map);
	e.type = type_of(k->run->recorded, e.type);
	if (e.gopc < 65536)
		e.gopc += k->run->recorded->text;
	if (e.unread & SOON_BIT)
		e.time_ns = (uint64_t)(k->run->now * 1e9) - e.time_ns % 100000000;
	return e;
}

struct ms_error *ms_growth_kernel_drain(struct ms_growth_kernel *k, ms_growth_event_fn fn,
					void *context)
{
	struct ms_error *err = NULL;

	for (unsigned i = 0; i < k->per_look && k->events.left && k->sent < EVENTS_MAX && !err;
	     i++, k->sent++) {
		struct ms_bpf_event e = event_take(k);

		err = fn(context, &e);
	}
	return err;
}

struct ms_error *ms_growth_kernel_counters(struct ms_growth_kernel *k,
					   struct ms_bpf_counters *ret_counters)
{
	*ret_counters = k->counters;
	return NULL;
}

bool ms_growth_kernel_stack(struct ms_growth_kernel *k, uint64_t key,
			    struct ms_bpf_stack *ret_stack)
{
	struct fuzz_input in = k->stacks;

	memset(ret_stack, 0, sizeof(*ret_stack));
	for (uint64_t i = 0; i <= key % 64; i++) {
		ret_stack->count = (uint32_t)fuzz_number(&in, 1) & 127;
		ret_stack->caller = k->run->recorded->text + fuzz_number(&in, 4);
		for (uint32_t at = 0; at < ret_stack->count; at++)
			ret_stack->pcs[at] = k->run->recorded->text + fuzz_number(&in, 4);
	}
	return key % 7 != 6;
}

struct ms_error *ms_growth_kernel_sums(struct ms_growth_kernel *k, ms_growth_sum_fn fn,
				       void *context)
{
	struct ms_error *err = NULL;

	for (unsigned i = 0; i < SUMS_MAX && k->events.left && !err; i++) {
		const struct ms_bpf_event e = event_take(k);
		const struct ms_bpf_sum_key key = { .map = e.map,
						    .type = e.type,
						    .stack = e.stack,
						    .slots = e.slots,
						    .is_over = e.is_over & 1,
						    .kind = e.kind % MS_BPF_KINDS,
						    .unread = e.unread };

		err = fn(context, &key, e.entries);
	}
	return err;
}

void ms_growth_kernel_detach(struct ms_growth_kernel *k)
{
	k->per_look = EVENTS_MAX;
}

void ms_growth_kernel_close(struct ms_growth_kernel *k)
{
	(void)k;
}

static struct ms_bpf_counters counters_take(struct fuzz_input *in)
{
	uint64_t words[COUNTERS];
	struct ms_bpf_counters c;

	for (size_t i = 0; i < COUNTERS; i++) {
		unsigned is_there = (unsigned)fuzz_number(in, 1) & 1;

		words[i] = is_there ? fuzz_number(in, 8) : i;
	}
	memcpy(&c, words, sizeof(c));
	return c;
}

MS_FUZZ_TARGET(growth_events)
{
	struct fuzz_input in = { data, size };
	struct recorded *r = recorded_get(fuzz_number(&in, 1));
	struct trace_run run = { .recorded = r, .by_probes = true };

	run.bits = (unsigned)fuzz_number(&in, 1);
	kernel = (struct ms_growth_kernel){ .run = &run };
	kernel.stacks = fuzz_part(&in, (size_t)fuzz_number(&in, 2));
	kernel.per_look = (unsigned)fuzz_number(&in, 1);
	kernel.counters = counters_take(&in);
	kernel.events = in;
	recorded_begin(r, READS_MAX);
	r->changed.target.pid = 1;
	trace_run(&run);
}
