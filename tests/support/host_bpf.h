// host_bpf.h - stand-ins for what the kernel gives a program, so that one can be compiled and
// tested as ordinary C.  Include it before the program's source, in one test file.
//
// Memory is what the test maps; rings and maps are small arrays whose room the test sets.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MS_BPF_HOST
#define __TARGET_ARCH_x86
#define SEC(name)
#define SET_BEFORE_LOAD static
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value) *name

typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;

enum {
	BPF_MAP_TYPE_HASH,
	BPF_MAP_TYPE_PERCPU_ARRAY,
	BPF_MAP_TYPE_LRU_HASH,
	BPF_MAP_TYPE_RINGBUF,
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_USER_STACK = 1 << 8,
	BPF_RB_NO_WAKEUP = 1,
};

struct bpf_pidns_info {
	__u32 pid, tgid;
};

struct pt_regs {
	unsigned long ax, bx, cx, r14, sp, ip, flags;
};

enum { HOST_ROOM = 64, HOST_VALUE_BYTES = 1100, HOST_KEY_BYTES = 64 };

struct host_entry {
	uint64_t key[HOST_KEY_BYTES / 8], value[HOST_VALUE_BYTES / 8];
};

/** A map of the program: its variable, the sizes, and the entries. */
struct host_map {
	const void *variable;
	size_t key_bytes, value_bytes, room, count;
	struct host_entry entries[HOST_ROOM];
};

struct host_kernel {
	struct {
		uint64_t address, size;
		const void *bytes;
	} memory[HOST_ROOM];
	size_t memory_count;
	struct host_map maps[4];
	size_t map_count;
	uint64_t ring[HOST_ROOM][HOST_KEY_BYTES];
	size_t ring_count, ring_room;
	uint64_t stack[HOST_ROOM];
	size_t stack_count;
	uint64_t now_ns;
	uint32_t thread; // 0: the namespace is not ours.
};

static struct host_kernel host;

static void host_memory(uint64_t address, const void *bytes, uint64_t size)
{
	host.memory[host.memory_count].address = address;
	host.memory[host.memory_count].bytes = bytes;
	host.memory[host.memory_count++].size = size;
}

static struct host_map *host_map_of(const void *variable)
{
	for (size_t i = 0; i < host.map_count; i++) {
		if (host.maps[i].variable == variable)
			return &host.maps[i];
	}
	return NULL;
}

static struct host_map *host_map_add(const void *variable, size_t key_bytes, size_t value_bytes,
				     size_t room)
{
	struct host_map *map = &host.maps[host.map_count++];

	map->variable = variable;
	map->key_bytes = key_bytes;
	map->value_bytes = value_bytes;
	map->room = room;
	map->count = 0;
	return map;
}

static void *bpf_map_lookup_elem(const void *variable, const void *key)
{
	struct host_map *map = host_map_of(variable);

	for (size_t i = 0; i < map->count; i++) {
		if (!memcmp(map->entries[i].key, key, map->key_bytes))
			return map->entries[i].value;
	}
	return NULL;
}

static long bpf_map_update_elem(const void *variable, const void *key, const void *value,
				__u64 flags)
{
	struct host_map *map = host_map_of(variable);
	void *old = bpf_map_lookup_elem(variable, key);

	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (old) {
		memcpy(old, value, map->value_bytes);
		return 0;
	}
	if (map->count >= map->room)
		return -E2BIG;
	memcpy(map->entries[map->count].key, key, map->key_bytes);
	memcpy(map->entries[map->count++].value, value, map->value_bytes);
	return 0;
}

static long bpf_map_delete_elem(const void *variable, const void *key)
{
	struct host_map *map = host_map_of(variable);

	for (size_t i = 0; i < map->count; i++) {
		if (memcmp(map->entries[i].key, key, map->key_bytes) != 0)
			continue;
		map->entries[i] = map->entries[--map->count];
		return 0;
	}
	return -ENOENT;
}

static long bpf_probe_read_user(void *to, __u32 size, const void *from)
{
	uint64_t address = (uint64_t)(uintptr_t)from;

	for (size_t i = 0; i < host.memory_count; i++) {
		uint64_t start = host.memory[i].address;

		if (address < start || address - start > host.memory[i].size ||
		    size > host.memory[i].size - (address - start))
			continue;
		memcpy(to, (const char *)host.memory[i].bytes + (address - start), size);
		return 0;
	}
	memset(to, 0, size); // As the kernel does.
	return -EFAULT;
}

static long bpf_get_stack(struct pt_regs *ctx, void *to, __u32 size, __u64 flags)
{
	size_t bytes = host.stack_count * sizeof(uint64_t);

	(void)ctx;
	if (flags != BPF_F_USER_STACK || bytes > size)
		return -EFAULT;
	memcpy(to, host.stack, bytes);
	return (long)bytes;
}

static long bpf_get_ns_current_pid_tgid(__u64 device, __u64 inode, struct bpf_pidns_info *ids,
					__u32 size)
{
	(void)device;
	(void)inode;
	(void)size;
	if (!host.thread)
		return -EINVAL;
	ids->pid = host.thread;
	return 0;
}

static __u64 bpf_ktime_get_ns(void)
{
	return host.now_ns;
}

static long bpf_ringbuf_output(const void *ring, void *data, __u64 size, __u64 flags)
{
	(void)ring;
	if (flags != BPF_RB_NO_WAKEUP || host.ring_count >= host.ring_room ||
	    size > sizeof(host.ring[0]))
		return -EAGAIN;
	memcpy(host.ring[host.ring_count++], data, size);
	return 0;
}
