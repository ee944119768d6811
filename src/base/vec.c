// vec.c - growth by half again, so that a freed block can be reused by the allocator.
#include "base/vec.h"

#include <stdint.h>

bool ms_vec_reserve_raw(void **items, size_t *capacity, size_t want, size_t item_size)
{
	size_t grown = *capacity + *capacity / 2;
	size_t n = want > grown ? want : grown;
	void *moved;

	if (n < 8)
		n = 8;
	if (want <= *capacity)
		return true;
	if (n > SIZE_MAX / item_size)
		return false;
	moved = realloc(*items, n * item_size);
	if (!moved)
		return false;
	*items = moved;
	*capacity = n;
	return true;
}
