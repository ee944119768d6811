// error.c - errors are one heap block each; if even that cannot be had, a static one stands in.
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ms_error {
	enum ms_error_code code;
	char *message;
};

static struct ms_error no_memory = { MS_ERR_NO_MEMORY, (char *)"out of memory" };

struct ms_error *ms_error_no_memory(void)
{
	return &no_memory;
}

static struct ms_error *error_make(enum ms_error_code code, char *message)
{
	struct ms_error *err = message ? malloc(sizeof(*err)) : NULL;

	if (!err) {
		free(message);
		return &no_memory;
	}
	err->code = code;
	err->message = message;
	return err;
}

struct ms_error *ms_error_new(enum ms_error_code code, const char *fmt, ...)
{
	char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	return error_make(code, message);
}

struct ms_error *ms_error_errno(enum ms_error_code code, int errno_value, const char *fmt, ...)
{
	char *message = NULL;
	char *whole = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	if (!message || asprintf(&whole, "%s: %s", message, strerror(errno_value)) < 0)
		whole = NULL;
	free(message);
	return error_make(code, whole);
}

struct ms_error *ms_error_wrap(struct ms_error *err, const char *fmt, ...)
{
	char *context = NULL;
	char *whole = NULL;
	va_list ap;

	if (!err || err == &no_memory)
		return err;
	va_start(ap, fmt);
	if (vasprintf(&context, fmt, ap) < 0)
		context = NULL;
	va_end(ap);
	if (context && asprintf(&whole, "%s: %s", context, err->message) >= 0) {
		free(err->message);
		err->message = whole;
	}
	free(context);
	return err; // Without memory for the context the sentence itself still stands.
}

enum ms_error_code ms_error_code(const struct ms_error *err)
{
	return err->code;
}

bool ms_error_is_unreadable(const struct ms_error *err)
{
	return err && (err->code == MS_ERR_FAULT || err->code == MS_ERR_BAD_DATA ||
		       err->code == MS_ERR_UNSUPPORTED);
}

const char *ms_error_message(const struct ms_error *err)
{
	return err->message;
}

void ms_error_free(struct ms_error *err)
{
	if (!err || err == &no_memory)
		return;
	free(err->message);
	free(err);
}
