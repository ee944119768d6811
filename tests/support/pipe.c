// pipe.c - see pipe.h.  Input and output are files in memory: a program that reads late or prints
// much cannot block us.
#include "tests/support/pipe.h"

#include "base/cleanup.h"
#include "tests/support/test.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { EXIT_NOT_INSTALLED = 99 };

static char *read_back(int fd)
{
	struct stat found;
	char *text;

	CHECK(fstat(fd, &found) == 0);
	text = malloc((size_t)found.st_size + 1);
	CHECK(text != NULL);
	CHECK(pread(fd, text, (size_t)found.st_size, 0) == found.st_size);
	text[found.st_size] = '\0';
	return text;
}

int ms_test_pipe(const char *const *command, const void *bytes, size_t size, char **ret_output)
{
	MS_AUTO_CLOSE int in = memfd_create("input", MFD_CLOEXEC);
	MS_AUTO_CLOSE int out = memfd_create("output", MFD_CLOEXEC);
	int status;
	pid_t child;

	CHECK(in >= 0 && out >= 0 && write(in, bytes, size) == (ssize_t)size);
	CHECK(lseek(in, 0, SEEK_SET) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		dup2(in, STDIN_FILENO);
		if (ret_output)
			dup2(out, STDOUT_FILENO);
		execvp(command[0], (char *const *)command);
		_exit(EXIT_NOT_INSTALLED);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_NOT_INSTALLED)
		SKIP("%s is not installed", command[0]);
	if (ret_output)
		*ret_output = read_back(out);
	return WEXITSTATUS(status);
}
