// memory_life.c - how many objects of each span live, and how many are dead and not swept.
//
// A swept span knows how many of its slots are taken, so nothing has to be read.  A span that is
// still to be swept knows how many were taken when the collection ended; its mark bits say how many
// of these live.  A span that is swept between our look at its record and at its bits answers the
// same: what were its mark bits has become its allocation bits, at the same address.
#include "census/memory_internal.h"
#include "target/fetch.h"

enum {
	SPANS_AT_ONCE = 4096,
	BITS_BYTES_MAX = 1024, // 8192 objects: no span has more (runtime/sizeclasses.go).
};

static bool has_marks(const struct ms_span *s)
{
	return s->state == MS_SPAN_IN_USE && s->elems <= BITS_BYTES_MAX * 8 &&
	       (s->bits == MS_SPAN_BITS_MARK || s->bits == MS_SPAN_BITS_INLINE_MARK);
}

static uint32_t bits_bytes(const struct ms_span *s)
{
	return (uint32_t)(ms_round_up(s->elems, 64) / 8);
}

/** Queue the reads of one span; where its inline marks lie as well, they are the want behind. */
static struct ms_error *want_marks(struct ms_fetch *f, const struct ms_go_layout *l,
				   const struct ms_span *s)
{
	uint32_t unused;
	struct ms_error *err = ms_fetch_add(f, s->mark_bits, bits_bytes(s), &unused);

	if (!err && s->bits == MS_SPAN_BITS_INLINE_MARK)
		err = ms_fetch_add(f, ms_span_end(s) - l->inline_marks_size + l->inline_marks_marks,
				   bits_bytes(s), &unused);
	return err;
}

/** The bits of the first @p bits bits that are set in one of both; either may be NULL. */
static uint32_t count_bits(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < bits; i += 8) {
		unsigned byte = (a ? a[i / 8] : 0u) | (b ? b[i / 8] : 0u);

		if (bits - i < 8)
			byte &= (1u << (bits - i)) - 1;
		count += (uint32_t)__builtin_popcount(byte);
	}
	return count;
}

static struct ms_error *count_batch(struct ms_go_runtime *rt, const struct ms_spans *spans,
				    const uint32_t *which, size_t count, struct ms_fetch *f,
				    struct ms_span_life *lives)
{
	struct ms_error *err = NULL;
	uint32_t want = 0;

	ms_fetch_reset(f);
	for (size_t i = 0; i < count && !err; i++)
		err = want_marks(f, rt->layout, &spans->items[which[i]]);
	if (!err)
		err = ms_fetch_run(f, rt->target);
	for (size_t i = 0; i < count && !err; i++) {
		const struct ms_span *s = &spans->items[which[i]];
		struct ms_span_life *life = &lives[which[i]];
		const uint8_t *marks = ms_fetch_bytes(f, want++), *more = NULL;
		uint32_t taken = life->live;

		if (s->bits == MS_SPAN_BITS_INLINE_MARK)
			more = ms_fetch_bytes(f, want++);
		if (!marks && !more)
			continue; // Nothing says that one is dead.
		life->live = (uint32_t)ms_min_u64(taken, count_bits(marks, more, s->elems));
		life->garbage = taken - life->live;
	}
	return err;
}

struct ms_error *ms_memory_count_lives(struct ms_go_runtime *rt, const struct ms_spans *spans,
				       struct ms_span_life *ret_lives)
{
	struct ms_fetch fetch = { 0 };
	uint32_t which[SPANS_AT_ONCE];
	size_t count = 0;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < spans->count && !err; i++) {
		const struct ms_span *s = &spans->items[i];

		ret_lives[i] = (struct ms_span_life){ 0 };
		if (s->state != MS_SPAN_IN_USE)
			continue;
		ret_lives[i].live = (uint32_t)ms_min_u64(s->alloc_count, s->elems);
		if (!has_marks(s))
			continue;
		which[count++] = (uint32_t)i;
		if (count == SPANS_AT_ONCE) {
			err = count_batch(rt, spans, which, count, &fetch, ret_lives);
			count = 0;
		}
	}
	if (!err && count)
		err = count_batch(rt, spans, which, count, &fetch, ret_lives);
	ms_fetch_deinit(&fetch);
	return err;
}
