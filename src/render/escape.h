// escape.h - strings of a target made safe to show.
#pragma once

#include "render/render.h"

/**
 * Append @p text to @p sink for a terminal: control bytes, escape sequences, what is not UTF-8,
 * characters that reorder or hide text, and the backslash become escapes such as \x1b and \u202e;
 * with MS_CHARSET_ASCII every other character beyond ASCII too.
 */
void ms_escape_text(struct ms_sink *sink, const char *text, enum ms_charset charset);

/** Append @p text with everything that is not UTF-8 replaced by U+FFFD. */
void ms_replace_invalid_utf8(struct ms_sink *sink, const char *text);

/** True when ms_replace_invalid_utf8 would change nothing. */
bool ms_is_utf8(const char *text);

/** Columns of escaped text: one for each character. */
size_t ms_text_columns(const char *text);

/** Bytes of the first @p columns characters of escaped text. */
size_t ms_text_prefix(const char *text, size_t columns);
