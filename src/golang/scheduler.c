// scheduler.c - runtime.allp and runtime.sched have no symbols in a stripped program; what they
// hold refers to itself.
//
// allp is a slice whose element n begins with the number n and has a ring of 256 goroutines.  The
// ring is never cleared, so each word of it is a g or nothing, and a program that has started has
// put some there.  A P that runs has an M, which points back.  A single P that idles is told from
// other things that begin with 0 by its ring alone.
//
// An M has a goroutine for its own stack, g0, which points back to it: so any word can be asked
// whether it is one.  They are chained from runtime.allm, each to the one made before it; no word
// leads to the newest but allm itself, which is one of the variables that begin as zeros.
//
// sched lies there too.  Its limit of threads is 10,000 unless debug.SetMaxThreads changed it, its
// counts are bounded by what there is, its lists begin with an M, a P, a goroutine.
#include "golang/scheduler.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "base/vec.h"
#include "golang/scan.h"
#include "golang/scheduler_internal.h"
#include "target/fetch.h"

#include <inttypes.h>

enum {
	P_BYTES_MAX = 8192,
	M_BYTES_MAX = 4096,
	M_SIZE_MAX = 2048,   // Of a whole M; from Go 1.24 on they are padded to it.
	RING_CHECKED = 64,   // Words of a ring that have to be goroutines.
	WORDS_MAX = 1 << 17, // Variables that are asked whether they point to an M.
	ROUNDS_MAX = MS_GO_MS_MAX,
	THREADS_MOST = 10000, // runtime/proc.go, schedinit: sched.maxmcount.
	TRIES = 3,
};

// --- Sizes. ---

static uint32_t last_of(const uint32_t *fields, size_t count)
{
	uint32_t last = 0;

	for (size_t i = 0; i < count; i++)
		last = fields[i] > last ? fields[i] : last;
	return last;
}

uint32_t ms_go_p_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->p_id,        l->p_status,
				    l->p_schedtick, l->p_m,
				    l->p_runqhead,  l->p_runqtail,
				    l->p_runnext,   l->p_runq + 8 * (MS_GO_RUNQ - 1) };
	uint32_t last = last_of(fields, MS_ARRAY_SIZE(fields));

	return last < P_BYTES_MAX - 8 ? last + 8 : 0;
}

uint32_t ms_go_m_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->m_g0,      l->m_procid,  l->m_curg,   l->m_p,
				    l->m_nextp,   l->m_oldp,    l->m_id,     l->m_spinning,
				    l->m_blocked, l->m_alllink, l->m_lockedg };
	uint32_t last = last_of(fields, MS_ARRAY_SIZE(fields));

	return last < M_BYTES_MAX - 8 ? last + 8 : 0;
}

static uint32_t sched_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->sched_goidgen,    l->sched_midle,     l->sched_nmidle,
				    l->sched_maxmcount,  l->sched_pidle,     l->sched_npidle,
				    l->sched_nmspinning, l->sched_runq_head, l->sched_runq_size,
				    l->sched_gcwaiting };
	uint32_t last = last_of(fields, MS_ARRAY_SIZE(fields));

	return last < MS_GO_PLACE_MAX - 8 ? last + 8 : 0;
}

// --- Words at an offset of many addresses. ---

/** The word at @p offset of each address; MS_UNKNOWN where it cannot be read. */
static struct ms_error *words_read(struct ms_target *t, const ms_addr *addresses, size_t count,
				   uint32_t offset, uint64_t *ret_words)
{
	struct ms_fetch fetch = { 0 };
	MS_AUTO_FREE uint32_t *index = calloc(count + 1, sizeof(*index));
	struct ms_error *err = index ? NULL : ms_error_no_memory();

	for (size_t i = 0; i < count && !err; i++) {
		if (addresses[i] && addresses[i] != MS_UNKNOWN)
			err = ms_fetch_add(&fetch, addresses[i] + offset, 8, &index[i]);
		else
			index[i] = UINT32_MAX;
	}
	if (!err && fetch.count)
		err = ms_fetch_run(&fetch, t);
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *bytes =
		    index[i] == UINT32_MAX ? NULL : ms_fetch_bytes(&fetch, index[i]);

		ret_words[i] = bytes ? ms_load_u64(bytes) : MS_UNKNOWN;
	}
	ms_fetch_deinit(&fetch);
	return err;
}

/** Whether each address has at @p to something that leads back to it at @p back. */
static struct ms_error *back_links_check(struct ms_target *t, const ms_addr *addresses,
					 size_t count, uint32_t to, uint32_t back, bool *ret_good)
{
	MS_AUTO_FREE uint64_t *there = calloc(count + 1, sizeof(*there));
	MS_AUTO_FREE uint64_t *again = calloc(count + 1, sizeof(*again));
	struct ms_error *err;

	if (!there || !again)
		return ms_error_no_memory();
	err = words_read(t, addresses, count, to, there);
	for (size_t i = 0; i < count && !err; i++) {
		if (there[i] & 7)
			there[i] = MS_UNKNOWN;
	}
	if (!err)
		err = words_read(t, there, count, back, again);
	for (size_t i = 0; i < count && !err; i++)
		ret_good[i] = addresses[i] && again[i] == addresses[i];
	return err;
}

// --- Ps. ---

struct ms_error *ms_go_ps_list(struct ms_go_runtime *rt, ms_addr allp, ms_addr **ret_ps,
			       size_t *ret_count)
{
	uint8_t slice[24];
	struct ms_error *err = ms_target_read(rt->target, allp, slice, sizeof(slice));
	uint64_t count = err ? 0 : ms_load_u64(slice + 8);
	ms_addr *ps;

	if (err)
		return ms_error_wrap(err, "table of processors");
	if (!count || count > MS_GO_PS_MAX)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the table of processors says it has %" PRIu64 " entries",
				    count);
	ps = malloc((size_t)count * 8);
	if (!ps)
		return ms_error_no_memory();
	err = ms_target_read(rt->target, ms_load_u64(slice), ps, (size_t)count * 8);
	if (err) {
		free(ps);
		return ms_error_wrap(err, "table of processors");
	}
	*ret_ps = ps;
	*ret_count = (size_t)count;
	return NULL;
}

static struct ms_error *ring_check(struct ms_go_runtime *rt, const uint8_t *raw, bool *ret_good,
				   size_t *count)
{
	const struct ms_go_layout *l = rt->layout;
	uint32_t head = ms_load_u32(raw + l->p_runqhead), tail = ms_load_u32(raw + l->p_runqtail);
	ms_addr gs[RING_CHECKED], at;
	uint64_t backs[RING_CHECKED];
	size_t found = 0;
	struct ms_error *err;

	*ret_good = tail - head <= MS_GO_RUNQ;
	for (size_t i = 0; i < MS_GO_RUNQ && *ret_good && found < RING_CHECKED; i++) {
		at = ms_load_u64(raw + l->p_runq + 8 * i);
		*ret_good = !(at & 7);
		if (at)
			gs[found++] = at;
	}
	if (!*ret_good || !found)
		return NULL;
	err = words_read(rt->target, gs, found, l->g_sched_g, backs);
	for (size_t i = 0; i < found && !err && *ret_good; i++)
		*ret_good = backs[i] == gs[i];
	*count += found;
	return err;
}

/** Whether an M that a P points to is its own, was, or will be. */
static struct ms_error *m_check(struct ms_go_runtime *rt, ms_addr p, bool *ret_good)
{
	const struct ms_go_layout *l = rt->layout;
	const uint32_t links[] = { l->m_p, l->m_oldp, l->m_nextp };
	struct ms_error *err = NULL;

	*ret_good = false;
	for (unsigned try = 0; try < TRIES && !*ret_good && !err; try++) {
		uint64_t m = 0, word;

		err = words_read(rt->target, &p, 1, l->p_m, &m);
		*ret_good = !err && !m;
		for (size_t i = 0; i < MS_ARRAY_SIZE(links) && !*ret_good && !err; i++) {
			err = words_read(rt->target, &m, 1, links[i], &word);
			*ret_good = !err && word == p;
		}
	}
	return err;
}

static struct ms_error *p_check(struct ms_go_runtime *rt, ms_addr p, uint64_t number,
				bool *ret_good, size_t *goroutines)
{
	const struct ms_go_layout *l = rt->layout;
	uint8_t raw[P_BYTES_MAX];
	struct ms_error *err = ms_target_read(rt->target, p, raw, ms_go_p_bytes(l));

	if (err)
		return err;
	*ret_good = ms_load_u32(raw + l->p_id) == number &&
		    ms_load_u32(raw + l->p_status) < MS_GO_P_STATUSES;
	if (*ret_good)
		err = ring_check(rt, raw, ret_good, goroutines);
	if (!err && *ret_good)
		err = m_check(rt, p, ret_good);
	return err;
}

static bool samples_fit(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
			struct ms_error **ret_err)
{
	uint64_t words[MS_GO_SLICE_SAMPLES];

	*ret_err =
	    words_read(rt->target, slice->samples, slice->sample_count, rt->layout->p_id, words);
	for (size_t i = 0; i < slice->sample_count && !*ret_err; i++) {
		if (words[i] == MS_UNKNOWN ||
		    (uint32_t)words[i] != slice->len * i / slice->sample_count)
			return false;
	}
	return !*ret_err;
}

/** Slices that can be allp: a copy of it may stand for a moment beside it. */
struct found_ps {
	ms_addr slices[4];
	size_t count;
};

static struct ms_error *judge_allp(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				   void *context, bool *ret_take)
{
	struct found_ps *found = context;
	MS_AUTO_FREE ms_addr *ps = NULL;
	size_t count = 0, goroutines = 0;
	struct ms_error *err = NULL;
	bool good = true;

	*ret_take = false;
	if (slice->len > MS_GO_PS_MAX || found->count == MS_ARRAY_SIZE(found->slices) ||
	    !samples_fit(rt, slice, &err))
		return err;
	err = ms_go_ps_list(rt, slice->address, &ps, &count);
	for (size_t i = 0; i < count && good && !err; i++)
		err = p_check(rt, ps[i], i, &good, &goroutines);
	if (!err && good && count && goroutines)
		found->slices[found->count++] = slice->address;
	return err;
}

/**
 * Drop those that lie in an M, the first of which is a variable itself: from Go 1.25 on an M that
 * looks for work keeps a copy.
 */
static struct ms_error *copies_drop(struct ms_go_runtime *rt, struct found_ps *found)
{
	MS_AUTO_FREE ms_addr *ps = NULL;
	struct ms_go_m_list ms = { 0 };
	size_t p_count = 0, kept = 0;
	struct ms_error *err = ms_go_ps_list(rt, found->slices[0], &ps, &p_count);

	if (!err)
		err = ms_go_ms_list(rt, ps, p_count, NULL, &ms);
	for (size_t i = 0; i < found->count && !err; i++) {
		bool is_copy = false;

		for (size_t k = 0; k < ms.count; k++)
			is_copy |= found->slices[i] - ms.items[k] < M_SIZE_MAX;
		if (!is_copy)
			found->slices[kept++] = found->slices[i];
	}
	if (!err)
		found->count = kept;
	ms_vec_free(&ms);
	return err;
}

/** Drop those that are empty by now. */
static struct ms_error *allp_choose(struct ms_go_runtime *rt, struct found_ps *found,
				    ms_addr *ret_allp)
{
	struct ms_error *err = found->count > 1 ? copies_drop(rt, found) : NULL;
	ms_addr chosen = 0;
	size_t count = 0;

	if (err)
		return err;

	for (size_t i = 0; i < found->count; i++) {
		uint8_t slice[24];

		err = ms_target_read(rt->target, found->slices[i], slice, sizeof(slice));

		if (err)
			return err;
		if (!ms_load_u64(slice) || !ms_load_u64(slice + 8))
			continue;
		chosen = found->slices[i];
		count++;
	}
	if (count != 1)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the table of processors was looked for and %zu places could "
				    "be it",
				    count);
	*ret_allp = chosen;
	return NULL;
}

static struct ms_error *allp_find(struct ms_go_runtime *rt, ms_addr *ret_allp)
{
	struct ms_error *err = NULL;

	for (unsigned try = 0; try < TRIES; try++) {
		struct found_ps found = { 0 };
		bool taken;

		ms_error_free(err);
		err = ms_go_scan_slices(rt, 1, judge_allp, &found, &taken);
		if (err)
			return err;
		err = allp_choose(rt, &found, ret_allp);
		if (!err)
			return NULL;
	}
	return err;
}

// --- Ms. ---

/** Words that may be the address of an M. */
struct m_search {
	const struct ms_go_runtime *rt;
	struct ms_go_m_list words;
	bool no_memory;
};

static void word_collect(const uint8_t *raw, ms_addr at, void *context)
{
	struct m_search *s = context;
	ms_addr word = ms_load_u64(raw);
	const struct ms_region *r;

	(void)at;
	if (!word || (word & 7) || s->words.count == WORDS_MAX)
		return;
	r = ms_regions_find(&s->rt->regions, word);
	if (r && ms_region_is_own(r) && (r->prot & MS_PROT_WRITE))
		s->no_memory |= !ms_vec_push(&s->words, word);
}

/** Those of @p words that are Ms and not in the list yet are added. */
static struct ms_error *ms_add(struct ms_go_runtime *rt, const ms_addr *words, size_t count,
			       struct ms_number_map *known, struct ms_go_m_list *ms)
{
	MS_AUTO_FREE bool *good = calloc(count + 1, sizeof(*good));
	struct ms_error *err;

	if (!good)
		return ms_error_no_memory();
	err = back_links_check(rt->target, words, count, rt->layout->m_g0, rt->layout->g_m, good);
	for (size_t i = 0; i < count && !err; i++) {
		if (!good[i] || ms_number_map_find(known, words[i]) || ms->count == MS_GO_MS_MAX)
			continue;
		if (!ms_number_map_add(known, words[i], (uint32_t)ms->count) ||
		    !ms_vec_push(ms, words[i]))
			return ms_error_no_memory();
	}
	return err;
}

/** The older ones that those from @p first on lead to, and so on. */
static struct ms_error *ms_follow(struct ms_go_runtime *rt, struct ms_number_map *known,
				  struct ms_go_m_list *ms)
{
	size_t first = 0;
	struct ms_error *err = NULL;

	for (unsigned round = 0; round < ROUNDS_MAX && first < ms->count && !err; round++) {
		size_t count = ms->count - first;
		MS_AUTO_FREE uint64_t *older = calloc(count, sizeof(*older));

		if (!older)
			return ms_error_no_memory();
		err =
		    words_read(rt->target, ms->items + first, count, rt->layout->m_alllink, older);
		first = ms->count;
		if (!err)
			err = ms_add(rt, older, count, known, ms);
	}
	return err;
}

static struct ms_error *words_gather(struct ms_go_runtime *rt, const ms_addr *ps, size_t p_count,
				     const struct ms_goroutines *goroutines, struct m_search *s)
{
	MS_AUTO_FREE uint64_t *ms = calloc(p_count + 1, sizeof(*ms));
	struct ms_error *err;

	if (!ms)
		return ms_error_no_memory();
	err = words_read(rt->target, ps, p_count, rt->layout->p_m, ms);
	for (size_t i = 0; i < p_count && !err; i++)
		s->no_memory |= ms[i] && !ms_vec_push(&s->words, ms[i]);
	for (size_t i = 0; goroutines && i < goroutines->count && !err; i++) {
		ms_addr m = goroutines->items[i].m;

		s->no_memory |= m && s->words.count < WORDS_MAX && !ms_vec_push(&s->words, m);
	}
	if (!err)
		err = ms_go_scan_zeroed(rt, 8, word_collect, s);
	return err ? err : s->no_memory ? ms_error_no_memory() : NULL;
}

struct ms_error *ms_go_ms_list(struct ms_go_runtime *rt, const ms_addr *ps, size_t p_count,
			       const struct ms_goroutines *goroutines, struct ms_go_m_list *ret_ms)
{
	struct m_search s = { .rt = rt };
	struct ms_number_map known = { 0 };
	struct ms_go_m_list ms = { 0 };
	struct ms_error *err = words_gather(rt, ps, p_count, goroutines, &s);

	if (!err)
		err = ms_add(rt, s.words.items, s.words.count, &known, &ms);
	if (!err)
		err = ms_follow(rt, &known, &ms);
	ms_number_map_deinit(&known);
	ms_vec_free(&s.words);
	if (err)
		ms_vec_free(&ms);
	else
		*ret_ms = ms;
	return err;
}

// --- runtime.sched. ---

struct sched_search {
	const struct ms_go_runtime *rt;
	uint64_t goid_most, goroutines, p_count, m_count;
	struct ms_number_map known; // Addresses of Ps, Ms (0 as value), goroutines (1).
	ms_addr usual, other;       // With the usual limit of threads, and with another.
	size_t usual_count, other_count;
};

enum { IS_P, IS_M, IS_G };

static bool starts_with(const struct sched_search *s, ms_addr at, uint32_t kind, uint64_t count)
{
	const uint32_t *known = at ? ms_number_map_find(&s->known, at) : NULL;

	return at ? known && *known == kind : !count;
}

static bool is_sched(const struct sched_search *s, const uint8_t *raw)
{
	const struct ms_go_layout *l = s->rt->layout;
	uint32_t threads_most = ms_load_u32(raw + l->sched_maxmcount);
	uint32_t idle_ms = ms_load_u32(raw + l->sched_nmidle);
	uint32_t idle_ps = ms_load_u32(raw + l->sched_npidle);
	uint32_t spinning = ms_load_u32(raw + l->sched_nmspinning);
	uint32_t queued = ms_load_u32(raw + l->sched_runq_size);
	uint64_t goids = ms_load_u64(raw + l->sched_goidgen);

	return threads_most >= s->m_count / 2 && threads_most && threads_most <= INT32_MAX &&
	       goids >= s->goid_most && goids <= (uint64_t)1 << 48 && idle_ms <= s->m_count &&
	       idle_ps <= s->p_count && spinning <= s->p_count &&
	       queued <= s->goroutines * 2 + MS_GO_RUNQ &&
	       starts_with(s, ms_load_u64(raw + l->sched_midle), IS_M, idle_ms) &&
	       starts_with(s, ms_load_u64(raw + l->sched_pidle), IS_P, idle_ps) &&
	       starts_with(s, ms_load_u64(raw + l->sched_runq_head), IS_G, queued);
}

static void judge_sched(const uint8_t *raw, ms_addr at, void *context)
{
	struct sched_search *s = context;
	bool is_usual = ms_load_u32(raw + s->rt->layout->sched_maxmcount) == THREADS_MOST;

	if (!is_sched(s, raw))
		return;
	if (is_usual) {
		s->usual = at;
		s->usual_count++;
	} else {
		s->other = at;
		s->other_count++;
	}
}

static bool know_all(struct sched_search *s, const ms_addr *items, size_t count, uint32_t kind)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i] && !ms_number_map_find(&s->known, items[i]) &&
		    !ms_number_map_add(&s->known, items[i], kind))
			return false;
	}
	return true;
}

static struct ms_error *sched_search(struct ms_go_runtime *rt, const ms_addr *ps, size_t p_count,
				     const struct ms_go_m_list *ms,
				     const struct ms_goroutines *goroutines, struct sched_search *s)
{
	bool known = know_all(s, ps, p_count, IS_P) && know_all(s, ms->items, ms->count, IS_M);

	for (size_t i = 0; i < goroutines->count && known; i++) {
		const struct ms_goroutine *g = &goroutines->items[i];

		known = know_all(s, &g->address, 1, IS_G);
		s->goid_most = ms_max_u64(s->goid_most, g->id);
	}
	s->goroutines = goroutines->count;
	s->p_count = p_count;
	s->m_count = ms->count;
	return known ? ms_go_scan_zeroed(rt, sched_bytes(rt->layout), judge_sched, s)
		     : ms_error_no_memory();
}

static struct ms_error *sched_find(struct ms_go_runtime *rt, const ms_addr *ps, size_t p_count,
				   const struct ms_goroutines *goroutines,
				   struct ms_go_scheduler_place *place)
{
	struct ms_go_m_list ms = { 0 };
	struct sched_search s = { .rt = rt };
	struct ms_error *err = ms_go_ms_list(rt, ps, p_count, goroutines, &ms);

	if (!err)
		err = sched_search(rt, ps, p_count, &ms, goroutines, &s);
	if (!err && (s.usual_count == 1 || (!s.usual_count && s.other_count == 1)))
		place->sched = s.usual_count ? s.usual : s.other;
	else if (!err)
		place->sched_unknown = s.usual_count + s.other_count
					   ? "several places could be the scheduler's own variable"
					   : "the scheduler's own variable was not found";
	ms_number_map_deinit(&s.known);
	ms_vec_free(&ms);
	return err;
}

struct ms_error *ms_go_scheduler_find(struct ms_go_runtime *rt,
				      const struct ms_goroutines *goroutines,
				      struct ms_go_scheduler_place *ret_place)
{
	struct ms_go_scheduler_place place = { 0 };
	MS_AUTO_FREE ms_addr *ps = NULL;
	size_t count = 0;
	struct ms_error *err;

	if (!ms_go_p_bytes(rt->layout) || !ms_go_m_bytes(rt->layout) || !sched_bytes(rt->layout))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the fields of processors and threads are too far apart");
	place.sched_unknown = goroutines ? NULL : "it was not looked for";
	err = allp_find(rt, &place.allp);
	if (!err)
		err = ms_go_ps_list(rt, place.allp, &ps, &count);
	for (unsigned try = 0; try < TRIES && !err && goroutines && !place.sched; try++) {
		place.sched_unknown = NULL;
		err = sched_find(rt, ps, count, goroutines, &place);
	}
	if (!err)
		*ret_place = place;
	return err;
}
