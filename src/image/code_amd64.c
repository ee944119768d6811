// code_amd64.c - amd64 by Zydis.
//
// Zydis says of every operand whether it is read or written, so what an instruction changes never
// depends on a list of ours.  Only the few forms that carry a value on are told apart by name.
#include "image/code_internal.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>

enum { REGISTERS = 16 };

struct operands {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand items[ZYDIS_MAX_OPERAND_COUNT];
	ms_addr next;           // Address behind the instruction.
	const uint8_t *numbers; // Of struct decoder.
};

struct decoder {
	ZydisDecoder zydis;
	uint8_t numbers[ZYDIS_REGISTER_MAX_VALUE + 1]; // By Zydis's names.
};

/** The number of a general register of any width, or MS_CODE_NONE. */
static uint8_t number_find(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	ZyanI8 id;

	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return MS_CODE_NONE;
	id = ZydisRegisterGetId(whole);
	return id >= 0 && id < REGISTERS ? (uint8_t)id : MS_CODE_NONE;
}

static void *amd64_open(void)
{
	struct decoder *d = malloc(sizeof(*d));

	if (!d || ZYAN_FAILED(ZydisDecoderInit(&d->zydis, ZYDIS_MACHINE_MODE_LONG_64,
					       ZYDIS_STACK_WIDTH_64))) {
		free(d);
		return NULL;
	}
	for (unsigned reg = 0; reg < MS_ARRAY_SIZE(d->numbers); reg++)
		d->numbers[reg] = number_find((ZydisRegister)reg);
	return d;
}

static uint8_t number_of(const struct operands *o, ZydisRegister reg)
{
	return reg <= ZYDIS_REGISTER_MAX_VALUE ? o->numbers[reg] : MS_CODE_NONE;
}

/** Whether a memory operand is a register or the instruction pointer, plus a number. */
static bool place_of(const struct operands *o, const ZydisDecodedOperand *op, struct ms_insn *insn)
{
	if (op->mem.type != ZYDIS_MEMOP_TYPE_MEM && op->mem.type != ZYDIS_MEMOP_TYPE_AGEN)
		return false;
	if (op->mem.index != ZYDIS_REGISTER_NONE || (op->mem.segment == ZYDIS_REGISTER_FS) ||
	    op->mem.segment == ZYDIS_REGISTER_GS)
		return false;
	insn->value = op->mem.disp.has_displacement ? (uint64_t)op->mem.disp.value : 0;
	if (op->mem.base == ZYDIS_REGISTER_RIP) {
		insn->base = MS_CODE_NONE;
		insn->value += o->next;
		return true;
	}
	insn->base = number_of(o, op->mem.base);
	return insn->base != MS_CODE_NONE;
}

/** What is written: registers into a set; memory makes an OTHER a CLOBBER. */
static void effects(const struct operands *o, struct ms_insn *insn)
{
	for (unsigned i = 0; i < o->insn.operand_count; i++) {
		const ZydisDecodedOperand *op = &o->items[i];

		if (!(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			uint8_t number = number_of(o, op->reg.value);

			if (number != MS_CODE_NONE)
				insn->writes |= (uint32_t)1 << number;
		} else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
			insn->kind = MS_INSN_CLOBBER;
			insn->bytes = (uint8_t)(op->size / 8 < 128 ? op->size / 8 : 0);
			if (!place_of(o, op, insn)) {
				insn->bytes = 0;
				insn->value = 0;
				insn->base = number_of(o, op->mem.base);
			}
			if (o->insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
				insn->bytes = 0;
		}
	}
}

static bool is_register(const struct operands *o, const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       number_of(o, op->reg.value) != MS_CODE_NONE;
}

/** A register that is read or written as a whole: writing 32 bits clears the others. */
static bool is_whole(const struct operands *o, const ZydisDecodedOperand *op)
{
	return is_register(o, op) && op->size == 64;
}

static void mov_to_register(const struct operands *o, struct ms_insn *insn)
{
	const ZydisDecodedOperand *to = &o->items[0], *from = &o->items[1];

	if (to->size < 32)
		return;
	if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		insn->kind = MS_INSN_CONST;
		insn->value = to->size == 32 ? (uint32_t)from->imm.value.u : from->imm.value.u;
	} else if (is_whole(o, to) && is_whole(o, from)) {
		insn->kind = MS_INSN_MOVE;
		insn->base = number_of(o, from->reg.value);
	} else if (from->type == ZYDIS_OPERAND_TYPE_MEMORY && place_of(o, from, insn)) {
		insn->kind = MS_INSN_LOAD;
		insn->bytes = (uint8_t)(from->size / 8);
	} else {
		return;
	}
	insn->reg = number_of(o, to->reg.value);
}

static void mov_to_memory(const struct operands *o, struct ms_insn *insn)
{
	const ZydisDecodedOperand *from = &o->items[1];

	if (!insn->bytes)
		return; // A place that is not known stays a clobber.
	if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		insn->kind = MS_INSN_STORE_CONST;
		insn->constant = from->imm.value.u;
	} else if (is_register(o, from)) {
		insn->kind = MS_INSN_STORE;
		insn->reg = number_of(o, from->reg.value);
	}
}

static void lea(const struct operands *o, struct ms_insn *insn)
{
	if (!is_whole(o, &o->items[0]) || !place_of(o, &o->items[1], insn))
		return;
	insn->kind = insn->base == MS_CODE_NONE ? MS_INSN_CONST : MS_INSN_ADD;
	insn->reg = number_of(o, o->items[0].reg.value);
}

static void arithmetic(const struct operands *o, struct ms_insn *insn)
{
	const ZydisDecodedOperand *to = &o->items[0], *from = &o->items[1];

	if (o->insn.mnemonic == ZYDIS_MNEMONIC_XOR) {
		if (!is_register(o, to) || !is_register(o, from) || to->size < 32 ||
		    to->reg.value != from->reg.value)
			return;
		insn->kind = MS_INSN_CONST;
		insn->value = 0;
	} else {
		if (!is_whole(o, to) || from->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return;
		insn->kind = MS_INSN_ADD;
		insn->base = number_of(o, to->reg.value);
		insn->value = from->imm.value.u;
		if (o->insn.mnemonic == ZYDIS_MNEMONIC_SUB)
			insn->value = 0 - insn->value;
	}
	insn->reg = number_of(o, to->reg.value);
}

static void compare(const struct operands *o, struct ms_insn *insn)
{
	const ZydisDecodedOperand *a = &o->items[0], *b = &o->items[1];

	if (a->size != 64)
		return;
	if (is_register(o, a) && is_register(o, b)) {
		insn->second = number_of(o, b->reg.value);
	} else {
		const ZydisDecodedOperand *swap = a;

		a = is_register(o, a) ? a : b;
		b = is_register(o, swap) ? b : swap;
		if (!is_register(o, a) || b->type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    !place_of(o, b, insn))
			return;
		insn->bytes = 8;
	}
	insn->kind = MS_INSN_COMPARE;
	insn->reg = number_of(o, a->reg.value);
}

static void transfer(const struct operands *o, struct ms_insn *insn)
{
	const ZydisDecodedOperand *to = &o->items[0];

	switch (o->insn.meta.category) {
	case ZYDIS_CATEGORY_CALL:
		insn->kind = MS_INSN_CALL;
		break;
	case ZYDIS_CATEGORY_UNCOND_BR:
		insn->kind = MS_INSN_JUMP;
		break;
	case ZYDIS_CATEGORY_COND_BR:
		insn->kind = MS_INSN_BRANCH;
		break;
	default:
		insn->kind = MS_INSN_STOP;
		return;
	}
	insn->value = insn->bytes = 0;
	insn->base = MS_CODE_NONE;
	if (insn->kind == MS_INSN_CALL && is_register(o, to))
		insn->base = number_of(o, to->reg.value);
	if (to->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && to->imm.is_relative)
		insn->value = o->next + to->imm.value.u;
}

static bool is_transfer(const struct operands *o)
{
	switch (o->insn.mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_HLT:
		return true;
	default:
		return o->insn.meta.category == ZYDIS_CATEGORY_CALL ||
		       o->insn.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
		       o->insn.meta.category == ZYDIS_CATEGORY_COND_BR ||
		       o->insn.meta.category == ZYDIS_CATEGORY_RET;
	}
}

/** The memory operand of an instruction's own bytes, if it is plain; as place_of() has it. */
static bool quick_place(const struct operands *o, struct ms_insn *insn)
{
	const ZydisDecodedInstructionRaw *raw = &o->insn.raw;

	insn->value = (uint64_t)raw->disp.value;
	if (raw->modrm.rm == 5 && raw->modrm.mod == 0) {
		insn->value += o->next;
		return true;
	}
	insn->base = (uint8_t)(raw->modrm.rm | raw->rex.B << 3);
	if (raw->modrm.rm != 4)
		return true;
	insn->base = (uint8_t)(raw->sib.base | raw->rex.B << 3);
	return (raw->sib.index | raw->rex.X << 3) == 4 && raw->sib.base != 5;
}

/** The three commonest instructions without Zydis's operands, which take it as long again. */
static bool quick_mov(const struct operands *o, struct ms_insn *insn)
{
	const ZydisDecodedInstructionRaw *raw = &o->insn.raw;
	bool is_store = o->insn.opcode == 0x89, is_lea = o->insn.opcode == 0x8d;
	uint8_t reg = (uint8_t)(raw->modrm.reg | raw->rex.R << 3);
	uint8_t other = (uint8_t)(raw->modrm.rm | raw->rex.B << 3);

	if (raw->modrm.mod == 3) {
		if (is_lea || o->insn.operand_width != 64)
			return false;
		insn->kind = MS_INSN_MOVE;
		insn->reg = is_store ? other : reg;
		insn->base = is_store ? reg : other;
		insn->writes = (uint32_t)1 << insn->reg;
		return true;
	}
	if (!quick_place(o, insn) || (is_lea && o->insn.operand_width != 64))
		return false;
	insn->reg = reg;
	insn->bytes = is_lea ? 0 : (uint8_t)(o->insn.operand_width / 8);
	insn->writes = is_store ? 0 : (uint32_t)1 << reg;
	insn->kind = is_store ? MS_INSN_STORE : MS_INSN_LOAD;
	if (is_lea)
		insn->kind = insn->base == MS_CODE_NONE ? MS_INSN_CONST : MS_INSN_ADD;
	return true;
}

static bool quick(const struct operands *o, struct ms_insn *insn)
{
	struct ms_insn q = *insn;
	bool done = false;

	if (o->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY || o->insn.address_width != 64 ||
	    o->insn.operand_width < 32 ||
	    (o->insn.attributes & (ZYDIS_ATTRIB_HAS_SEGMENT | ZYDIS_ATTRIB_HAS_LOCK)))
		return false;
	q.value = o->next + (uint64_t)o->insn.raw.imm[0].value.s;
	if (o->insn.mnemonic == ZYDIS_MNEMONIC_MOV || o->insn.mnemonic == ZYDIS_MNEMONIC_LEA) {
		q.value = 0;
		done =
		    (o->insn.opcode == 0x89 || o->insn.opcode == 0x8b || o->insn.opcode == 0x8d) &&
		    o->insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && quick_mov(o, &q);
	} else if (o->insn.meta.category == ZYDIS_CATEGORY_COND_BR) {
		q.kind = MS_INSN_BRANCH;
		done = o->insn.raw.imm[0].is_relative && o->insn.mnemonic <= ZYDIS_MNEMONIC_JZ &&
		       o->insn.mnemonic >= ZYDIS_MNEMONIC_JB;
	}
	if (done)
		*insn = q;
	return done;
}

/** Instructions that change no register of ours and no memory, and tell nothing. */
static bool is_nothing(const ZydisDecodedInstruction *insn)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_TEST:
	case ZYDIS_MNEMONIC_UCOMISD:
	case ZYDIS_MNEMONIC_UCOMISS:
		return true;
	default:
		return false;
	}
}

static bool amd64_decode(void *decoder, const uint8_t *bytes, size_t size, ms_addr address,
			 struct ms_insn *insn)
{
	struct decoder *d = decoder;
	ZydisDecoderContext context;
	struct operands o;

	if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&d->zydis, &context, bytes, size, &o.insn)))
		return false;
	insn->length = o.insn.length;
	o.next = address + o.insn.length;
	o.numbers = d->numbers;
	if (is_nothing(&o.insn) || quick(&o, insn))
		return true;
	if (ZYAN_FAILED(ZydisDecoderDecodeOperands(&d->zydis, &context, &o.insn, o.items,
						   o.insn.operand_count)))
		return false;
	effects(&o, insn);
	if (is_transfer(&o)) {
		transfer(&o, insn);
		return true;
	}
	switch (o.insn.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		if (is_register(&o, &o.items[0]))
			mov_to_register(&o, insn);
		else if (o.items[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
			mov_to_memory(&o, insn);
		break;
	case ZYDIS_MNEMONIC_LEA:
		lea(&o, insn);
		break;
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
		arithmetic(&o, insn);
		break;
	case ZYDIS_MNEMONIC_CMP:
		compare(&o, insn);
		break;
	default:
		break;
	}
	return true;
}

static void amd64_close(void *decoder)
{
	free(decoder);
}

const struct ms_code_ops ms_code_amd64 = {
	.open = amd64_open,
	.decode = amd64_decode,
	.close = amd64_close,
	.stack_pointer = MS_AMD64_SP,
};
