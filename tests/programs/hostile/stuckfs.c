// stuckfs.c - a file system of one file that stops answering: stuckfs FOLDER FILE
//
// FOLDER/program has the bytes of FILE until SIGUSR1 comes; from then on no request is answered, as
// by a file server that hangs.  Prints "ready" once it is mounted, "stuck" once it answers no more,
// or "cannot: reason" and ends with 77 where the kernel does not let it.
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_CANNOT = 77, NODE = 2, BUFFER = 1 << 20, HOUR = 3600 };

static int fuse_fd, file_fd;
static struct stat file;
static volatile sig_atomic_t is_stuck;

static void stop(int number)
{
	(void)number;
	is_stuck = 1;
}

static int cannot(const char *what)
{
	printf("cannot: %s: %s\n", what, strerror(errno));
	return EXIT_CANNOT;
}

static void reply(uint64_t unique, int error, const void *data, size_t size)
{
	static char out[BUFFER];
	struct fuse_out_header header = { .len = (uint32_t)(sizeof(header) + size),
					  .error = -error,
					  .unique = unique };

	memcpy(out, &header, sizeof(header));
	if (size)
		memcpy(out + sizeof(header), data, size);
	if (write(fuse_fd, out, header.len) < 0 && errno != ENOENT)
		exit(EXIT_CANNOT);
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){ .ino = node,
				   .size = node == NODE ? (uint64_t)file.st_size : 0,
				   .blocks = (uint64_t)file.st_blocks,
				   .mode = node == NODE ? S_IFREG | 0755 : S_IFDIR | 0755,
				   .nlink = 1,
				   .blksize = 4096 };
}

static void answer(const struct fuse_in_header *in, const void *body)
{
	static char bytes[BUFFER];

	switch (in->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_in *asked = body;
		struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
					     .minor = asked->minor < FUSE_KERNEL_MINOR_VERSION
							  ? asked->minor
							  : FUSE_KERNEL_MINOR_VERSION,
					     .max_readahead = asked->max_readahead,
					     .max_write = 4096 };
		reply(in->unique, 0, &out, sizeof(out));
		return;
	}
	case FUSE_LOOKUP: {
		struct fuse_entry_out out = { .nodeid = NODE,
					      .entry_valid = HOUR,
					      .attr_valid = HOUR,
					      .attr = attributes(NODE) };
		reply(in->unique, strcmp(body, "program") ? ENOENT : 0, &out,
		      strcmp(body, "program") ? 0 : sizeof(out));
		return;
	}
	case FUSE_GETATTR: {
		struct fuse_attr_out out = { .attr_valid = HOUR, .attr = attributes(in->nodeid) };
		reply(in->unique, 0, &out, sizeof(out));
		return;
	}
	case FUSE_OPEN: {
		struct fuse_open_out out = { .fh = 1 };
		reply(in->unique, 0, &out, sizeof(out));
		return;
	}
	case FUSE_READ: {
		const struct fuse_read_in *asked = body;
		size_t most = sizeof(bytes) - sizeof(struct fuse_out_header);
		ssize_t n = pread(file_fd, bytes, asked->size < most ? asked->size : most,
				  (off_t)asked->offset);
		reply(in->unique, n < 0 ? EIO : 0, bytes, n < 0 ? 0 : (size_t)n);
		return;
	}
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(in->unique, 0, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	default:
		reply(in->unique, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char request[BUFFER];
	struct sigaction action = { .sa_handler = stop };
	char options[128];

	if (argc != 3)
		return 2;
	sigaction(SIGUSR1, &action, NULL);
	file_fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (file_fd < 0 || fstat(file_fd, &file) != 0 || fuse_fd < 0)
		return cannot("open");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 fuse_fd);
	if (mount("stuckfs", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) != 0)
		return cannot("mount");
	puts("ready");
	fflush(stdout);
	while (!is_stuck) {
		ssize_t n = read(fuse_fd, request, sizeof(request));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof(struct fuse_in_header))
			return 0; // It was unmounted.
		answer((const struct fuse_in_header *)(void *)request,
		       request + sizeof(struct fuse_in_header));
	}
	puts("stuck");
	fflush(stdout);
	for (;;)
		pause();
}
