// read_heap.c - the limit a census is measured against: its target's heap, read once.
//
//	read_heap PID [TIMES]
//
// Every byte of every in-use span, in the order of addresses, with process_vm_readv, at most 1 MiB
// a call into one buffer that is used again and again; neighbouring spans are read as one.  Finding
// the spans is not timed.  Prints one line for each time:
//
//	bytes 3221225472 calls 3214 wall_s 0.551234 cpu_s 0.550101
#include "base/cleanup.h"
#include "golang/spans.h"
#include "target/process.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>

enum { CALL_BYTES = 1 << 20, TIMES_MAX = 1000 };

struct range {
	ms_addr start, end;
};

struct ranges {
	struct range *items;
	size_t count;
};

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/** The in-use spans, sorted, neighbours joined. */
static struct ms_error *ranges_make(const struct ms_spans *spans, struct ranges *ret_ranges)
{
	struct range *items = calloc(spans->count + 1, sizeof(*items));
	size_t count = 0, kept = 0;

	if (!items)
		return ms_error_no_memory();
	for (size_t i = 0; i < spans->count; i++) {
		if (spans->items[i].state == MS_SPAN_IN_USE)
			items[count++] =
			    (struct range){ spans->items[i].start, ms_span_end(&spans->items[i]) };
	}
	qsort(items, count, sizeof(*items), by_start);
	for (size_t i = 0; i < count; i++) {
		if (kept && items[kept - 1].end == items[i].start)
			items[kept - 1].end = items[i].end;
		else
			items[kept++] = items[i];
	}
	*ret_ranges = (struct ranges){ items, kept };
	return NULL;
}

static double seconds(const struct timespec *t)
{
	return (double)t->tv_sec + (double)t->tv_nsec / 1e9;
}

static struct ms_error *read_once(pid_t pid, const struct ranges *ranges, uint8_t *buf)
{
	struct timespec from, to, cpu_from, cpu_to;
	uint64_t bytes = 0, calls = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_from);
	for (size_t i = 0; i < ranges->count; i++) {
		ms_addr at = ranges->items[i].start;

		while (at < ranges->items[i].end) {
			size_t size = (size_t)ms_min_u64(CALL_BYTES, ranges->items[i].end - at);
			struct iovec local = { buf, size };
			struct iovec remote = { (void *)(uintptr_t)at, size };
			ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

			calls++;
			if (n <= 0)
				return ms_error_errno(MS_ERR_FAULT, n ? errno : EFAULT,
						      "address 0x%" PRIx64, at);
			bytes += (uint64_t)n;
			at += (uint64_t)n;
		}
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_to);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("bytes %" PRIu64 " calls %" PRIu64 " wall_s %.6f cpu_s %.6f\n", bytes, calls,
	       seconds(&to) - seconds(&from), seconds(&cpu_to) - seconds(&cpu_from));
	return NULL;
}

static struct ms_error *measure(struct ms_target *t, long times)
{
	struct ms_go_runtime *rt = NULL;
	struct ms_spans spans = { 0 };
	struct ranges ranges = { 0 };
	MS_AUTO_FREE uint8_t *buf = malloc(CALL_BYTES);
	struct ms_error *err = buf ? ms_go_open(t, NULL, &rt) : ms_error_no_memory();

	if (!err)
		err = ms_spans_load(rt, &spans);
	if (!err)
		err = ranges_make(&spans, &ranges);
	if (buf)
		memset(buf, 0, CALL_BYTES);
	for (long i = 0; i < times && !err; i++)
		err = read_once(t->pid, &ranges, buf);
	free(ranges.items);
	ms_spans_deinit(&spans);
	ms_go_close(rt);
	return err;
}

int main(int argc, char **argv)
{
	MS_AUTO_ERROR struct ms_error *err = NULL;
	struct ms_target *t = NULL;
	long pid = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long times = argc > 2 ? strtol(argv[2], NULL, 10) : 1;

	if (argc < 2 || argc > 3 || pid <= 0 || times <= 0 || times > TIMES_MAX) {
		fprintf(stderr, "usage: read_heap PID [TIMES]\n");
		return 1;
	}
	err = ms_process_open((pid_t)pid, NULL, &t);
	if (!err)
		err = measure(t, times);
	ms_target_destroy(t);
	if (err)
		fprintf(stderr, "read_heap: %s\n", ms_error_message(err));
	return err ? 1 : 0;
}
