// cpu_samples.c - one perf event for each thread, on the CPU clock, with a buffer of its own.
//
// An event that threads inherit cannot be mapped for all CPUs at once, and one for each CPU and
// thread would take hundreds of descriptors: so each thread has its own event, and the list of
// threads is read anew while samples are taken.  A thread that ended keeps its event until what it
// left was read.  A buffer holds fifteen samples of full size, and a thread makes twelve between
// two takes at the default rate.
//
// The kernel writes the buffer while it is read: it owns data_head, we own data_tail.
#include "stacks/cpu_samples.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "stacks/cpu_records.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum {
	DATA_BYTES = 128 << 10,
	TASKS_MAX = 1 << 16, // A bound on the kernel's list of threads.
};

struct thread {
	uint32_t id;
	int fd;
	struct perf_event_mmap_page *page; // The data follows it.
	bool is_listed;                    // In the last list of threads.
};

struct ms_cpu_sampler {
	pid_t pid;
	uint64_t period_ns;
	struct {
		struct thread *items;
		size_t count, capacity;
	} threads;
	size_t page_bytes;
	struct ms_cpu_figures figures;
	uint8_t record[MS_CPU_RECORD_BYTES_MAX];
};

static int event_open(pid_t thread, uint64_t period_ns)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period_ns,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN |
			       PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.exclude_callchain_kernel = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.sample_regs_user = MS_CPU_REGISTER_MASK,
		.sample_stack_user = MS_CPU_STACK_BYTES,
	};

	return (int)syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/** The sentence for a process whose threads the kernel does not let us sample. */
static struct ms_error *refused(pid_t pid, int errno_value)
{
	if (errno_value == EACCES || errno_value == EPERM)
		return ms_error_new(
		    MS_ERR_DENIED,
		    "running goroutines cannot be sampled: it needs the capability CAP_PERFMON, or "
		    "the same user and at most 2 in /proc/sys/kernel/perf_event_paranoid; type: "
		    "sudo mapscope goroutines %d; in Docker start with --cap-add PERFMON --cap-add "
		    "SYS_PTRACE",
		    (int)pid);
	if (errno_value == EMFILE || errno_value == ENFILE)
		return ms_error_new(
		    MS_ERR_LIMIT,
		    "running goroutines cannot be sampled: there are too few file "
		    "descriptors for the threads of process %d; type: ulimit -n 4096",
		    (int)pid);
	return ms_error_errno(
	    MS_ERR_UNSUPPORTED, errno_value,
	    "running goroutines cannot be sampled: this kernel gives no CPU clock "
	    "events");
}

static void thread_close(struct ms_cpu_sampler *s, struct thread *t)
{
	munmap(t->page, s->page_bytes + DATA_BYTES);
	close(t->fd);
}

/** Begin with one thread; a thread that is gone is no error.  *ret_errno is why not. */
static struct ms_error *thread_add(struct ms_cpu_sampler *s, uint32_t id, int *ret_errno)
{
	struct thread t = { .id = id, .is_listed = true };
	void *page;

	t.fd = event_open((pid_t)id, s->period_ns);
	if (t.fd < 0) {
		*ret_errno = errno;
		return NULL;
	}
	page = mmap(NULL, s->page_bytes + DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t.fd, 0);
	if (page == MAP_FAILED) {
		*ret_errno = errno;
		close(t.fd);
		return NULL;
	}
	t.page = page;
	*ret_errno = 0;
	if (!ms_vec_push(&s->threads, t)) {
		thread_close(s, &t);
		return ms_error_no_memory();
	}
	s->figures.threads++;
	s->figures.buffer_bytes_peak = (size_t)ms_max_u64(
	    s->figures.buffer_bytes_peak, s->threads.count * (s->page_bytes + DATA_BYTES));
	return NULL;
}

static struct thread *thread_find(struct ms_cpu_sampler *s, uint32_t id)
{
	for (size_t i = 0; i < s->threads.count; i++) {
		if (s->threads.items[i].id == id)
			return &s->threads.items[i];
	}
	return NULL;
}

/** Take in the threads that there are now.  An error only when memory is short. */
static struct ms_error *threads_list(struct ms_cpu_sampler *s, int *ret_errno)
{
	char path[64];
	struct dirent *entry;
	struct ms_error *err = NULL;
	uint64_t left_out = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)s->pid);
	dir = opendir(path);
	for (size_t i = 0; i < s->threads.count; i++)
		s->threads.items[i].is_listed = false;
	for (size_t i = 0; dir && i < TASKS_MAX && !err && (entry = readdir(dir)); i++) {
		uint32_t id = (uint32_t)strtoul(entry->d_name, NULL, 10);
		struct thread *known = id ? thread_find(s, id) : NULL;

		if (known) {
			known->is_listed = true;
		} else if (id && s->threads.count >= MS_CPU_THREADS_MAX) {
			left_out++;
		} else if (id) {
			err = thread_add(s, id, ret_errno);
			left_out += *ret_errno && *ret_errno != ESRCH; // ESRCH: it has ended.
		}
	}
	if (!dir)
		*ret_errno = errno;
	else
		closedir(dir);
	s->figures.threads_left_out = ms_max_u64(s->figures.threads_left_out, left_out);
	return err;
}

struct ms_error *ms_cpu_sampler_create(pid_t pid, unsigned hz, struct ms_cpu_sampler **ret_sampler)
{
	struct ms_cpu_sampler *s = calloc(1, sizeof(*s));
	int why = ESRCH;
	struct ms_error *err;

	if (!s)
		return ms_error_no_memory();
	s->pid = pid;
	hz = hz && hz < MS_CPU_HZ_MAX ? hz : MS_CPU_HZ_MAX;
	s->period_ns = 1000000000ull / hz;
	s->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	err = threads_list(s, &why);
	if (!err && !s->threads.count)
		err = why == ESRCH || why == ENOENT
			  ? ms_error_new(MS_ERR_GONE, "process %d is gone", (int)pid)
			  : refused(pid, why);
	if (err) {
		ms_cpu_sampler_destroy(s);
		return err;
	}
	*ret_sampler = s;
	return NULL;
}

void ms_cpu_sampler_destroy(struct ms_cpu_sampler *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->threads.count; i++)
		thread_close(s, &s->threads.items[i]);
	ms_vec_free(&s->threads);
	free(s);
}

struct ms_cpu_figures ms_cpu_sampler_figures(const struct ms_cpu_sampler *s)
{
	return s->figures;
}

static struct ms_error *thread_take(struct ms_cpu_sampler *s, const struct thread *t,
				    ms_cpu_sample_fn fn, void *context)
{
	const struct ms_cpu_ring ring = {
		.data = (const uint8_t *)t->page + s->page_bytes,
		.size = DATA_BYTES,
		.tail = t->page->data_tail,
		.head = __atomic_load_n(&t->page->data_head, __ATOMIC_ACQUIRE),
	};
	struct ms_error *err = ms_cpu_records_take(&ring, s->record, &s->figures, fn, context);

	__atomic_store_n(&t->page->data_tail, ring.head, __ATOMIC_RELEASE);
	return err;
}

struct ms_error *ms_cpu_sampler_take(struct ms_cpu_sampler *s, ms_cpu_sample_fn fn, void *context)
{
	struct ms_error *err = NULL;
	size_t kept = 0;
	int why;

	for (size_t i = 0; i < s->threads.count && !err; i++)
		err = thread_take(s, &s->threads.items[i], fn, context);
	if (!err)
		err = threads_list(s, &why);
	if (err)
		return err;
	for (size_t i = 0; i < s->threads.count; i++) {
		struct thread t = s->threads.items[i];

		if (t.is_listed) {
			s->threads.items[kept++] = t;
			continue;
		}
		err = err ? err : thread_take(s, &t, fn, context);
		thread_close(s, &t);
	}
	s->threads.count = kept;
	return err;
}
