// hmap-layout 'key type' 'value type': a bucket of either engine, field by field.
#include "hmap_tools/type_name.h"

#include <getopt.h>
#include <hmap/hmap_layout.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: hmap-layout [--json] [--in-place] 'KEY TYPE' 'VALUE TYPE'\n"
    "\n"
    "Shows how a bucket of libhmap lies in memory: field, offset, size, padding, in both engines.\n"
    "Types are C's or Go's, for a 64-bit machine: uint64_t, string, char[24], *T, [16]byte,\n"
    "'struct { uint32_t a; uint64_t b; }'; `void` or 'struct {}' for a set.\n"
    "\n"
    "  --in-place   keep what is over 128 bytes in the bucket too\n"
    "  --json       one JSON document, schema hmap.layout/1\n"
    "  --help       this page\n";

static void print_text(const struct hmap_layout *l)
{
	printf("%s, %zu slots, %zu bytes, %zu of them padding\n",
	       l->engine == HMAP_CLASSIC ? "classic: a bucket" : "steady: a block", l->slots,
	       l->bytes, l->padding);
	printf("  %-18s %-16s %7s %7s %6s\n", "where", "field", "offset", "size", "count");
	for (size_t i = 0; i < l->field_count; i++) {
		const struct hmap_layout_field *f = &l->fields[i];

		printf("  %-18s %-16s %7zu %7zu %6zu\n", f->where, f->name, f->offset, f->size,
		       f->count);
	}
	printf(
	    "  an entry takes %.1f bytes when the table is as full as it gets, %.1f on average\n",
	    l->bytes_per_entry, l->bytes_on_average);
}

static void print_json(const struct hmap_layout *l)
{
	printf("{\"engine\":\"%s\",\"slots\":%zu,\"bytes\":%zu,\"padding_bytes\":%zu,"
	       "\"bytes_per_entry\":%.3f,\"bytes_on_average\":%.3f,\"fields\":[",
	       l->engine == HMAP_CLASSIC ? "classic" : "steady", l->slots, l->bytes, l->padding,
	       l->bytes_per_entry, l->bytes_on_average);
	for (size_t i = 0; i < l->field_count; i++) {
		const struct hmap_layout_field *f = &l->fields[i];

		printf("%s{\"where\":\"%s\",\"name\":\"%s\",\"offset\":%zu,\"size_bytes\":%zu,"
		       "\"count\":%zu}",
		       i ? "," : "", f->where, f->name, f->offset, f->size, f->count);
	}
	printf("]}");
}

static bool read_type(const char *text, struct type_size *ret_size)
{
	const char *wrong = type_size_of_name(text, ret_size);

	if (wrong)
		fprintf(stderr, "hmap-layout: in '%.60s': %s\n", text, wrong);
	return !wrong;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "in-place", no_argument, NULL, 'p' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	bool json = false;
	struct type_size key, value;
	struct hmap_type type = { 0 };
	struct hmap_layout classic, steady;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option == '?') {
			fputs("hmap-layout: see hmap-layout --help\n", stderr);
			return 1;
		}
		json |= option == 'j';
		type.flags |= option == 'p' ? HMAP_KEEP_IN_PLACE : 0u;
	}
	if (argc - optind != 2) {
		fputs(
		    "hmap-layout: two types are wanted, of key and value; see hmap-layout --help\n",
		    stderr);
		return 1;
	}
	if (!read_type(argv[optind], &key) || !read_type(argv[optind + 1], &value))
		return 1;
	type.key_size = key.size;
	type.key_align = key.align;
	type.value_size = value.size;
	type.value_align = value.align;
	if (hmap_layout(&type, HMAP_CLASSIC, &classic) != HMAP_OK ||
	    hmap_layout(&type, HMAP_STEADY, &steady) != HMAP_OK) {
		fputs("hmap-layout: a key has at least one byte\n", stderr);
		return 1;
	}
	if (json) {
		fputs("{\"schema\":\"hmap.layout/1\",\"layouts\":[", stdout);
		print_json(&classic);
		putchar(',');
		print_json(&steady);
		puts("]}");
	} else {
		print_text(&classic);
		putchar('\n');
		print_text(&steady);
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 6;
}
