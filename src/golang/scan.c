// scan.c - the four data ranges of the module, a mebibyte at a time.
//
// Both tables we look for (allspans, allgs) are slices whose elements can be recognised; what is
// offered here only has to look like a slice of pointers.  Both arrays and all they point to were
// allocated while the program ran, which rules out most slices of a program at once.  The samples
// of many candidates are read together: a read of its own for each takes longer than all the rest.
#include "golang/scan.h"

#include "base/cleanup.h"

enum {
	SCAN_STEP = MS_GO_PLACE_MAX,
	CANDIDATES = 128,
	SLICES_MAX = 1 << 19, // Offered in one walk; the largest programs have some 100,000.
};

static const uint64_t SLICE_CAP_MAX = (uint64_t)1 << 32;

struct scan {
	struct ms_go_runtime *rt;
	uint64_t min_cap;
	ms_slice_fn fn;
	void *context;
	struct ms_go_slice candidates[CANDIDATES];
	size_t count, left; // With left at 0 the walk ends as if there were no more slices.
	struct ms_read reads[CANDIDATES * MS_GO_SLICE_SAMPLES];
	uint8_t bytes[SCAN_STEP];
};

static bool is_allocated(const struct ms_go_runtime *rt, ms_addr addr)
{
	const struct ms_region *r = addr & 7 ? NULL : ms_regions_find(&rt->regions, addr);

	return r && r->kind == MS_REGION_ANON;
}

static bool looks_like_slice(const struct scan *s, const struct ms_go_slice *slice)
{
	return slice->data && slice->len && slice->len <= slice->cap && slice->cap >= s->min_cap &&
	       slice->cap <= SLICE_CAP_MAX && is_allocated(s->rt, slice->data);
}

static struct ms_error *samples_read(struct scan *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct ms_go_slice *slice = &s->candidates[i];

		slice->sample_count = (size_t)ms_min_u64(slice->len, MS_GO_SLICE_SAMPLES);
		for (size_t k = 0; k < slice->sample_count; k++) {
			uint64_t index = slice->len * k / slice->sample_count;

			slice->samples[k] = 0; // Stays so when it cannot be read.
			s->reads[n++] = (struct ms_read){ slice->data + index * 8,
							  &slice->samples[k], 8, MS_READ_OK };
		}
	}
	return n ? ms_target_read_many(s->rt->target, s->reads, n) : NULL;
}

/** Offer the candidates that were collected, and drop them. */
static struct ms_error *offer(struct scan *s, bool *ret_found)
{
	struct ms_error *err = samples_read(s);
	size_t count = s->count;

	s->count = 0;
	for (size_t i = 0; i < count && !err && !*ret_found; i++) {
		const struct ms_go_slice *slice = &s->candidates[i];
		bool fits = true;

		for (size_t k = 0; k < slice->sample_count && fits; k++)
			fits = is_allocated(s->rt, slice->samples[k]);
		if (!fits)
			continue;
		err = s->fn(s->rt, slice, s->context, ret_found);
		if (err &&
		    (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA)) {
			ms_error_free(err);
			err = NULL;
		}
	}
	return err;
}

static struct ms_error *range_scan(struct scan *s, ms_addr start, ms_addr end, bool *ret_found)
{
	for (ms_addr at = ms_round_up(start, 8); at + 24 <= end && !*ret_found && s->left;
	     at += SCAN_STEP - 24) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, end - at);
		struct ms_error *err = ms_target_read(s->rt->target, at, s->bytes, size);

		if (err && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err);
			continue;
		}
		for (size_t i = 0; i + 24 <= size && !err && !*ret_found && s->left; i += 8) {
			const uint8_t *raw = s->bytes + i;
			struct ms_go_slice slice = { .address = at + i,
						     .data = ms_load_u64(raw),
						     .len = ms_load_u64(raw + 8),
						     .cap = ms_load_u64(raw + 16) };

			if (!looks_like_slice(s, &slice))
				continue;
			s->left--;
			s->candidates[s->count++] = slice;
			if (s->count == CANDIDATES)
				err = offer(s, ret_found);
		}
		if (!err && !*ret_found)
			err = offer(s, ret_found);
		if (err)
			return err;
	}
	return NULL;
}

struct ms_error *ms_go_scan_slices(struct ms_go_runtime *rt, uint64_t min_cap, ms_slice_fn fn,
				   void *context, bool *ret_found)
{
	MS_AUTO_FREE struct scan *s = malloc(sizeof(*s));
	const struct ms_go_module *m = &rt->modules[0];
	const struct {
		ms_addr start, end;
	} ranges[] = {
		{ m->noptrbss, m->enoptrbss },
		{ m->bss, m->ebss },
		{ m->data, m->edata },
		{ m->noptrdata, m->enoptrdata },
	};

	if (!s)
		return ms_error_no_memory();
	s->rt = rt;
	s->min_cap = min_cap;
	s->fn = fn;
	s->context = context;
	s->count = 0;
	s->left = SLICES_MAX;
	*ret_found = false;
	for (size_t i = 0; i < MS_ARRAY_SIZE(ranges) && !*ret_found; i++) {
		struct ms_error *err = range_scan(s, ranges[i].start, ranges[i].end, ret_found);

		if (err)
			return err;
	}
	return NULL;
}

static struct ms_error *zeroed_scan(struct ms_go_runtime *rt, ms_addr start, ms_addr end,
				    uint8_t *bytes, size_t need, ms_place_fn fn, void *context)
{
	for (ms_addr at = ms_round_up(start, 8); ms_range_holds(start, end, at, need);) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, end - at), i;
		struct ms_error *err = ms_target_read(rt->target, at, bytes, size);

		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		for (i = 0; !err && i + need <= size; i += 8)
			fn(bytes + i, at + i, context);
		at += err ? size : i;
		ms_error_free(err);
	}
	return NULL;
}

struct ms_error *ms_go_scan_zeroed(struct ms_go_runtime *rt, size_t need, ms_place_fn fn,
				   void *context)
{
	const struct ms_go_module *m = &rt->modules[0];
	MS_AUTO_FREE uint8_t *bytes = malloc(SCAN_STEP);
	struct ms_error *err;

	if (!bytes)
		return ms_error_no_memory();
	if (!need || need > SCAN_STEP)
		return ms_error_new(MS_ERR_UNSUPPORTED, "its fields are over %d bytes apart",
				    (int)SCAN_STEP);
	err = zeroed_scan(rt, m->noptrbss, m->enoptrbss, bytes, need, fn, context);
	return err ? err : zeroed_scan(rt, m->bss, m->ebss, bytes, need, fn, context);
}
