// regression.c - every file of every fuzz corpus, run as an ordinary test.
//
// What the fuzzers found once stays found, with any compiler and without libFuzzer.  Each input
// runs in a process of its own with ten seconds to live; its bytes are handed over in a block of
// exactly their size, so that the address sanitizer sees the first byte read beyond.
#include "base/cleanup.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INPUT_SECONDS = 10 };

struct counts {
	unsigned passed, failed;
};

static struct ms_fuzz_target *targets;

void ms_fuzz_register(struct ms_fuzz_target *target)
{
	target->next = targets;
	targets = target;
}

static uint8_t *file_read(const char *path, size_t *ret_size)
{
	MS_AUTO_FCLOSE FILE *in = fopen(path, "r");
	MS_AUTO_FREE uint8_t *data = NULL;
	struct stat st;
	size_t size;

	if (!in || fstat(fileno(in), &st) != 0)
		return NULL;
	size = (size_t)st.st_size;
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, in) != size)
		return NULL;
	*ret_size = size;
	return MS_STEAL(data);
}

/** Ends the process. */
__attribute__((noreturn)) static void input_run(const struct ms_fuzz_target *target,
						const char *path)
{
	size_t size = 0;
	uint8_t *data = file_read(path, &size);

	if (!data) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	alarm(INPUT_SECONDS);
	target->run(data, size);
	free(data);
	exit(EXIT_SUCCESS);
}

static void input_check(const struct ms_fuzz_target *target, const char *path,
			struct counts *counts)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		input_run(target, path);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) {
		counts->passed++;
		return;
	}
	counts->failed++;
	printf("FAIL %s on %s: %s\n", target->name, path,
	       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "see above");
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void corpus_check(const struct ms_fuzz_target *target, struct counts *counts)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct dirent **entries = NULL;
	int count;

	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", MS_TEST_ROOT, target->name);
	count = scandir(dir, &entries, is_visible, alphasort);
	if (count <= 0) {
		printf("FAIL %s has no corpus in tests/fuzz/corpus/%s\n", target->name,
		       target->name);
		counts->failed++;
	}
	for (int i = 0; i < count; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name) <
		    sizeof(path))
			input_check(target, path, counts);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	struct counts counts = { 0 };

	for (const struct ms_fuzz_target *t = targets; t; t = t->next) {
		if (argc < 2 || strcmp(argv[1], t->name) == 0)
			corpus_check(t, &counts);
	}
	printf("%u passed, %u failed, 0 skipped\n", counts.passed, counts.failed);
	return counts.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
