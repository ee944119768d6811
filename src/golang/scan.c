// scan.c - the four data ranges of the module, a mebibyte at a time.
//
// Both tables we look for (allspans, allgs) are slices whose elements can be recognised; what is
// offered here only has to look like a slice at all.
#include "golang/scan.h"

#include "base/cleanup.h"

enum {
	SCAN_STEP = 1 << 20,
	SLICES_MAX = 1 << 19, // Offered in one walk; the largest programs have some 100,000.
};

static const uint64_t SLICE_CAP_MAX = (uint64_t)1 << 32;

static bool looks_like_slice(const struct ms_go_slice *s, uint64_t min_cap)
{
	return s->data && !(s->data & 7) && s->len && s->len <= s->cap && s->cap >= min_cap &&
	       s->cap <= SLICE_CAP_MAX && s->data < (ms_addr)1 << 57;
}

/** One walk; with left at 0 it ends as if there were no more slices. */
struct walk {
	uint64_t min_cap;
	ms_slice_fn fn;
	void *context;
	size_t left;
	bool found;
};

static struct ms_error *range_scan(struct ms_go_runtime *rt, ms_addr start, ms_addr end,
				   struct walk *walk)
{
	MS_AUTO_FREE uint8_t *buf = malloc(SCAN_STEP);

	if (!buf)
		return ms_error_no_memory();
	for (ms_addr at = ms_round_up(start, 8); at + 24 <= end && !walk->found && walk->left;
	     at += SCAN_STEP - 24) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, end - at);
		struct ms_error *err = ms_target_read(rt->target, at, buf, size);

		if (err && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err);
			continue;
		}
		if (err)
			return err;
		for (size_t i = 0; i + 24 <= size && !walk->found && walk->left; i += 8) {
			struct ms_go_slice s = { at + i, ms_load_u64(buf + i),
						 ms_load_u64(buf + i + 8),
						 ms_load_u64(buf + i + 16) };

			if (!looks_like_slice(&s, walk->min_cap))
				continue;
			walk->left--;
			err = walk->fn(rt, &s, walk->context, &walk->found);
			if (err && ms_error_code(err) != MS_ERR_FAULT &&
			    ms_error_code(err) != MS_ERR_BAD_DATA)
				return err;
			ms_error_free(err);
		}
	}
	return NULL;
}

struct ms_error *ms_go_scan_slices(struct ms_go_runtime *rt, uint64_t min_cap, ms_slice_fn fn,
				   void *context, bool *ret_found)
{
	const struct ms_go_module *m = &rt->modules[0];
	const struct {
		ms_addr start, end;
	} ranges[] = {
		{ m->noptrbss, m->enoptrbss },
		{ m->bss, m->ebss },
		{ m->data, m->edata },
		{ m->noptrdata, m->enoptrdata },
	};

	struct walk walk = { min_cap, fn, context, SLICES_MAX, false };

	for (size_t i = 0; i < MS_ARRAY_SIZE(ranges) && !walk.found; i++) {
		struct ms_error *err = range_scan(rt, ranges[i].start, ranges[i].end, &walk);

		if (err)
			return err;
	}
	*ret_found = walk.found;
	return NULL;
}

struct ms_error *ms_go_slice_sample(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				    size_t count, ms_addr *ret_items)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t raw[8];
		uint64_t index = slice->len * i / count;
		struct ms_error *err =
		    ms_target_read(rt->target, slice->data + index * 8, raw, sizeof(raw));

		if (err)
			return err;
		ret_items[i] = ms_load_u64(raw);
	}
	return NULL;
}
