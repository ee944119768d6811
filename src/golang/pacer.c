// pacer.c - runtime.gcController has no symbol in a stripped program, but it says the same thing
// twice: the smallest heap worth collecting follows from GOGC (mgcpacer.go, setGCPercent)
//
//	heapMinimum = 4 MiB * uint64(gcPercent) / 100		in every release from 1.18 on
//
// where the product wraps around for gcPercent -1 (GOGC=off), which gives a number that nothing
// else in a program holds.  Beside it stand two counts of bytes that the spans of the heap bound,
// and, from 1.19 on, a memory limit that is math.MaxInt64 until one is set.  The variable is not
// initialised, so it lies in one of the two ranges that are zeros in the file.
//
// The memory limit is soft: the runtime collects more often to stay under it, at most half of the
// time, and then passes it.  No allocation fails because of it.
#include "golang/pacer.h"

#include "base/cleanup.h"

#include <inttypes.h>

enum { SCAN_STEP = 1 << 20, PERCENT_MAX = 100000000 };

static const uint64_t HEAP_MINIMUM = 4 << 20;
static const uint64_t LATE_BYTES = 64 << 20; // Allocated since the spans were read.

static uint64_t heap_minimum(int32_t percent)
{
	return HEAP_MINIMUM * (uint64_t)(int64_t)percent / 100;
}

uint32_t ms_go_pacer_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->gc_percent, l->gc_heap_minimum, l->gc_heap_live,
				    l->gc_heap_marked,
				    l->gc_memory_limit == MS_ABSENT ? 0 : l->gc_memory_limit };
	uint32_t last = 0;

	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++)
		last = fields[i] > last ? fields[i] : last;
	return last < SCAN_STEP - 8 ? last + 8 : 0;
}

/** GOGC=0 leaves nothing to recognise but a limit that was not set. */
static bool percent_is_sane(int32_t percent, uint64_t memory_limit)
{
	return percent == -1 || (percent > 0 && percent <= PERCENT_MAX) ||
	       (percent == 0 && memory_limit == INT64_MAX);
}

bool ms_go_pacer_parse(const struct ms_go_layout *l, const uint8_t *raw, uint64_t in_use_bytes,
		       struct ms_go_pacer *ret_pacer)
{
	bool has_limit = l->gc_memory_limit != MS_ABSENT;
	uint64_t limit = has_limit ? ms_load_u64(raw + l->gc_memory_limit) : 0;
	uint64_t most = in_use_bytes > UINT64_MAX / 4 ? UINT64_MAX : in_use_bytes * 2 + LATE_BYTES;
	struct ms_go_pacer p = {
		.gc_percent = (int32_t)ms_load_u32(raw + l->gc_percent),
		.has_memory_limit = has_limit && limit != INT64_MAX,
		.memory_limit_bytes = has_limit && limit != INT64_MAX ? limit : MS_UNKNOWN,
		.heap_live_bytes = ms_load_u64(raw + l->gc_heap_live),
		.heap_marked_bytes = ms_load_u64(raw + l->gc_heap_marked),
	};

	if (ms_load_u32(raw + l->gc_percent + 4) || limit > INT64_MAX ||
	    !percent_is_sane(p.gc_percent, limit) ||
	    ms_load_u64(raw + l->gc_heap_minimum) != heap_minimum(p.gc_percent))
		return false;
	if (!p.heap_live_bytes || p.heap_live_bytes > most || p.heap_marked_bytes > most)
		return false;
	*ret_pacer = p;
	return true;
}

struct pacer_scan {
	struct ms_go_runtime *rt;
	uint64_t in_use_bytes;
	size_t need;
	struct ms_go_pacer found;
	unsigned count;
	uint8_t bytes[SCAN_STEP];
};

static struct ms_error *range_scan(struct pacer_scan *s, ms_addr start, ms_addr end)
{
	for (ms_addr at = ms_round_up(start, 8); at + s->need <= end;) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, end - at), i;
		struct ms_error *err = ms_target_read(s->rt->target, at, s->bytes, size);

		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		for (i = 0; !err && i + s->need <= size; i += 8) {
			struct ms_go_pacer p;

			if (!ms_go_pacer_parse(s->rt->layout, s->bytes + i, s->in_use_bytes, &p))
				continue;
			s->found = p;
			s->found.address = at + i;
			s->count++;
		}
		at += err ? size : i;
		ms_error_free(err);
	}
	return NULL;
}

struct ms_error *ms_go_pacer_find(struct ms_go_runtime *rt, uint64_t in_use_bytes,
				  struct ms_go_pacer *ret_pacer)
{
	const struct ms_go_module *m = &rt->modules[0];
	MS_AUTO_FREE struct pacer_scan *s = malloc(sizeof(*s));
	uint32_t need = ms_go_pacer_bytes(rt->layout);
	struct ms_error *err;

	if (!s)
		return ms_error_no_memory();
	if (!need)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the collector's settings are over %d bytes apart",
				    (int)SCAN_STEP);
	s->rt = rt;
	s->need = need;
	s->in_use_bytes = in_use_bytes;
	s->count = 0;
	err = range_scan(s, m->noptrbss, m->enoptrbss);
	if (!err)
		err = range_scan(s, m->bss, m->ebss);
	if (err)
		return err;
	if (s->count != 1)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the collector's settings were looked for and %u places "
				    "could be them",
				    s->count);
	*ret_pacer = s->found;
	return NULL;
}
