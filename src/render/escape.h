// escape.h - strings of a target made safe to show.
#pragma once

#include "render/render.h"

/**
 * Append @p text to @p sink for a terminal: control bytes, escape sequences, what is not UTF-8,
 * characters that reorder or hide text, and the backslash become escapes such as \x1b and \u202e;
 * with MS_CHARSET_ASCII every other character beyond ASCII too.
 */
void ms_escape_text(struct ms_sink *sink, const char *text, enum ms_charset charset);

/** What ms_replace_text replaces. */
enum ms_replace {
	MS_REPLACE_INVALID, // What is not UTF-8.
	MS_REPLACE_UNSAFE,  // Also what a terminal acts upon, all but tab and line ends.
};

/** Append @p text with each such byte or character replaced by U+FFFD. */
void ms_replace_text(struct ms_sink *sink, const char *text, enum ms_replace what);

enum ms_text_kind {
	MS_TEXT_PLAIN,   // Printable ASCII and other harmless characters.
	MS_TEXT_UNSAFE,  // UTF-8 with characters that a terminal acts upon.
	MS_TEXT_INVALID, // Not UTF-8.
};

enum ms_text_kind ms_text_kind(const char *text);

/** Append @p size bytes of UTF-8 with unsafe characters as the escapes of a JSON string. */
void ms_escape_json(struct ms_sink *sink, const char *text, size_t size);

/**
 * Append @p size bytes of @p text, which holds more or ends there, as the text of an XML element
 * or attribute: what XML or a terminal cannot take becomes U+FFFD, tabs and line ends a blank.
 */
void ms_escape_xml(struct ms_sink *sink, const char *text, size_t size);

/** Columns of escaped text: one for each character. */
size_t ms_text_columns(const char *text);

/** Bytes of the first @p columns characters of escaped text. */
size_t ms_text_prefix(const char *text, size_t columns);
