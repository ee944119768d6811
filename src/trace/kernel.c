// kernel.c - what all programs in the kernel have in common.
#include "trace/kernel.h"

#ifdef MS_HAVE_BPF
#include "base/cleanup.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/** libbpf would print. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/** Linux 6.17 and later updates of older ones let CAP_PERFMON place no probe on a program. */
struct ms_error *ms_kernel_refuse(int error, const char *what)
{
	if (error == EPERM || error == EACCES)
		return ms_error_new(MS_ERR_DENIED,
				    "not allowed to %s: that takes CAP_SYS_ADMIN, or before Linux "
				    "6.17 CAP_BPF and CAP_PERFMON",
				    what);
	if (error == ENOMEM)
		return ms_error_no_memory();
	return ms_error_errno(MS_ERR_UNSUPPORTED, error, "could not %s", what);
}

struct ms_error *ms_kernel_prepare(void)
{
	if (access("/sys/bus/event_source/devices/uprobe/type", R_OK) != 0)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "this kernel has no probes that go away with their maker");
	libbpf_set_print(say_nothing);
	return NULL;
}

struct ms_error *ms_kernel_open_ring(int map_fd, int (*fn)(void *context, void *data, size_t size),
				     void *context, struct ring_buffer **ret_ring)
{
	*ret_ring = ring_buffer__new(map_fd, fn, context, NULL);
	return *ret_ring ? NULL : ms_kernel_refuse(errno, "read events of the kernel");
}

struct ms_error *ms_kernel_drain(struct ring_buffer *ring, struct ms_error **failed)
{
	int taken = ring_buffer__consume(ring);
	struct ms_error *err = MS_STEAL(*failed);

	if (!err && taken < 0)
		err = ms_kernel_refuse(-taken, "read events of the kernel");
	return err;
}

struct bpf_link *ms_kernel_attach(const struct bpf_program *program, pid_t pid, uint64_t offset,
				  uint64_t cookie)
{
	const struct bpf_uprobe_opts options = { .sz = sizeof(options), .bpf_cookie = cookie };
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return bpf_program__attach_uprobe_opts(program, pid, path, offset, &options);
}
#endif
