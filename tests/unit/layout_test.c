// Goal: the generated rows are sane, found by exactly the builds they were made from, and refused
// for everything else.
#include "golang/layout_internal.h"

#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/** The size of the type that a member lies in, by the member's name; MS_ABSENT when not asked. */
static uint32_t size_around(const struct ms_go_layout *l, const char *member)
{
	const struct {
		const char *prefix;
		uint32_t size;
	} types[] = {
		{ "mspan_", l->mspan_size },
		{ "type_", l->type_size },
		{ "structfield_", l->structfield_size },
		{ "hmap_", l->hmap_size },
		{ "map_", l->map_size },
		{ "table_", l->table_size },
		{ "inline_marks_", l->inline_marks_size },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(types); i++) {
		if (!strncmp(member, types[i].prefix, strlen(types[i].prefix)))
			return types[i].size;
	}
	return MS_ABSENT;
}

static bool is_asked(const struct ms_go_layout *l, const struct ms_go_question *q)
{
	return q->asked == MS_GO_ASKED_ALWAYS ||
	       (q->asked == MS_GO_ASKED_CLASSIC) == (l->maps == MS_GO_MAPS_CLASSIC);
}

static unsigned bits_of(int release, const char *names)
{
	unsigned bits = 0;

	CHECK_OK(ms_go_experiments_parse(release, names, &bits));
	return bits;
}

/** The sentence of a refusal; the output must be untouched.  The caller frees it. */
static char *refusal_of(int release, const char *names)
{
	unsigned bits = 77;
	struct ms_error *err = ms_go_experiments_parse(release, names, &bits);

	CHECK(err != NULL);
	CHECK_EQ(ms_error_code(err), MS_ERR_UNSUPPORTED);
	CHECK_EQ(bits, 77);
	char *sentence = strdup(ms_error_message(err));

	ms_error_free(err);
	CHECK(sentence != NULL);
	return sentence;
}

MS_TEST(layout_fields_lie_inside_their_types)
{
	CHECK(ms_go_layout_count() > 0);
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = ms_go_layout_at(i);

		for (size_t j = 0; j < MS_GO_QUESTION_COUNT; j++) {
			const struct ms_go_question *q = &ms_go_questions[j];
			uint32_t value = ms_go_layout_answer(l, q),
				 size = size_around(l, q->member);

			if (!is_asked(l, q))
				CHECK_EQ(value, MS_ABSENT);
			else if (q->fact == MS_GO_FACT_OFFSET && size != MS_ABSENT &&
				 value != MS_ABSENT)
				CHECK(value < size);
			else if (q->fact != MS_GO_FACT_OFFSET && value != MS_ABSENT)
				CHECK(value > 0);
		}
	}
}

MS_TEST(layout_lacks_only_what_its_release_lacks)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = ms_go_layout_at(i);
		bool greentea = l->experiments & MS_GO_EXP_GREENTEA;

		CHECK_EQ(l->mspan_large_type != MS_ABSENT, l->since >= MS_GO(1, 22));
		CHECK_EQ(l->inline_marks_size != MS_ABSENT, greentea);
		CHECK_EQ(l->inline_marks_marks != MS_ABSENT, greentea);
		CHECK_EQ(l->structfield_offset_anon != MS_ABSENT, l->since < MS_GO(1, 19));
		CHECK_EQ(l->gc_memory_limit != MS_ABSENT, l->since >= MS_GO(1, 19));
		CHECK_EQ(l->g_parent != MS_ABSENT, l->since >= MS_GO(1, 21));
		CHECK_EQ(l->gc_trigger != MS_ABSENT, l->since < MS_GO(1, 19));
		CHECK_EQ(l->gc_triggered != MS_ABSENT, l->since >= MS_GO(1, 19));
		CHECK_EQ(l->gc_last_stack_scan != MS_ABSENT, l->since >= MS_GO(1, 19));
		for (size_t j = 0; j < MS_GO_QUESTION_COUNT; j++) {
			const struct ms_go_question *q = &ms_go_questions[j];

			if (is_asked(l, q) && strcmp(q->member, "mspan_large_type") != 0 &&
			    strcmp(q->member, "structfield_offset_anon") != 0 &&
			    strcmp(q->member, "gc_memory_limit") != 0 &&
			    strcmp(q->member, "g_parent") != 0 &&
			    strncmp(q->member, "gc_trigger", 10) != 0 &&
			    strcmp(q->member, "gc_last_stack_scan") != 0 &&
			    strncmp(q->member, "inline_marks_", 13) != 0)
				CHECK(ms_go_layout_answer(l, q) != MS_ABSENT);
		}
	}
}

MS_TEST(layout_kind_agrees_with_experiments)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = ms_go_layout_at(i);

		CHECK_EQ(l->maps == MS_GO_MAPS_SWISS, (l->experiments & MS_GO_EXP_SWISS) != 0);
		CHECK(l->arch == MS_ARCH_AMD64 || l->arch == MS_ARCH_ARM64);
	}
}

MS_TEST(layout_size_classes_rise)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = ms_go_layout_at(i);

		CHECK(l->size_class_count > 1 && l->size_class_count <= 128);
		CHECK_EQ(l->size_classes[0], 0);
		for (unsigned j = 1; j < l->size_class_count; j++)
			CHECK(l->size_classes[j] > l->size_classes[j - 1]);
		CHECK_EQ(l->size_classes[l->size_class_count - 1], 32768);
	}
}

MS_TEST(layout_rows_do_not_overlap)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *a = ms_go_layout_at(i);

		CHECK(a->since < a->until);
		for (size_t j = 0; j < i; j++) {
			const struct ms_go_layout *b = ms_go_layout_at(j);

			if (a->arch == b->arch && a->experiments == b->experiments)
				CHECK(a->until <= b->since || b->until <= a->since);
		}
	}
}

MS_TEST(layout_find_gives_each_row_at_both_ends)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = ms_go_layout_at(i);

		CHECK(ms_go_layout_find(l->since, l->arch, l->experiments) == l);
		CHECK(ms_go_layout_find(l->until - 1, l->arch, l->experiments) == l);
		CHECK(ms_go_layout_find(l->until, l->arch, l->experiments) != l);
		CHECK(ms_go_layout_find(l->since - 1, l->arch, l->experiments) != l);
	}
}

MS_TEST(layout_find_knows_every_release_by_default)
{
	for (int minor = 18; minor <= 27; minor++) {
		for (enum ms_arch arch = MS_ARCH_AMD64; arch <= MS_ARCH_ARM64; arch++) {
			int release = MS_GO(1, minor);
			const struct ms_go_layout *l =
			    ms_go_layout_find(release, arch, bits_of(release, NULL));

			CHECK(l != NULL);
			CHECK_EQ(l->maps == MS_GO_MAPS_SWISS, minor >= 24);
		}
	}
}

MS_TEST(layout_find_refuses_what_nobody_looked_at)
{
	for (unsigned bits = 0; bits < 8; bits++) {
		CHECK(!ms_go_layout_find(MS_GO(1, 28), MS_ARCH_AMD64, bits));
		CHECK(!ms_go_layout_find(MS_GO_PATCH(1, 17, 999), MS_ARCH_AMD64, bits));
		CHECK(!ms_go_layout_find(MS_GO(2, 0), MS_ARCH_AMD64, bits));
		CHECK(!ms_go_layout_find(0, MS_ARCH_AMD64, bits));
		CHECK(!ms_go_layout_find(MS_GO(1, 24), MS_ARCH_UNKNOWN, bits));
	}
	CHECK(!ms_go_layout_find(MS_GO(1, 23), MS_ARCH_AMD64, MS_GO_EXP_SWISS));
	CHECK(!ms_go_layout_find(MS_GO(1, 26), MS_ARCH_AMD64, 0));
}

// mspan grew by one word between these patches, and the toolchains between them are not to be had.
MS_TEST(layout_find_tells_patches_apart)
{
	const struct ms_go_layout *before = ms_go_layout_find(MS_GO(1, 19), MS_ARCH_AMD64, 0);
	const struct ms_go_layout *after =
	    ms_go_layout_find(MS_GO_PATCH(1, 19, 8), MS_ARCH_AMD64, 0);

	CHECK(before && after);
	CHECK_STR(ms_go_layout_difference(before, after), "mspan_size");
	CHECK_EQ(after->mspan_size, before->mspan_size + 8);
	CHECK(!ms_go_layout_find(MS_GO_PATCH(1, 18, 9), MS_ARCH_AMD64, 0));
	CHECK(!ms_go_layout_find(MS_GO_PATCH(1, 19, 3), MS_ARCH_AMD64, 0));
}

MS_TEST(layout_difference_sees_every_member)
{
	const struct ms_go_layout *row = ms_go_layout_at(0);

	CHECK(!ms_go_layout_difference(row, row));
	for (size_t j = 0; j < MS_GO_QUESTION_COUNT; j++) {
		const struct ms_go_question *q = &ms_go_questions[j];
		struct ms_go_layout other = *row;

		ms_go_layout_set_answer(&other, q, ms_go_layout_answer(row, q) + 1);
		CHECK_STR(ms_go_layout_difference(row, &other), q->member);
		CHECK_STR(ms_go_layout_difference(&other, row), q->member);
	}
}

MS_TEST(layout_difference_sees_kind_and_classes)
{
	const struct ms_go_layout *row = ms_go_layout_at(0);
	struct ms_go_layout other = *row;
	uint16_t classes[128];

	other.maps = row->maps == MS_GO_MAPS_SWISS ? MS_GO_MAPS_CLASSIC : MS_GO_MAPS_SWISS;
	CHECK_STR(ms_go_layout_difference(row, &other), "maps");
	other = *row;
	other.size_class_count--;
	CHECK_STR(ms_go_layout_difference(row, &other), "size_class_count");
	other = *row;
	memcpy(classes, row->size_classes, row->size_class_count * sizeof(*classes));
	other.size_classes = classes;
	CHECK(!ms_go_layout_difference(row, &other));
	classes[row->size_class_count - 1]--;
	CHECK_STR(ms_go_layout_difference(row, &other), "size_classes");
}

MS_TEST(experiments_start_from_the_defaults_of_the_release)
{
	CHECK_EQ(bits_of(MS_GO(1, 18), NULL), 0);
	CHECK_EQ(bits_of(MS_GO_PATCH(1, 23, 12), ""), 0);
	CHECK_EQ(bits_of(MS_GO(1, 24), ""), MS_GO_EXP_SWISS);
	CHECK_EQ(bits_of(MS_GO_PATCH(1, 25, 14), NULL), MS_GO_EXP_SWISS);
	CHECK_EQ(bits_of(MS_GO(1, 26), NULL), MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA);
	CHECK_EQ(bits_of(MS_GO_PATCH(1, 27, 4), NULL), MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA);
}

MS_TEST(experiments_switch_their_bits)
{
	CHECK_EQ(bits_of(MS_GO(1, 24), "noswissmap"), 0);
	CHECK_EQ(bits_of(MS_GO(1, 25), "swissmap"), MS_GO_EXP_SWISS);
	CHECK_EQ(bits_of(MS_GO(1, 25), "greenteagc"), MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA);
	CHECK_EQ(bits_of(MS_GO(1, 25), "noswissmap,greenteagc"), MS_GO_EXP_GREENTEA);
	CHECK_EQ(bits_of(MS_GO(1, 26), "nogreenteagc"), MS_GO_EXP_SWISS);
	CHECK_EQ(bits_of(MS_GO(1, 27), "nogreenteagc,mapsplitgroup"),
		 MS_GO_EXP_SWISS | MS_GO_EXP_SPLIT_GROUP);
	CHECK_EQ(bits_of(MS_GO(1, 27), "mapsplitgroup,nomapsplitgroup"),
		 MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA);
}

MS_TEST(experiments_pass_over_the_neutral)
{
	CHECK_EQ(bits_of(MS_GO(1, 22), "arenas,loopvar,noexectracer2"), 0);
	CHECK_EQ(bits_of(MS_GO(1, 22), "allocheaders"), 0); // As by default.
	CHECK_EQ(bits_of(MS_GO(1, 24), "nospinbitmutex,boringcrypto"), MS_GO_EXP_SWISS);
	CHECK_EQ(bits_of(MS_GO(1, 24), ",,nosynchashtriemap,"), MS_GO_EXP_SWISS);
	CHECK_EQ(bits_of(MS_GO(1, 26), "runtimefreegc,runtimesecret,nostaticlockranking"),
		 MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA);
}

MS_TEST(experiments_refuse_the_unknown)
{
	static const struct {
		int release;
		const char *names, *in_sentence;
	} cases[] = {
		{ MS_GO(1, 24), "frobnicate", "GOEXPERIMENT=frobnicate, which is not known" },
		{ MS_GO(1, 24), "arenas,noswissma", "GOEXPERIMENT=noswissma," },
		{ MS_GO(1, 24), "no", "GOEXPERIMENT=no," },
		{ MS_GO(1, 24), "nonoswissmap", "go1.24" },
		{ MS_GO_PATCH(1, 23, 4), "swissmap", "the layout of go1.23 alone" },
		{ MS_GO(1, 26), "noswissmap", "go1.26" },
		{ MS_GO(1, 26), "mapsplitgroup", "GOEXPERIMENT=mapsplitgroup" },
		{ MS_GO(1, 28), "arenas", "go1.28" },
		{ MS_GO(1, 24), "staticlockranking", "moves fields of mspan and mheap" },
		{ MS_GO(1, 22), "noallocheaders", "where large objects keep their type" },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		char *sentence = refusal_of(cases[i].release, cases[i].names);

		CHECK_CONTAINS(sentence, cases[i].in_sentence);
		free(sentence);
	}
}

MS_TEST(experiments_do_not_print_a_hostile_name_whole)
{
	char name[4096];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	char *sentence = refusal_of(MS_GO(1, 24), name);

	CHECK(strlen(sentence) < 300);
	free(sentence);
}

/** Read a layout from a file that holds @p size bytes of @p bytes; it must be refused. */
static void check_dwarf_refused(const void *bytes, size_t size)
{
	struct ms_go_layout layout = { .since = 77 };
	uint16_t classes[128] = { 77 };
	int fd = memfd_create("layout_test", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, bytes, size), (ssize_t)size);
	CHECK_ERR(ms_go_layout_from_dwarf(fd, &layout, classes), MS_ERR_UNSUPPORTED);
	CHECK_EQ(layout.since, 77);
	CHECK_EQ(classes[0], 77);
	close(fd);
}

MS_TEST(layout_from_dwarf_refuses_what_is_no_executable)
{
	check_dwarf_refused("", 0);
	check_dwarf_refused("#!/bin/sh\n", 10);
	check_dwarf_refused("\177ELF\2\1\1", 7);
}

// This program has DWARF, or at least is an ELF file, but no Go runtime in it.
MS_TEST(layout_from_dwarf_refuses_a_c_program)
{
	struct ms_go_layout layout = { .since = 77 };
	uint16_t classes[128];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_ERR(ms_go_layout_from_dwarf(fd, &layout, classes), MS_ERR_UNSUPPORTED);
	CHECK_EQ(layout.since, 77);
	close(fd);
}
