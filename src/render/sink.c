// sink.c - one buffer in front of write(2).
//
// stdio loses track of what was written when a signal interrupts a write, and Ctrl-C is a usual
// way to end our runs.  So the buffer is ours: interrupted and short writes go on where they
// stopped, and a terminal that some other program left non-blocking is waited for.
#include "render/sink.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, FIRST_MEMORY_BYTES = 256 };

void ms_sink_init_file(struct ms_sink *sink, FILE *file)
{
	*sink = (struct ms_sink){ .fd = fileno(file) };
	if (sink->fd < 0 || fflush(file) != 0)
		sink->failed_errno = errno;
}

void ms_sink_init_memory(struct ms_sink *sink)
{
	*sink = (struct ms_sink){ .fd = -1 };
}

static void drain(struct ms_sink *sink)
{
	size_t done = 0;

	while (done < sink->size && !sink->failed_errno) {
		ssize_t n = write(sink->fd, sink->bytes + done, sink->size - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = sink->fd, .events = POLLOUT };

			(void)poll(&wait, 1, -1);
		} else if (n == 0 || errno != EINTR) {
			sink->failed_errno = n == 0 ? EIO : errno;
		}
	}
	sink->size = 0;
}

static bool make_room(struct ms_sink *sink, size_t want)
{
	size_t capacity = sink->capacity;
	char *bytes;

	if (want <= capacity)
		return true;
	if (sink->fd >= 0) {
		capacity = BUFFER_BYTES;
	} else {
		if (capacity < FIRST_MEMORY_BYTES)
			capacity = FIRST_MEMORY_BYTES;
		while (capacity < want)
			capacity *= 2;
	}
	bytes = realloc(sink->bytes, capacity);
	if (!bytes) {
		ms_sink_fail_no_memory(sink);
		return false;
	}
	sink->bytes = bytes;
	sink->capacity = capacity;
	return true;
}

void ms_sink_write(struct ms_sink *sink, const void *bytes, size_t size)
{
	const char *from = bytes;

	while (size > 0 && !sink->failed_errno) {
		size_t part = size;

		if (sink->fd >= 0 && part > BUFFER_BYTES - sink->size)
			part = BUFFER_BYTES - sink->size;
		if (!make_room(sink, sink->size + part))
			return;
		memcpy(sink->bytes + sink->size, from, part);
		sink->size += part;
		from += part;
		size -= part;
		if (sink->fd >= 0 && sink->size == BUFFER_BYTES)
			drain(sink);
	}
}

void ms_sink_puts(struct ms_sink *sink, const char *text)
{
	ms_sink_write(sink, text, strlen(text));
}

void ms_sink_printf(struct ms_sink *sink, const char *fmt, ...)
{
	char short_text[128];
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(short_text, sizeof(short_text), fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof(short_text)) {
		ms_sink_write(sink, short_text, (size_t)len);
		return;
	}
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		ms_sink_fail_no_memory(sink);
		return;
	}
	ms_sink_write(sink, text, (size_t)len);
	free(text);
}

void ms_sink_fill(struct ms_sink *sink, char c, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ms_sink_write(sink, &c, 1);
}

void ms_sink_fail_no_memory(struct ms_sink *sink)
{
	if (!sink->failed_errno)
		sink->failed_errno = ENOMEM;
}

bool ms_sink_failed(const struct ms_sink *sink)
{
	return sink->failed_errno != 0;
}

const char *ms_sink_text(struct ms_sink *sink)
{
	if (sink->failed_errno || !make_room(sink, sink->size + 1))
		return NULL;
	sink->bytes[sink->size] = '\0';
	return sink->bytes;
}

struct ms_error *ms_sink_finish(struct ms_sink *sink)
{
	if (sink->fd >= 0)
		drain(sink);
	if (sink->failed_errno == ENOMEM)
		return ms_error_no_memory();
	if (sink->failed_errno)
		return ms_error_errno(MS_ERR_IO, sink->failed_errno, "could not write the output");
	return NULL;
}

void ms_sink_deinit(struct ms_sink *sink)
{
	free(sink->bytes);
	*sink = (struct ms_sink){ .fd = -1 };
}
