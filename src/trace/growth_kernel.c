// growth_kernel.c - libbpf, and what its errors mean to a user.
//
// Only probes that live as long as a descriptor are used.  Kernels older than 4.17 know probes by
// name in tracefs, which stay when their maker is killed: there we do not place any.
#include "trace/growth_kernel.h"

#ifdef MS_HAVE_BPF
#include "trace/growth.skel.h"
#include "trace/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

struct ms_growth_kernel {
	struct growth_bpf *skeleton;
	struct ring_buffer *ring;
	struct bpf_link *links[MS_BPF_KINDS];
	struct ms_bpf_counters *of_cpus; // Room for reading them.
	int cpu_count;
	ms_growth_event_fn fn; // While the ring is read.
	void *context;
	struct ms_error *failed;
};

static int take_event(void *context, void *data, size_t size)
{
	struct ms_growth_kernel *k = context;

	if (size < sizeof(struct ms_bpf_event))
		return 0;
	k->failed = k->fn(k->context, data);
	return k->failed ? -ECANCELED : 0;
}

static struct ms_error *load(struct ms_growth_kernel *k, const struct ms_bpf_config *config)
{
	struct ms_error *err;
	int error;

	k->skeleton = growth_bpf__open();
	if (!k->skeleton)
		return ms_kernel_refuse(errno, "prepare programs for the kernel");
	memcpy((void *)&k->skeleton->rodata->config, config, sizeof(*config));
	error = growth_bpf__load(k->skeleton);
	if (error)
		return ms_kernel_refuse(-error, "load programs into the kernel");
	err = ms_kernel_open_ring(bpf_map__fd(k->skeleton->maps.ring), take_event, k, &k->ring);
	if (err)
		return err;
	k->cpu_count = libbpf_num_possible_cpus();
	if (k->cpu_count <= 0)
		return ms_kernel_refuse(-k->cpu_count, "count the CPUs");
	k->of_cpus = calloc((size_t)k->cpu_count, sizeof(*k->of_cpus));
	return k->of_cpus ? NULL : ms_error_no_memory();
}

struct ms_error *ms_growth_kernel_open(const struct ms_bpf_config *config,
				       struct ms_growth_kernel **ret_kernel)
{
	struct ms_growth_kernel *k;
	struct ms_error *err = ms_kernel_prepare();

	if (err)
		return err;
	k = calloc(1, sizeof(*k));
	if (!k)
		return ms_error_no_memory();
	err = load(k, config);
	if (err) {
		ms_growth_kernel_close(k);
		return err;
	}
	*ret_kernel = k;
	return NULL;
}

struct ms_error *ms_growth_kernel_attach(struct ms_growth_kernel *k, enum ms_bpf_kind kind,
					 pid_t pid, uint64_t offset)
{
	struct bpf_program *const programs[MS_BPF_KINDS] = {
		[MS_BPF_HASH_GROW] = k->skeleton->progs.hash_grow,
		[MS_BPF_TO_SMALL] = k->skeleton->progs.to_small,
		[MS_BPF_TO_TABLE] = k->skeleton->progs.to_table,
		[MS_BPF_TABLE_GROW] = k->skeleton->progs.table_grow,
		[MS_BPF_TABLE_SPLIT] = k->skeleton->progs.table_split,
	};

	k->links[kind] = ms_kernel_attach(programs[kind], pid, offset, 0);
	if (!k->links[kind])
		return ms_kernel_refuse(errno, "place a probe");
	return NULL;
}

struct ms_error *ms_growth_kernel_drain(struct ms_growth_kernel *k, ms_growth_event_fn fn,
					void *context)
{
	k->fn = fn;
	k->context = context;
	return ms_kernel_drain(k->ring, &k->failed);
}

struct ms_error *ms_growth_kernel_counters(struct ms_growth_kernel *k,
					   struct ms_bpf_counters *ret_counters)
{
	enum { WORDS = sizeof(struct ms_bpf_counters) / sizeof(uint64_t) };
	struct ms_bpf_counters total = { 0 };
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skeleton->maps.counters), &zero, k->of_cpus))
		return ms_kernel_refuse(errno, "read the kernel's counters");
	for (int cpu = 0; cpu < k->cpu_count; cpu++) {
		for (size_t i = 0; i < WORDS; i++)
			((uint64_t *)&total)[i] += ((const uint64_t *)&k->of_cpus[cpu])[i];
	}
	*ret_counters = total;
	return NULL;
}

bool ms_growth_kernel_stack(struct ms_growth_kernel *k, uint64_t key,
			    struct ms_bpf_stack *ret_stack)
{
	struct ms_bpf_stack stack;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skeleton->maps.stacks), &key, &stack) != 0 ||
	    stack.count > MS_BPF_STACK_MAX)
		return false;
	*ret_stack = stack;
	return true;
}

struct ms_error *ms_growth_kernel_sums(struct ms_growth_kernel *k, ms_growth_sum_fn fn,
				       void *context)
{
	int fd = bpf_map__fd(k->skeleton->maps.sums);
	struct ms_bpf_sum_key key;
	const void *before = NULL;
	uint64_t count;

	for (unsigned i = 0; i < MS_BPF_SUMS && !bpf_map_get_next_key(fd, before, &key); i++) {
		struct ms_error *err = NULL;

		if (bpf_map_lookup_elem(fd, &key, &count) == 0)
			err = fn(context, &key, count);
		if (err)
			return err;
		before = &key;
	}
	return NULL;
}

void ms_growth_kernel_detach(struct ms_growth_kernel *k)
{
	for (unsigned kind = 0; kind < MS_BPF_KINDS; kind++) {
		bpf_link__destroy(k->links[kind]);
		k->links[kind] = NULL;
	}
}

void ms_growth_kernel_close(struct ms_growth_kernel *k)
{
	if (!k)
		return;
	ms_growth_kernel_detach(k);
	ring_buffer__free(k->ring);
	growth_bpf__destroy(k->skeleton);
	free(k->of_cpus);
	free(k);
}

#else

static struct ms_error *none(void)
{
	return ms_error_new(MS_ERR_UNSUPPORTED, "this mapscope was built without probes");
}

struct ms_error *ms_growth_kernel_open(const struct ms_bpf_config *config,
				       struct ms_growth_kernel **ret_kernel)
{
	(void)config;
	(void)ret_kernel;
	return none();
}

struct ms_error *ms_growth_kernel_attach(struct ms_growth_kernel *k, enum ms_bpf_kind kind,
					 pid_t pid, uint64_t offset)
{
	(void)k;
	(void)kind;
	(void)pid;
	(void)offset;
	return none();
}

struct ms_error *ms_growth_kernel_drain(struct ms_growth_kernel *k, ms_growth_event_fn fn,
					void *context)
{
	(void)k;
	(void)fn;
	(void)context;
	return none();
}

struct ms_error *ms_growth_kernel_counters(struct ms_growth_kernel *k,
					   struct ms_bpf_counters *ret_counters)
{
	(void)k;
	(void)ret_counters;
	return none();
}

bool ms_growth_kernel_stack(struct ms_growth_kernel *k, uint64_t key,
			    struct ms_bpf_stack *ret_stack)
{
	(void)k;
	(void)key;
	(void)ret_stack;
	return false;
}

struct ms_error *ms_growth_kernel_sums(struct ms_growth_kernel *k, ms_growth_sum_fn fn,
				       void *context)
{
	(void)k;
	(void)fn;
	(void)context;
	return none();
}

void ms_growth_kernel_detach(struct ms_growth_kernel *k)
{
	(void)k;
}

void ms_growth_kernel_close(struct ms_growth_kernel *k)
{
	(void)k;
}
#endif
