// exe.h - the bytes of a fuzz input as an executable that can be searched.
#pragma once

#include "image/elf_file.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

enum { FUZZ_EXE_VADDR = 0x400000 };

/**
 * The first byte says how: bit 0 makes it arm64; with bit 1 the bytes are an ELF file, else two
 * segments hold them all, the second byte telling in 256ths where the second begins.
 */
void fuzz_exe_open(struct fake_target *fake, struct fuzz_input *in, struct ms_elf *ret_elf);
