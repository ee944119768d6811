// Module data, and the tables of spans and goroutines that are looked for in a data segment.
//
//	4 bytes  the row      2 bytes  size of the data segment      2 bytes  where the tables are
//	taken to be when the search does not find them      the data segment      anonymous memory
#include "golang/goroutines.h"
#include "golang/module.h"
#include "golang/scan.h"
#include "golang/spans.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/go_data.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

struct counter {
	struct ms_go_runtime *rt;
	uint64_t slices;
};

static struct ms_error *count_slice(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				    void *context, bool *ret_take)
{
	struct counter *c = context;

	FUZZ_CHECK(slice->len <= slice->cap && slice->data && c->rt == rt);
	FUZZ_CHECK(slice->sample_count && slice->sample_count <= MS_GO_SLICE_SAMPLES);
	c->slices++;
	*ret_take = false;
	return NULL;
}

static void scan(struct ms_go_runtime *rt, size_t data_size)
{
	struct counter c = { rt, 0 };
	bool found;

	if (fuzz_worked(ms_go_scan_slices(rt, 1, count_slice, &c, &found)))
		FUZZ_CHECK(!found && c.slices <= 4 * (data_size / 8 + 1));
}

enum { MSPAN_BYTES_MAX = 512 };

static void spans(struct ms_go_runtime *rt)
{
	struct ms_spans spans;

	if (!fuzz_worked(ms_spans_load(rt, &spans)))
		return;
	for (size_t i = 0; i < spans.count; i++) {
		const struct ms_span *s = &spans.items[i];
		const struct ms_span *found = ms_spans_find(&spans, s->start);
		struct ms_span again;
		uint8_t raw[MSPAN_BYTES_MAX];

		FUZZ_CHECK(!s->pages ||
			   (found && found->start <= s->start && s->start < ms_span_end(found)));
		if (rt->layout->mspan_size <= sizeof(raw) &&
		    fuzz_worked(
			ms_target_read(rt->target, s->address, raw, rt->layout->mspan_size)) &&
		    ms_span_parse(rt->layout, raw, spans.sweepgen, &again))
			FUZZ_CHECK(again.start == s->start && again.bits == s->bits);
	}
	ms_spans_deinit(&spans);
}

static void goroutines(struct ms_go_runtime *rt)
{
	struct ms_goroutines all;

	if (!fuzz_worked(ms_goroutines_load(rt, &all)))
		return;
	for (size_t i = 0; i < all.count; i++) {
		struct ms_goroutine again;

		FUZZ_CHECK(all.items[i].stack_lo < all.items[i].stack_hi);
		if (fuzz_worked(ms_goroutine_reread(rt, all.items[i].address, &again)))
			FUZZ_CHECK(again.id == all.items[i].id);
	}
	ms_goroutines_deinit(&all);
}

/** The whole data segment, for inputs without module data of their own. */
static void module_assume(struct ms_go_runtime *rt, size_t data_size)
{
	rt->module_count = 1;
	rt->modules[0] = (struct ms_go_module){
		.address = FUZZ_DATA_ADDR,
		.noptrdata = FUZZ_DATA_ADDR,
		.enoptrdata = FUZZ_DATA_ADDR + data_size,
	};
}

static void run(struct ms_go_runtime *rt, size_t data_size, uint64_t tables)
{
	if (!fuzz_worked(ms_go_modules_find(rt)))
		module_assume(rt, data_size);
	FUZZ_CHECK(rt->module_count > 0 && rt->module_count <= MS_GO_MODULES_MAX);
	scan(rt, data_size);
	if (!fuzz_worked(ms_spans_find_heap(rt)))
		rt->allspans = FUZZ_DATA_ADDR + tables;
	if (!fuzz_worked(ms_goroutines_find(rt)))
		rt->allgs = FUZZ_DATA_ADDR + tables;
	spans(rt);
	goroutines(rt);
}

MS_FUZZ_TARGET(go_data)
{
	struct fuzz_input in = { data, size };
	struct ms_go_runtime *rt = calloc(1, sizeof(*rt));
	struct fuzz_input segment;
	struct fake_target fake;
	uint8_t *pages, *anon;
	size_t bytes, anon_size;
	uint64_t tables;

	FUZZ_CHECK(rt);
	fake_target_init(&fake);
	fake_target_exe(&fake, data, size);
	rt->target = &fake.target;
	rt->layout = fuzz_layout(&in);
	rt->pclntab = (struct ms_pclntab){ MS_PCLNTAB_1_20, FUZZ_TABLE_ADDR,   0,
					   FUZZ_FUNCTIONS,  FUZZ_NAMES_OFFSET, 4096 };
	bytes = (size_t)fuzz_number(&in, 2);
	tables = fuzz_number(&in, 2);
	segment = fuzz_part(&in, bytes);
	pages = fuzz_pages(&segment, &bytes);
	anon = fuzz_pages(&in, &anon_size);
	fake_target_map_exe(&fake, FUZZ_DATA_ADDR, pages, bytes, 0,
			    MS_PROT_READ | (tables & 1 ? 0 : MS_PROT_WRITE));
	fake_target_map(&fake, FUZZ_ANON_ADDR, anon, anon_size, MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	FUZZ_CHECK(fuzz_worked(ms_go_refresh(rt)));
	run(rt, bytes, tables & ~(uint64_t)7);
	ms_go_close(rt);
	fake_target_deinit(&fake);
	free(pages);
	free(anon);
}
