// writes.bpf.c - the kernel's side of a write burst: writes of one map, as they begin.
//
// The probes stand on functions that a program may call a million times a second, so all that is
// not about this map ends after one comparison, and after hits_max writes everything does.
//
// Before it writes, the runtime looks whether the map's mark says that somebody else does.  So does
// this, some instructions earlier: a mark that is set here was set by another goroutine, which has
// not left.
//
// This file is also compiled as ordinary C for the unit tests: MS_BPF_HOST.
#ifndef MS_BPF_HOST
#include "trace/bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>
#endif

#include "trace/bpf/probed.h"
#include "trace/bpf/write_events.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct ms_bpf_writes_config config; // The map is told when it is known.
__u64 hits, no_room;                // Read by the tool.

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MS_BPF_WRITE_RING_BYTES);
} ring SEC(".maps");

SEC("uprobe")
int map_write(struct pt_regs *ctx)
{
	__u64 map = ARG(ctx, 1), g = GOROUTINE(ctx);
	struct bpf_pidns_info ids = {};
	struct ms_bpf_write *w;
	__u8 mark = 0;
	long bytes;

	if (map != config.map || is_sent_away(ctx, (__u32)bpf_get_attach_cookie(ctx)))
		return 0;
	if (__sync_fetch_and_add(&hits, 1) >= config.hits_max)
		return 0;
	field(&mark, sizeof(mark), map, config.mark);
	w = bpf_ringbuf_reserve(&ring, sizeof(*w), 0);
	if (!w) {
		__sync_fetch_and_add(&no_room, 1);
		return 0;
	}
	w->time_ns = bpf_ktime_get_ns();
	w->type = ARG(ctx, 0);
	w->is_marked = (mark & config.mark_bits) != 0;
	w->goid = w->caller = 0;
	field(&w->goid, sizeof(w->goid), g, config.g_goid);
	bpf_get_ns_current_pid_tgid(config.pid_device, config.pid_inode, &ids, sizeof(ids));
	w->thread = ids.pid;
#if defined(__TARGET_ARCH_x86)
	bpf_probe_read_user(&w->caller, sizeof(w->caller), (const void *)ctx->sp);
#else
	w->caller = ctx->regs[30];
#endif
	bytes = bpf_get_stack(ctx, w->pcs, sizeof(w->pcs), BPF_F_USER_STACK);
	w->count = bytes > 0 ? (__u32)bytes / 8 : 0;
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
	return 0;
}
