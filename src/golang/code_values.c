// code_values.c - few registers are known at any place, so a set says which; the others' contents
// are not looked at.
#include "golang/code_values.h"

enum { WORD = 8 };

struct ms_value ms_values_get(const struct ms_values *v, unsigned reg)
{
	if (reg >= MS_CODE_REGISTERS || !(v->known >> reg & 1))
		return (struct ms_value){ 0 };
	return v->regs[reg];
}

void ms_values_set(struct ms_values *v, unsigned reg, struct ms_value value)
{
	if (reg >= MS_CODE_REGISTERS)
		return;
	v->regs[reg] = value;
	v->known &= ~((uint32_t)1 << reg);
	v->known |= (uint32_t)(value.kind != MS_VALUE_UNKNOWN) << reg;
}

void ms_values_forget(struct ms_values *v, uint32_t registers)
{
	v->known &= ~registers;
}

struct ms_value ms_values_slot(const struct ms_values *v, int64_t at)
{
	for (unsigned i = 0; i < v->slot_count; i++) {
		if (v->slots[i].at == at)
			return v->slots[i].value;
	}
	return (struct ms_value){ 0 };
}

/** Take a word out; the others keep their order, in which the one last used is the last. */
static void slot_remove(struct ms_values *v, unsigned at)
{
	memmove(v->slots + at, v->slots + at + 1, (v->slot_count - at - 1) * sizeof(*v->slots));
	v->slot_count--;
}

void ms_values_slots_forget(struct ms_values *v, int64_t start, int64_t end)
{
	for (unsigned i = 0; i < v->slot_count;) {
		if (v->slots[i].at < end && v->slots[i].at > start - WORD)
			slot_remove(v, i);
		else
			i++;
	}
}

/** The word that says least goes: of constants, or else of all, the one not used the longest. */
static void slot_drop(struct ms_values *v)
{
	unsigned at = 0;

	while (at < v->slot_count && v->slots[at].value.kind != MS_VALUE_CONST)
		at++;
	if (at == v->slot_count)
		at = 0;
	slot_remove(v, at);
}

struct ms_value ms_values_slot_use(struct ms_values *v, int64_t at)
{
	for (unsigned i = 0; i < v->slot_count; i++) {
		struct ms_stack_slot slot = v->slots[i];

		if (slot.at != at)
			continue;
		slot_remove(v, i);
		v->slots[v->slot_count++] = slot;
		return slot.value;
	}
	return (struct ms_value){ 0 };
}

void ms_values_slot_set(struct ms_values *v, int64_t at, struct ms_value value)
{
	if (at > INT32_MAX || at < INT32_MIN)
		return;
	ms_values_slots_forget(v, at, at + WORD);
	if (value.kind == MS_VALUE_UNKNOWN)
		return;
	if (v->slot_count == MS_VALUE_SLOTS)
		slot_drop(v);
	v->slots[v->slot_count++] = (struct ms_stack_slot){ at, value };
}

bool ms_values_meet(struct ms_values *v, const struct ms_values *other)
{
	uint32_t known = v->known;
	unsigned slot_count = v->slot_count;

	v->known &= other->known;
	for (uint32_t left = v->known; left; left &= left - 1) {
		unsigned reg = (unsigned)__builtin_ctz(left);

		if (!ms_value_equal(&v->regs[reg], &other->regs[reg]))
			v->known &= ~((uint32_t)1 << reg);
	}
	for (unsigned i = 0; i < v->slot_count;) {
		struct ms_value there = ms_values_slot(other, v->slots[i].at);

		if (!ms_value_equal(&v->slots[i].value, &there))
			v->slots[i] = v->slots[--v->slot_count];
		else
			i++;
	}
	return v->known != known || v->slot_count != slot_count;
}

void ms_values_copy(struct ms_values *to, const struct ms_values *from)
{
	to->known = from->known;
	for (uint32_t left = from->known; left; left &= left - 1) {
		unsigned reg = (unsigned)__builtin_ctz(left);

		to->regs[reg] = from->regs[reg];
	}
	to->slot_count = from->slot_count;
	memcpy(to->slots, from->slots, from->slot_count * sizeof(*from->slots));
}
