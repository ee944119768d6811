// probe_place.c - where in the executable's file a probe on a function goes.
//
// A probe is placed in the file, for all who run it and filtered to one process.  So the file's
// bytes are what is decoded, and the process has to have the same: a packer or a patch would make
// the offsets mean something else.  A trap that another tracer placed is not a difference.
#include "trace/probe_place.h"

#include "base/cleanup.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { AMD64_TRAP = 0xcc, LOOK_BYTES = 64 };

static const uint32_t ARM64_TRAP = 0xd42000a0; // The kernel's BRK for its own probes.

/** The registers in which Go passes three arguments, and the one of the goroutine. */
static uint32_t kept_registers(enum ms_arch arch)
{
	if (arch == MS_ARCH_AMD64)
		return 1u << 0 | 1u << 3 | 1u << 1 | 1u << 14; // rax, rbx, rcx, r14
	return 1u << 0 | 1u << 1 | 1u << 2 | 1u << 28 | 1u << 30;
}

static bool is_trap(enum ms_arch arch, const uint8_t *bytes)
{
	return arch == MS_ARCH_AMD64 ? *bytes == AMD64_TRAP : ms_load_u32(bytes) == ARM64_TRAP;
}

/** The process runs what the file says, up to the end of the instruction. */
static struct ms_error *compare_with_memory(struct ms_go_runtime *rt, const uint8_t *file,
					    ms_addr entry, const struct ms_probe_site *site)
{
	uint8_t memory[LOOK_BYTES];
	size_t size = site->offset + site->length, trap;
	struct ms_error *err;

	if (size > sizeof(memory))
		return ms_error_new(MS_ERR_UNSUPPORTED, "its beginning is too long");
	err = ms_target_read(rt->target, entry, memory, size);
	if (err)
		return err;
	trap = rt->elf.arch == MS_ARCH_AMD64 ? 1 : 4;
	if (is_trap(rt->elf.arch, memory + site->offset))
		memcpy(memory + site->offset, file + site->offset, trap);
	if (memcmp(memory, file, size) != 0)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its code in memory is not the executable's");
	return NULL;
}

/** Its bytes in the file, at most MS_PROBE_CODE_BYTES_MAX of them; the caller frees them. */
static struct ms_error *read_code(struct ms_go_runtime *rt, const struct ms_function *fn,
				  uint8_t **ret_bytes, size_t *ret_size, uint64_t *ret_offset)
{
	uint64_t size = ms_min_u64(fn->end - fn->entry, MS_PROBE_CODE_BYTES_MAX), offset;
	MS_AUTO_FREE uint8_t *bytes = malloc(size ? size : 1);
	struct ms_error *err;

	if (!bytes)
		return ms_error_no_memory();
	if (!ms_elf_offset_of(&rt->elf, fn->entry - rt->elf.bias, size, &offset))
		return ms_error_new(MS_ERR_UNSUPPORTED, "its code is not in the executable");
	err = ms_target_exe_read(rt->target, offset, bytes, (size_t)size);
	if (err)
		return err;
	*ret_bytes = MS_STEAL(bytes);
	*ret_size = (size_t)size;
	*ret_offset = offset;
	return NULL;
}

struct ms_error *ms_probe_place_find(struct ms_go_runtime *rt, struct ms_code *code,
				     const struct ms_function *fn, uint64_t *ret_file_offset,
				     struct ms_probe_site *ret_site)
{
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_probe_site site;
	uint64_t offset;
	size_t size;
	struct ms_error *err = read_code(rt, fn, &bytes, &size, &offset);

	if (!err)
		err = ms_probe_site_find(code, rt->elf.arch, bytes, size, fn->entry,
					 kept_registers(rt->elf.arch), &site);
	if (!err)
		err = compare_with_memory(rt, bytes, fn->entry, &site);
	if (err)
		return err;
	*ret_file_offset = offset + site.offset;
	*ret_site = site;
	return NULL;
}

/** The process runs what the file says; where probes go, another tracer's may be. */
static struct ms_error *compare_function(struct ms_go_runtime *rt, const uint8_t *file, size_t size,
					 ms_addr entry, const struct ms_return_sites *sites,
					 uint64_t entry_site)
{
	MS_AUTO_FREE uint8_t *memory = malloc(size);
	size_t trap = rt->elf.arch == MS_ARCH_AMD64 ? 1 : 4;
	struct ms_error *err;

	if (!memory)
		return ms_error_no_memory();
	err = ms_target_read(rt->target, entry, memory, size);
	if (err)
		return err;
	for (size_t i = 0; i <= sites->count; i++) {
		uint64_t at = i < sites->count ? sites->items[i] : entry_site;

		if (is_trap(rt->elf.arch, memory + at))
			memcpy(memory + at, file + at, trap);
	}
	if (memcmp(memory, file, size) != 0)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its code in memory is not the executable's");
	return NULL;
}

struct ms_error *ms_return_places_find(struct ms_go_runtime *rt, struct ms_code *code,
				       const struct ms_function *fn,
				       const struct ms_probe_site *entry_site,
				       struct ms_return_sites *ret_offsets)
{
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_return_sites sites;
	uint64_t offset;
	size_t size;
	struct ms_error *err = read_code(rt, fn, &bytes, &size, &offset);

	if (!err && size < fn->end - fn->entry)
		err = ms_error_new(MS_ERR_UNSUPPORTED, "it is too long");
	if (!err)
		err = ms_return_sites_find(code, rt->elf.arch, bytes, size, fn->entry, &sites);
	if (!err)
		err = compare_function(rt, bytes, size, fn->entry, &sites, entry_site->offset);
	if (err)
		return err;
	for (size_t i = 0; i < sites.count; i++)
		sites.items[i] += offset;
	*ret_offsets = sites;
	return NULL;
}

void ms_probe_namespace(uint64_t *ret_device, uint64_t *ret_inode)
{
	struct stat ns;
	bool is_known = stat("/proc/self/ns/pid", &ns) == 0;

	// As the kernel numbers devices.
	*ret_device = is_known ? (uint64_t)major(ns.st_dev) << 20 | minor(ns.st_dev) : 0;
	*ret_inode = is_known ? ns.st_ino : 0;
}
