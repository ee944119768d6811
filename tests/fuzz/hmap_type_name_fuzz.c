// The name of a type, as hmap-layout takes it.
#include "hmap_tools/type_name.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <string.h>

MS_FUZZ_TARGET(hmap_type_name)
{
	struct type_size got = { 77, 77 };
	char *text = malloc(size + 1);
	const char *wrong;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	wrong = type_size_of_name(text, &got);
	if (wrong)
		FUZZ_CHECK(got.size == 77 && *wrong);
	else
		FUZZ_CHECK(got.align && !(got.align & (got.align - 1)) &&
			   got.size % got.align == 0);
	free(text);
}
