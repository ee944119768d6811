// What typed maps need of the library: keys that are texts of the map's own, and doubles.
#include <hmap/hmap_typed.h>

#include <stdlib.h>
#include <sys/random.h>

bool hmap_copy_string(void *to, const void *from, void *state)
{
	struct hmap_string string = *(const struct hmap_string *)from;
	// One byte more, so that it can be handed to what wants a zero at the end.
	char *text = malloc((size_t)string.length + 1);

	(void)state;
	if (!text)
		return false;
	memcpy(text, string.text, string.length);
	text[string.length] = '\0';
	string.text = text;
	memcpy(to, &string, sizeof(string));
	return true;
}

void hmap_destroy_string(void *string, void *state)
{
	(void)state;
	free((char *)(uintptr_t)((struct hmap_string *)string)->text);
}

uint64_t hmap_hash_double(const void *key, uint64_t seed, void *state)
{
	uint64_t bits;
	double value;

	(void)state;
	memcpy(&value, key, sizeof(value));
	memcpy(&bits, key, sizeof(bits));
	if (value == 0)
		return hmap_hash_u64(0, seed);
	// As in Go: NaNs are all different, and spread over the table.
	if (value != value &&
	    getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
		bits = hmap_hash_u64((uintptr_t)&bits, bits);
	return hmap_hash_u64(bits, seed);
}
