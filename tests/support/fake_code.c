// fake_code.c - see fake_code.h.
#include "tests/support/fake_code.h"

#include <stdlib.h>

struct fake_code *fake_code_create(const struct fake_function *list, size_t count, unsigned it)
{
	struct fake_code *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->list = list;
	c->it = it;
	c->fake = fake_functions_create(list, count, MS_ARCH_AMD64);
	c->text_bytes = (size_t)(fake_code_entry(c, (unsigned)count) - FAKE_TEXT);
	if (c->text_bytes > sizeof(c->text))
		abort();
	memset(c->text, 0xcc, sizeof(c->text));
	if (ms_go_functions(&c->fake->rt, &c->functions))
		abort();
	return c;
}

void fake_code_destroy(struct fake_code *c)
{
	fake_functions_destroy(c->fake);
	free(c);
}

ms_addr fake_code_entry(const struct fake_code *c, unsigned function)
{
	ms_addr entry = FAKE_TEXT;

	for (unsigned i = 0; i < function; i++)
		entry += c->list[i].bytes;
	return entry;
}

uint8_t *fake_code_at(struct fake_code *c, size_t at)
{
	return c->text + (fake_code_entry(c, c->it) - FAKE_TEXT) + at;
}

size_t fake_code_put(struct fake_code *c, const void *bytes, size_t size)
{
	size_t at = c->used;

	if (c->used + size > c->list[c->it].bytes)
		abort();
	memcpy(fake_code_at(c, at), bytes, size);
	c->used += size;
	return at;
}

size_t fake_code_call(struct fake_code *c, unsigned function)
{
	ms_addr next = fake_code_entry(c, c->it) + c->used + 5;
	int32_t distance = (int32_t)((int64_t)fake_code_entry(c, function) - (int64_t)next);
	uint8_t bytes[5] = { 0xe8 };

	memcpy(bytes + 1, &distance, sizeof(distance));
	return fake_code_put(c, bytes, sizeof(bytes));
}

void fake_code_map(struct fake_code *c)
{
	fake_target_map(&c->fake->fake, FAKE_TEXT, c->text, c->text_bytes, MS_REGION_EXE,
			MS_PROT_READ | MS_PROT_EXEC);
}

void fake_code_file(struct fake_code *c)
{
	struct fake_functions *f = c->fake;

	if (sizeof(f->exe) - f->exe_bytes < c->text_bytes)
		abort();
	memcpy(f->exe + f->exe_bytes, c->text, c->text_bytes);
	f->rt.elf.segments[1] =
	    (struct ms_elf_segment){ FAKE_TEXT, f->exe_bytes, c->text_bytes, c->text_bytes,
				     MS_PROT_READ | MS_PROT_EXEC };
	f->rt.elf.segment_count = 2;
	fake_target_exe(&f->fake, f->exe, f->exe_bytes + c->text_bytes);
}
