// A set: values cost nothing.
#include <hmap/hmap_typed.h>
#include <stdio.h>

HMAP_DEFINE_SET(numbers, uint32_t)

int main(void)
{
	struct numbers *composite = NULL;
	unsigned primes = 0;

	if (numbers_create(NULL, &composite) != HMAP_OK)
		return 1;
	for (uint32_t n = 2; n < 100000; n++) {
		if (numbers_has(composite, n))
			continue;
		primes++;
		for (uint64_t k = (uint64_t)n * n; k < 100000; k += n)
			if (numbers_add(composite, (uint32_t)k) != HMAP_OK)
				return 1;
	}
	printf("%u primes below 100000\n", primes);
	numbers_destroy(composite);
	return 0;
}
