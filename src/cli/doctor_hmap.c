// doctor_hmap.c - what works on maps of libhmap's, in a C program or in a library of a Go program.
//
// Their names, lines and probes depend on how the program and its libhmap were built, so each is
// tried on the maps that are there: a census of them takes no longer than these checks.
#include "base/cleanup.h"
#include "base/number_map.h"
#include "cli/doctor.h"
#include "registry/hmap_census.h"
#include "render/human.h"

enum { SITES_MAX = 64 }; // Places of which the lines are asked for: each may open a file.

/** Places that make maps, and what is known of them. */
struct sites {
	uint64_t count, with_line, with_function;
};

bool ms_doctor_find_hmap(struct ms_doctor *d)
{
	struct ms_session *s = d->session;
	struct ms_error *err = ms_registries_find(s->target, &s->registries);

	if (!err && s->registries.count)
		err = ms_c_symbols_open(s->target, &s->symbols);
	if (err)
		ms_doctor_refuse(d, "libhmap", NULL, err);
	return !err;
}

/** What the page says of the target, now that it is known. */
static void describe(struct ms_doctor *d)
{
	struct ms_report_target *about = &d->report->target;
	const char *go_version = about->go_version; // Of a release that was refused.
	struct ms_error *err = ms_session_describe(d->session, &d->report->arena, about);

	d->no_memory |= err != NULL;
	ms_error_free(err);
	if (!about->go_version)
		about->go_version = go_version;
}

static void check_list(struct ms_doctor *d, const struct ms_census_report *census)
{
	const struct ms_registries *rs = &d->session->registries;
	uint64_t skipped = ms_coverage_skipped(&census->coverage);
	struct ms_human maps, others;

	if (!census->map_count && !skipped)
		ms_doctor_add(d, "libhmap", MS_CHECK_OK, NULL, "%s; it has made no map yet",
			      rs->items[0].library);
	else if (!skipped)
		ms_doctor_add(d, "libhmap", MS_CHECK_OK, NULL, "%s, whose list of maps has %s",
			      rs->items[0].library, ms_human_count(&maps, census->map_count));
	else
		ms_doctor_add(d, "libhmap", MS_CHECK_LIMITED, NULL,
			      "%s, whose list of maps has %s, and %s that were skipped (%s)",
			      rs->items[0].library, ms_human_count(&maps, census->map_count),
			      ms_human_count(&others, skipped), census->coverage.skips[0].reason);
	if (rs->count > 1)
		ms_doctor_add(d, "libhmap", MS_CHECK_OK, NULL,
			      "%zu of them, in different files: the maps of all are read",
			      rs->count);
}

static void check_names(struct ms_doctor *d, const struct ms_census_report *census)
{
	uint64_t named = 0;
	struct ms_human of_names, of_types, of;

	for (size_t i = 0; i < census->map_count; i++)
		named += census->maps[i].owner != NULL;
	ms_human_count(&of, census->map_count);
	ms_doctor_add(d, "names", MS_CHECK_OK, NULL,
		      "%s of %s maps have one and %s a type; one without is called by the line "
		      "that made it",
		      ms_human_count(&of_names, named), of.text,
		      ms_human_count(&of_types, census->coverage.typed));
}

/** Ask for the line at @p pc: the first that is not libhmap's own. */
static void site_add(struct ms_doctor *d, ms_addr pc, struct sites *sites)
{
	struct ms_stack_call calls[MS_C_INLINED_MAX];
	const struct ms_stack_call *call = calls;
	size_t count;
	struct ms_error *err =
	    ms_c_symbols_calls(d->session->symbols, pc, true, &d->report->arena, calls, &count);

	if (err) {
		d->no_memory = true;
		ms_error_free(err);
		return;
	}
	while (call->is_runtime && call < &calls[count - 1])
		call++;
	sites->count++;
	sites->with_line += call->file && call->line;
	sites->with_function += !strstr(call->function, "0x"); // Else it is a module and an offset.
}

static void sites_ask(struct ms_doctor *d, const struct ms_hmap_places *places, struct sites *sites)
{
	struct ms_number_map seen MS_CLEANUP(ms_number_map_deinit) = { 0 };

	for (size_t i = 0; i < places->count && sites->count < SITES_MAX && !d->no_memory; i++) {
		ms_addr pc = places->items[i].created_at;

		if (!pc || ms_number_map_find(&seen, pc))
			continue;
		if (ms_number_map_add(&seen, pc, 1))
			site_add(d, pc, sites);
		else
			d->no_memory = true;
	}
}

static void check_lines(struct ms_doctor *d, const struct sites *sites)
{
	static const char fix[] = "build the program with -g, or install its debug symbols";
	struct ms_human some, all;

	if (!sites->count)
		ms_doctor_add(d, "lines", d->elf.has_dwarf ? MS_CHECK_OK : MS_CHECK_LIMITED,
			      d->elf.has_dwarf ? NULL : fix,
			      d->elf.has_dwarf
				  ? "the program has debug information"
				  : "the program has no debug information: stacks have no lines");
	else if (sites->with_line == sites->count)
		ms_doctor_add(d, "lines", MS_CHECK_OK, NULL,
			      "known of all %s places that make maps",
			      ms_human_count(&all, sites->count));
	else
		ms_doctor_add(d, "lines", MS_CHECK_LIMITED, fix,
			      "known of %s of %s places that make maps: without debug information "
			      "stacks have %s",
			      ms_human_count(&some, sites->with_line),
			      ms_human_count(&all, sites->count),
			      sites->with_function == sites->count
				  ? "functions only"
				  : "addresses for functions whose symbols are gone");
}

/** Probes are placed by notes in the file: whoever builds libhmap without sys/sdt.h has none. */
static void check_growths(struct ms_doctor *d)
{
	const struct ms_registries *rs = &d->session->registries;
	size_t with_probes = 0;

	for (size_t i = 0; i < rs->count; i++)
		with_probes += ms_c_symbols_has_probe(d->session->symbols, rs->items[i].address,
						      "hmap", "grows");
	if (with_probes == rs->count)
		ms_doctor_add(
		    d, "growths", MS_CHECK_OK, NULL,
		    "libhmap has its static probes (USDT): who may place probes sees each "
		    "with its stack");
	else
		ms_doctor_add(
		    d, "growths", MS_CHECK_LIMITED,
		    "build libhmap where sys/sdt.h is installed (systemtap-sdt-dev)",
		    "libhmap was built without static probes (USDT), or its file cannot be "
		    "read: growths are polled, without stacks");
}

/** The maps themselves, as a census finds them. */
static void check_maps(struct ms_doctor *d)
{
	struct ms_census_report census = { 0 };
	struct ms_hmap_places places = { 0 };
	struct sites sites = { 0 };
	struct ms_error *err = ms_hmap_census_add(&d->session->registries, NULL, &census, &places);

	if (err) {
		ms_doctor_refuse(d, "libhmap", NULL, err);
	} else {
		sites_ask(d, &places, &sites);
		check_list(d, &census);
		if (census.map_count)
			check_names(d, &census);
		check_lines(d, &sites);
		check_growths(d);
	}
	ms_hmap_places_deinit(&places);
	ms_census_report_deinit(&census);
}

void ms_doctor_check_hmap(struct ms_doctor *d)
{
	const struct ms_registries *rs = &d->session->registries;

	if (rs->refused)
		ms_doctor_add(d, "libhmap", MS_CHECK_LIMITED, NULL,
			      "it is there, but cannot be read: %s", rs->refused_why);
	if (!rs->count)
		return;
	describe(d);
	if (!d->has_go)
		ms_doctor_add(
		    d, "program", MS_CHECK_OK, NULL,
		    "no Go program, but one that uses libhmap: maps, diagnose, trace, diff "
		    "and run look into it; heap and goroutines are for Go");
	check_maps(d);
}
