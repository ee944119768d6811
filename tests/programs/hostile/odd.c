// odd.c - processes that are no Go program and stay awkward while somebody looks into them.
//
// One program, one mode each: `sleep` does nothing; `userfault` has a mapping on which every read
// blocks for ever, as nobody answers its page faults; `exec PROGRAM...` becomes another program on
// SIGUSR1; `unmap` maps and unmaps memory as fast as it can.  Each prints "ready" once it is what
// it is meant to be, or "cannot: reason" and ends with 77 where the kernel does not let it.
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_CANNOT = 77, REGION_BYTES = 4 << 20 };

static int cannot(const char *what)
{
	printf("cannot: %s: %s\n", what, strerror(errno));
	return EXIT_CANNOT;
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static int sleep_for_ever(void)
{
	ready();
	while (pause() < 0 && errno == EINTR)
		continue;
	return cannot("pause");
}

static int block_reads(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
		return cannot("userfaultfd");
	void *region =
	    mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (region == MAP_FAILED)
		return cannot("mmap");
	range.range.start = (uintptr_t)region;
	range.range.len = REGION_BYTES;
	if (ioctl(fd, UFFDIO_REGISTER, &range) < 0)
		return cannot("userfaultfd register");
	return sleep_for_ever();
}

static int exec_on_signal(char **argv)
{
	sigset_t set;
	int got;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return cannot("sigprocmask");
	ready();
	if (sigwait(&set, &got) != 0)
		return cannot("sigwait");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	execvp(argv[0], argv);
	return cannot("exec");
}

static int unmap_for_ever(void)
{
	ready();
	for (unsigned round = 0;; round++) {
		size_t size = (size_t)(1 + round % 64) << 16;
		char *region =
		    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (region == MAP_FAILED)
			return cannot("mmap");
		memset(region, (int)round, size);
		munmap(region, size);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	if (strcmp(mode, "sleep") == 0)
		return sleep_for_ever();
	if (strcmp(mode, "userfault") == 0)
		return block_reads();
	if (strcmp(mode, "exec") == 0 && argc > 2)
		return exec_on_signal(argv + 2);
	if (strcmp(mode, "unmap") == 0)
		return unmap_for_ever();
	fputs("usage: odd sleep|userfault|exec PROGRAM...|unmap\n", stderr);
	return 1;
}
