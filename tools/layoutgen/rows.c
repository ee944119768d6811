// rows.c - the C source of the layout table.
//
// Releases that follow each other and agree in everything share a row.  The last release seen of
// a kind ends its row, so that one that nobody has looked at yet is refused, not guessed.
#include "layoutgen.h"

#include "base/vec.h"

enum { COLUMNS_MAX = 96 };

static bool same_key(const struct sample *a, const struct sample *b)
{
	return a->layout.arch == b->layout.arch && a->experiments == b->experiments;
}

static int minor_of(const struct sample *s)
{
	return s->release / 1000;
}

static bool joins(const struct row *row, const struct sample *s)
{
	const struct sample *last = row->first + row->count - 1;

	return same_key(last, s) && minor_of(s) - minor_of(last) <= 1 &&
	       !ms_go_layout_difference(&last->layout, &s->layout);
}

/** The first release of a row that starts with @p s: no other row of its minor comes before. */
static int since_of(const struct sample_vec *samples, const struct sample *s)
{
	bool first = s == samples->items || !same_key(s - 1, s) || minor_of(s - 1) != minor_of(s);

	return first ? minor_of(s) * 1000 : s->release;
}

/** The release that ends a row whose last sample is @p s. */
static int until_of(const struct sample_vec *samples, const struct sample *s)
{
	const struct sample *next = s + 1;
	bool last = next == samples->items + samples->count || !same_key(next, s) ||
		    minor_of(next) != minor_of(s);

	return last ? (minor_of(s) + 1) * 1000 : s->release + 1;
}

bool merge_rows(const struct sample_vec *samples, struct row_vec *ret_rows)
{
	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *s = &samples->items[i];
		struct row *row = ret_rows->count ? &ret_rows->items[ret_rows->count - 1] : NULL;

		if (!row || !joins(row, s)) {
			if (!ms_vec_push(ret_rows, { .first = s, .since = since_of(samples, s) }))
				return false;
			row = &ret_rows->items[ret_rows->count - 1];
		}
		row->count++;
		row->until = until_of(samples, s);
	}
	return true;
}

/** Append one ".name = value," to lines of bounded length; @p column starts at 0. */
static void print_member(FILE *out, int *column, const char *name, const char *value)
{
	int width = (int)(strlen(name) + strlen(value)) + 6;

	if (*column + width > COLUMNS_MAX)
		*column = 0;
	if (!*column) {
		fputs("\n\t ", out);
		*column = 9;
	}
	fprintf(out, " .%s = %s,", name, value);
	*column += width;
}

static void print_experiments(FILE *out, unsigned experiments)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ MS_GO_EXP_SWISS, "MS_GO_EXP_SWISS" },
		{ MS_GO_EXP_GREENTEA, "MS_GO_EXP_GREENTEA" },
		{ MS_GO_EXP_SPLIT_GROUP, "MS_GO_EXP_SPLIT_GROUP" },
	};
	const char *between = "";

	if (!experiments)
		fputs("0", out);
	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) {
		if (experiments & names[i].bit) {
			fprintf(out, "%s%s", between, names[i].name);
			between = " | ";
		}
	}
}

static void print_release(FILE *out, int release)
{
	fprintf(out, ms_go_patch(release) ? "MS_GO_PATCH(%d, %d, %d)" : "MS_GO(%d, %d)",
		ms_go_major(release), ms_go_minor(release), ms_go_patch(release));
}

static bool same_classes(const struct sample *a, const struct sample *b)
{
	return a->layout.size_class_count == b->layout.size_class_count &&
	       !memcmp(a->classes, b->classes, a->layout.size_class_count * sizeof(*a->classes));
}

/** The first row with the same table of size classes: its index names the table. */
static size_t classes_of(const struct row_vec *rows, size_t index)
{
	size_t i = 0;

	while (!same_classes(rows->items[i].first, rows->items[index].first))
		i++;
	return i;
}

static void print_classes(FILE *out, const struct row_vec *rows, size_t index)
{
	const struct sample *s = rows->items[index].first;

	if (classes_of(rows, index) != index)
		return;
	fprintf(out, "\nstatic const uint16_t classes_%zu[] = {", index);
	for (uint16_t i = 0; i < s->layout.size_class_count; i++)
		fprintf(out, "%s%u,", i % 12 ? " " : "\n\t", s->classes[i]);
	fputs("\n};\n", out);
}

static void print_row(FILE *out, const struct row_vec *rows, size_t index)
{
	const struct row *row = &rows->items[index];
	const struct ms_go_layout *l = &row->first->layout;
	int column = 0;

	fputs("\t// Seen in:", out);
	for (size_t i = 0; i < row->count; i++)
		fprintf(out, " %s", row->first[i].toolchain);
	fprintf(out, " linux/%s.\n", row->first->arch);
	fputs("\t{ .since = ", out);
	print_release(out, row->since);
	fputs(", .until = ", out);
	print_release(out, row->until);
	fprintf(out, ", .arch = %s,\n",
		l->arch == MS_ARCH_AMD64 ? "MS_ARCH_AMD64" : "MS_ARCH_ARM64");
	fprintf(out, "\t  .maps = %s,\n\t  .experiments = ",
		l->maps == MS_GO_MAPS_SWISS ? "MS_GO_MAPS_SWISS" : "MS_GO_MAPS_CLASSIC");
	print_experiments(out, l->experiments);
	fputs(",", out);
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];
		uint32_t value = ms_go_layout_answer(l, q);
		char digits[12];

		snprintf(digits, sizeof(digits), "%u", value);
		print_member(out, &column, q->member, value == MS_ABSENT ? "MS_ABSENT" : digits);
	}
	fprintf(out, "\n\t  .size_classes = classes_%zu, .size_class_count = %u },\n",
		classes_of(rows, index), l->size_class_count);
}

void print_rows(FILE *out, const struct row_vec *rows)
{
	fputs("// layout_rows.c - where each Go release keeps its fields.  Generated: "
	      "`make layouts`.\n"
	      "//\n"
	      "// A row stands for a change, not for a release: it holds for since <= release < "
	      "until.\n"
	      "// Every answer is written out, because 0 is a real offset.  The evidence for each "
	      "release\n"
	      "// is in tests/golden/layouts/.\n"
	      "#include \"golang/layout_internal.h\"\n"
	      "\n"
	      "// clang-format off\n",
	      out);
	for (size_t i = 0; i < rows->count; i++)
		print_classes(out, rows, i);
	fputs("\nconst struct ms_go_layout ms_go_layout_rows[] = {\n", out);
	for (size_t i = 0; i < rows->count; i++)
		print_row(out, rows, i);
	fputs("};\n"
	      "// clang-format on\n"
	      "\n"
	      "const size_t ms_go_layout_row_count = MS_ARRAY_SIZE(ms_go_layout_rows);\n",
	      out);
}
