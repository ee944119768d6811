// vmlinux.h - the few words of the kernel that growth.bpf.c uses, written by hand.
//
// A whole vmlinux.h is made from the type information of one kernel, which a machine that builds
// need not have.  Nothing of the kernel's own structures is read here but the registers, and those
// the kernel hands over in a form that it keeps for user space.
#pragma once

#define __VMLINUX_H__ // For libbpf: registers are called as here, not as in user space.

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;

enum { false, true };

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,

	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_USER_STACK = 1 << 8,
	BPF_RB_NO_WAKEUP = 1,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_pidns_info {
	__u32 pid;
	__u32 tgid;
};

#pragma clang attribute pop

// What an attached program is given.  Its offsets are fixed, so it is not relocated.
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax;
	unsigned long ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	unsigned long long regs[31];
	unsigned long long sp, pc, pstate;
};
struct user_pt_regs {
	unsigned long long regs[31];
	unsigned long long sp, pc, pstate;
};
#endif
