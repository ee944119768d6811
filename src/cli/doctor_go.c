// doctor_go.c - what a program says of itself, and whether the running process agrees.
//
// The file is read step by step before the runtime is opened as a whole, so that a refusal stands
// beside everything that was still understood: the release above all.
#include "cli/doctor.h"
#include "cli/proved.h"
#include "golang/globals.h"
#include "golang/goroutines.h"
#include "golang/spans.h"
#include "render/human.h"

#include <limits.h>

static void check_executable(struct ms_doctor *d)
{
	const struct ms_elf *elf = &d->elf;

	ms_doctor_add(d, "executable", MS_CHECK_OK, NULL, "%s%s, %s, %s",
		      elf->arch == MS_ARCH_ARM64   ? "arm64"
		      : elf->arch == MS_ARCH_AMD64 ? "amd64"
						   : "unknown architecture",
		      elf->is_pie ? ", position-independent" : "",
		      elf->has_symbols ? "symbols" : "stripped (symbols are not needed)",
		      elf->has_dwarf ? "DWARF" : "no DWARF");
}

bool ms_doctor_check_program(struct ms_doctor *d)
{
	struct ms_target *t = d->session->target;
	struct ms_report_target *about = &d->report->target;
	struct ms_pclntab tab;
	struct ms_error *err = ms_elf_open(t, &d->elf);

	if (err) {
		ms_doctor_refuse(d, "executable", NULL, err);
		return false;
	}
	about->stripped = !d->elf.has_symbols;
	check_executable(d);
	err = ms_pclntab_find(t, &d->elf, &tab);
	d->has_go = !err;
	if (err && ms_error_code(err) == MS_ERR_UNSUPPORTED && d->session->registries.count) {
		ms_error_free(err);
		return false;
	}
	if (err) {
		ms_doctor_refuse(d, "go program", NULL, err);
		return false;
	}
	ms_doctor_add(d, "go program", MS_CHECK_OK, NULL, "its table of functions holds %s",
		      ms_human_count(&(struct ms_human){ 0 }, tab.functions));
	err = ms_build_info_read(t, &d->elf, &d->build);
	if (!err)
		about->go_version =
		    ms_arena_strndup(&d->report->arena, d->build.version, strlen(d->build.version));
	ms_error_free(err); // The strings of the program may still tell: see check_version.
	return true;
}

static void check_version(struct ms_doctor *d)
{
	const struct ms_go_runtime *rt = d->session->rt;
	const struct ms_build_info *b = rt ? &rt->build : &d->build;

	if (!b->version[0])
		return;
	ms_doctor_add(d, "go version", MS_CHECK_OK, NULL, "%s, from %s%s%s", b->version,
		      rt && rt->version_source == MS_VERSION_STRING
			  ? "the strings of the program (it has no build info)"
			  : "its build info",
		      b->experiments[0] ? ", GOEXPERIMENT=" : ", no experiments", b->experiments);
}

static void check_layout(struct ms_doctor *d)
{
	const struct ms_go_runtime *rt = d->session->rt;
	const char *maps = rt->layout->maps == MS_GO_MAPS_SWISS ? "Swiss maps (groups and tables)"
								: "classic maps (bucket arrays)";

	if (rt->layout_source == MS_LAYOUT_DWARF)
		ms_doctor_add(d, "layout", MS_CHECK_LIMITED, "make layouts",
			      "%s; no row for this release: read from the program's own DWARF, and "
			      "it holds on the running process",
			      maps);
	else if (!ms_layout_proved(rt->build.release, rt->layout))
		ms_doctor_add(d, "layout", MS_CHECK_LIMITED, NULL,
			      "%s; the row holds on the running process, but is unproved: no "
			      "ground-truth test of this release has run",
			      maps);
	else
		ms_doctor_add(d, "layout", MS_CHECK_OK, NULL,
			      "%s; the row holds on the running process and is proved by a live "
			      "test",
			      maps);
}

static void check_heap(struct ms_doctor *d)
{
	struct ms_spans spans = { 0 };
	struct ms_human count, bytes;
	struct ms_error *err = ms_spans_load(d->session->rt, &spans);

	if (err) {
		ms_doctor_refuse(d, "heap", NULL, err);
		return;
	}
	ms_doctor_add(d, "heap", MS_CHECK_OK, NULL, "%s spans, %s in use",
		      ms_human_count(&count, spans.count),
		      ms_human_bytes(&bytes, spans.in_use_bytes));
	ms_spans_deinit(&spans);
}

static void check_goroutines(struct ms_doctor *d)
{
	struct ms_goroutines list = { 0 };
	struct ms_human count;
	struct ms_error *err;

	if (!d->session->rt->allgs) {
		ms_doctor_add(d, "goroutines", MS_CHECK_LIMITED, NULL,
			      "their list was not found: maps on stacks are not counted");
		return;
	}
	err = ms_goroutines_load(d->session->rt, &list);
	if (err) {
		ms_doctor_refuse(d, "goroutines", NULL, err);
		return;
	}
	ms_doctor_add(d, "goroutines", MS_CHECK_OK, NULL, "%s found; their stacks are searched",
		      ms_human_count(&count, list.count));
	ms_goroutines_deinit(&list);
}

static void check_types(struct ms_doctor *d)
{
	bool headers = ms_go_has_malloc_headers(d->session->rt->layout), dwarf = d->elf.has_dwarf;

	ms_doctor_add(
	    d, "types", MS_CHECK_OK, NULL,
	    "a walk from variables and stacks finds them%s%s; what lies on a stack itself may "
	    "have none",
	    headers ? ", and memory names those of tables over 512 bytes" : "",
	    dwarf ? "" : "; without DWARF, machine code says which types variables have");
}

static void check_owners(struct ms_doctor *d)
{
	const struct ms_go_globals *globals;
	struct ms_human count;
	struct ms_error *err;

	if (!d->elf.has_dwarf) {
		ms_doctor_add(
		    d, "owners", MS_CHECK_LIMITED, "run a build made without -ldflags=-s or -w",
		    "without DWARF variables have no names: an owner is a field of a type, "
		    "and the functions that use the variable");
		return;
	}
	err = ms_go_globals_load(d->session->rt, &globals);
	if (err) {
		ms_doctor_refuse(d, "owners", NULL, err);
		return;
	}
	ms_doctor_add(
	    d, "owners", MS_CHECK_LIMITED, NULL,
	    "DWARF names %s places in package-level variables%s; from there a walk goes on",
	    ms_human_count(&count, globals->typed.count),
	    globals->refused ? ", and part of it is damaged or too large" : "");
}

/** What to do about a release without a row; NULL when it has one, or when it is not known. */
static const char *layout_fix(int release)
{
	int oldest = INT_MAX, newest = 0;

	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *row = ms_go_layout_at(i);

		oldest = row->since < oldest ? row->since : oldest;
		newest = row->until > newest ? row->until : newest;
	}
	if (release && release < oldest)
		return "build the program with Go 1.18 or newer";
	if (release >= newest)
		return "make layouts, and build mapscope with the new row";
	return NULL;
}

void ms_doctor_check_runtime(struct ms_doctor *d)
{
	struct ms_session *s = d->session;
	struct ms_error *err = ms_go_open(s->target, NULL, &s->rt);

	check_version(d);
	if (err) {
		ms_doctor_refuse(d, "layout", layout_fix(d->build.release), err);
		return;
	}
	err = ms_session_describe(s, &d->report->arena, &d->report->target);
	if (err) {
		ms_error_free(err);
		d->no_memory = true;
		return;
	}
	check_layout(d);
	check_heap(d);
	check_goroutines(d);
	check_types(d);
	check_owners(d);
}
