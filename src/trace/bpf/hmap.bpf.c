// hmap.bpf.c - the kernel's side of libhmap's static probes.
//
// libhmap's events are rare: a map of a million entries grows twenty times.  So each is sent with
// the registers and a piece of the stack, from which it is unwound later: C has no frame pointers
// to count on.  Above a rate events are only counted, so that a program that does nothing but make
// maps pays for little more than the trap.
#include "trace/bpf/vmlinux.h"

#include <bpf/usdt.bpf.h>

#include "trace/bpf/hmap_events.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct ms_bpf_hmap_config config = {};
struct ms_bpf_hmap_counters counters;
__u64 window_began, window_sent;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MS_BPF_HMAP_RING_BYTES);
} ring SEC(".maps");

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)

/** Whether the rate still allows an event: more or less, as two CPUs may begin a window. */
static __always_inline bool is_allowed(__u64 now)
{
	if (now - window_began >= config.window_ns) {
		window_began = now;
		window_sent = 0;
	}
	return ADD(window_sent) < config.window_events;
}

static __always_inline void take_registers(struct pt_regs *ctx, struct ms_bpf_hmap_event *e)
{
#if defined(__TARGET_ARCH_x86)
	const __u64 regs[17] = { ctx->ax,  ctx->dx,  ctx->cx,  ctx->bx,  ctx->si,  ctx->di,
				 ctx->bp,  ctx->sp,  ctx->r8,  ctx->r9,  ctx->r10, ctx->r11,
				 ctx->r12, ctx->r13, ctx->r14, ctx->r15, ctx->ip };

	__builtin_memset(e->regs, 0, sizeof(e->regs));
	__builtin_memcpy(e->regs, regs, sizeof(regs));
	e->pc = ctx->ip;
	e->sp = ctx->sp;
#else
	__builtin_memcpy(e->regs, ctx->regs, sizeof(ctx->regs));
	e->regs[31] = ctx->sp;
	e->pc = ctx->pc;
	e->sp = ctx->sp;
#endif
}

/** As much as there is: a thread's stack may end before our piece of it does. */
static __always_inline void take_stack(struct ms_bpf_hmap_event *e)
{
	const void *from = (const void *)e->sp;

	e->stack_bytes = 0;
	if (bpf_probe_read_user(e->stack, MS_BPF_HMAP_STACK_BYTES, from) == 0)
		e->stack_bytes = MS_BPF_HMAP_STACK_BYTES;
	else if (bpf_probe_read_user(e->stack, MS_BPF_HMAP_STACK_BYTES / 2, from) == 0)
		e->stack_bytes = MS_BPF_HMAP_STACK_BYTES / 2;
	else if (bpf_probe_read_user(e->stack, MS_BPF_HMAP_STACK_BYTES / 4, from) == 0)
		e->stack_bytes = MS_BPF_HMAP_STACK_BYTES / 4;
	else if (bpf_probe_read_user(e->stack, MS_BPF_HMAP_STACK_BYTES / 8, from) == 0)
		e->stack_bytes = MS_BPF_HMAP_STACK_BYTES / 8;
	else if (bpf_probe_read_user(e->stack, MS_BPF_HMAP_STACK_BYTES / 16, from) == 0)
		e->stack_bytes = MS_BPF_HMAP_STACK_BYTES / 16;
}

SEC("usdt")
int hmap_event(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns(), kind = (__u64)bpf_usdt_cookie(ctx);
	struct bpf_pidns_info ids = {};
	struct ms_bpf_hmap_event *e;
	long map = 0, name = 0, from = 0, to = 0, entries = 0;

	if (kind >= MS_BPF_HMAP_KINDS)
		return 0;
	ADD(counters.seen[kind]);
	if (!is_allowed(now))
		return 0;
	bpf_usdt_arg(ctx, 0, &map);
	bpf_usdt_arg(ctx, 1, &name);
	bpf_usdt_arg(ctx, 2, &from);
	bpf_usdt_arg(ctx, 3, &to);
	bpf_usdt_arg(ctx, 4, &entries);
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e)
		return 0;
	e->time_ns = now;
	e->map = (__u64)map;
	e->from = (__u64)from;
	e->to = (__u64)to;
	e->entries = (__u64)entries;
	e->kind = (__u32)kind;
	e->unused = 0;
	bpf_get_ns_current_pid_tgid(config.pid_device, config.pid_inode, &ids, sizeof(ids));
	e->thread = ids.pid;
	e->name[0] = 0;
	if (name && bpf_probe_read_user_str(e->name, sizeof(e->name), (const void *)name) < 0)
		e->name[0] = 0;
	take_registers(ctx, e);
	take_stack(e);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	ADD(counters.sent[kind]);
	return 0;
}
