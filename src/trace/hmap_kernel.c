// hmap_kernel.c - libbpf finds the probes by their notes, turns their semaphores on for this
// process, and decodes their arguments; the kernel takes all of it back when our descriptors close.
#include "trace/hmap_kernel.h"

#ifdef MS_HAVE_BPF
#include "trace/hmap.skel.h"
#include "trace/kernel.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

enum { LINKS_MAX = 64 };

struct ms_hmap_kernel {
	struct hmap_bpf *skeleton;
	struct ring_buffer *ring;
	struct bpf_link *links[LINKS_MAX];
	size_t link_count;
	ms_hmap_event_fn fn; // While the ring is read.
	void *context;
	struct ms_error *failed;
};

static const char *const probe_names[MS_BPF_HMAP_KINDS] = {
	[MS_BPF_HMAP_CREATED] = "created",   [MS_BPF_HMAP_GROWS] = "grows",
	[MS_BPF_HMAP_MIGRATES] = "migrates", [MS_BPF_HMAP_SHRINKS] = "shrinks",
	[MS_BPF_HMAP_FREED] = "freed",
};

static int take_event(void *context, void *data, size_t size)
{
	struct ms_hmap_kernel *k = context;

	if (size < sizeof(struct ms_bpf_hmap_event))
		return 0;
	k->failed = k->fn(k->context, data);
	return k->failed ? -ECANCELED : 0;
}

static struct ms_error *load(struct ms_hmap_kernel *k, const struct ms_bpf_hmap_config *config)
{
	int error;

	k->skeleton = hmap_bpf__open();
	if (!k->skeleton)
		return ms_kernel_refuse(errno, "prepare programs for the kernel");
	memcpy((void *)&k->skeleton->rodata->config, config, sizeof(*config));
	error = hmap_bpf__load(k->skeleton);
	if (error)
		return ms_kernel_refuse(-error, "load programs into the kernel");
	return ms_kernel_open_ring(bpf_map__fd(k->skeleton->maps.ring), take_event, k, &k->ring);
}

struct ms_error *ms_hmap_kernel_open(const struct ms_bpf_hmap_config *config,
				     struct ms_hmap_kernel **ret_kernel)
{
	struct ms_hmap_kernel *k;
	struct ms_error *err = ms_kernel_prepare();

	if (err)
		return err;
	k = calloc(1, sizeof(*k));
	if (!k)
		return ms_error_no_memory();
	err = load(k, config);
	if (err) {
		ms_hmap_kernel_close(k);
		return err;
	}
	*ret_kernel = k;
	return NULL;
}

struct ms_error *ms_hmap_kernel_attach(struct ms_hmap_kernel *k, enum ms_bpf_hmap_kind kind,
				       pid_t pid, const char *path)
{
	const struct bpf_usdt_opts options = { .sz = sizeof(options), .usdt_cookie = kind };
	struct bpf_link *link;

	if (k->link_count == LINKS_MAX)
		return ms_error_new(MS_ERR_LIMIT, "too many probes");
	link = bpf_program__attach_usdt(k->skeleton->progs.hmap_event, pid, path, "hmap",
					probe_names[kind], &options);
	if (!link && (errno == ENOENT || errno == ESRCH))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its libhmap was built without probes (sys/sdt.h)");
	if (!link)
		return ms_kernel_refuse(errno, "place a probe");
	k->links[k->link_count++] = link;
	return NULL;
}

struct ms_error *ms_hmap_kernel_drain(struct ms_hmap_kernel *k, ms_hmap_event_fn fn, void *context)
{
	k->fn = fn;
	k->context = context;
	return ms_kernel_drain(k->ring, &k->failed);
}

void ms_hmap_kernel_counters(const struct ms_hmap_kernel *k,
			     struct ms_bpf_hmap_counters *ret_counters)
{
	memcpy(ret_counters, (const void *)&k->skeleton->bss->counters, sizeof(*ret_counters));
}

void ms_hmap_kernel_detach(struct ms_hmap_kernel *k)
{
	for (size_t i = 0; i < k->link_count; i++)
		bpf_link__destroy(k->links[i]);
	k->link_count = 0;
}

void ms_hmap_kernel_close(struct ms_hmap_kernel *k)
{
	if (!k)
		return;
	ms_hmap_kernel_detach(k);
	ring_buffer__free(k->ring);
	hmap_bpf__destroy(k->skeleton);
	free(k);
}

#else

struct ms_error *ms_hmap_kernel_open(const struct ms_bpf_hmap_config *config,
				     struct ms_hmap_kernel **ret_kernel)
{
	(void)config;
	(void)ret_kernel;
	return ms_error_new(MS_ERR_UNSUPPORTED, "this mapscope was built without probes");
}

struct ms_error *ms_hmap_kernel_attach(struct ms_hmap_kernel *k, enum ms_bpf_hmap_kind kind,
				       pid_t pid, const char *path)
{
	(void)k;
	(void)kind;
	(void)pid;
	(void)path;
	return ms_error_new(MS_ERR_UNSUPPORTED, "this mapscope was built without probes");
}

struct ms_error *ms_hmap_kernel_drain(struct ms_hmap_kernel *k, ms_hmap_event_fn fn, void *context)
{
	(void)k;
	(void)fn;
	(void)context;
	return NULL;
}

void ms_hmap_kernel_counters(const struct ms_hmap_kernel *k,
			     struct ms_bpf_hmap_counters *ret_counters)
{
	(void)k;
	*ret_counters = (struct ms_bpf_hmap_counters){ 0 };
}

void ms_hmap_kernel_detach(struct ms_hmap_kernel *k)
{
	(void)k;
}

void ms_hmap_kernel_close(struct ms_hmap_kernel *k)
{
	(void)k;
}
#endif
