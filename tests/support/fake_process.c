// fake_process.c - a small process on the fake target.
#include "tests/support/fake_process.h"

/** Noise that does not compress and is the same on every run. */
static void noise(uint8_t *bytes, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (uint8_t)(seed >> 56);
	}
}

void fake_process_init(struct fake_process *p)
{
	struct fake_target *fake = &p->fake;

	*p = (struct fake_process){ 0 };
	noise(p->exe, sizeof(p->exe), 1);
	memset(p->exe + 0x3100, 0, 0x200);
	memcpy(p->data, p->exe + 0x4000, sizeof(p->data));
	memset(p->data + 0x800, 7, 0x100);
	noise(p->heap, 0x1800, 2);
	noise(p->heap + 0x21000, 0x1000, 3);
	noise(p->stack + 0x1c00, 0x400, 4);
	fake_target_init(fake);
	fake_target_exe(fake, p->exe, sizeof(p->exe));
	fake_target_map_exe(fake, FAKE_CODE, p->exe, 0x2000, 0, MS_PROT_READ | MS_PROT_EXEC);
	fake_target_map_exe(fake, FAKE_CONST, p->exe + 0x2000, 0x2000, 0x2000, MS_PROT_READ);
	fake_target_map_exe(fake, FAKE_DATA, p->data, 0x1000, 0x4000, MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(fake, FAKE_HEAP, p->heap, sizeof(p->heap), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(fake, FAKE_HEAP + FAKE_HEAP_BYTES, NULL, 0x100000, MS_REGION_ANON, 0);
	fake_target_map(fake, FAKE_DEVICE, NULL, 0x1000, MS_REGION_OTHER,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(fake, FAKE_STACK, p->stack, sizeof(p->stack), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
}

void fake_process_deinit(struct fake_process *p)
{
	fake_target_deinit(&p->fake);
}
