// A table of prices that four threads fill, that is frozen, and of which a reader keeps one price.
#include <hmap/hmap_hash.h>
#include <hmap/hmap_safe.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static uint64_t hash(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	(void)state;
	memcpy(&number, key, sizeof(number));
	return hmap_hash_u64(number, seed);
}

static void *fill(void *prices)
{
	for (uint64_t article = 0; article < 1000; article++) {
		uint64_t price = article * 10;

		if (hmap_safe_put(prices, &article, &price) != HMAP_OK)
			return NULL;
	}
	return prices;
}

int main(void)
{
	const struct hmap_type type = { .key_size = 8, .value_size = 8, .hash = hash };
	const struct hmap_safe_options options = { .values = HMAP_SAFE_COPY_ON_WRITE };
	struct hmap_safe *prices = NULL;
	struct hmap_safe_ref old;
	uint64_t article = 7, price = 99;
	pthread_t threads[4];

	if (hmap_safe_create(&type, &options, &prices) != HMAP_OK)
		return 1;
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, fill, prices) != 0)
			return 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	if (hmap_safe_borrow(prices, &article, &old) != HMAP_OK ||
	    hmap_safe_put(prices, &article, &price) != HMAP_OK ||
	    hmap_safe_freeze(prices) != HMAP_OK || // From here on, reads take no lock.
	    hmap_safe_get(prices, &article, &price) != HMAP_OK)
		return 1;
	printf("%zu prices after %d writes\n", hmap_safe_count(prices),
	       (int)hmap_safe_version(prices));
	printf("now %d, was %d\n", (int)price, (int)*(const uint64_t *)old.value);
	printf("a put: %s\n", hmap_status_text(hmap_safe_put(prices, &article, &price)));
	hmap_safe_destroy(prices);
	printf("still %d\n", (int)*(const uint64_t *)old.value);
	hmap_safe_release(&old);
	return 0;
}
