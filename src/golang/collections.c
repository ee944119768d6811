// collections.c - runtime.memstats and runtime.work have no symbol in a stripped program, but say
// the same thing in several places.
//
// memstats: once a cycle has ended, the number of cycles is half of the heap's sweepgen; the time
// of the last one is also the ring's entry of that number; the total of the pauses is the sum of
// the ring until that is full, and entries not used yet are zeros.  Before the first cycle it is
// all zeros, as much else: then sweepgen is 0 too, and the numbers are known without it.
//
// work: of the last cycle it keeps (mgc.go, workType; the same in every release from 1.18 to 1.27
// but for one word)
//
//	cycles uint32
//	stwprocs, maxprocs int32		and four bytes of padding
//	tSweepTerm, tMark, tMarkTerm, tEnd int64
//	pauseNS int64
//	pauseStart int64			up to 1.21
//	heap0, heap1, heap2 uint64
//
// No row says where in the variable that is, and none has to: cycles is memstats' count, tSweepTerm
// is also the pacer's time at which marking began, tEnd memstats' time of the last collection,
// pauseNS the ring's last entry and heap2 the pacer's marked heap.  Five numbers that agree with
// five others make the place, and make it again at every read: a cycle of which they do not agree
// is one that was caught while it was written, or is not there any more, and nothing is said of it.
//
// All of it lies in the two ranges of the module that are zeros in the file.
#include "golang/collections.h"

#include "base/cleanup.h"
#include "golang/scan.h"

#include <math.h>

enum {
	FIND_TRIES = 8,     // A cycle may end while memory is looked through ...
	PASSED_MAX = 65536, // ... and of a small heap, many.
	CYCLE_BYTES = 88,
	CYCLE_TIMES = 16, // Offsets from cycles.
	CYCLE_PAUSE = 48,
	CYCLE_HEAP = 56, // A word later with pauseStart.
	PROCS_MAX = 1 << 20,
	TRIES_MAX = 64, // Each looks through all variables.
};

// Where the pieces of a read lie in the buffer.
enum {
	AT_SWEEPGEN = 0,
	AT_ENDED = 8,
	AT_FORCED = 16,
	AT_SHARE = 24,
	AT_CLOCK = 32,
	AT_CYCLE = 40,
	AT_PACER = AT_CYCLE + CYCLE_BYTES,
	PIECES = 7,
};

static const int64_t CYCLE_NS_MAX = 3600 * (int64_t)1000000000;
static const double CPU_SHARE_MIN = 1e-12;

uint32_t ms_go_memstats_bytes(const struct ms_go_layout *l)
{
	const uint32_t ring = 8 * MS_GO_PAUSES - 8;
	const struct {
		uint32_t offset, more;
	} fields[] = {
		{ l->mstats_last_gc_unix, 0 }, { l->mstats_pause_total, 0 },
		{ l->mstats_numgc, 0 },        { l->mstats_numforcedgc, 0 },
		{ l->mstats_cpu_fraction, 0 }, { l->mstats_last_gc_clock, 0 },
		{ l->mstats_pauses, ring },    { l->mstats_pause_ends, ring },
	};
	uint32_t last = 0;

	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++) {
		if (fields[i].offset > MS_GO_PLACE_MAX - 8 - ring)
			return 0;
		if (fields[i].offset + fields[i].more > last)
			last = fields[i].offset + fields[i].more;
	}
	return last + 8;
}

static double load_double(const uint8_t *raw)
{
	double v;

	memcpy(&v, raw, sizeof(v));
	return v;
}

static uint64_t ring_at(const uint8_t *raw, uint32_t ring, uint32_t number)
{
	return ms_load_u64(raw + ring + (number - 1) % MS_GO_PAUSES * 8);
}

static bool rings_fit(const struct ms_go_layout *l, const uint8_t *raw, uint32_t ended)
{
	uint64_t total = ms_load_u64(raw + l->mstats_pause_total), sum = 0;

	for (uint32_t i = 1; i <= MS_GO_PAUSES; i++) {
		uint64_t pause = ring_at(raw, l->mstats_pauses, i);
		uint64_t end = ring_at(raw, l->mstats_pause_ends, i);

		if ((i > ended) != (end == 0) || (i > ended && pause) || pause > total)
			return false;
		sum += pause;
	}
	return ended <= MS_GO_PAUSES ? sum == total : sum < total;
}

bool ms_go_memstats_fits(const struct ms_go_layout *l, const uint8_t *raw, uint32_t begun)
{
	uint32_t ended = ms_load_u32(raw + l->mstats_numgc);
	uint64_t last_end = ms_load_u64(raw + l->mstats_last_gc_unix);
	uint64_t clock = ms_load_u64(raw + l->mstats_last_gc_clock);
	double share;

	if (!ended || (ended != begun && ended + 1 != begun))
		return false;
	if (!last_end || last_end != ring_at(raw, l->mstats_pause_ends, ended))
		return false;
	share = load_double(raw + l->mstats_cpu_fraction);
	return ms_load_u32(raw + l->mstats_numforcedgc) <= ended && share >= CPU_SHARE_MIN &&
	       share <= 1 && clock && clock < last_end && rings_fit(l, raw, ended);
}

struct memstats_scan {
	const struct ms_go_layout *layout;
	uint32_t begun; // When the scan began.
	uint32_t ended; // What the place found says.
	ms_addr found;
	unsigned count;
};

static void memstats_try(const uint8_t *raw, ms_addr at, void *context)
{
	struct memstats_scan *s = context;
	uint32_t ended = ms_load_u32(raw + s->layout->mstats_numgc), begun = s->begun;

	if (ended > begun && ended - begun <= PASSED_MAX)
		begun = ended;
	if (!ms_go_memstats_fits(s->layout, raw, begun))
		return;
	s->ended = ended;
	s->found = at;
	s->count++;
}

static struct ms_error *memstats_find(struct ms_go_collections *c)
{
	struct memstats_scan s = { .layout = c->rt->layout };

	for (unsigned i = 0; i < FIND_TRIES; i++) {
		uint32_t sweepgen;
		struct ms_error *err = ms_go_sweepgen(c->rt, &sweepgen);

		s.begun = sweepgen / 2;
		s.count = 0;
		if (!err && !s.begun)
			return NULL;
		if (!err)
			err = ms_go_scan_zeroed(c->rt, ms_go_memstats_bytes(s.layout), memstats_try,
						&s);
		if (!err)
			err = ms_go_sweepgen(c->rt, &sweepgen);
		if (err)
			return ms_error_wrap(err, "the counts of collections");
		if (s.count == 1 && s.ended <= sweepgen / 2) {
			c->memstats = s.found;
			return NULL;
		}
	}
	if (s.begun == 1 && c->memstats_tries++ < TRIES_MAX) // The first may not have ended yet.
		return NULL;
	return ms_error_new(MS_ERR_BAD_DATA,
			    "the counts of collections were looked for and %u places could be "
			    "them",
			    s.count);
}

/** What is known of the last cycle from elsewhere. */
struct cycle_scan {
	uint32_t ended;
	int64_t start_ns, end_ns;
	uint64_t pause_ns, heap_marked_bytes;
	ms_addr found;
	uint32_t heap;
	unsigned count;
};

/** Take the words of runtime.work apart; false unless they agree with @p known. */
static bool cycle_parse(const uint8_t *raw, uint32_t heap, const struct cycle_scan *known,
			struct ms_go_cycle *ret_cycle)
{
	const uint8_t *times = raw + CYCLE_TIMES, *sizes = raw + heap;
	struct ms_go_cycle c = {
		.start_ns = (int64_t)ms_load_u64(times),
		.mark_ns = (int64_t)ms_load_u64(times + 8),
		.mark_end_ns = (int64_t)ms_load_u64(times + 16),
		.end_ns = (int64_t)ms_load_u64(times + 24),
		.pause_ns = (int64_t)ms_load_u64(raw + CYCLE_PAUSE),
		.heap_start_bytes = ms_load_u64(sizes),
		.heap_end_bytes = ms_load_u64(sizes + 8),
		.heap_marked_bytes = ms_load_u64(sizes + 16),
		.stop_procs = ms_load_u32(raw + 4),
		.procs = ms_load_u32(raw + 8),
	};

	if (ms_load_u32(raw) != known->ended)
		return false;
	if (c.start_ns != known->start_ns || c.end_ns != known->end_ns ||
	    (uint64_t)c.pause_ns != known->pause_ns ||
	    c.heap_marked_bytes != known->heap_marked_bytes)
		return false;
	if (c.start_ns <= 0 || c.mark_ns < c.start_ns || c.mark_end_ns < c.mark_ns ||
	    c.end_ns < c.mark_end_ns || c.end_ns - c.start_ns > CYCLE_NS_MAX)
		return false;
	if (!c.stop_procs || c.stop_procs > c.procs || c.procs > PROCS_MAX)
		return false;
	*ret_cycle = c;
	return true;
}

static void cycle_try(const uint8_t *raw, ms_addr at, void *context)
{
	static const uint32_t heaps[] = { CYCLE_HEAP, CYCLE_HEAP + 8 };
	struct cycle_scan *s = context;
	struct ms_go_cycle cycle;

	for (size_t i = 0; i < MS_ARRAY_SIZE(heaps); i++) {
		if (!cycle_parse(raw, heaps[i], s, &cycle))
			continue;
		s->found = at;
		s->heap = heaps[i];
		s->count++;
	}
}

/** The pauses of the last cycle, kept until there is another. */
static struct ms_error *last_pause_read(struct ms_go_collections *c, uint32_t ended)
{
	struct ms_go_pause pause;
	struct ms_error *err;

	if (c->paused == ended)
		return NULL;
	err = ms_go_collections_pauses(c, ended, 1, &pause);
	if (err)
		return err;
	c->paused = ended;
	c->pause_ns = pause.pause_ns;
	return NULL;
}

static struct cycle_scan cycle_known(const struct ms_go_collections *c,
				     const struct ms_go_collections_now *now)
{
	return (struct cycle_scan){
		.ended = now->ended,
		.start_ns = now->pacer.mark_start_ns,
		.end_ns = now->last_end_ns,
		.pause_ns = c->pause_ns,
		.heap_marked_bytes = now->pacer.heap_marked_bytes,
	};
}

static struct ms_error *cycle_find(struct ms_go_collections *c,
				   const struct ms_go_collections_now *now)
{
	struct cycle_scan s = cycle_known(c, now);
	struct ms_error *err = ms_go_scan_zeroed(c->rt, CYCLE_BYTES, cycle_try, &s);

	c->cycle_tried = now->ended;
	c->cycle_tries++;
	if (!err && s.count == 1) {
		c->cycle = s.found;
		c->cycle_heap = s.heap;
	}
	return err;
}

/**
 * One read of all that is known.  A cycle that ends counts up sweepgen, then what was forced, then
 * what ended (runtime/mgc.go, gcMarkTermination): read the other way round, a sweepgen of no more
 * than ended cycles says that no further one is among the forced.
 */
static struct ms_error *all_read(const struct ms_go_collections *c)
{
	const struct ms_go_layout *l = c->rt->layout;
	const struct {
		ms_addr variable;
		uint32_t offset, size, at;
	} pieces[PIECES] = {
		{ c->memstats, l->mstats_numgc, 4, AT_ENDED },
		{ c->memstats, l->mstats_numforcedgc, 4, AT_FORCED },
		{ c->rt->allspans, -l->mheap_sweepgen_to_allspans, 4, AT_SWEEPGEN },
		{ c->memstats, l->mstats_cpu_fraction, 8, AT_SHARE },
		{ c->memstats, l->mstats_last_gc_clock, 8, AT_CLOCK },
		{ c->cycle, 0, CYCLE_BYTES, AT_CYCLE },
		{ c->pacer, 0, ms_go_pacer_bytes(l), AT_PACER },
	};
	struct ms_read reads[PIECES];
	size_t n = 0;
	struct ms_error *err;

	for (size_t i = 0; i < PIECES; i++) {
		ms_addr at = pieces[i].variable + (uint64_t)(int32_t)pieces[i].offset;

		if (pieces[i].variable)
			reads[n++] = (struct ms_read){ at, c->bytes + pieces[i].at, pieces[i].size,
						       MS_READ_OK };
	}
	err = ms_target_read_many(c->rt->target, reads, n);
	for (size_t i = 0; !err && i < n; i++) {
		if (reads[i].status != MS_READ_OK)
			err =
			    ms_error_new(MS_ERR_FAULT, "the counts of collections cannot be read");
	}
	return err;
}

static struct ms_go_collections_now all_parse(const struct ms_go_collections *c)
{
	struct ms_go_collections_now now = { .cpu_share = NAN };

	if (c->memstats) {
		now.ended = ms_load_u32(c->bytes + AT_ENDED);
		now.forced = ms_load_u32(c->bytes + AT_FORCED);
		now.cpu_share = load_double(c->bytes + AT_SHARE);
		now.last_end_ns = (int64_t)ms_load_u64(c->bytes + AT_CLOCK);
	}
	now.forced_known = ms_load_u32(c->bytes + AT_SWEEPGEN) == now.ended * 2;
	if (c->pacer)
		now.has_pacer =
		    ms_go_pacer_parse(c->rt->layout, c->bytes + AT_PACER, UINT64_MAX, &now.pacer);
	now.has_times = c->cycle && now.has_pacer;
	now.is_marking = now.has_times && now.pacer.mark_start_ns > now.last_end_ns;
	return now;
}

/** Look for what there was nothing of before.  Sets *ret_again when it was found. */
static struct ms_error *missing_find(struct ms_go_collections *c,
				     const struct ms_go_collections_now *now, bool *ret_again)
{
	struct ms_error *err = NULL;

	*ret_again = false;
	if (!c->memstats) {
		if (ms_load_u32(c->bytes + AT_SWEEPGEN))
			err = memstats_find(c);
		*ret_again = c->memstats != 0;
		return err;
	}
	if (c->cycle || !now->has_pacer || now->ended == c->cycle_tried ||
	    c->cycle_tries == TRIES_MAX || now->pacer.mark_start_ns > now->last_end_ns)
		return NULL;
	err = last_pause_read(c, now->ended);
	if (!err)
		err = cycle_find(c, now);
	*ret_again = c->cycle != 0;
	return err;
}

struct ms_error *ms_go_collections_read(struct ms_go_collections *c,
					struct ms_go_collections_now *ret_now)
{
	struct ms_go_collections_now now;
	struct ms_error *err;
	bool again;

	do { // At most twice more: each time something was found.
		err = all_read(c);
		if (err)
			return err;
		now = all_parse(c);
		err = missing_find(c, &now, &again);
	} while (!err && again);
	if (!err && c->cycle && now.has_pacer)
		err = last_pause_read(c, now.ended);
	if (err)
		return err;
	if (c->cycle && now.has_pacer) {
		struct cycle_scan known = cycle_known(c, &now);

		now.has_cycle = cycle_parse(c->bytes + AT_CYCLE, c->cycle_heap, &known, &now.cycle);
	}
	*ret_now = now;
	return NULL;
}

struct ms_error *ms_go_collections_pauses(struct ms_go_collections *c, uint32_t last,
					  uint32_t count, struct ms_go_pause *ret_pauses)
{
	const struct ms_go_layout *l = c->rt->layout;
	uint64_t rings[2][MS_GO_PAUSES];
	struct ms_read reads[] = {
		{ c->memstats + l->mstats_pauses, rings[0], sizeof(rings[0]), MS_READ_OK },
		{ c->memstats + l->mstats_pause_ends, rings[1], sizeof(rings[1]), MS_READ_OK },
	};
	struct ms_error *err;

	if (!c->memstats || count > last || count > MS_GO_PAUSES)
		return ms_error_new(MS_ERR_INTERNAL, "asked for %u pauses of %u", count, last);
	err = ms_target_read_many(c->rt->target, reads, MS_ARRAY_SIZE(reads));
	if (err)
		return err;
	if (reads[0].status != MS_READ_OK || reads[1].status != MS_READ_OK)
		return ms_error_new(MS_ERR_FAULT, "pauses of collections cannot be read");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = (last - count + i) % MS_GO_PAUSES;

		ret_pauses[i] = (struct ms_go_pause){ rings[0][slot], rings[1][slot] };
	}
	return NULL;
}

struct ms_error *ms_go_collections_since(struct ms_go_collections *c,
					 struct ms_go_collections_now *before, uint64_t *ret_count,
					 uint64_t *ret_pause_ns)
{
	struct ms_go_pause pauses[MS_GO_PAUSES];
	struct ms_go_collections_now now;
	uint64_t pause_ns = 0;
	struct ms_error *err = ms_go_collections_read(c, &now);
	uint32_t ended = err ? 0 : now.ended - before->ended;

	if (!err && ended && ended <= MS_GO_PAUSES)
		err = ms_go_collections_pauses(c, now.ended, ended, pauses);
	if (err)
		return err;
	for (uint32_t i = 0; i < ended && ended <= MS_GO_PAUSES; i++)
		pause_ns += pauses[i].pause_ns;
	*before = now;
	*ret_count = ended;
	*ret_pause_ns = ended <= MS_GO_PAUSES ? pause_ns : MS_UNKNOWN;
	return NULL;
}

struct ms_error *ms_go_collections_find(struct ms_go_runtime *rt, uint64_t in_use_bytes,
					struct ms_go_collections *ret_collections)
{
	struct ms_go_collections c = { .rt = rt };
	struct ms_go_pacer pacer;
	struct ms_error *err;

	if (rt->lacks_spans)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the span table, beside which they are looked for, is missing");
	err = ms_go_pacer_find(rt, in_use_bytes, &pacer);
	if (!err)
		c.pacer = pacer.address;
	if (err && ms_error_code(err) != MS_ERR_BAD_DATA &&
	    ms_error_code(err) != MS_ERR_UNSUPPORTED)
		return err;
	ms_error_free(err); // Counts and pauses can be known without it.
	err = memstats_find(&c);
	if (err)
		return err;
	c.bytes = malloc(AT_PACER + (c.pacer ? ms_go_pacer_bytes(rt->layout) : 0));
	if (!c.bytes)
		return ms_error_no_memory();
	*ret_collections = c;
	return NULL;
}

void ms_go_collections_deinit(struct ms_go_collections *c)
{
	free(c->bytes);
	c->bytes = NULL;
}
