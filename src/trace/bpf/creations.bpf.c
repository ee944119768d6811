// creations.bpf.c - the kernel's side of a trace that shows maps being made.
//
// Type and hint are known when the runtime's function is entered, the map when it returns.  A
// probe on the return instruction, which is no return probe and leaves the stack alone, finds the
// result in its register; the call that it ends is the last of the same goroutine, at the same
// depth of its stack.  Depths are counted from the stack's end, because the stack may be moved
// between the two.
//
// Programs may make maps often, so beyond a rate a call is only counted.
//
// This file is also compiled as ordinary C for the unit tests: MS_BPF_HOST.
#ifndef MS_BPF_HOST
#include "trace/bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

#define SET_BEFORE_LOAD const volatile
#endif

#include "trace/bpf/creation_events.h"
#include "trace/bpf/probed.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SET_BEFORE_LOAD struct ms_bpf_creations_config creations_config = {};

struct ms_bpf_creation_counters made; // Read by the tool.
__u64 window_start, window_used;
__u32 at_entry; // Set by the tool: there are no probes where the functions return.

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MS_BPF_CREATION_RING_BYTES);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MS_BPF_CREATIONS_BEGUN);
	__type(key, __u64);
	__type(value, struct ms_bpf_creation_call);
} calls SEC(".maps");

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)

/** Whether one more may be sent in this window of time; CPUs that race may send some more. */
static __always_inline bool may_send(void)
{
	__u64 now = bpf_ktime_get_ns();

	if (now - window_start >= creations_config.window_ns) {
		window_start = now;
		window_used = 0;
	}
	return __sync_fetch_and_add(&window_used, 1) < creations_config.window_events;
}

static __always_inline void send(struct pt_regs *ctx, __u64 map,
				 const struct ms_bpf_creation_call *call)
{
	struct ms_bpf_creation *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	long bytes;

	if (!e) {
		ADD(made.no_room);
		return;
	}
	e->time_ns = bpf_ktime_get_ns();
	e->map = map;
	e->type = call->type;
	e->hint = call->hint;
	e->caller = 0;
	if (!map || !field(&e->entries, sizeof(e->entries), map, creations_config.count))
		e->entries = UINT64_MAX;
	if (!map || !field(&e->bucket_log2, 1, map, creations_config.bucket_log2))
		e->bucket_log2 = UINT8_MAX;
#if defined(__TARGET_ARCH_x86)
	bpf_probe_read_user(&e->caller, sizeof(e->caller), (const void *)ctx->sp);
#else
	e->caller = ctx->regs[30];
#endif
	bytes = bpf_get_stack(ctx, e->pcs, sizeof(e->pcs), BPF_F_USER_STACK);
	e->count = bytes > 0 ? (__u32)bytes / 8 : 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

static __always_inline bool depth_of(struct pt_regs *ctx, __u64 g, uint64_t *ret_depth)
{
	__u64 end = 0;

	if (!field(&end, sizeof(end), g, creations_config.g_stack_hi))
		return false;
	*ret_depth = end - ctx->sp;
	return true;
}

SEC("uprobe")
int creation_begins(struct pt_regs *ctx)
{
	struct ms_bpf_creation_call call = { .type = ARG(ctx, 0), .hint = ARG(ctx, 1) };
	__u64 g = GOROUTINE(ctx);

	if (is_sent_away(ctx, (__u32)bpf_get_attach_cookie(ctx)))
		return 0;
	ADD(made.begun);
	if (!may_send()) {
		ADD(made.over_rate);
		bpf_map_delete_elem(&calls, &g); // Its return must not find an older call.
	} else if (at_entry) {
		send(ctx, 0, &call);
	} else if (!depth_of(ctx, g, &call.depth) ||
		   bpf_map_update_elem(&calls, &g, &call, BPF_ANY)) {
		ADD(made.no_room);
		bpf_map_delete_elem(&calls, &g);
	}
	return 0;
}

SEC("uprobe")
int creation_returns(struct pt_regs *ctx)
{
	struct ms_bpf_creation_call *found, call;
	__u64 g = GOROUTINE(ctx);
	uint64_t depth = 0;

	found = bpf_map_lookup_elem(&calls, &g);
	if (!found)
		return 0;
	call = *found;
	bpf_map_delete_elem(&calls, &g);
	if (depth_of(ctx, g, &depth) && depth == call.depth)
		send(ctx, ARG(ctx, 0), &call);
	else
		ADD(made.unmatched);
	return 0;
}

SEC("uprobe")
int small_creation(struct pt_regs *ctx)
{
	if (!is_sent_away(ctx, (__u32)bpf_get_attach_cookie(ctx)))
		ADD(made.small);
	return 0;
}
