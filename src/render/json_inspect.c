// json_inspect.c - "mapscope.inspect/1": one map opened.
//
// Members are the same for both kinds of maps; what a kind does not have is null.  Histograms are
// arrays by number, whose last element counts all from there on.
#include "render/json.h"

#include <inttypes.h>
#include <stdio.h>

static void put_counts(struct ms_json *j, const char *key, const uint64_t *counts, size_t size)
{
	ms_json_key(j, key);
	ms_json_open_array(j);
	for (size_t i = 0; i < size; i++)
		ms_json_u64(j, counts[i]);
	ms_json_close_array(j);
}

static void put_header(struct ms_json *j, const struct ms_inspect_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "header");
	ms_json_open_object(j);
	for (size_t i = 0; i < r->word_count; i++) {
		const struct ms_header_word *w = &r->words[i];

		if (w->is_hex)
			ms_json_put_address(j, w->name, w->value);
		else
			ms_json_put_u64(j, w->name, w->value);
	}
	ms_json_close_object(j);
}

static void put_look(struct ms_json *j, const struct ms_inspect_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "look");
	ms_json_open_object(j);
	ms_json_put_u64(j, "looks", r->looks);
	ms_json_put_bool(j, "settled", r->settled);
	ms_json_put_string(j, "unsettled_reason", r->settled ? NULL : r->unsettled_why);
	ms_json_put_bool(j, "read", r->is_read);
	ms_json_put_string(j, "unread_reason", r->is_read ? NULL : r->unread_why);
	ms_json_close_object(j);
}

static void put_growth(struct ms_json *j, const struct ms_inspect_report *r)
{
	const struct ms_inspect_pass *p = &r->pass;
	bool in_place = p->of != 0, has_old = r->old.units != 0;

	ms_json_row(j);
	ms_json_key(j, "growth");
	ms_json_open_object(j);
	ms_json_put_string(j, "stage", ms_growth_stage_name(r->stage));
	ms_json_put_bool(j, "in_place", in_place);
	ms_json_put_u64(j, "from_units", in_place ? p->from : has_old ? r->old.units : MS_UNKNOWN);
	ms_json_put_u64(j, "to_units", in_place ? p->to : has_old ? r->now.units : MS_UNKNOWN);
	ms_json_put_u64(j, "frontier", in_place || has_old ? r->frontier : MS_UNKNOWN);
	ms_json_put_u64(j, "moved_units",
			in_place                ? p->done
			: has_old && r->is_read ? r->old.moved
						: MS_UNKNOWN);
	ms_json_put_u64(j, "old_entries", has_old && r->is_read ? r->old.entries : MS_UNKNOWN);
	ms_json_close_object(j);
}

static void put_table(struct ms_json *j, const struct ms_inspect_report *r)
{
	bool has_chains = ms_inspect_has_chains(r) && r->now.units;
	bool is_steady = r->row.kind == MS_MAP_HMAP_STEADY && r->is_read;

	ms_json_row(j);
	ms_json_key(j, "table");
	ms_json_open_object(j);
	ms_json_put_string(j, "unit", ms_inspect_unit_name(r));
	ms_json_put_u64(j, "units", r->now.units);
	ms_json_put_u64(j, "unit_slots", r->now.units ? ms_inspect_unit_slots(r) : MS_UNKNOWN);
	ms_json_put_u64(j, "overflow_units", has_chains ? r->now.overflow : MS_UNKNOWN);
	ms_json_put_u64(j, "old_overflow_units", r->old.units ? r->old.overflow : MS_UNKNOWN);
	ms_json_put_u64(j, "directory", r->row.kind == MS_MAP_SWISS ? r->directory : MS_UNKNOWN);
	ms_json_put_u64(j, "deleted_slots", r->is_read ? r->deleted : MS_UNKNOWN);
	ms_json_put_u64(j, "displaced_entries", is_steady ? r->displaced : MS_UNKNOWN);
	ms_json_put_double(j, "chain_mean", ms_inspect_mean_chain(r));
	ms_json_put_u64(j, "chain_longest", r->is_read ? r->longest : MS_UNKNOWN);
	if (r->is_read) {
		put_counts(j, "units_by_entries", r->fills, ms_inspect_fills(r));
		put_counts(j, "units_by_chain", r->chains, MS_INSPECT_CHAINS);
		put_counts(j, "tags", r->tags, MS_INSPECT_TAGS);
	} else {
		ms_json_put_string(j, "units_by_entries", NULL);
		ms_json_put_string(j, "units_by_chain", NULL);
		ms_json_put_string(j, "tags", NULL);
	}
	ms_json_close_object(j);
}

static void put_tables(struct ms_json *j, const struct ms_inspect_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "tables");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->table_count && !ms_sink_failed(j->sink); i++) {
		const struct ms_inspect_table *t = &r->tables[i];

		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_address(j, "address", t->address);
		ms_json_put_address(j, "groups", t->groups);
		ms_json_put_u64(j, "index", t->index);
		ms_json_put_u64(j, "local_depth", t->local_depth);
		ms_json_put_u64(j, "used", t->used);
		ms_json_put_u64(j, "capacity", t->capacity);
		ms_json_put_u64(j, "growth_left", t->growth_left);
		ms_json_put_u64(j, "deleted_slots", r->is_read ? t->deleted : MS_UNKNOWN);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_evenness(struct ms_json *j, const struct ms_inspect_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "evenness");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->evenness_count; i++) {
		const struct ms_evenness *e = &r->evenness[i];

		ms_json_open_object(j);
		ms_json_put_string(j, "of", e->of);
		ms_json_put_u64(j, "cells", e->cells);
		ms_json_put_u64(j, "entries", e->entries);
		ms_json_put_double(j, "chi_squared", e->chi_squared);
		ms_json_put_double(j, "expected", e->expected);
		ms_json_put_double(j, "deviation", e->deviation);
		ms_json_put_string(j, "verdict", ms_evenness_verdict_name(ms_evenness_judge(e)));
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_layout(struct ms_json *j, const struct ms_inspect_report *r)
{
	const struct ms_unit_layout *u = &r->layout;

	ms_json_row(j);
	ms_json_key(j, "layout");
	ms_json_open_object(j);
	ms_json_put_u64(j, "unit_bytes", u->unit_bytes ? u->unit_bytes : MS_UNKNOWN);
	ms_json_put_u64(j, "padding_bytes", u->known ? u->padding_bytes : MS_UNKNOWN);
	ms_json_put_u64(j, "table_padding_bytes", u->known ? u->table_padding : MS_UNKNOWN);
	ms_json_put_u64(j, "rounded_up_bytes", u->known ? u->tail_bytes : MS_UNKNOWN);
	ms_json_put_string(j, "unknown_reason", u->known ? NULL : u->unknown_why);
	ms_json_key(j, "fields");
	ms_json_open_array(j);
	for (size_t i = 0; i < u->field_count; i++) {
		ms_json_open_object(j);
		ms_json_put_string(j, "name", u->fields[i].name);
		ms_json_put_string(j, "type", u->fields[i].type);
		ms_json_put_u64(j, "offset", u->fields[i].offset);
		ms_json_put_u64(j, "size_bytes", u->fields[i].bytes);
		ms_json_put_u64(j, "count", u->fields[i].count);
		ms_json_put_u64(j, "stride_bytes", u->fields[i].stride);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_close_object(j);
}

static void put_old_unit(struct ms_json *j, const struct ms_unit_look *u)
{
	ms_json_key(j, "old");
	if (!u->has_old) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "index", u->old_index);
	ms_json_put_address(j, "address", u->old_address);
	ms_json_put_bool(j, "moved", u->old_moved);
	ms_json_put_u64(j, "entries", u->old_entries);
	ms_json_put_u64(j, "moved_to_same", u->old_moved ? u->moved_x : MS_UNKNOWN);
	ms_json_put_u64(j, "moved_to_twin", u->old_moved ? u->moved_y : MS_UNKNOWN);
	ms_json_put_u64(j, "twin", u->twin);
	ms_json_close_object(j);
}

/** The bucket or group that was asked for. */
static void put_unit(struct ms_json *j, const struct ms_inspect_report *r)
{
	const struct ms_unit_look *u = &r->unit;

	ms_json_row(j);
	ms_json_key(j, "unit");
	if (!u->asked || !u->exists) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_u64(j, "index", u->index);
	ms_json_put_address(j, "address", u->address);
	ms_json_put_u64(j, "entries", u->entries);
	ms_json_put_u64(j, "chain", u->chain);
	ms_json_key(j, "tags");
	ms_json_open_array(j);
	for (size_t s = 0; s < u->tag_count; s++)
		ms_json_u64(j, u->tags[s]);
	ms_json_close_array(j);
	ms_json_put_u64(j, "table", r->table_count ? u->table : MS_UNKNOWN);
	ms_json_put_u64(j, "group", r->table_count ? u->group : MS_UNKNOWN);
	put_old_unit(j, u);
	ms_json_close_object(j);
}

static void put_hash(struct ms_json *j, uint32_t hash)
{
	char text[16];

	snprintf(text, sizeof(text), "#%08x", hash);
	ms_json_string(j, text);
}

static void put_key_hashes(struct ms_json *j, const struct ms_key_patterns *p)
{
	ms_json_put_u64(j, "prefix_bytes", p->are_texts ? p->prefix_bytes : MS_UNKNOWN);
	ms_json_key(j, "classes");
	ms_json_open_array(j);
	for (size_t i = 0; i < p->class_count; i++) {
		ms_json_open_object(j);
		ms_json_key(j, "hash");
		put_hash(j, p->classes[i].hash);
		ms_json_put_u64(j, "keys", p->classes[i].keys);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_key(j, "hashes");
	ms_json_open_array(j);
	for (size_t i = 0; i < p->hash_count; i++)
		put_hash(j, p->hashes[i]);
	ms_json_close_array(j);
}

static void put_keys(struct ms_json *j, const struct ms_inspect_report *r)
{
	const struct ms_key_patterns *p = &r->keys;
	bool texts = p->are_texts;

	ms_json_row(j);
	ms_json_key(j, "keys");
	if (!p->asked) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_put_string(j, "unknown_reason", p->known ? NULL : p->unknown_why);
	ms_json_put_string(j, "measured_in", !p->known ? NULL : texts ? "bytes" : "bits");
	ms_json_put_u64(j, "sampled", p->sampled);
	ms_json_put_u64(j, "unreadable", p->unreadable);
	ms_json_put_u64(j, "shortest", p->known ? p->shortest : MS_UNKNOWN);
	ms_json_put_u64(j, "longest", p->known ? p->longest : MS_UNKNOWN);
	put_counts(j, "by_bits_of_length", p->lengths, MS_INSPECT_LENGTHS);
	ms_json_put_u64(j, "digits", texts ? p->digits : MS_UNKNOWN);
	ms_json_put_u64(j, "hex", texts ? p->hex : MS_UNKNOWN);
	ms_json_put_u64(j, "letters", texts ? p->letters : MS_UNKNOWN);
	ms_json_put_u64(j, "others", texts ? p->others : MS_UNKNOWN);
	ms_json_put_u64(j, "multiples_of_8", p->known && !texts ? p->multiples_of_8 : MS_UNKNOWN);
	put_key_hashes(j, p);
	ms_json_close_object(j);
}

static void put_invariants(struct ms_json *j, const struct ms_inspect_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "invariants");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->invariant_count; i++) {
		const struct ms_invariant *v = &r->invariants[i];
		bool holds = v->state == MS_INVARIANT_HOLDS;

		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_string(j, "name", v->name);
		ms_json_put_string(j, "claims", v->claims);
		ms_json_put_string(j, "state", ms_invariant_state_name(v->state));
		ms_json_put_u64(j, "broken", v->broken);
		ms_json_put_string(j, "detail", holds ? NULL : v->detail);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

static void put_views(struct ms_json *j, const struct ms_inspect_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "debugger");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->view_count; i++) {
		const struct ms_debug_view *v = &r->views[i];
		char text[96];

		ms_json_open_object(j);
		ms_json_put_string(j, "what", v->what);
		ms_json_put_address(j, "address", v->address);
		ms_json_put_u64(j, "size_bytes",
				v->command ? MS_UNKNOWN : (uint64_t)v->count * v->size);
		ms_inspect_gdb_command(v, text, sizeof(text));
		ms_json_put_string(j, "gdb", text);
		ms_inspect_dlv_command(v, text, sizeof(text));
		ms_json_put_string(j, "dlv", v->command ? NULL : text);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

struct ms_error *ms_render_inspect_json(const struct ms_inspect_report *r, struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err = ms_json_begin(&j, sink, "mapscope.inspect/1", &r->target, &r->cost);

	if (err)
		return err;
	ms_json_put_partial(&j, r->partial, r->partial_reason);
	ms_json_row(&j);
	ms_json_key(&j, "map");
	ms_json_map(&j, &r->row);
	put_look(&j, r);
	put_header(&j, r);
	put_growth(&j, r);
	put_table(&j, r);
	put_evenness(&j, r);
	put_layout(&j, r);
	put_unit(&j, r);
	put_keys(&j, r);
	put_invariants(&j, r);
	put_views(&j, r);
	put_tables(&j, r);
	return ms_json_end(&j);
}
