// text_inspect.c - the page of one map opened, from its first line to its invariants.
//
// What its table looks like is drawn in text_inspect_table.c.
#include "render/text_inspect.h"

#include <inttypes.h>
#include <math.h>

enum { NAME_COLUMNS = 12, VALUE_COLUMNS = 18, FIELD_COLUMNS = 16, TABLES_SHOWN = 3 };

// --- Its name. ---

/** "(len=128000, buckets=32768, overflow=17)": plain numbers, to be searched for. */
static void first_line(struct ms_text *t, const struct ms_inspect_report *r)
{
	ms_text_name(t, r->row.type ? r->row.type : "map of unknown type", 0);
	ms_text_printf(t, " (len=");
	if (r->row.entries == MS_UNKNOWN)
		ms_text_printf(t, "?");
	else
		ms_text_printf(t, "%" PRIu64, r->row.entries);
	if (r->now.units)
		ms_text_printf(t, ", %ss=%" PRIu64, ms_inspect_unit_name(r), r->now.units);
	if (ms_inspect_has_chains(r) && r->now.units && r->now.overflow != MS_UNKNOWN)
		ms_text_printf(t, ", overflow=%" PRIu64, r->now.overflow);
	else if (ms_inspect_has_chains(r) && r->now.units)
		ms_text_printf(t, ", overflow=?");
	if (r->table_count)
		ms_text_printf(t, ", tables=%zu, directory=%" PRIu64, r->table_count, r->directory);
	ms_text_printf(t, ")");
	ms_text_end(t, 0);
}

static void owner_line(struct ms_text *t, const struct ms_inspect_report *r)
{
	ms_text_printf(t, "owner: ");
	if (r->row.owner)
		ms_text_owner(t, r->row.owner, 0);
	else
		ms_text_printf(t, "not known");
	ms_text_printf(t, "; at 0x%" PRIx64 " on the %s", r->row.address,
		       ms_map_where_name(r->row.where));
	if (r->row.owners > 1)
		ms_text_printf(t, ", held in %u places", r->row.owners);
	ms_text_end(t, 0);
	ms_text_target(t, &r->target);
	ms_text_end(t, 0);
	ms_text_unproved(t, &r->target);
	ms_text_partial(t, r->partial, r->partial_reason);
}

static void looks_line(struct ms_text *t, const struct ms_inspect_report *r)
{
	if (!r->settled) {
		ms_text_colored(t, MS_TEXT_YELLOW, "MOVING:");
		ms_text_printf(t,
			       " %u looks, and %s; what is below is the last of them, and may "
			       "be of two moments",
			       r->looks, r->unsettled_why ? r->unsettled_why : "none held still");
		ms_text_end(t, 0);
	} else if (r->looks > 1) {
		ms_text_printf(t, "it was written to meanwhile: this is look %u, which held still",
			       r->looks);
		ms_text_end(t, 0);
	}
	if (r->is_read || !r->unread_why)
		return;
	ms_text_printf(t, r->looks ? "table not shown: " : "not shown: its table; ");
	ms_text_name(t, r->unread_why, 0);
	ms_text_end(t, 0);
}

// --- The header. ---

static void words(struct ms_text *t, const struct ms_inspect_report *r)
{
	struct ms_human h;

	if (!r->word_count)
		return;
	ms_text_printf(t, "header:");
	ms_text_end(t, 0);
	for (size_t i = 0; i < r->word_count; i++) {
		const struct ms_header_word *w = &r->words[i];

		if (w->is_hex)
			snprintf(h.text, sizeof(h.text), "0x%" PRIx64, w->value);
		else
			ms_human_count(&h, w->value);
		ms_text_printf(t, "%-*s %*s", NAME_COLUMNS, w->name, VALUE_COLUMNS, h.text);
		if (w->meaning)
			ms_text_printf(t, "  %s", w->meaning);
		ms_text_end_hanging(t, 2, 2 + NAME_COLUMNS + 1 + VALUE_COLUMNS + 2);
	}
}

// --- Growth. ---

static void growth_under_way(struct ms_text *t, const struct ms_inspect_report *r)
{
	struct ms_human a, b, c, percent;
	uint64_t old = r->old.units;

	if (r->stage == MS_STAGE_SAME_SIZE)
		ms_text_printf(t, "growth: at the same size, %s buckets, to be rid of overflow",
			       ms_human_count(&a, old));
	else
		ms_text_printf(t, "growth: from %s to %s buckets", ms_human_count(&a, old),
			       ms_human_count(&b, r->now.units));
	ms_text_printf(t, "; the frontier is at old bucket %s of %s",
		       ms_human_count(&a, r->frontier), ms_human_count(&b, old));
	if (r->is_read)
		ms_text_printf(t, ", %s were moved (%s)", ms_human_count(&c, r->old.moved),
			       ms_human_percent(&percent, (double)r->old.moved / (double)old));
	ms_text_end(t, 0);
}

/** A steady map's table grows and shrinks where it is. */
static void pass_under_way(struct ms_text *t, const struct ms_inspect_report *r)
{
	const struct ms_inspect_pass *p = &r->pass;
	struct ms_human a, b, percent;

	if (r->stage == MS_STAGE_SAME_SIZE)
		ms_text_printf(t, "growth: none, its %s blocks are tidied up",
			       ms_human_count(&a, p->from));
	else
		ms_text_printf(t, "growth: %s in place, from %s to %s blocks",
			       r->stage == MS_STAGE_HALVING ? "it shrinks" : "it grows",
			       ms_human_count(&a, p->from), ms_human_count(&b, p->to));
	ms_text_printf(t, "; the frontier is at block %s of %s", ms_human_count(&a, r->frontier),
		       ms_human_count(&b, p->of));
	ms_text_printf(t, ", %s were done (%s)", ms_human_count(&a, p->done),
		       ms_human_percent(&percent, (double)p->done / (double)p->of));
	ms_text_end(t, 0);
}

static void tables_near(struct ms_text *t, const struct ms_inspect_report *r)
{
	const struct ms_inspect_table *near = NULL;
	struct ms_human a, b;

	for (size_t i = 0; i < r->table_count; i++) {
		if (!near || r->tables[i].growth_left < near->growth_left)
			near = &r->tables[i];
	}
	if (!near)
		return;
	ms_text_printf(t, "; nearest to it: the table at directory entry %s, %s new entries away",
		       ms_human_count(&a, near->index), ms_human_count(&b, near->growth_left + 1));
}

/** Of a map whose arrays are not read: what its row says. */
static void growth_of_row(struct ms_text *t, const struct ms_map_growth *g)
{
	struct ms_human a, b, percent;

	ms_text_printf(t, "growth: from %s to %s slots, %s of it done", ms_human_count(&a, g->from),
		       ms_human_count(&b, g->to), ms_human_percent(&percent, g->progress));
	ms_text_end(t, 0);
}

static void growth_line(struct ms_text *t, const struct ms_inspect_report *r)
{
	struct ms_human h;

	if (r->pass.of) {
		pass_under_way(t, r);
		return;
	}
	if (r->row.growing && !r->old.units) {
		growth_of_row(t, &r->row.growth);
		return;
	}
	if (r->stage == MS_STAGE_DOUBLING || r->stage == MS_STAGE_SAME_SIZE) {
		growth_under_way(t, r);
		return;
	}
	if (r->stage == MS_STAGE_NEVER_WRITTEN) {
		ms_text_printf(t, "growth: never written to");
	} else {
		ms_text_printf(t, "growth: none under way");
		if (r->row.grow_at != MS_UNKNOWN)
			ms_text_printf(t, "; the next starts with entry %s",
				       ms_human_count(&h, r->row.grow_at));
		if (r->row.kind == MS_MAP_SWISS)
			ms_text_printf(t, "; a table of a Swiss map grows within one write");
		tables_near(t, r);
	}
	ms_text_end(t, 0);
}

// --- One unit. ---

static void unit_moved(struct ms_text *t, const struct ms_inspect_report *r)
{
	const struct ms_unit_look *u = &r->unit;
	struct ms_human h;

	ms_text_printf(t, "; it comes from old bucket %s, which ",
		       ms_human_count(&h, u->old_index));
	if (!u->old_moved) {
		ms_text_printf(t,
			       "was not moved yet: entries that wait there: %u, to go to bucket %s",
			       u->old_entries, ms_human_count(&h, u->old_index));
		if (u->twin != u->old_index)
			ms_text_printf(t, " or %s", ms_human_count(&h, u->twin));
		return;
	}
	ms_text_printf(t, "was moved: of its first 8 slots %u went to bucket %s", u->moved_x,
		       ms_human_count(&h, u->old_index));
	if (u->twin != u->old_index)
		ms_text_printf(t, " and %u to bucket %s", u->moved_y, ms_human_count(&h, u->twin));
}

static void unit_line(struct ms_text *t, const struct ms_inspect_report *r)
{
	const struct ms_unit_look *u = &r->unit;
	const char *name = ms_inspect_unit_name(r);
	struct ms_human h, last;

	if (!u->asked)
		return;
	ms_text_printf(t, "%s %s: ", name, ms_human_count(&h, u->index));
	if (!u->exists) {
		if (r->now.units && u->index >= r->now.units)
			ms_text_printf(t, "there is none; the last is %s",
				       ms_human_count(&last, r->now.units - 1));
		else
			ms_text_printf(t, "not read");
		ms_text_end(t, 0);
		return;
	}
	ms_text_printf(t, "at 0x%" PRIx64 ", entries: %u", u->address, u->entries);
	if (ms_inspect_is_classic(r))
		ms_text_printf(t, ", buckets in its chain: %u", u->chain);
	else if (ms_inspect_has_chains(r))
		ms_text_printf(t, ", overflow nodes: %u", u->chain);
	else if (r->table_count)
		ms_text_printf(t, "; group %s of table %s; a probe from here looks at %u",
			       ms_human_count(&h, u->group), ms_human_count(&last, u->table),
			       u->chain);
	ms_text_printf(t, "; %s", ms_inspect_has_chains(r) ? "tags" : "control bytes");
	for (size_t s = 0; s < u->tag_count; s++)
		ms_text_printf(t, " %02x", u->tags[s]);
	if (u->has_old)
		unit_moved(t, r);
	ms_text_end(t, 0);
}

// --- Layout. ---

static void fields(struct ms_text *t, const struct ms_unit_layout *u)
{
	for (size_t i = 0; i < u->field_count; i++) {
		const struct ms_unit_field *f = &u->fields[i];
		struct ms_human offset, size;

		if (f->count > 1)
			snprintf(size.text, sizeof(size.text), "%" PRIu64 " x %" PRIu64, f->count,
				 f->bytes);
		else
			snprintf(size.text, sizeof(size.text), "%" PRIu64, f->bytes);
		ms_text_printf(t, "%6s  %-9s", ms_human_count(&offset, f->offset), size.text);
		ms_text_name(t, f->name, FIELD_COLUMNS);
		ms_text_printf(t, " ");
		ms_text_name(t, f->type, 48);
		if (f->count > 1 && f->stride != f->bytes)
			ms_text_printf(t, ", every %" PRIu64, f->stride);
		ms_text_end(t, 2);
	}
}

static void layout(struct ms_text *t, const struct ms_inspect_report *r)
{
	const struct ms_unit_layout *u = &r->layout;
	struct ms_human a, b;

	if (u->unit_bytes == 0)
		return;
	ms_text_printf(t, "layout of a %s: ", ms_inspect_unit_name(r));
	if (!u->known) {
		if (u->unit_bytes != MS_UNKNOWN)
			ms_text_printf(t, "%s bytes; ", ms_human_count(&a, u->unit_bytes));
		ms_text_printf(t, "fields unknown: ");
		ms_text_name(t, u->unknown_why, 0);
		ms_text_end(t, 0);
		return;
	}
	ms_text_printf(t, "%s bytes, %s of them padding", ms_human_count(&a, u->unit_bytes),
		       ms_human_count(&b, u->padding_bytes));
	if (u->note)
		ms_text_printf(t, "; %s", u->note);
	ms_text_end(t, 0);
	ms_text_printf(t, "offset  size     field");
	ms_text_end(t, 2);
	fields(t, u);
	ms_text_printf(t, "padding of the whole table: %s", ms_human_bytes(&a, u->table_padding));
	if (u->tail_bytes != MS_UNKNOWN && u->tail_bytes)
		ms_text_printf(t, "; the allocator rounds it up by %s",
			       ms_human_bytes(&b, u->tail_bytes));
	ms_text_end(t, 2);
}

// --- Keys. ---

static void key_lengths(struct ms_text *t, const struct ms_key_patterns *p)
{
	const char *separator = " ";
	struct ms_human h;

	ms_text_printf(t, "%s by %s:", p->are_texts ? "lengths" : "sizes",
		       p->are_texts ? "bytes" : "bits");
	for (size_t bits = 0; bits < MS_INSPECT_LENGTHS; bits++) {
		uint64_t low = bits ? (uint64_t)1 << (bits - 1) : 0;

		if (!p->lengths[bits])
			continue;
		if (p->are_texts)
			ms_text_printf(t, "%sfrom %" PRIu64 ": %s", separator, low,
				       ms_human_count(&h, p->lengths[bits]));
		else
			ms_text_printf(t, "%s%zu: %s", separator, bits,
				       ms_human_count(&h, p->lengths[bits]));
		separator = ", ";
	}
	ms_text_end(t, 2);
}

static void key_classes(struct ms_text *t, const struct ms_key_patterns *p)
{
	struct ms_human percent;

	if (p->class_count)
		ms_text_printf(t, "by their first %u bytes, hashed:", p->prefix_bytes);
	for (size_t i = 0; i < p->class_count; i++)
		ms_text_printf(
		    t, "%s #%08x %s", i ? "," : "", p->classes[i].hash,
		    ms_human_percent(&percent, (double)p->classes[i].keys / (double)p->sampled));
	if (p->class_count)
		ms_text_end(t, 2);
	if (p->hash_count)
		ms_text_printf(t, "whole keys, hashed:");
	for (size_t i = 0; i < p->hash_count; i++)
		ms_text_printf(t, " #%08x", p->hashes[i]);
	if (p->hash_count)
		ms_text_end(t, 2);
}

static void keys(struct ms_text *t, const struct ms_inspect_report *r)
{
	const struct ms_key_patterns *p = &r->keys;
	struct ms_human a, b, c, d;

	if (!p->asked)
		return;
	if (!p->known) {
		ms_text_printf(t, "keys: not known: %s", p->unknown_why);
		ms_text_end(t, 0);
		return;
	}
	ms_text_printf(t,
		       "keys: of %s looked at, from %s to %s %s; hashes have a salt of this "
		       "run",
		       ms_human_count(&a, p->sampled), ms_human_count(&b, p->shortest),
		       ms_human_count(&c, p->longest), p->are_texts ? "bytes" : "bits");
	ms_text_end(t, 0);
	key_lengths(t, p);
	if (p->are_texts)
		ms_text_printf(t,
			       "made of digits alone: %s, of hex digits: %s, of letters: %s, of "
			       "others: %s",
			       ms_human_count(&a, p->digits), ms_human_count(&b, p->hex),
			       ms_human_count(&c, p->letters), ms_human_count(&d, p->others));
	else
		ms_text_printf(t, "multiples of 8: %s", ms_human_count(&a, p->multiples_of_8));
	ms_text_end(t, 2);
	key_classes(t, p);
}

// --- Invariants. ---

static void invariants(struct ms_text *t, const struct ms_inspect_report *r)
{
	size_t holds = ms_inspect_count(r, MS_INVARIANT_HOLDS);
	struct ms_human h;

	if (!r->invariant_count)
		return;
	ms_text_printf(t, "invariants: %zu of %zu hold", holds, r->invariant_count);
	ms_text_end(t, 0);
	for (size_t i = 0; i < r->invariant_count; i++) {
		const struct ms_invariant *v = &r->invariants[i];

		if (v->state == MS_INVARIANT_HOLDS) {
			ms_text_printf(t, "holds    ");
		} else {
			ms_text_colored(
			    t, v->state == MS_INVARIANT_BROKEN ? MS_TEXT_RED : MS_TEXT_YELLOW,
			    v->state == MS_INVARIANT_BROKEN ? "BROKEN " : "unknown");
			ms_text_printf(t, "  ");
		}
		ms_text_printf(t, "%s: %s", v->name, v->claims);
		if (v->state != MS_INVARIANT_HOLDS && v->detail) {
			ms_text_printf(t, "; but ");
			ms_text_name(t, v->detail, 0);
		}
		if (v->state == MS_INVARIANT_BROKEN && v->broken > 1)
			ms_text_printf(t, "; and %s more", ms_human_count(&h, v->broken - 1));
		ms_text_end_hanging(t, 2, 11);
	}
}

// --- Debuggers. ---

static void program_and_core(struct ms_text *t, const char *debugger,
			     const struct ms_inspect_report *r)
{
	ms_text_printf(t, "%s", debugger);
	ms_text_name(t, r->target.exe, 0);
	ms_text_printf(t, " ");
	ms_text_name(t, r->target.core, 0);
}

static void debuggers(struct ms_text *t, const struct ms_inspect_report *r,
		      const struct ms_inspect_view *view)
{
	bool core = r->target.core;
	char command[96];

	if (view->gdb) {
		ms_text_printf(t,
			       "in gdb%s:", core ? "" : ", which stops the process while it looks");
		ms_text_end(t, 0);
		if (core)
			program_and_core(t, "  gdb ", r);
		else
			ms_text_printf(t, "  gdb -p %" PRIu64, r->target.pid);
		ms_text_printf(t, " -batch");
		for (size_t i = 0; i < r->view_count; i++) {
			ms_inspect_gdb_command(&r->views[i], command, sizeof(command));
			ms_text_printf(t, " \\\n    -ex '%s'", command);
		}
		ms_text_end_whole(t);
	}
	if (view->dlv && ms_map_row_is_hmap(&r->row) && !r->target.go_version) {
		ms_text_printf(t, "not in dlv: this is no Go program");
		ms_text_end(t, 0);
	} else if (view->dlv) {
		if (core)
			program_and_core(t, "in dlv core ", r);
		else
			ms_text_printf(t, "in dlv attach %" PRIu64 ", which stops it, too",
				       r->target.pid);
		ms_text_printf(t, ":");
		ms_text_end(t, 0);
		for (size_t i = 0; i < r->view_count; i++) {
			if (r->views[i].command)
				continue; // Of gdb alone.
			ms_inspect_dlv_command(&r->views[i], command, sizeof(command));
			ms_text_printf(t, "  %s", command);
			ms_text_end_whole(t);
		}
	}
	if (view->gdb || view->dlv)
		ms_text_printf(t, "these are, in this order: ");
	for (size_t i = 0; i < r->view_count && (view->gdb || view->dlv); i++)
		ms_text_printf(t, "%s%s", i ? "; " : "", r->views[i].what);
	if (view->gdb || view->dlv)
		ms_text_end(t, 0);
}

struct ms_error *ms_render_inspect_text(const struct ms_inspect_report *r,
					const struct ms_inspect_view *view,
					const struct ms_text_style *style, struct ms_sink *sink)
{
	struct ms_text t;

	ms_text_init(&t, style, sink);
	first_line(&t, r);
	owner_line(&t, r);
	looks_line(&t, r);
	ms_text_inspect_bytes(&t, r);
	words(&t, r);
	growth_line(&t, r);
	ms_text_inspect_arrays(&t, r);
	unit_line(&t, r);
	ms_text_inspect_table(&t, r);
	layout(&t, r);
	keys(&t, r);
	invariants(&t, r);
	debuggers(&t, r, view);
	ms_text_cost(&t, &r->cost);
	return ms_text_finish(&t);
}
