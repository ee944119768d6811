// growth.bpf.c - the kernel's side of a trace: what happens when a map begins to grow.
//
// A probe stands behind a growth function's stack check, or on the branch that ends it: the
// arguments are still in their registers, the frame is not built yet, and the kernel can emulate
// the instruction instead of stepping through it.  Where it stands on the branch, a goroutine whose
// stack is too short comes there twice: the flags of the comparison say which of the two this is.
//
// Every growth is counted.  A single event goes through a ring that nobody is woken for; above a
// rate, and where the ring is full, only a sum is kept, by map, kind, size and stack.  So a
// program that does nothing but grow maps pays for counting, and no count is ever lost.
//
// A program may be preempted by another thread's on the same CPU, so counters are added to
// atomically, and a stack is made in a scratch place that is claimed.
//
// This file is also compiled as ordinary C, with stand-ins for the kernel's functions, for the unit
// tests: MS_BPF_HOST.
#ifndef MS_BPF_HOST
#include "trace/bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

#define SET_BEFORE_LOAD const volatile
#endif

#include "trace/bpf/events.h"
#include "trace/bpf/probed.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SET_BEFORE_LOAD struct ms_bpf_config config = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MS_BPF_RING_BYTES);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MS_BPF_SUMS);
	__type(key, struct ms_bpf_sum_key);
	__type(value, __u64);
} sums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MS_BPF_STACKS);
	__type(key, __u64);
	__type(value, struct ms_bpf_stack);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ms_bpf_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ms_bpf_stack);
} scratch SEC(".maps");

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)

static __always_inline __u64 stack_key(const struct ms_bpf_stack *s)
{
	__u64 key = s->caller;

	for (__u32 i = 0; i < MS_BPF_STACK_MAX; i++) {
		if (i >= s->count)
			break;
		key = (key ^ s->pcs[i]) * 0x9e3779b97f4a7c15ull;
		key ^= key >> 32;
	}
	return key ? key : 1;
}

/** Unwind into the scratch place, which is claimed, and keep the stack if it is new. */
static __always_inline __u64 keep_stack(struct pt_regs *ctx, struct ms_bpf_stack *s)
{
	long bytes = bpf_get_stack(ctx, s->pcs, sizeof(s->pcs), BPF_F_USER_STACK);
	__u64 key;

	if (bytes <= 0)
		return 0;
	s->count = (__u32)bytes / 8;
#if defined(__TARGET_ARCH_x86)
	if (bpf_probe_read_user(&s->caller, sizeof(s->caller), (const void *)ctx->sp))
		s->caller = 0;
#else
	s->caller = ctx->regs[30];
#endif
	key = stack_key(s);
	if (!bpf_map_lookup_elem(&stacks, &key) &&
	    bpf_map_update_elem(&stacks, &key, s, BPF_NOEXIST) &&
	    !bpf_map_lookup_elem(&stacks, &key)) // Else another CPU was first.
		return 0;
	return key;
}

static __always_inline __u64 take_stack(struct pt_regs *ctx)
{
	__u32 zero = 0;
	struct ms_bpf_stack *s = bpf_map_lookup_elem(&scratch, &zero);
	__u64 key = 0;

	if (!s)
		return 0;
	if (__sync_fetch_and_add(&s->busy, 1) == 0)
		key = keep_stack(ctx, s);
	__sync_fetch_and_add(&s->busy, -1u);
	return key;
}

static __always_inline void read_thread(struct ms_bpf_event *e, __u64 g)
{
	struct bpf_pidns_info ids = {};
	__u64 m = 0, p = 0;

	if (bpf_get_ns_current_pid_tgid(config.pid_device, config.pid_inode, &ids, sizeof(ids)))
		e->unread |= MS_BPF_UNREAD_THREAD;
	e->thread = ids.pid;
	if (!field(&e->goid, sizeof(e->goid), g, config.g_goid) ||
	    !field(&e->gopc, sizeof(e->gopc), g, config.g_gopc))
		e->unread |= MS_BPF_UNREAD_GOROUTINE;
	if (!field(&m, sizeof(m), g, config.g_m) || !field(&p, sizeof(p), m, config.m_p) ||
	    !field(&e->p, sizeof(e->p), p, config.p_id))
		e->unread |= MS_BPF_UNREAD_P;
}

static __always_inline void read_classic(struct ms_bpf_event *e)
{
	__u8 log2 = 0;

	if (!field(&e->entries, 8, e->map, config.hmap_count) ||
	    !field(&log2, 1, e->map, config.hmap_bucket_log2) ||
	    !field(&e->flags, 1, e->map, config.hmap_flags) ||
	    !field(&e->noverflow, 2, e->map, config.hmap_noverflow) ||
	    !field(&e->table, 8, e->map, config.hmap_buckets) || log2 > 48)
		e->unread |= MS_BPF_UNREAD_MAP;
	e->slots = 8ull << (log2 & 63);
	// runtime.overLoadFactor of one entry more.
	e->is_over = e->entries + 1 > 8 && e->entries + 1 > e->slots / 16 * config.load;
}

static __always_inline void read_swiss(struct ms_bpf_event *e, __u8 kind)
{
	__u16 used = 0, capacity = 0;

	if (!field(&e->entries, 8, e->map, config.map_used) ||
	    !field(&e->directory, 8, e->map, config.map_dir_len))
		e->unread |= MS_BPF_UNREAD_MAP;
	if (kind == MS_BPF_TO_SMALL || kind == MS_BPF_TO_TABLE) {
		e->slots = kind == MS_BPF_TO_TABLE ? 8 : 0;
		return;
	}
	if (!field(&used, 2, e->table, config.table_used) ||
	    !field(&capacity, 2, e->table, config.table_capacity))
		e->unread |= MS_BPF_UNREAD_TABLE;
	e->table_entries = used;
	e->slots = capacity;
}

static __always_inline void add_sum(const struct ms_bpf_event *e, __u8 kind,
				    struct ms_bpf_counters *c)
{
	struct ms_bpf_sum_key key = { .map = e->map,
				      .type = e->type,
				      .stack = e->stack,
				      .slots = e->slots,
				      .is_over = e->is_over,
				      .kind = kind,
				      .unread = e->unread };
	__u64 one = 1, *count;

	count = bpf_map_lookup_elem(&sums, &key);
	if (!count && bpf_map_update_elem(&sums, &key, &one, BPF_NOEXIST) == 0)
		return;
	if (!count)
		count = bpf_map_lookup_elem(&sums, &key);
	if (count)
		ADD(*count);
	else
		ADD(c->unsummed[kind]);
}

/** Whether this CPU may send one more single event in this window of time. */
static __always_inline bool is_in_rate(struct ms_bpf_counters *c, __u64 now)
{
	if (now - c->window_start >= config.window_ns) {
		c->window_start = now;
		c->window_used = 0;
	}
	return c->window_used++ < config.window_events;
}

static __always_inline void send(const struct ms_bpf_event *e, __u8 kind, struct ms_bpf_counters *c)
{
	if (!is_in_rate(c, e->time_ns)) {
		ADD(c->over_rate);
	} else if (bpf_ringbuf_output(&ring, (void *)e, sizeof(*e), BPF_RB_NO_WAKEUP)) {
		ADD(c->no_room);
	} else {
		ADD(c->sent);
		return;
	}
	add_sum(e, kind, c);
}

static __always_inline int grown(struct pt_regs *ctx, __u8 kind)
{
	__u32 zero = 0;
	struct ms_bpf_counters *c = bpf_map_lookup_elem(&counters, &zero);
	struct ms_bpf_event e = { .kind = kind };

	if (!c)
		return 0;
	if (is_sent_away(ctx, config.condition[kind])) {
		ADD(c->repeated);
		return 0;
	}
	ADD(c->hits[kind]);
	if (kind == MS_BPF_TO_SMALL && !config.small_events)
		return 0;
	e.time_ns = bpf_ktime_get_ns();
	if (kind == MS_BPF_HASH_GROW) {
		e.type = ARG(ctx, 0);
		e.map = ARG(ctx, 1);
		read_classic(&e);
	} else {
		e.type = ARG(ctx, 1);
		e.table = ARG(ctx, 0);
		e.map = kind == MS_BPF_TABLE_GROW || kind == MS_BPF_TABLE_SPLIT ? ARG(ctx, 2)
										: ARG(ctx, 0);
		read_swiss(&e, kind);
	}
	read_thread(&e, GOROUTINE(ctx));
	e.stack = take_stack(ctx);
	if (!e.stack)
		e.unread |= MS_BPF_UNREAD_STACK;
	send(&e, kind, c);
	return 0;
}

SEC("uprobe")
int hash_grow(struct pt_regs *ctx)
{
	return grown(ctx, MS_BPF_HASH_GROW);
}

SEC("uprobe")
int to_small(struct pt_regs *ctx)
{
	return grown(ctx, MS_BPF_TO_SMALL);
}

SEC("uprobe")
int to_table(struct pt_regs *ctx)
{
	return grown(ctx, MS_BPF_TO_TABLE);
}

SEC("uprobe")
int table_grow(struct pt_regs *ctx)
{
	return grown(ctx, MS_BPF_TABLE_GROW);
}

SEC("uprobe")
int table_split(struct pt_regs *ctx)
{
	return grown(ctx, MS_BPF_TABLE_SPLIT);
}
