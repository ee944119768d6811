// creation_kernel.c - as growth_kernel.c: all that is held in the kernel are descriptors of this
// process, so the probes are gone whichever way it ends.
#include "trace/creation_kernel.h"

#ifdef MS_HAVE_BPF
#include "trace/creations.skel.h"
#include "trace/kernel.h"
#include "trace/return_sites.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

enum { LINKS_MAX = MS_RETURN_SITES_MAX + 2 };

struct ms_creation_kernel {
	struct creations_bpf *skeleton;
	struct ring_buffer *ring;
	struct bpf_link *links[LINKS_MAX]; // In the order in which they are taken away.
	enum ms_creation_site sites[LINKS_MAX];
	size_t link_count;
	ms_creation_fn fn; // While the ring is read.
	void *context;
	struct ms_error *failed;
};

static int take_creation(void *context, void *data, size_t size)
{
	struct ms_creation_kernel *k = context;
	const struct ms_bpf_creation *creation = data;

	if (size < sizeof(*creation) || creation->count > MS_BPF_CREATION_STACK_MAX)
		return 0;
	k->failed = k->fn(k->context, creation);
	return k->failed ? -ECANCELED : 0;
}

static struct ms_error *load(struct ms_creation_kernel *k,
			     const struct ms_bpf_creations_config *config)
{
	int error;

	k->skeleton = creations_bpf__open();
	if (!k->skeleton)
		return ms_kernel_refuse(errno, "prepare programs for the kernel");
	memcpy((void *)&k->skeleton->rodata->creations_config, config, sizeof(*config));
	error = creations_bpf__load(k->skeleton);
	if (error)
		return ms_kernel_refuse(-error, "load programs into the kernel");
	return ms_kernel_open_ring(bpf_map__fd(k->skeleton->maps.ring), take_creation, k, &k->ring);
}

struct ms_error *ms_creation_kernel_open(const struct ms_bpf_creations_config *config,
					 struct ms_creation_kernel **ret_kernel)
{
	struct ms_creation_kernel *k;
	struct ms_error *err = ms_kernel_prepare();

	if (err)
		return err;
	k = calloc(1, sizeof(*k));
	if (!k)
		return ms_error_no_memory();
	err = load(k, config);
	if (err) {
		ms_creation_kernel_close(k);
		return err;
	}
	*ret_kernel = k;
	return NULL;
}

struct ms_error *ms_creation_kernel_attach(struct ms_creation_kernel *k, enum ms_creation_site site,
					   pid_t pid, uint64_t offset, uint32_t condition)
{
	const struct bpf_program *const programs[] = {
		[MS_CREATION_BEGINS] = k->skeleton->progs.creation_begins,
		[MS_CREATION_RETURNS] = k->skeleton->progs.creation_returns,
		[MS_CREATION_SMALL] = k->skeleton->progs.small_creation,
	};
	struct bpf_link *link;

	if (k->link_count == LINKS_MAX)
		return ms_error_new(MS_ERR_UNSUPPORTED, "too many places for probes");
	link = ms_kernel_attach(programs[site], pid, offset, condition);
	if (!link)
		return ms_kernel_refuse(errno, "place a probe");
	k->sites[k->link_count] = site;
	k->links[k->link_count++] = link;
	return NULL;
}

struct ms_error *ms_creation_kernel_drain(struct ms_creation_kernel *k, ms_creation_fn fn,
					  void *context)
{
	k->fn = fn;
	k->context = context;
	return ms_kernel_drain(k->ring, &k->failed);
}

struct ms_bpf_creation_counters ms_creation_kernel_counters(const struct ms_creation_kernel *k)
{
	return k->skeleton->bss->made;
}

void ms_creation_kernel_forgo_returns(struct ms_creation_kernel *k)
{
	__atomic_store_n(&k->skeleton->bss->at_entry, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < k->link_count; i++) {
		if (k->sites[i] != MS_CREATION_RETURNS)
			continue;
		bpf_link__destroy(k->links[i]);
		k->links[i] = NULL;
	}
}

void ms_creation_kernel_detach(struct ms_creation_kernel *k)
{
	for (size_t i = 0; i < k->link_count; i++)
		bpf_link__destroy(k->links[i]);
	k->link_count = 0;
}

void ms_creation_kernel_close(struct ms_creation_kernel *k)
{
	if (!k)
		return;
	ms_creation_kernel_detach(k);
	ring_buffer__free(k->ring);
	creations_bpf__destroy(k->skeleton);
	free(k);
}

#else

static struct ms_error *none(void)
{
	return ms_error_new(MS_ERR_UNSUPPORTED, "this mapscope was built without probes");
}

struct ms_error *ms_creation_kernel_open(const struct ms_bpf_creations_config *config,
					 struct ms_creation_kernel **ret_kernel)
{
	(void)config;
	(void)ret_kernel;
	return none();
}

struct ms_error *ms_creation_kernel_attach(struct ms_creation_kernel *k, enum ms_creation_site site,
					   pid_t pid, uint64_t offset, uint32_t condition)
{
	(void)k;
	(void)site;
	(void)pid;
	(void)offset;
	(void)condition;
	return none();
}

struct ms_error *ms_creation_kernel_drain(struct ms_creation_kernel *k, ms_creation_fn fn,
					  void *context)
{
	(void)k;
	(void)fn;
	(void)context;
	return none();
}

struct ms_bpf_creation_counters ms_creation_kernel_counters(const struct ms_creation_kernel *k)
{
	(void)k;
	return (struct ms_bpf_creation_counters){ 0 };
}

void ms_creation_kernel_forgo_returns(struct ms_creation_kernel *k)
{
	(void)k;
}

void ms_creation_kernel_detach(struct ms_creation_kernel *k)
{
	(void)k;
}

void ms_creation_kernel_close(struct ms_creation_kernel *k)
{
	(void)k;
}
#endif
