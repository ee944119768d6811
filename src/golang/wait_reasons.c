// wait_reasons.c - the numbers differ between releases, so the target's own table is read.
//
// runtime.waitReasonStrings is an array of strings that begins alike in every release from 1.18 on
// (what follows was put in another order by Go 1.26):
//
//	"", "GC assist marking", "IO wait", ...
//
// It is initialised by the linker and written by nobody.  So the data ranges are looked through for
// three string headers in a row of these lengths, and the bytes behind them say whether it is the
// one.  It ends where a word is no such header any more.  What happens to stand behind it may look
// like one; no goroutine has its number.
#include "golang/wait_reasons.h"

#include "base/cleanup.h"

enum {
	SCAN_STEP = 1 << 20,
	HEADER_BYTES = 16,
	NAME_BYTES_MAX = 64, // The longest is "sync.WaitGroup.Wait (durable)".
	KNOWN = 3,
	PLACES_MAX = 64, // That have the right lengths: more are not read.
};

static const char *const known[KNOWN] = { "", "GC assist marking", "IO wait" };

struct search {
	struct ms_go_runtime *rt;
	ms_addr found;
	unsigned count, places;
	uint8_t bytes[SCAN_STEP];
};

static bool has_lengths(const uint8_t *raw)
{
	for (size_t i = 0; i < KNOWN; i++) {
		if (ms_load_u64(raw + i * HEADER_BYTES + 8) != strlen(known[i]))
			return false;
	}
	return ms_load_u64(raw + HEADER_BYTES) && ms_load_u64(raw + (size_t)2 * HEADER_BYTES);
}

/** The string of a header.  False when it is none, or none of ours. */
static bool name_read(struct ms_go_runtime *rt, const uint8_t *raw, char ret_name[NAME_BYTES_MAX],
		      struct ms_error **ret_err)
{
	uint64_t size = ms_load_u64(raw + 8);

	ret_name[0] = '\0';
	if (size >= NAME_BYTES_MAX)
		return false;
	if (!size)
		return true;
	*ret_err = ms_target_read(rt->target, ms_load_u64(raw), ret_name, (size_t)size);
	if (*ret_err) {
		if (ms_error_code(*ret_err) == MS_ERR_FAULT) {
			ms_error_free(*ret_err);
			*ret_err = NULL;
		}
		return false;
	}
	ret_name[size] = '\0';
	for (size_t i = 0; i < size; i++) {
		if (ret_name[i] < ' ' || ret_name[i] > '~')
			return false;
	}
	return true;
}

static struct ms_error *judge(struct search *s, ms_addr at, const uint8_t *raw)
{
	char name[NAME_BYTES_MAX];
	struct ms_error *err = NULL;

	if (s->places++ >= PLACES_MAX)
		return NULL;
	for (size_t i = 0; i < KNOWN; i++) {
		if (!name_read(s->rt, raw + i * HEADER_BYTES, name, &err) ||
		    strcmp(name, known[i]) != 0)
			return err;
	}
	s->found = at;
	s->count++;
	return NULL;
}

static struct ms_error *range_search(struct search *s, ms_addr start, ms_addr end)
{
	enum { NEED = KNOWN * HEADER_BYTES };

	for (ms_addr at = ms_round_up(start, 8); at + NEED <= end; at += SCAN_STEP - NEED) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, end - at);
		struct ms_error *err = ms_target_read(s->rt->target, at, s->bytes, size);

		if (err && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err);
			continue;
		}
		for (size_t i = 0; !err && i + NEED <= size; i += 8) {
			if (has_lengths(s->bytes + i))
				err = judge(s, at + i, s->bytes + i);
		}
		if (err)
			return err;
	}
	return NULL;
}

/** All names of the table that was found. */
static struct ms_error *names_read(struct ms_go_runtime *rt, struct ms_arena *arena,
				   struct ms_go_wait_reasons *reasons)
{
	uint8_t raw[MS_WAIT_REASONS_MAX * HEADER_BYTES];
	const struct ms_go_module *m = &rt->modules[0];
	bool in_data = reasons->address >= m->data && reasons->address < m->edata;
	ms_addr end = in_data ? m->edata : m->enoptrdata;
	size_t size = (size_t)ms_min_u64(sizeof(raw), end - reasons->address);
	struct ms_error *err = ms_target_read(rt->target, reasons->address, raw, size);

	for (size_t i = 0; !err && i < size / HEADER_BYTES; i++) {
		char name[NAME_BYTES_MAX];

		if (!name_read(rt, raw + i * HEADER_BYTES, name, &err) || (i && !name[0]))
			break;
		reasons->names[i] = ms_arena_strndup(arena, name, strlen(name));
		if (!reasons->names[i])
			return ms_error_no_memory();
		reasons->count++;
	}
	return err;
}

struct ms_error *ms_go_wait_reasons_find(struct ms_go_runtime *rt, struct ms_arena *arena,
					 struct ms_go_wait_reasons *ret_reasons)
{
	const struct ms_go_module *m = &rt->modules[0];
	MS_AUTO_FREE struct search *s = malloc(sizeof(*s));
	struct ms_go_wait_reasons reasons = { 0 };
	struct ms_error *err;

	if (!s)
		return ms_error_no_memory();
	s->rt = rt;
	s->count = s->places = 0;
	err = range_search(s, m->data, m->edata);
	if (!err)
		err = range_search(s, m->noptrdata, m->enoptrdata);
	if (!err && s->count != 1)
		err = ms_error_new(MS_ERR_BAD_DATA,
				   "the names of wait reasons were looked for and found %u times",
				   s->count);
	if (err)
		return err;
	reasons.address = s->found;
	err = names_read(rt, arena, &reasons);
	if (!err)
		*ret_reasons = reasons;
	return err;
}
