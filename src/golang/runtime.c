// runtime.c - the order in which a target is understood:
//
//	ELF file -> pclntab -> release -> layout row -> module data -> span table -> verification
//
// Each step rests on the one before, and each refusal says what was expected and what was found.
// Of a core without its program there is no pclntab, and nothing that describes its types: its
// release leads to a row, and that is held against the process alone.
// When the linker's build info is gone, the release is looked for among the program's strings:
// runtime.buildVersion is a string variable, so a pointer and a length in the data segment lead to
// it.  Several such strings may exist; each is tried, and the rows decide by verification.
#include "golang/runtime.h"

#include "base/cleanup.h"
#include "golang/code_facts.h"
#include "golang/functions.h"
#include "golang/globals.h"
#include "golang/goroutines.h"
#include "golang/module.h"
#include "golang/spans.h"
#include "golang/types.h"
#include "golang/verify.h"
#include "golang/version.h"

#include <inttypes.h>

enum {
	MALLOC_HEADER_BYTES = 8,
	HEADER_MIN_BYTES = 512,  // minSizeForMallocHeader.
	SMALL_BYTES_MAX = 32768, // maxSmallSize.
	ROUNDS_MAX = 3,          // Looks at a running process before it is refused.
};

static const uint64_t ALLOC_BYTES_MAX = (uint64_t)1 << 47;

bool ms_go_has_malloc_headers(const struct ms_go_layout *layout)
{
	return layout->mspan_large_type != MS_ABSENT;
}

uint64_t ms_go_alloc_bytes(const struct ms_go_layout *l, uint64_t size, bool has_pointers)
{
	uint64_t small_max = SMALL_BYTES_MAX;

	if (!size || size > ALLOC_BYTES_MAX)
		return 0;
	if (ms_go_has_malloc_headers(l)) {
		small_max -= MALLOC_HEADER_BYTES;
		if (size <= small_max && has_pointers && size > HEADER_MIN_BYTES)
			size += MALLOC_HEADER_BYTES;
		else if (size > small_max)
			return ms_round_up(size, MS_GO_PAGE_BYTES);
	} else if (size > small_max) {
		return ms_round_up(size, MS_GO_PAGE_BYTES);
	}
	for (unsigned i = 1; i < l->size_class_count; i++) {
		if (l->size_classes[i] >= size)
			return l->size_classes[i];
	}
	return ms_round_up(size, MS_GO_PAGE_BYTES);
}

struct ms_error *ms_go_sweepgen(struct ms_go_runtime *rt, uint32_t *ret_sweepgen)
{
	uint8_t raw[4];
	struct ms_error *err;

	if (rt->lacks_spans)
		return ms_error_new(MS_ERR_BAD_DATA, "the span table is missing");
	err = ms_target_read(rt->target, rt->allspans - rt->layout->mheap_sweepgen_to_allspans, raw,
			     sizeof(raw));

	if (!err)
		*ret_sweepgen = ms_load_u32(raw);
	return err;
}

struct ms_error *ms_go_refresh(struct ms_go_runtime *rt)
{
	struct ms_regions fresh = { 0 };
	struct ms_error *err = ms_target_regions(rt->target, &fresh);

	if (err)
		return err;
	ms_regions_deinit(&rt->regions);
	rt->regions = fresh;
	return NULL;
}

static const char *arch_name(enum ms_arch arch)
{
	return arch == MS_ARCH_ARM64 ? "arm64" : "amd64";
}

/** Why there is no row, why DWARF does not stand in for it, and what to do.  Takes @p err over. */
static struct ms_error *no_layout(struct ms_error *err, const char *why_no_dwarf)
{
	struct ms_error *whole =
	    ms_error_new(ms_error_code(err), "%s; %s; make the row with: make layouts",
			 ms_error_message(err), why_no_dwarf);

	ms_error_free(err);
	return whole;
}

/** Take the layout that the program's own DWARF tells. */
static struct ms_error *layout_from_dwarf(struct ms_go_runtime *rt)
{
	struct ms_error *err = ms_go_layout_from_dwarf(ms_target_exe_fd(rt->target),
						       &rt->dwarf_layout, rt->dwarf_classes);

	if (err)
		return err;
	rt->layout = &rt->dwarf_layout;
	rt->layout_source = MS_LAYOUT_DWARF;
	return NULL;
}

/** Choose the row by release, architecture and experiments, or make one from DWARF. */
static struct ms_error *layout_choose(struct ms_go_runtime *rt)
{
	const struct ms_build_info *b = &rt->build;
	unsigned experiments = 0;
	struct ms_error *err = ms_go_experiments_parse(b->release, b->experiments, &experiments);
	struct ms_error *dwarf_err;

	rt->layout = err ? NULL : ms_go_layout_find(b->release, rt->elf.arch, experiments);
	rt->layout_source = MS_LAYOUT_TABLE;
	if (rt->layout && !b->is_development) {
		ms_error_free(err);
		return NULL;
	}
	rt->layout = NULL;
	if (!err)
		err = ms_error_new(MS_ERR_UNSUPPORTED,
				   "%s on %s has no layout row: expected a release from go1.18 to "
				   "the newest in docs/support.md",
				   b->version, arch_name(rt->elf.arch));
	if (!rt->elf.has_dwarf)
		return no_layout(err, "its executable has no DWARF to stand in");
	dwarf_err = layout_from_dwarf(rt);
	if (dwarf_err) {
		ms_error_free(dwarf_err);
		return no_layout(err, "its DWARF does not tell the layout either");
	}
	ms_error_free(err);
	return NULL;
}

/** Drop what was found with another row. */
static void detach(struct ms_go_runtime *rt)
{
	if (rt->types)
		ms_types_deinit(rt->types);
	free(rt->types);
	rt->types = NULL;
	ms_code_facts_destroy(rt->code_facts);
	rt->code_facts = NULL;
	ms_functions_destroy(rt->functions);
	rt->functions = NULL;
	rt->module_count = 0;
	rt->allspans = rt->allgs = 0;
	rt->lacks_spans = false;
}

/** Whether @p err may come of memory that is missing, and the rest be right. */
static bool may_be_cut(const struct ms_go_runtime *rt, const struct ms_error *err)
{
	return rt->target->is_cut && !rt->target->lacks_program &&
	       (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA ||
		ms_error_code(err) == MS_ERR_UNSUPPORTED);
}

/**
 * Of a core that was cut off: the runtime's own memory is near its end, so that the span table may
 * be missing where the heap is there.  The row has been held against the program; goroutines,
 * where there are any, have to fit it, too.
 */
static struct ms_error *attach_without_spans(struct ms_go_runtime *rt)
{
	struct ms_error *err;

	rt->lacks_spans = true;
	rt->allspans = 0;
	if (rt->allgs)
		return ms_go_verify_goroutines(rt);
	err = ms_goroutines_find(rt);
	if (!err)
		return ms_go_verify_goroutines(rt);
	if (!may_be_cut(rt, err))
		return err;
	ms_error_free(err); // Then there are none to be had.
	return NULL;
}

/** The tables of a running process. */
static struct ms_error *attach_tables(struct ms_go_runtime *rt)
{
	struct ms_error *err = ms_spans_find_heap(rt);

	rt->lacks_spans = false;
	if (!err)
		err = ms_goroutines_find(rt);
	if (!err)
		err = ms_go_verify_process(rt);
	if (!err || !may_be_cut(rt, err))
		return err;
	ms_error_free(err);
	return attach_without_spans(rt);
}

/** With the wrong row, what is looked for may not even be readable. */
static struct ms_error *as_refusal(struct ms_error *err)
{
	struct ms_error *refusal;

	if (!err || (ms_error_code(err) != MS_ERR_FAULT && ms_error_code(err) != MS_ERR_BAD_DATA))
		return err;
	refusal = ms_error_new(MS_ERR_UNSUPPORTED,
			       "layout check failed: the runtime's data: expected it to be "
			       "readable, found: %s",
			       ms_error_message(err));
	ms_error_free(err);
	return refusal;
}

/** Everything that depends on the row.  What is wrong with a table may be that it moved. */
static struct ms_error *attach(struct ms_go_runtime *rt)
{
	struct ms_error *err;

	detach(rt);
	err = ms_go_modules_find(rt);
	if (!err && !rt->target->lacks_program)
		err = as_refusal(ms_go_verify_program(rt));
	if (err)
		return err;
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		ms_error_free(err);
		err = round ? ms_go_refresh(rt) : NULL;
		if (!err)
			err = as_refusal(attach_tables(rt));
		if (!err || ms_error_code(err) != MS_ERR_UNSUPPORTED)
			return err;
	}
	return err;
}

/** Where a process does not look like its row, a patch may have moved something: DWARF knows. */
static bool attached_by_dwarf(struct ms_go_runtime *rt)
{
	struct ms_error *err;

	if (!rt->elf.has_dwarf)
		return false;
	err = layout_from_dwarf(rt);
	if (!err)
		err = attach(rt);
	ms_error_free(err);
	return !err;
}

static struct ms_error *attach_by_release(struct ms_go_runtime *rt)
{
	struct ms_error *err = layout_choose(rt), *refusal;
	const char *says = "has a layout row, but this process does not look like it";
	bool has_row = rt->layout_source == MS_LAYOUT_TABLE;

	if (err)
		return err;
	err = attach(rt);
	if (!err || ms_error_code(err) != MS_ERR_UNSUPPORTED)
		return err;
	if (has_row && attached_by_dwarf(rt)) {
		ms_error_free(err);
		return NULL;
	}
	if (!has_row)
		says = "has no layout row, and this process does not look like its DWARF";
	else if (rt->elf.has_dwarf)
		says = "has a layout row, but this process looks like neither that nor its DWARF";
	refusal = ms_error_new(
	    MS_ERR_UNSUPPORTED, "%s %s: %s%s", rt->build.version, says, ms_error_message(err),
	    rt->elf.has_dwarf ? "" : "; a build without -ldflags=-w tells its layout itself");
	ms_error_free(err);
	return refusal;
}

/** No build info: try each release that some string of the program names. */
static struct ms_error *attach_by_strings(struct ms_go_runtime *rt)
{
	struct ms_build_info candidates[MS_GO_VERSIONS_MAX];
	const struct ms_go_layout *layout = NULL;
	size_t count = 0, fits = 0;
	struct ms_error *err = ms_go_versions_find(rt, candidates, &count);

	rt->version_source = MS_VERSION_STRING;
	for (size_t i = 0; i < count && !err; i++) {
		struct ms_error *refused;

		rt->build = candidates[i];
		refused = attach_by_release(rt);
		if (refused) {
			ms_error_free(refused);
			candidates[i].release = 0;
			continue;
		}
		if (fits++ && layout != rt->layout)
			return ms_error_new(MS_ERR_UNSUPPORTED,
					    "its executable has no Go build info, and its strings "
					    "fit several releases");
		layout = rt->layout;
	}
	if (!err && !fits)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its executable has no Go build info, and none of the %zu "
				    "releases that its strings name passed the layout checks",
				    count);
	for (size_t i = 0; i < count && !err; i++) {
		if (!candidates[i].release)
			continue;
		rt->build = candidates[i];
		return attach_by_release(rt);
	}
	return err;
}

/** Of a target that was cut off: whether the program's variables are there. */
static struct ms_error *data_check(struct ms_go_runtime *rt)
{
	for (size_t i = 0; i < rt->elf.segment_count && rt->target->is_cut; i++) {
		const struct ms_elf_segment *s = &rt->elf.segments[i];
		struct ms_error *err;
		uint8_t last;

		if (!(s->prot & MS_PROT_WRITE) || !s->file_bytes)
			continue;
		err = ms_target_read(rt->target, rt->elf.bias + s->vaddr + s->file_bytes - 1, &last,
				     1);
		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (err) {
			ms_error_free(err);
			return ms_error_new(MS_ERR_UNSUPPORTED,
					    "the program's variables are in what is missing: "
					    "nothing else leads to its maps and goroutines");
		}
	}
	return NULL;
}

static struct ms_error *go_open(struct ms_go_runtime *rt, const struct ms_go_options *options)
{
	struct ms_error *err = ms_elf_open(rt->target, &rt->elf);

	if (!err && !rt->target->lacks_program)
		err = ms_pclntab_find(rt->target, &rt->elf, &rt->pclntab);
	if (!err && rt->pclntab.family == MS_PCLNTAB_OLD)
		err =
		    ms_error_new(MS_ERR_UNSUPPORTED,
				 "its executable was built by a release before go1.18, the oldest "
				 "with a layout row");
	if (!err)
		err = ms_go_refresh(rt);
	if (!err)
		err = ms_elf_place(&rt->elf, &rt->regions);
	if (!err)
		err = data_check(rt);
	if (err)
		return err;
	err = ms_build_info_read(rt->target, &rt->elf, &rt->build);
	if (options && options->force_layout) {
		ms_error_free(err);
		rt->layout = options->force_layout;
		return attach(rt);
	}
	if (!err)
		return attach_by_release(rt);
	if (rt->target->lacks_program ||
	    (ms_error_code(err) != MS_ERR_BAD_DATA && ms_error_code(err) != MS_ERR_FAULT))
		return as_refusal(err);
	ms_error_free(err);
	return attach_by_strings(rt);
}

struct ms_error *ms_go_open(struct ms_target *t, const struct ms_go_options *options,
			    struct ms_go_runtime **ret_runtime)
{
	struct ms_go_runtime *rt = calloc(1, sizeof(*rt));
	struct ms_error *err;

	if (!rt)
		return ms_error_no_memory();
	rt->target = t;
	err = go_open(rt, options);
	if (err) {
		// What ends while it is looked at misses one thing or the other: say why.
		struct ms_error *gone = ms_target_check(t);

		ms_go_close(rt);
		if (!gone)
			return err;
		ms_error_free(err);
		return gone;
	}
	*ret_runtime = rt;
	return NULL;
}

void ms_go_close(struct ms_go_runtime *rt)
{
	if (!rt)
		return;
	ms_go_globals_destroy(rt->globals);
	detach(rt);
	ms_regions_deinit(&rt->regions);
	free(rt);
}
