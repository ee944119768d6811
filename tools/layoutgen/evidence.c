// evidence.c - what is kept beside the table: each answer with its source, what experiments move,
// and which releases are supported.
#include "layoutgen.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

const char *kind_name(struct ms_arena *arena, const struct ms_go_layout *layout)
{
	const char *name =
	    ms_arena_printf(arena, "%s%s%s", layout->maps == MS_GO_MAPS_SWISS ? "swiss" : "classic",
			    layout->experiments & MS_GO_EXP_GREENTEA ? "+greentea" : "",
			    layout->experiments & MS_GO_EXP_SPLIT_GROUP ? "+splitgroup" : "");

	return name ? name : "";
}

int release_parse(const char *toolchain)
{
	int major, minor, patch = 0;

	if (sscanf(toolchain, "go%d.%d.%d", &major, &minor, &patch) < 2 || major != 1 ||
	    minor < 0 || minor > 999 || patch < 0 || patch > 999)
		return -1;
	return MS_GO_PATCH(major, minor, patch);
}

void print_evidence(FILE *out, struct ms_arena *arena, const struct sample *s)
{
	static const char *const facts[] = { [MS_GO_FACT_OFFSET] = "offset",
					     [MS_GO_FACT_SIZE] = "size",
					     [MS_GO_FACT_FIELD_SIZE] = "field size",
					     [MS_GO_FACT_DISTANCE] = "distance" };

	fprintf(out, "toolchain:    %s\n", s->toolchain);
	fprintf(out, "target:       linux/%s\n", s->arch);
	fprintf(out, "GOEXPERIMENT: %s\n", *s->names ? s->names : "(none)");
	fprintf(out, "maps:         %s\n", kind_name(arena, &s->layout));
	fputs("source:       the DWARF of tests/programs/layout, CGO_ENABLED=0\n\n", out);
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];
		const struct ms_go_answer *a = &s->answers[i];

		if (a->value == MS_ABSENT)
			fprintf(out, "%-24s absent\n", q->member);
		else
			fprintf(out, "%-24s %6u  %s of %.*s%s%.*s%s%s\n", q->member, a->value,
				facts[q->fact], a->type_len, a->type, a->path_len ? "." : "",
				a->path_len, a->path, *q->to ? " to " : "", q->to);
	}
	fputs("\nbytes by size class:", out);
	for (uint16_t i = 0; i < s->layout.size_class_count; i++)
		fprintf(out, "%s%u", i % 12 ? " " : "\n  ", s->classes[i]);
	fputs("\n", out);
}

/** The plain build of the same minor release that is nearest in patches: itself, if it is one. */
static const struct sample *plain_of(const struct sample_vec *samples, const struct sample *s)
{
	const struct sample *best = NULL;

	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *other = &samples->items[i];

		if (*other->names || strcmp(other->arch, s->arch) != 0 ||
		    other->release / 1000 != s->release / 1000)
			continue;
		if (!best || abs(other->release - s->release) < abs(best->release - s->release))
			best = other;
	}
	return best;
}

/** Print what moved between two builds; true when anything did. */
static bool print_differences(FILE *out, const struct sample *plain, const struct sample *s)
{
	unsigned moved = 0;

	if (plain->layout.maps != s->layout.maps) {
		fputs(" other maps", out);
		return true;
	}
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		uint32_t before = plain->answers[i].value, after = s->answers[i].value;

		if (before == after)
			continue;
		fprintf(out, "%s %s", moved++ ? "," : " moves", ms_go_questions[i].member);
		fprintf(out, before == MS_ABSENT ? " absent" : " %u", before);
		fprintf(out, after == MS_ABSENT ? "->absent" : "->%u", after);
	}
	if (memcmp(plain->classes, s->classes, sizeof(s->classes)) != 0)
		fprintf(out, "%s size classes", moved++ ? "," : " moves");
	if (plain->layout.experiments != s->layout.experiments)
		fprintf(out, "%s group layout or marks", moved++ ? "," : " changes");
	if (!moved)
		fputs(" moves nothing", out);
	return moved;
}

/** Hold layout_experiments.c to what the toolchain did. */
static struct ms_error *check_effect(const struct sample *plain, const struct sample *s, bool moved)
{
	enum ms_go_effect effect = ms_go_experiment_effect(s->release, s->names);
	const char *problem = NULL;

	if (effect == MS_GO_EFFECT_UNKNOWN)
		problem = "is not listed";
	else if (effect == MS_GO_EFFECT_NEUTRAL && moved)
		problem = "moves something and is listed as neutral";
	else if (effect == MS_GO_EFFECT_ROW && s->layout.experiments == plain->layout.experiments)
		problem = "is listed with a row and changes nothing";
	if (!problem)
		return NULL;
	return ms_error_new(MS_ERR_BAD_DATA, "%s: GOEXPERIMENT=%s %s in layout_experiments.c",
			    s->toolchain, s->names, problem);
}

struct ms_error *print_moves(FILE *out, const struct sample_vec *samples)
{
	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *s = &samples->items[i];
		const struct sample *plain = plain_of(samples, s);

		if (!plain)
			return ms_error_new(MS_ERR_USAGE,
					    "%s %s has no plain build to compare with",
					    s->toolchain, s->arch);
		if (s == plain)
			continue;
		fprintf(out, "%-10s %-6s %-25s:", s->toolchain, s->arch, s->names);
		bool moved = print_differences(out, plain, s);

		fprintf(out, ", against %s\n", plain->toolchain);
		// A word like "-race" is no experiment.
		struct ms_error *err = *s->names == '-' ? NULL : check_effect(plain, s, moved);
		if (err)
			return err;
	}
	return NULL;
}

/** Releases of the row, with how their programs were built, of @p proved's lines for it. */
static void print_proved(FILE *out, FILE *proved, const struct row *row, const char *kind)
{
	char line[128], words[4][64];
	const char *separator = "";

	rewind(proved);
	while (fgets(line, sizeof(line), proved)) {
		if (line[0] == '#' || sscanf(line, "%63s %63s %63s %63s", words[0], words[1],
					     words[2], words[3]) != 4)
			continue;
		int release = release_parse(words[0]);

		if (release < row->since || release >= row->until ||
		    strcmp(words[1], row->first->arch) != 0 || strcmp(words[2], kind) != 0)
			continue;
		fprintf(out, "%s%s (%s)", separator, words[0] + 2, words[3]);
		separator = ", ";
	}
	if (!*separator)
		fputs("unproved", out);
}

/** "go1.24", "go1.18.0 to go1.18.8", "go1.18.10 and later": one row as a reader sees it. */
static void print_range(FILE *out, const struct row *row)
{
	int last = ms_go_patch(row->until) ? row->until - 1 : row->until - 1000;

	if (ms_go_patch(row->until))
		fprintf(out, "go1.%d.%d to go1.%d.%d", ms_go_minor(row->since),
			ms_go_patch(row->since), ms_go_minor(last), ms_go_patch(last));
	else if (ms_go_patch(row->since))
		fprintf(out, "go1.%d.%d and later", ms_go_minor(row->since),
			ms_go_patch(row->since));
	else if (ms_go_minor(row->since) == ms_go_minor(last))
		fprintf(out, "go1.%d", ms_go_minor(last));
	else
		fprintf(out, "go1.%d to go1.%d", ms_go_minor(row->since), ms_go_minor(last));
}

struct ms_error *print_support(FILE *out, struct ms_arena *arena, const struct row_vec *rows,
			       const char *proved_path)
{
	MS_AUTO_FCLOSE FILE *proved = fopen(proved_path, "re");
	if (!proved)
		return ms_error_errno(MS_ERR_IO, errno, "%s", proved_path);
	fputs("# Go releases\n"
	      "\n"
	      "Generated by `make layouts`.  Each line is a layout row, read from the toolchains "
	      "named in it;\n"
	      "the evidence is in `tests/golden/layouts/`.  A release is *proved* where the live "
	      "test, which compares\n"
	      "mapscope's census with what a running program says about its own maps, ran on it "
	      "and passed,\n"
	      "with the program built in each of the ways in brackets (`tests/live/proved.txt`, "
	      "which `make prove`\n"
	      "writes); for arm64 it is the program's core, written under qemu.  *Unproved* means "
	      "that only the\n"
	      "layout is known.  A release that is not here, or whose process does not look like "
	      "its row, is refused,\n"
	      "or read by its own DWARF and marked.\n"
	      "\n"
	      "Experiments that are not in this table either move nothing, or are refused: see\n"
	      "`tests/golden/layouts/experiments.txt`.\n"
	      "\n"
	      "| Release | Architecture | Maps | GOEXPERIMENT | Read from | Proved |\n"
	      "|---|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->items[i];
		const struct sample *s = row->first;
		const char *kind = kind_name(arena, &s->layout);

		fputs("| ", out);
		print_range(out, row);
		fprintf(out, " | %s | %s | %s |", s->arch, kind, *s->names ? s->names : "-");
		for (size_t j = 0; j < row->count; j++)
			fprintf(out, " %s", row->first[j].toolchain);
		fputs(" | ", out);
		print_proved(out, proved, row, kind);
		fputs(" |\n", out);
	}
	return NULL;
}
