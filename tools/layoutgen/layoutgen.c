// layoutgen.c - from binaries of known releases to the table of layouts.
//
//	layoutgen rows LIST			the C source of the table, on stdout
//	layoutgen evidence LIST FOLDER		one text file per binary: each answer and its source
//	layoutgen support LIST PROVED		the support table, on stdout
//	layoutgen moves LIST			what each experiment moves, on stdout
//
// LIST has one binary per line: toolchain, architecture, GOEXPERIMENT ("-" for none), path.
// What the label says and what the binary's DWARF says must agree, or nothing is printed; moves
// compares instead, and takes also a word like "-race" for GOEXPERIMENT.
#include "layoutgen.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>

/** What the build was told, as opposed to what its DWARF says. */
static struct ms_error *check_label(struct sample *s)
{
	struct ms_error *err = ms_go_experiments_parse(s->release, s->names, &s->experiments);
	if (err)
		return ms_error_wrap(err, "%s", s->path);
	if (s->experiments != s->layout.experiments)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "%s: experiments are %#x by its label and %#x by its DWARF",
				    s->path, s->experiments, s->layout.experiments);
	return NULL;
}

static struct ms_error *read_sample(struct sample *s)
{
	s->release = release_parse(s->toolchain);
	if (s->release < 0)
		return ms_error_new(MS_ERR_USAGE, "\"%s\" is not a toolchain like go1.24.13",
				    s->toolchain);
	MS_AUTO_CLOSE int fd = open(s->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ms_error_errno(MS_ERR_IO, errno, "%s", s->path);
	struct ms_error *err =
	    ms_go_layout_from_dwarf_explained(fd, &s->layout, s->classes, s->answers);
	if (err)
		return ms_error_wrap(err, "%s", s->path);
	bool amd64 = s->layout.arch == MS_ARCH_AMD64;

	if (strcmp(s->arch, amd64 ? "amd64" : "arm64") != 0)
		return ms_error_new(MS_ERR_BAD_DATA, "%s: labelled %s and is not", s->path,
				    s->arch);
	return NULL;
}

static int compare_samples(const void *left, const void *right)
{
	const struct sample *a = left, *b = right;

	if (a->layout.arch != b->layout.arch)
		return a->layout.arch < b->layout.arch ? -1 : 1;
	if (a->experiments != b->experiments)
		return a->experiments < b->experiments ? -1 : 1;
	return a->release - b->release;
}

static struct ms_error *read_list(const char *path, struct ms_arena *arena,
				  struct sample_vec *samples)
{
	MS_AUTO_FCLOSE FILE *list = fopen(path, "re");
	MS_AUTO_FREE char *line = NULL;
	size_t capacity = 0;

	if (!list)
		return ms_error_errno(MS_ERR_IO, errno, "%s", path);
	while (getline(&line, &capacity, list) > 0) {
		char *copy = ms_arena_strndup(arena, line, strcspn(line, "\n"));
		char *rest = copy;

		if (!copy || !ms_vec_push(samples, { .release = 0 }))
			return ms_error_no_memory();
		struct sample *s = &samples->items[samples->count - 1];

		s->toolchain = strsep(&rest, " ");
		s->arch = strsep(&rest, " ");
		s->names = strsep(&rest, " ");
		s->path = rest;
		if (!s->path)
			return ms_error_new(MS_ERR_USAGE, "%s: a line needs four words: \"%s\"",
					    path, line);
		if (!strcmp(s->names, "-"))
			s->names = "";
		struct ms_error *err = read_sample(s);
		if (err)
			return err;
	}
	return NULL;
}

static struct ms_error *write_evidence(const struct sample_vec *samples, struct ms_arena *arena,
				       const char *folder)
{
	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *s = &samples->items[i];
		const char *path = ms_arena_printf(arena, "%s/%s-%s-%s.txt", folder, s->toolchain,
						   s->arch, kind_name(arena, &s->layout));
		MS_AUTO_FCLOSE FILE *out = path ? fopen(path, "we") : NULL;

		if (!out)
			return ms_error_errno(MS_ERR_IO, errno, "%s", path ? path : folder);
		print_evidence(out, arena, s);
		if (fflush(out) != 0 || ferror(out))
			return ms_error_errno(MS_ERR_IO, errno, "%s", path);
	}
	return NULL;
}

static struct ms_error *run(int argc, char **argv, struct ms_arena *arena,
			    struct sample_vec *samples)
{
	const char *verb = argc > 2 ? argv[1] : "";
	const char *extra = argc > 3 ? argv[3] : NULL;
	bool moves = !strcmp(verb, "moves");

	if ((strcmp(verb, "rows") != 0 && !moves &&
	     (!extra || (strcmp(verb, "evidence") != 0 && strcmp(verb, "support") != 0))))
		return ms_error_new(MS_ERR_USAGE, "usage: layoutgen rows|moves LIST, "
						  "layoutgen evidence LIST FOLDER, "
						  "layoutgen support LIST PROVED");
	struct ms_error *err = read_list(argv[2], arena, samples);
	if (err)
		return err;
	if (moves)
		return print_moves(stdout, samples);
	for (size_t i = 0; i < samples->count; i++) {
		err = check_label(&samples->items[i]);
		if (err)
			return err;
	}
	qsort(samples->items, samples->count, sizeof(*samples->items), compare_samples);
	for (size_t i = 0; i < samples->count; i++)
		samples->items[i].layout.size_classes = samples->items[i].classes;
	if (!strcmp(verb, "evidence"))
		return write_evidence(samples, arena, extra);
	struct row_vec rows = { 0 };
	if (!merge_rows(samples, &rows))
		err = ms_error_no_memory();
	else if (!strcmp(verb, "support"))
		err = print_support(stdout, arena, &rows, extra);
	else
		print_rows(stdout, &rows);
	ms_vec_free(&rows);
	return err;
}

int main(int argc, char **argv)
{
	struct ms_arena arena = { 0 };
	struct sample_vec samples = { 0 };
	struct ms_error *err = run(argc, argv, &arena, &samples);

	if (err)
		fprintf(stderr, "layoutgen: %s\n", ms_error_message(err));
	ms_vec_free(&samples);
	ms_arena_deinit(&arena);
	int status = err != NULL;

	ms_error_free(err);
	return status;
}
