// json_text.c - documents of yajl's, with what all of ours have.
#include "hmap_debug/parts.h"

#include <stdio.h>
#include <string.h>

yajl_gen hd_json_begin(struct hd_text *text, bool is_indented)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g) {
		text->failed = true;
		return NULL;
	}
	yajl_gen_config(g, yajl_gen_beautify, is_indented);
	yajl_gen_config(g, yajl_gen_indent_string, " ");
	yajl_gen_config(g, yajl_gen_validate_utf8, 1);
	return g;
}

void hd_json_end(yajl_gen g, struct hd_text *text)
{
	const unsigned char *bytes;
	size_t size;

	if (yajl_gen_get_buf(g, &bytes, &size) == yajl_gen_status_ok)
		hd_put_bytes(text, bytes, size);
	else
		text->failed = true;
	yajl_gen_free(g);
}

void hd_json_text(yajl_gen g, const char *text)
{
	yajl_gen_string(g, (const unsigned char *)text, strlen(text));
}

void hd_json_name(yajl_gen g, const char *key, const char *name)
{
	char plain[HMAP_NAME_BYTES];

	hd_json_text(g, key);
	if (!name[0]) {
		yajl_gen_null(g);
		return;
	}
	hd_plain(name, plain, sizeof(plain));
	if (yajl_gen_string(g, (const unsigned char *)plain, strlen(plain)) !=
	    yajl_gen_invalid_string)
		return;
	for (char *p = plain; *p; p++)
		*p = (unsigned char)*p < 0x80 ? *p : '?';
	hd_json_text(g, plain);
}

void hd_json_count(yajl_gen g, const char *key, uint64_t value)
{
	hd_json_text(g, key);
	yajl_gen_integer(g, value > INT64_MAX ? INT64_MAX : (long long)value);
}

void hd_json_real(yajl_gen g, const char *key, double value)
{
	char number[32];
	int size = snprintf(number, sizeof(number), "%.6g", value);

	hd_json_text(g, key);
	yajl_gen_number(g, number, (size_t)size);
}
