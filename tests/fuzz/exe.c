// exe.c - an executable made around fuzzed bytes, so that a fuzzer need not keep an ELF header
// whole to reach what lies behind it.
#include "tests/fuzz/exe.h"

static struct ms_elf around(size_t size, enum ms_arch arch, size_t cut)
{
	return (struct ms_elf){
		.arch = arch,
		.segments = {
			{ FUZZ_EXE_VADDR, 0, cut, cut, MS_PROT_READ },
			{ FUZZ_EXE_VADDR + cut, cut, size - cut, size - cut,
			  MS_PROT_READ | MS_PROT_WRITE },
			{ 1 << 30, 0, size, size, MS_PROT_READ | MS_PROT_EXEC },
		},
		.segment_count = 3,
	};
}

void fuzz_exe_open(struct fake_target *fake, struct fuzz_input *in, struct ms_elf *ret_elf)
{
	unsigned mode = (unsigned)fuzz_number(in, 1);
	size_t cut = (size_t)fuzz_number(in, 1);

	fake_target_init(fake);
	fake_target_exe(fake, in->at, in->left);
	if ((mode & 2) && fuzz_worked(ms_elf_open(&fake->target, ret_elf)))
		return;
	*ret_elf = around(in->left, mode & 1 ? MS_ARCH_ARM64 : MS_ARCH_AMD64, in->left * cut / 256);
}
