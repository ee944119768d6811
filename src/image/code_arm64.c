// code_arm64.c - arm64 by Capstone.
//
// An address takes two instructions here: a page (ADRP) and what is in it (ADD, LDR, STR).  The
// first is a constant and the second counts from a register, so whoever follows values puts them
// together without a word from us.
//
// Capstone 4 says of some memory operands that they are read where they are written.  So anything
// with a memory operand that is not known to load is taken as writing it.
#include "image/code_internal.h"

#include <capstone.h>
#include <stdlib.h>

enum { INSN_BYTES = 4 };

struct decoder {
	csh handle;
	cs_insn *insn;
};

static void arm64_close(void *opened)
{
	struct decoder *d = opened;

	if (d->insn)
		cs_free(d->insn, 1);
	cs_close(&d->handle);
	free(d);
}

static void *arm64_open(void)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d || cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &d->handle) != CS_ERR_OK) {
		free(d);
		return NULL;
	}
	if (cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		d->insn = cs_malloc(d->handle); // Its size depends on the option.
	if (!d->insn) {
		arm64_close(d);
		return NULL;
	}
	return d;
}

static uint8_t number_of(unsigned reg)
{
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return (uint8_t)(reg - ARM64_REG_X0);
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		return (uint8_t)(reg - ARM64_REG_W0);
	if (reg == ARM64_REG_X29 || reg == ARM64_REG_X30)
		return reg == ARM64_REG_X29 ? 29 : 30;
	return reg == ARM64_REG_SP || reg == ARM64_REG_WSP ? MS_ARM64_SP : MS_CODE_NONE;
}

static bool is_wide(unsigned reg)
{
	return (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28) || reg == ARM64_REG_X29 ||
	       reg == ARM64_REG_X30 || reg == ARM64_REG_SP || reg == ARM64_REG_XZR;
}

static bool is_zero(unsigned reg)
{
	return reg == ARM64_REG_XZR || reg == ARM64_REG_WZR;
}

static bool is_register(const cs_arm64_op *op)
{
	return op->type == ARM64_OP_REG;
}

/** What is written; the first operand counts as written unless a case below knows better. */
static void effects(struct decoder *d, struct ms_insn *insn)
{
	const cs_arm64 *a = &d->insn->detail->arm64;
	uint8_t read_count, write_count;
	cs_regs read, write;

	for (unsigned i = 0; i < a->op_count; i++) {
		const cs_arm64_op *op = &a->operands[i];

		if (is_register(op) && (i == 0 || (op->access & CS_AC_WRITE)) &&
		    number_of(op->reg) != MS_CODE_NONE)
			insn->writes |= (uint32_t)1 << number_of(op->reg);
		if (op->type != ARM64_OP_MEM)
			continue;
		insn->kind = MS_INSN_CLOBBER;
		if (a->writeback && number_of(op->mem.base) != MS_CODE_NONE)
			insn->writes |= (uint32_t)1 << number_of(op->mem.base);
	}
	if (cs_regs_access(d->handle, d->insn, read, &read_count, write, &write_count) != CS_ERR_OK)
		return;
	for (unsigned i = 0; i < write_count; i++) {
		if (number_of(write[i]) != MS_CODE_NONE)
			insn->writes |= (uint32_t)1 << number_of(write[i]);
	}
}

/** Loads and stores of one or two registers at a register plus a number. */
static void memory(const cs_arm64 *a, bool load, bool pair, struct ms_insn *insn)
{
	unsigned count = pair ? 2 : 1;
	const cs_arm64_op *place = &a->operands[count];

	if (load && !a->writeback)
		insn->kind = MS_INSN_OTHER;
	if (pair && load)
		insn->writes |= number_of(a->operands[1].reg) != MS_CODE_NONE
				    ? (uint32_t)1 << number_of(a->operands[1].reg)
				    : 0;
	if (a->op_count != count + 1 || place->type != ARM64_OP_MEM || a->writeback ||
	    place->mem.index != ARM64_REG_INVALID || number_of(place->mem.base) == MS_CODE_NONE)
		return;
	if (!load)
		insn->writes = 0;
	insn->base = number_of(place->mem.base);
	insn->value = (uint64_t)(int64_t)place->mem.disp;
	if (!is_wide(a->operands[0].reg) || (pair && !is_wide(a->operands[1].reg)))
		return;
	insn->kind = load ? MS_INSN_LOAD : MS_INSN_STORE;
	insn->bytes = 8;
	if (!load && !pair && is_zero(a->operands[0].reg)) {
		insn->kind = MS_INSN_STORE_CONST;
		return;
	}
	insn->reg = number_of(a->operands[0].reg);
	if (pair)
		insn->second = number_of(a->operands[1].reg);
}

static void add(const cs_arm64 *a, bool minus, struct ms_insn *insn)
{
	const cs_arm64_op *by = &a->operands[2];

	if (a->op_count != 3 || by->type != ARM64_OP_IMM || !is_wide(a->operands[0].reg) ||
	    number_of(a->operands[1].reg) == MS_CODE_NONE)
		return;
	insn->kind = MS_INSN_ADD;
	insn->reg = number_of(a->operands[0].reg);
	insn->base = number_of(a->operands[1].reg);
	insn->value = (uint64_t)by->imm << (by->shift.type == ARM64_SFT_LSL ? by->shift.value : 0);
	if (minus)
		insn->value = 0 - insn->value;
}

static void move(const cs_arm64 *a, struct ms_insn *insn)
{
	const cs_arm64_op *to = &a->operands[0], *from = &a->operands[1];

	if (a->op_count != 2 || !is_register(to) || number_of(to->reg) == MS_CODE_NONE)
		return;
	if (from->type == ARM64_OP_IMM || (is_register(from) && is_zero(from->reg))) {
		insn->kind = MS_INSN_CONST;
		insn->value =
		    is_register(from)
			? 0
			: (uint64_t)from->imm
			      << (from->shift.type == ARM64_SFT_LSL ? from->shift.value & 63 : 0);
	} else if (is_register(from) && is_wide(to->reg) && number_of(from->reg) != MS_CODE_NONE) {
		insn->kind = MS_INSN_MOVE;
		insn->base = number_of(from->reg);
	} else {
		return;
	}
	insn->reg = number_of(to->reg);
}

/** ORR with the zero register moves: Capstone names only some of them so. */
static void or_zero(const cs_arm64 *a, struct ms_insn *insn)
{
	if (a->op_count != 3 || !is_zero(a->operands[1].reg) ||
	    a->operands[2].type != ARM64_OP_IMM || number_of(a->operands[0].reg) == MS_CODE_NONE)
		return;
	insn->kind = MS_INSN_CONST;
	insn->reg = number_of(a->operands[0].reg);
	insn->value = (uint64_t)a->operands[2].imm;
}

static void compare(const cs_arm64 *a, struct ms_insn *insn)
{
	insn->writes = 0;
	if (a->op_count != 2 || !is_register(&a->operands[1]) || !is_wide(a->operands[0].reg))
		return;
	insn->kind = MS_INSN_COMPARE;
	insn->reg = number_of(a->operands[0].reg);
	insn->second = number_of(a->operands[1].reg);
}

static void transfer(const cs_arm64 *a, enum ms_insn_kind kind, struct ms_insn *insn)
{
	const cs_arm64_op *to = a->op_count ? &a->operands[a->op_count - 1] : NULL;

	insn->kind = (uint8_t)kind;
	insn->writes = 0;
	if (to && kind == MS_INSN_CALL && is_register(to))
		insn->base = number_of(to->reg);
	if (to && to->type == ARM64_OP_IMM)
		insn->value = (uint64_t)to->imm;
}

static void page(const cs_arm64 *a, struct ms_insn *insn)
{
	insn->kind = MS_INSN_CONST;
	insn->reg = number_of(a->operands[0].reg);
	insn->value = (uint64_t)a->operands[1].imm;
}

static void classify(const cs_insn *i, struct ms_insn *insn)
{
	const cs_arm64 *a = &i->detail->arm64;

	switch (i->id) {
	case ARM64_INS_BL:
	case ARM64_INS_BLR:
		transfer(a, MS_INSN_CALL, insn);
		break;
	case ARM64_INS_B:
		transfer(a,
			 a->cc == ARM64_CC_INVALID || a->cc == ARM64_CC_AL ? MS_INSN_JUMP
									   : MS_INSN_BRANCH,
			 insn);
		break;
	case ARM64_INS_BR:
		transfer(a, MS_INSN_JUMP, insn);
		break;
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
		transfer(a, MS_INSN_BRANCH, insn);
		break;
	case ARM64_INS_RET:
	case ARM64_INS_BRK:
		transfer(a, MS_INSN_STOP, insn);
		insn->value = 0;
		break;
	case ARM64_INS_ADR:
	case ARM64_INS_ADRP:
		page(a, insn);
		break;
	case ARM64_INS_ADD:
	case ARM64_INS_SUB:
		add(a, i->id == ARM64_INS_SUB, insn);
		break;
	case ARM64_INS_MOV:
	case ARM64_INS_MOVZ:
		move(a, insn);
		break;
	case ARM64_INS_ORR:
		or_zero(a, insn);
		break;
	case ARM64_INS_CMP:
		compare(a, insn);
		break;
	case ARM64_INS_LDR:
	case ARM64_INS_LDUR:
		memory(a, true, false, insn);
		break;
	case ARM64_INS_LDP:
		memory(a, true, true, insn);
		break;
	case ARM64_INS_STR:
	case ARM64_INS_STUR:
		memory(a, false, false, insn);
		break;
	case ARM64_INS_STP:
		memory(a, false, true, insn);
		break;
	default:
		break;
	}
}

static bool arm64_decode(void *opened, const uint8_t *bytes, size_t size, ms_addr address,
			 struct ms_insn *insn)
{
	struct decoder *d = opened;

	if (size < INSN_BYTES || !cs_disasm_iter(d->handle, &bytes, &size, &address, d->insn))
		return false;
	insn->length = INSN_BYTES;
	effects(d, insn);
	classify(d->insn, insn);
	if (insn->kind == MS_INSN_CONST && insn->reg == MS_CODE_NONE)
		insn->kind = MS_INSN_OTHER; // Into the register that is always zero.
	return true;
}

const struct ms_code_ops ms_code_arm64 = {
	.open = arm64_open,
	.decode = arm64_decode,
	.close = arm64_close,
	.stack_pointer = MS_ARM64_SP,
};
