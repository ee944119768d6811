// Goal: the bound that leaves least is found wherever the kernel keeps it, and what cannot be read
// is no bound.
// Method: planted /proc and /sys, for cgroup v1, v2, both, nested groups and other namespaces.
#include "target/cgroup.h"
#include "target/memory_bound.h"
#include "target/small_file.h"
#include "tests/support/planted_root.h"
#include "tests/support/test.h"

#include <unistd.h>

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT                                                                                   \
	"31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"                              \
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
#define STATM "400000 2048 100 50 0 9000 0\n"

static struct planted_root root;

static void file(const char *path, const char *text)
{
	planted_root_file(&root, path, text);
}

static void process(const char *cgroup, const char *mounts)
{
	planted_root_init(&root);
	file("/proc/7/statm", STATM);
	file("/proc/7/cgroup", cgroup);
	file("/proc/self/mountinfo", mounts);
}

static struct ms_memory_bounds bounds(void)
{
	struct ms_memory_bounds b = ms_memory_bounds_read(7, root.path);

	planted_root_deinit(&root);
	return b;
}

MS_TEST(memory_bound_v2_nested)
{
	struct ms_memory_bounds b;

	process("0::/shop.slice/orders\n", V2_MOUNT);
	file("/sys/fs/cgroup/shop.slice/memory.max", "1000000\n");
	file("/sys/fs/cgroup/shop.slice/memory.current", "900000\n");
	file("/sys/fs/cgroup/shop.slice/memory.stat",
	     "anon 1\nfile 500000\ninactive_file 30000\nactive_file 20000\n");
	file("/sys/fs/cgroup/shop.slice/orders/memory.max", "max\n");
	file("/sys/fs/cgroup/shop.slice/orders/memory.high", "700000\n");
	file("/sys/fs/cgroup/shop.slice/orders/memory.current", "600000\n");
	b = bounds();
	CHECK_EQ(b.cgroup2.limit_bytes, 1000000);
	CHECK_EQ(b.cgroup2.used_bytes, 850000);
	CHECK_EQ(ms_memory_bound_left(&b.cgroup2), 150000);
	CHECK_EQ(b.cgroup2_high.limit_bytes, 700000);
	CHECK_EQ(ms_memory_bound_left(&b.cgroup2_high), 100000);
	CHECK_EQ(b.cgroup1.limit_bytes, MS_UNKNOWN);
	CHECK(!b.cgroup_hidden);
}

/** Pages of files count only where it matters; a group without a limit is known all the same. */
MS_TEST(memory_bound_group_to_ask_again)
{
	struct ms_cgroup_limit limit;

	process("0::/a/b\n", V2_MOUNT);
	file("/sys/fs/cgroup/a/memory.max", "1000000\n");
	file("/sys/fs/cgroup/a/memory.current", "900000\n");
	file("/sys/fs/cgroup/a/memory.stat", "inactive_file 30000\nactive_file 20000\n");
	file("/sys/fs/cgroup/a/memory.events", "low 0\noom 3\noom_kill 2\n");
	file("/sys/fs/cgroup/a/b/memory.max", "max\n");
	file("/sys/fs/cgroup/a/b/memory.current", "600000\n");
	limit = ms_cgroup_limit_find(7, root.path);
	CHECK_EQ(limit.limit_bytes, 1000000);
	CHECK_EQ(ms_cgroup_limit_used(&limit, 0), 850000);
	CHECK_EQ(ms_cgroup_limit_used(&limit, 900001), 900000);
	CHECK_EQ(ms_cgroup_limit_kills(&limit), 2);
	ms_cgroup_limit_deinit(&limit);
	CHECK_EQ(ms_cgroup_limit_used(&limit, 0), MS_UNKNOWN);
	CHECK_EQ(ms_cgroup_limit_kills(&limit), MS_UNKNOWN);
	file("/sys/fs/cgroup/a/memory.max", "max\n");
	limit = ms_cgroup_limit_find(7, root.path);
	CHECK_EQ(limit.limit_bytes, MS_UNKNOWN);
	CHECK_EQ(ms_cgroup_limit_used(&limit, 0), 600000);
	ms_cgroup_limit_deinit(&limit);
	planted_root_deinit(&root);
}

/** A larger limit can be nearer: what counts is what is left. */
MS_TEST(memory_bound_v2_parent_leaves_less)
{
	struct ms_memory_bounds b;

	process("0::/a/b\n", V2_MOUNT);
	file("/sys/fs/cgroup/a/memory.max", "5000000\n");
	file("/sys/fs/cgroup/a/memory.current", "4999000\n");
	file("/sys/fs/cgroup/a/b/memory.max", "1000000\n");
	file("/sys/fs/cgroup/a/b/memory.current", "200000\n");
	b = bounds();
	CHECK_EQ(b.cgroup2.limit_bytes, 5000000);
	CHECK_EQ(ms_memory_bound_left(&b.cgroup2), 1000);
}

MS_TEST(memory_bound_v1)
{
	struct ms_memory_bounds b;

	process("12:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n", V1_MOUNT);
	file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "123\n");
	file("/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "9223372036854771712\n");
	file("/sys/fs/cgroup/memory/docker/memory.usage_in_bytes", "123\n");
	file("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "2000000\n");
	file("/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "1500000\n");
	file("/sys/fs/cgroup/memory/docker/abc/memory.stat",
	     "inactive_file 7\ntotal_inactive_file 100000\ntotal_active_file 200000\n");
	b = bounds();
	CHECK_EQ(b.cgroup1.limit_bytes, 2000000);
	CHECK_EQ(b.cgroup1.used_bytes, 1200000);
	CHECK_EQ(b.cgroup2.limit_bytes, MS_UNKNOWN);
	CHECK(!b.cgroup_hidden);
}

MS_TEST(memory_bound_v1_without_a_limit)
{
	struct ms_memory_bounds b;

	process("4:memory:/\n", V1_MOUNT);
	file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "123\n");
	b = bounds();
	CHECK_EQ(b.cgroup1.limit_bytes, MS_UNKNOWN);
	CHECK_EQ(ms_memory_bound_left(&b.cgroup1), MS_UNKNOWN);
	CHECK(!b.cgroup_hidden);
}

/** Before Linux 5.11: a parent that does not count its children does not bound them. */
MS_TEST(memory_bound_v1_without_hierarchy)
{
	struct ms_memory_bounds b;

	process("4:memory:/a/b\n", V1_MOUNT);
	file("/sys/fs/cgroup/memory/a/memory.use_hierarchy", "0\n");
	file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000\n");
	file("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "900\n");
	file("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "2000000\n");
	file("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "100\n");
	b = bounds();
	CHECK_EQ(b.cgroup1.limit_bytes, 2000000);
}

/** Its group lies outside of our namespace; its own mount shows it, seen through its root. */
MS_TEST(memory_bound_other_namespace)
{
	struct ms_memory_bounds b;

	process("0::/../pod/orders\n", V2_MOUNT);
	file("/sys/fs/cgroup/memory.max", "77\n");
	file("/sys/fs/cgroup/memory.current", "7\n");
	file("/proc/7/mountinfo",
	     "1 0 0:9 / / rw - overlay overlay rw\n"
	     "30 1 0:26 /../pod/orders /sys/fs/my\\040cgroup ro - cgroup2 cgroup rw\n");
	file("/proc/7/root/sys/fs/my cgroup/memory.max", "3000000\n");
	file("/proc/7/root/sys/fs/my cgroup/memory.current", "1000000\n");
	b = bounds();
	CHECK_EQ(b.cgroup2.limit_bytes, 3000000);
	CHECK_EQ(b.cgroup2.used_bytes, 1000000);
	CHECK(!b.cgroup_hidden);
}

/** Ours is the deeper namespace, and the mount is rooted above it. */
MS_TEST(memory_bound_mount_above_our_root)
{
	struct ms_memory_bounds b;

	process("0::/../../web\n", "30 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	file("/sys/fs/cgroup/web/memory.max", "500\n");
	file("/sys/fs/cgroup/web/memory.current", "100\n");
	b = bounds();
	CHECK_EQ(b.cgroup2.limit_bytes, 500);
}

MS_TEST(memory_bound_hidden)
{
	struct ms_memory_bounds b;

	process("0::/../pod/orders\n", V2_MOUNT);
	file("/sys/fs/cgroup/memory.max", "77\n");
	b = bounds();
	CHECK_EQ(b.cgroup2.limit_bytes, MS_UNKNOWN);
	CHECK(b.cgroup_hidden);
}

/** "/a" is no part of "/ab", and names with a colon are names. */
MS_TEST(memory_bound_names_of_groups)
{
	struct ms_memory_bounds b;

	process("0::/ab:c\n", "30 23 0:26 /a /elsewhere rw - cgroup2 cgroup2 rw\n" V2_MOUNT);
	file("/elsewhere/memory.max", "1\n");
	file("/elsewhere/memory.current", "1\n");
	file("/sys/fs/cgroup/ab:c/memory.max", "500\n");
	file("/sys/fs/cgroup/ab:c/memory.current", "600\n");
	b = bounds();
	CHECK_EQ(b.cgroup2.limit_bytes, 500);
	CHECK_EQ(ms_memory_bound_left(&b.cgroup2), 0);
}

MS_TEST(memory_bound_machine_and_rlimits)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct ms_memory_bounds b;

	process("", "");
	file("/proc/meminfo", "MemTotal:  9000 kB\nMemFree: 1 kB\nMemAvailable:    1000 kB\n");
	file("/proc/7/status", "Name:\torders\nVmData:\t    2000 kB\n");
	file("/proc/7/limits",
	     "Limit                     Soft Limit           Hard Limit           Units     \n"
	     "Max data size             4096000              unlimited            bytes     \n"
	     "Max address space         unlimited            unlimited            bytes     \n");
	CHECK_EQ(ms_memory_resident(7, root.path), 2048 * page);
	CHECK_EQ(ms_memory_resident(8, root.path), MS_UNKNOWN);
	b = bounds();
	CHECK_EQ(ms_memory_bound_left(&b.machine), 1024000);
	CHECK_EQ(b.machine.used_bytes, 2048 * page);
	CHECK_EQ(ms_memory_bound_left(&b.data), 2048000);
	CHECK_EQ(b.address_space.limit_bytes, MS_UNKNOWN);
	CHECK(!b.cgroup_hidden);
}

MS_TEST(memory_bound_nothing_to_read)
{
	struct ms_memory_bounds b;

	planted_root_init(&root);
	b = bounds();
	CHECK_EQ(ms_memory_bound_left(&b.machine), MS_UNKNOWN);
	CHECK_EQ(ms_memory_bound_left(&b.cgroup2), MS_UNKNOWN);
	CHECK_EQ(ms_memory_bound_left(&b.data), MS_UNKNOWN);
	CHECK(!b.cgroup_hidden);
}

/** Whatever stands in these files, nothing is read out of bounds and no number is made up. */
MS_TEST(memory_bound_garbage)
{
	static const char *const lines[] = {
		"",
		"\n",
		"0:",
		"0::",
		"0::\n",
		":::::\n",
		"0::x\n",
		"4:memory\n",
		"4:memory:",
		"a b c -",
		"- - - - -\n",
		"1 2 3 / \\04 - cgroup2\n",
		"1 2 3 / \\0 rw - cgroup2 a\n",
		"99999999999999999999999\n",
		"-5\n",
		"5 \n",
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(lines); i++) {
		for (size_t k = 0; k < MS_ARRAY_SIZE(lines); k++) {
			struct ms_memory_bounds b;

			process(lines[i], lines[k]);
			file("/proc/7/statm", lines[k]);
			file("/proc/7/limits", lines[i]);
			file("/proc/meminfo", lines[k]);
			b = bounds();
			CHECK_EQ(b.cgroup2.limit_bytes, MS_UNKNOWN);
			CHECK_EQ(b.machine.limit_bytes, MS_UNKNOWN);
		}
	}
}

MS_TEST(small_file_numbers)
{
	CHECK_EQ(ms_text_number("a 1\nab 2\n", "ab"), 2);
	CHECK_EQ(ms_text_number("ab\n", "ab"), MS_UNKNOWN);
	CHECK_EQ(ms_text_number("ab x\n", "ab"), MS_UNKNOWN);
	CHECK_EQ(ms_text_number("ab 18446744073709551615\n", "ab"), MS_UNKNOWN);
	CHECK_EQ(ms_text_number("ab 18446744073709551614\n", "ab"), UINT64_MAX - 1);
	CHECK_EQ(ms_small_file_number("/nowhere/at/all"), MS_UNKNOWN);
	CHECK(ms_small_file_read("/") == NULL);
}
