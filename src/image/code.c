// code.c - a decoder for whichever machine a program was built for.
//
// Whoever follows values through code asks few questions of an instruction, and the same ones on
// each machine; they are struct ms_insn.  What an instruction does that this struct has no word for
// is still told: the registers that it writes and the memory that it changes, because a value that
// is wrongly thought to be there is worse than none.
#include "image/code.h"

#include "base/cleanup.h"
#include "image/code_internal.h"

struct ms_code {
	const struct ms_code_ops *ops;
	void *decoder;
};

struct ms_error *ms_code_open(enum ms_arch arch, struct ms_code **ret_code)
{
	MS_AUTO_FREE struct ms_code *code = calloc(1, sizeof(*code));

	if (!code)
		return ms_error_no_memory();
	if (arch == MS_ARCH_AMD64)
		code->ops = &ms_code_amd64;
	else if (arch == MS_ARCH_ARM64)
		code->ops = &ms_code_arm64;
	else
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "cannot decode the instructions of its architecture");
	code->decoder = code->ops->open();
	if (!code->decoder)
		return ms_error_no_memory();
	*ret_code = MS_STEAL(code);
	return NULL;
}

bool ms_code_decode(struct ms_code *code, const uint8_t *bytes, size_t size, ms_addr address,
		    struct ms_insn *ret_insn)
{
	struct ms_insn insn = { .reg = MS_CODE_NONE, .second = MS_CODE_NONE, .base = MS_CODE_NONE };

	if (!code->ops->decode(code->decoder, bytes, size, address, &insn))
		return false;
	*ret_insn = insn;
	return true;
}

unsigned ms_code_stack_pointer(const struct ms_code *code)
{
	return code->ops->stack_pointer;
}

void ms_code_close(struct ms_code *code)
{
	if (!code)
		return;
	code->ops->close(code->decoder);
	free(code);
}
