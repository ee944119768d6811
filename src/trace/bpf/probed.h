// probed.h - what the kernel's programs make of the registers at a probe: included after the words
// of the kernel, or stand-ins for them.
#pragma once

#include "trace/bpf/events.h"

#if defined(__TARGET_ARCH_x86)
#define ARG(ctx, n) ((n) == 0 ? (ctx)->ax : (n) == 1 ? (ctx)->bx : (ctx)->cx)
#define GOROUTINE(ctx) ((ctx)->r14)
#elif defined(__TARGET_ARCH_arm64)
#define ARG(ctx, n) ((ctx)->regs[n])
#define GOROUTINE(ctx) ((ctx)->regs[28])
#endif

#define NONE UINT32_MAX

/** Read @p size bytes of a field; false when the release has none or it cannot be read. */
static __always_inline bool field(void *to, __u32 size, __u64 base, __u32 offset)
{
	return offset != NONE && bpf_probe_read_user(to, size, (const void *)(base + offset)) == 0;
}

/** Whether the stack check is about to send the function away: it will be entered again. */
static __always_inline bool is_sent_away(const struct pt_regs *ctx, __u32 condition)
{
	if (condition == MS_BPF_NO_CONDITION)
		return false;
#if defined(__TARGET_ARCH_x86)
	return (ctx->flags & (condition == MS_BPF_BELOW_EQUAL ? 0x41 : 1)) != 0; // CF, ZF
#else
	return !(ctx->pstate & 1ull << 29) ||
	       (condition == MS_BPF_BELOW_EQUAL && (ctx->pstate & 1ull << 30)); // C, Z
#endif
}
