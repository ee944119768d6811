// record_pieces.c - bytes seen at places, and the ranges they add up to.
//
// While a reader works, each read is only appended: that costs the reader little.  The overlaps
// are settled once, at the end, by painting the pieces in the order they were seen.
#include "target/record_pieces.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "target/record_format.h"

static bool all_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

struct ms_error *ms_record_pieces_add(struct ms_record_pieces *pieces, uint64_t start,
				      const void *bytes, size_t size)
{
	struct ms_record_piece piece = { .start = start, .size = size };

	if (pieces->count >= MS_RECORD_RANGES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "a recording holds at most %d reads",
				    MS_RECORD_RANGES_MAX);
	if (!all_zero(bytes, size)) {
		if (size > MS_RECORD_BYTES_MAX - pieces->bytes)
			return ms_error_new(MS_ERR_LIMIT, "a recording holds at most %d MiB",
					    MS_RECORD_BYTES_MAX >> 20);
		piece.bytes = malloc(size);
		if (!piece.bytes)
			return ms_error_no_memory();
		memcpy(piece.bytes, bytes, size);
	}
	if (!ms_vec_push(pieces, piece)) {
		free(piece.bytes);
		return ms_error_no_memory();
	}
	pieces->bytes += piece.bytes ? size : 0;
	return NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct ms_record_piece *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/** The merged ranges of @p pieces, still without bytes. */
static struct ms_error *outline(const struct ms_record_pieces *pieces,
				struct ms_record_pieces *ret_ranges)
{
	size_t bytes = pieces->count * sizeof(*pieces->items);
	MS_AUTO_FREE struct ms_record_piece *sorted = malloc(bytes ? bytes : 1);

	if (!sorted || !ms_vec_reserve(ret_ranges, pieces->count))
		return ms_error_no_memory();
	if (pieces->count)
		memcpy(sorted, pieces->items, bytes);
	qsort(sorted, pieces->count, sizeof(*sorted), by_start);
	for (size_t i = 0; i < pieces->count; i++) {
		struct ms_record_piece *last =
		    ret_ranges->count ? &ret_ranges->items[ret_ranges->count - 1] : NULL;
		uint64_t end = sorted[i].start + sorted[i].size;

		if (last && sorted[i].start <= last->start + last->size)
			last->size = ms_max_u64(end, last->start + last->size) - last->start;
		else
			ret_ranges->items[ret_ranges->count++] = (struct ms_record_piece){
				.start = sorted[i].start,
				.size = sorted[i].size,
			};
	}
	return NULL;
}

static struct ms_record_piece *range_of(const struct ms_record_pieces *ranges, uint64_t start)
{
	size_t low = 0, high = ranges->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].start <= start)
			low = middle;
		else
			high = middle;
	}
	return &ranges->items[low];
}

static struct ms_error *paint(struct ms_record_pieces *ranges, const struct ms_record_piece *piece)
{
	struct ms_record_piece *range = range_of(ranges, piece->start);

	if (!piece->bytes && !range->bytes)
		return NULL;
	if (!range->bytes) {
		range->bytes = calloc(1, range->size);
		if (!range->bytes)
			return ms_error_no_memory();
		ranges->bytes += range->size;
	}
	if (piece->bytes)
		memcpy(range->bytes + (piece->start - range->start), piece->bytes, piece->size);
	else
		memset(range->bytes + (piece->start - range->start), 0, piece->size);
	return NULL;
}

struct ms_error *ms_record_pieces_merge(struct ms_record_pieces *pieces)
{
	MS_CLEANUP(ms_record_pieces_deinit) struct ms_record_pieces ranges = { 0 };
	struct ms_error *err = outline(pieces, &ranges);

	for (size_t i = 0; !err && i < pieces->count; i++)
		err = paint(&ranges, &pieces->items[i]);
	if (err)
		return err;
	ms_record_pieces_deinit(pieces);
	*pieces = ranges;
	ranges = (struct ms_record_pieces){ 0 };
	return NULL;
}

void ms_record_pieces_deinit(struct ms_record_pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++)
		free(pieces->items[i].bytes);
	ms_vec_free(pieces);
	pieces->bytes = 0;
}
