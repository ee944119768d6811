// debug_views.c - where to look in a debugger for the same bytes.
//
// Tags and links alone: what lies between them are keys and elems, and whether to look at those is
// up to whoever types the command.
#include "inspect/inspection.h"

enum { DIRECTORY_SHOWN = 8 };

void ms_inspect_add_view(struct ms_inspect_report *r, const struct ms_debug_view *view)
{
	if (r->view_count < MS_INSPECT_VIEWS_MAX)
		r->views[r->view_count++] = *view;
}

static void add(struct ms_inspect_report *r, const char *what, ms_addr address, uint64_t count,
		uint32_t size)
{
	ms_inspect_add_view(
	    r, &(struct ms_debug_view){
		   .what = what, .address = address, .count = (uint32_t)count, .size = size });
}

static void classic(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	uint64_t bucket = r->unit.exists ? r->unit.index : 0;
	ms_addr at = r->now.address + bucket * i->unit_bytes;

	add(r, bucket ? "tags of the bucket" : "tags of the first bucket", at, MS_INSPECT_TAG_BYTES,
	    1);
	if (!i->unit_bytes)
		return;
	add(r, "its link to an overflow bucket", at + i->unit_bytes - MS_INSPECT_LINK_BYTES, 1, 8);
	if (r->old.units)
		add(r, "tags of the old bucket",
		    r->old.address + (bucket & (r->old.units - 1)) * i->unit_bytes,
		    MS_INSPECT_TAG_BYTES, 1);
}

static void swiss(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	size_t n = r->unit.exists ? (size_t)r->unit.table : 0;

	if (!r->table_count) {
		add(r, "control bytes of the group", r->now.address, MS_INSPECT_TAG_BYTES, 1);
		return;
	}
	add(r, "the directory", r->now.address, ms_min_u64(r->directory, DIRECTORY_SHOWN), 8);
	add(r, n ? "its table" : "the first table", r->tables[n].address, i->layout->table_size, 1);
	add(r, n ? "control bytes of the group" : "control bytes of its first group",
	    r->unit.exists ? r->unit.address : r->tables[n].groups, MS_INSPECT_TAG_BYTES, 1);
}

void ms_inspect_views(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	bool is_swiss = i->layout->maps == MS_GO_MAPS_SWISS;

	r->view_count = 0;
	add(r, "the header", r->row.address, is_swiss ? i->layout->map_size : i->layout->hmap_size,
	    1);
	if (!r->now.units)
		return;
	if (is_swiss)
		swiss(i);
	else
		classic(i);
}
