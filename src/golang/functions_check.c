// functions_check.c - some functions of the table, whose records have to agree with all around.
//
//   func_entry                     the record says where its function begins, as its pair does
//   func_size _npcdata _nfuncdata  the next record follows where they end
//   func_name                      the name stands behind the end of another, and is text
//   func_pcsp                      frames are words, none at the entry, and told up to the end
//   func_pcln                      so are lines, which begin at 1
//   func_pcfile _unit              and files, which the unit has
//   func_id                        most functions are nothing special: 0
//
// Maps are found without functions, so this is asked when functions are loaded, not when a target
// is opened: a table that something has scrambled takes the functions away and nothing else.
#include "golang/functions_internal.h"
#include "golang/pc_values.h"

#include <inttypes.h>

enum {
	SAMPLES = 64,
	PADDING_BYTES_MAX = 64, // Behind a function, up to where the next is aligned.
	ID_MAX = 63,
	GOOD_PERCENT = 90,
	PLAIN_PERCENT = 60,
};

/** A text that stands behind a terminator, or at the start of its part. */
static bool is_text(const struct ms_functions_part *part, uint32_t at)
{
	const uint8_t *text = part->bytes + at;

	if (at >= part->size || (at && text[-1]))
		return false;
	while (*text >= ' ' && *text != 0x7f)
		text++;
	return !*text;
}

struct steps_seen {
	int32_t first, last, least;
	bool are_words;
};

/** What all steps from the word at @p field say, when they end where the function does. */
static bool steps_read(const struct ms_functions *f, const struct ms_function *fn, uint32_t field,
		       struct steps_seen *ret_seen)
{
	uint32_t at = ms_load_u32(f->records.bytes + fn->record + field);
	struct steps_seen seen = { .are_words = true };
	struct ms_pc_values v;

	if (!at || at >= f->steps.size)
		return false;
	v = ms_pc_values_begin(f->steps.bytes + at, f->steps.bytes + f->steps.size, fn->entry,
			       f->quantum);
	while (v.pc <= fn->end && ms_pc_values_next(&v)) {
		seen.last = v.value;
		seen.first = v.steps == 1 ? v.value : seen.first;
		seen.least = v.steps == 1 || v.value < seen.least ? v.value : seen.least;
		seen.are_words = seen.are_words && !(v.value & 7);
	}
	*ret_seen = seen;
	return v.steps && !v.is_malformed && v.pc <= fn->end && v.pc + PADDING_BYTES_MAX >= fn->end;
}

static bool has_file(const struct ms_functions *f, const uint8_t *raw, int32_t file)
{
	uint64_t unit = (uint64_t)ms_load_u32(raw + f->layout->func_unit) + (uint32_t)file;
	uint32_t at;

	if (file < 0 || unit >= f->units.size / 4)
		return false;
	at = ms_load_u32(f->units.bytes + unit * 4);
	return at != MS_FUNCTIONS_NO_FILE && is_text(&f->files, at);
}

/** Whether the record of @p fn ends where @p next begins. */
static bool is_followed_by(const struct ms_functions *f, const struct ms_function *fn,
			   const struct ms_function *next)
{
	const struct ms_go_layout *l = f->layout;
	const uint8_t *raw = f->records.bytes + fn->record;
	uint64_t words = (uint64_t)ms_load_u32(raw + l->func_npcdata) + raw[l->func_nfuncdata];

	return ms_round_up(fn->record + l->func_size + 4 * words, 8) == next->record;
}

static bool is_sound(const struct ms_functions *f, const struct ms_function *fn)
{
	const struct ms_go_layout *l = f->layout;
	const uint8_t *raw = f->records.bytes + fn->record;
	struct steps_seen frame, file, line;

	return is_followed_by(f, fn, fn + 1) && fn->id <= ID_MAX && *fn->name &&
	       is_text(&f->names, ms_load_u32(raw + l->func_name)) &&
	       steps_read(f, fn, l->func_pcsp, &frame) && !frame.first && frame.least >= 0 &&
	       frame.are_words && steps_read(f, fn, l->func_pcln, &line) && line.least > 0 &&
	       steps_read(f, fn, l->func_pcfile, &file) && has_file(f, raw, file.first) &&
	       has_file(f, raw, file.last);
}

/** Whether the table tells neither lines nor files of it. */
static bool is_bare(const struct ms_functions *f, const struct ms_function *fn)
{
	const uint8_t *raw = f->records.bytes + fn->record;

	return !ms_load_u32(raw + f->layout->func_pcln) &&
	       !ms_load_u32(raw + f->layout->func_pcfile);
}

static struct ms_error *refusal(const char *what, uint64_t good, uint64_t seen)
{
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "layout check failed: %s: expected of %" PRIu64 " looked at, found of "
			    "%" PRIu64,
			    what, seen, good);
}

struct ms_error *ms_functions_check(const struct ms_functions *f)
{
	uint64_t all = f->count + f->damaged, seen = 0, good = 0, plain = 0;
	size_t last = f->count ? f->count - 1 : 0; // It has no next.

	if (!f->count || f->count * 100 < all * GOOD_PERCENT)
		return refusal("functions whose records are theirs", f->count, all);
	for (size_t i = 0; i < SAMPLES && i < last; i++) {
		const struct ms_function *fn = &f->items[last > SAMPLES ? last * i / SAMPLES : i];
		bool sound = is_sound(f, fn);

		// Code of C that was linked in has an entry, and nothing more to say.
		if (!sound && is_bare(f, fn))
			continue;
		seen++;
		good += sound;
		plain += sound && !fn->id;
	}
	if (good * 100 < seen * GOOD_PERCENT)
		return refusal("functions whose records agree with the table", good, seen);
	if (plain * 100 < seen * PLAIN_PERCENT)
		return refusal("functions with nothing special", plain, seen);
	return NULL;
}
