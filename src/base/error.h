// error.h - how everything below cli/ says that it failed.
//
// A function that can fail returns a struct ms_error *; NULL means it worked.  Outputs are named
// ret_* and are untouched on failure.  The sentence is written where the failure happens; each
// layer above may add one context with ms_error_wrap, none may replace it.  The codes are few
// because each stands for a different reaction of the caller, not for a different cause.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define MS_MUST_USE __attribute__((warn_unused_result))
#define MS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum ms_error_code {
	MS_ERR_FAULT = 1,   // An address could not be read: count a skip and go on.
	MS_ERR_BAD_DATA,    // It was read and cannot be: count a skip and go on.
	MS_ERR_UNSUPPORTED, // Not a target we know: version, architecture, kernel, file format.
	MS_ERR_DENIED,      // Not allowed: the sentence says which capability and what to type.
	MS_ERR_GONE,        // The target exited or became another program.
	MS_ERR_LIMIT,       // A bound of ours (time, count, bytes) was reached.
	MS_ERR_NO_MEMORY,
	MS_ERR_IO,    // A file of ours could not be read or written.
	MS_ERR_USAGE, // The user's words cannot be meant.
	MS_ERR_INTERNAL,
};

struct ms_error;

/** A new error with one sentence, no full stop.  Never returns NULL. */
MS_MUST_USE struct ms_error *ms_error_new(enum ms_error_code code, const char *fmt, ...)
    MS_PRINTF(2, 3);

/** Like ms_error_new with ": " and the text of @p errno_value behind the sentence. */
MS_MUST_USE struct ms_error *ms_error_errno(enum ms_error_code code, int errno_value,
					    const char *fmt, ...) MS_PRINTF(3, 4);

/** Put a context in front: "<context>: <sentence>".  Takes @p err over and returns it. */
MS_MUST_USE struct ms_error *ms_error_wrap(struct ms_error *err, const char *fmt, ...)
    MS_PRINTF(2, 3);

/** The static out-of-memory error; freeing it does nothing. */
MS_MUST_USE struct ms_error *ms_error_no_memory(void);

enum ms_error_code ms_error_code(const struct ms_error *err);

/**
 * FAULT, BAD_DATA or UNSUPPORTED: a part of the target could not be read, as where it moved
 * meanwhile, and whoever can do without it goes on.  False for NULL.
 */
bool ms_error_is_unreadable(const struct ms_error *err);

/** The whole sentence; owned by @p err. */
const char *ms_error_message(const struct ms_error *err);

/** Accepts NULL. */
void ms_error_free(struct ms_error *err);

static inline void ms_error_freep(struct ms_error **err)
{
	ms_error_free(*err);
}
