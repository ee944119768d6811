// memory_bound.c - cgroups, the machine, and the process's own rlimits.
//
// The machine's bound is what the kernel thinks can be had without swapping (MemAvailable) and
// what the process has already.  Swap is never counted on: a Go program whose heap is out on swap
// stands still in its next collection.
#include "target/memory_bound.h"

#include "base/cleanup.h"
#include "target/cgroup.h"
#include "target/small_file.h"

#include <inttypes.h>

enum { KIB = 1024 };

uint64_t ms_memory_bound_left(const struct ms_memory_bound *b)
{
	if (b->limit_bytes == MS_UNKNOWN || b->used_bytes == MS_UNKNOWN)
		return MS_UNKNOWN;
	return b->limit_bytes - ms_min_u64(b->used_bytes, b->limit_bytes);
}

struct ms_memory_bound ms_memory_bound_nearer(struct ms_memory_bound a, struct ms_memory_bound b)
{
	return ms_memory_bound_left(&b) < ms_memory_bound_left(&a) ? b : a;
}

static char *proc_read(const char *root, const char *who, const char *name)
{
	MS_AUTO_FREE char *path = NULL;

	return asprintf(&path, "%s/proc%s/%s", root, who, name) > 0 ? ms_small_file_read(path)
								    : NULL;
}

static uint64_t kib_number(const char *text, const char *key)
{
	uint64_t kib = text ? ms_text_number(text, key) : MS_UNKNOWN;

	return kib <= UINT64_MAX / KIB - 1 ? kib * KIB : MS_UNKNOWN;
}

/** Bytes in use by /proc/PID/statm: all mappings, and what of them is resident. */
static void usage_read(const char *root, const char *who, uint64_t *ret_mapped,
		       uint64_t *ret_resident)
{
	MS_AUTO_FREE char *text = proc_read(root, who, "statm");
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), mapped, resident;

	*ret_mapped = *ret_resident = MS_UNKNOWN;
	if (!text || sscanf(text, "%" SCNu64 " %" SCNu64, &mapped, &resident) != 2 ||
	    mapped > UINT64_MAX / page - 1 || resident > mapped)
		return;
	*ret_mapped = mapped * page;
	*ret_resident = resident * page;
}

/** The soft limit, which is the one that is enforced. */
static uint64_t rlimit(const char *limits, const char *key)
{
	return limits ? ms_text_number(limits, key) : MS_UNKNOWN;
}

static struct ms_memory_bound bound(uint64_t limit, uint64_t used)
{
	return limit == MS_UNKNOWN || used == MS_UNKNOWN ? MS_NO_BOUND
							 : (struct ms_memory_bound){ limit, used };
}

struct ms_memory_bounds ms_memory_bounds_read(pid_t pid, const char *root)
{
	char who[16];
	uint64_t mapped, resident, available;
	struct ms_cgroup_bounds groups = ms_cgroup_read(pid, root);

	snprintf(who, sizeof(who), "/%d", (int)pid);
	MS_AUTO_FREE char *status = proc_read(root, who, "status");
	MS_AUTO_FREE char *limits = proc_read(root, who, "limits");
	MS_AUTO_FREE char *machine = proc_read(root, "", "meminfo");

	usage_read(root, who, &mapped, &resident);
	available = kib_number(machine, "MemAvailable:");
	if (available != MS_UNKNOWN && resident != MS_UNKNOWN)
		available += resident;
	return (struct ms_memory_bounds){
		.cgroup2 = groups.max,
		.cgroup2_high = groups.high,
		.cgroup1 = groups.v1,
		.machine = bound(available, resident),
		.address_space = bound(rlimit(limits, "Max address space"), mapped),
		.data = bound(rlimit(limits, "Max data size"), kib_number(status, "VmData:")),
		.cgroup_hidden = groups.hidden,
	};
}

uint64_t ms_memory_resident(pid_t pid, const char *root)
{
	char who[16];
	uint64_t mapped, resident;

	snprintf(who, sizeof(who), "/%d", (int)pid);
	usage_read(root, who, &mapped, &resident);
	return resident;
}
