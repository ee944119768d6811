// Types that are known only when the program runs: keys with a hash and an equality of their own.
#include <ctype.h>
#include <hmap/hmap.h>
#include <hmap/hmap_hash.h>
#include <stdio.h>

struct header {
	char name[16];
};

/** Names of headers are the same in capitals. */
static uint64_t hash(const void *key, uint64_t seed, void *state)
{
	struct header low = { { 0 } };

	(void)state;
	for (int i = 0; i < 15 && ((const char *)key)[i]; i++)
		low.name[i] = (char)tolower((unsigned char)((const char *)key)[i]);
	return hmap_hash_bytes(&low, sizeof(low), seed);
}

static bool equal(const void *a, const void *b, void *state)
{
	const char *x = a, *y = b;

	(void)state;
	while (*x && tolower((unsigned char)*x) == tolower((unsigned char)*y))
		x++, y++;
	return *x == *y;
}

int main(void)
{
	const struct hmap_type type = { .name = "headers",
					.key_size = sizeof(struct header),
					.value_size = sizeof(int),
					.hash = hash,
					.equal = equal };
	struct header host = { "Host" }, same = { "HOST" }, other = { "Accept" };
	struct hmap *headers = NULL;
	int length = 11;

	if (hmap_create(&type, NULL, &headers) != HMAP_OK ||
	    hmap_put(headers, &host, &length) != HMAP_OK)
		return 1;
	printf("HOST: %d, Accept: %s\n", *(int *)hmap_get(headers, &same),
	       hmap_get(headers, &other) ? "there" : "not there");
	printf("erase: %s\n", hmap_status_text(hmap_erase(headers, &other)));
	hmap_destroy(headers);
	return 0;
}
