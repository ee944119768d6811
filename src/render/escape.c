// escape.c - UTF-8 decoding and the two ways to neutralise what a target calls its things.
//
// A Go type or a path may hold any byte.  Printed raw, "\x1b]0;..." renames the reader's terminal
// window and U+202E turns a line around, so a page shows such characters by their number.
#include "render/escape.h"

#include <stdint.h>
#include <string.h>

enum { INVALID = UINT32_MAX };

/** Decode one character; INVALID takes one byte.  @p ret_size gets the bytes it took. */
static uint32_t decode(const unsigned char *p, size_t *ret_size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c;

	*ret_size = 1;
	if (size == 1)
		return p[0];
	if (size == 0 || p[0] > 0xf4)
		return INVALID;
	c = p[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80) // Also the NUL at the end.
			return INVALID;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return INVALID;
	*ret_size = size;
	return c;
}

/** Characters that a terminal acts upon, or that hide or reorder their neighbours. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

static void escape_one(struct ms_sink *sink, uint32_t c)
{
	if (c == '\n')
		ms_sink_puts(sink, "\\n");
	else if (c == '\t')
		ms_sink_puts(sink, "\\t");
	else if (c < 0x80)
		ms_sink_printf(sink, "\\x%02x", c);
	else
		ms_sink_printf(sink, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
}

/** Bytes at @p p that every output takes as they are: the run is written in one piece. */
static size_t plain_run(const unsigned char *p)
{
	size_t size = 0;

	while (p[size] >= 0x20 && p[size] < 0x7f && p[size] != '\\')
		size++;
	return size;
}

void ms_escape_text(struct ms_sink *sink, const char *text, enum ms_charset charset)
{
	const unsigned char *p = (const unsigned char *)text;

	for (;;) {
		size_t size = plain_run(p);
		uint32_t c;

		ms_sink_write(sink, p, size);
		p += size;
		if (!*p)
			return;
		c = decode(p, &size);

		if (c == INVALID)
			ms_sink_printf(sink, "\\x%02x", *p);
		else if (c == '\\')
			ms_sink_puts(sink, "\\\\");
		else if (is_unsafe(c) || (charset == MS_CHARSET_ASCII && c >= 0x80))
			escape_one(sink, c);
		else
			ms_sink_write(sink, p, size);
		p += size;
	}
}

enum ms_text_kind ms_text_kind(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	enum ms_text_kind kind = MS_TEXT_PLAIN;

	for (;;) {
		size_t size;
		uint32_t c;

		p += plain_run(p);
		if (!*p)
			return kind;
		c = decode(p, &size);
		if (c == INVALID)
			return MS_TEXT_INVALID;
		if (is_unsafe(c))
			kind = MS_TEXT_UNSAFE;
		p += size;
	}
}

void ms_replace_text(struct ms_sink *sink, const char *text, enum ms_replace what)
{
	const unsigned char *p = (const unsigned char *)text;

	for (;;) {
		size_t size = plain_run(p);
		uint32_t c;
		bool line;

		ms_sink_write(sink, p, size);
		p += size;
		if (!*p)
			return;
		c = decode(p, &size);
		line = c == '\t' || c == '\n' || c == '\r';
		if (c == INVALID || (what == MS_REPLACE_UNSAFE && is_unsafe(c) && !line))
			ms_sink_puts(sink, "\xef\xbf\xbd");
		else
			ms_sink_write(sink, p, size);
		p += size;
	}
}

void ms_escape_json(struct ms_sink *sink, const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = p + size;

	while (p < end) {
		size_t taken;
		uint32_t c = decode(p, &taken);

		if (!is_unsafe(c) || c == INVALID)
			ms_sink_write(sink, p, taken);
		else if (c > 0xffff)
			ms_sink_printf(sink, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10),
				       0xdc00 + (c & 0x3ff));
		else
			ms_sink_printf(sink, "\\u%04x", c);
		p += taken;
	}
}

void ms_escape_xml(struct ms_sink *sink, const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = p + size;

	while (p < end) {
		size_t taken;
		uint32_t c = decode(p, &taken);

		if (c == '&')
			ms_sink_puts(sink, "&amp;");
		else if (c == '<')
			ms_sink_puts(sink, "&lt;");
		else if (c == '>')
			ms_sink_puts(sink, "&gt;");
		else if (c == '"')
			ms_sink_puts(sink, "&quot;");
		else if (c == '\'')
			ms_sink_puts(sink, "&#39;");
		else if (c == '\t' || c == '\n' || c == '\r')
			ms_sink_puts(sink, " ");
		else if (c == INVALID || is_unsafe(c) || (c & 0xfffe) == 0xfffe)
			ms_sink_puts(sink, "\xef\xbf\xbd");
		else
			ms_sink_write(sink, p, taken);
		p += taken;
	}
}

size_t ms_text_prefix(const char *text, size_t columns)
{
	size_t at = 0;

	while (text[at] && columns > 0) {
		at++;
		while (((unsigned char)text[at] & 0xc0) == 0x80)
			at++;
		columns--;
	}
	return at;
}

size_t ms_text_columns(const char *text)
{
	size_t columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}
