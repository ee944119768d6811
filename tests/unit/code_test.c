// Goal: of each instruction that carries a value on, what it does; of every other one, what it
// destroys; and no bytes that make the decoder fail.
// Method: bytes as Go's compiler writes them (`go tool objdump` beside each), and noise.
#include "image/code.h"

#include "base/cleanup.h"
#include "tests/support/test.h"

enum { AT = 0x401000, NONE = MS_CODE_NONE };

struct expected {
	const char *text;
	uint8_t bytes[15];
	struct ms_insn insn;
};

#define W(n) ((uint32_t)1 << (n))

static const struct expected amd64[] = {
	{ "call 0x401105",
	  { 0xe8, 0, 1, 0, 0 },
	  { MS_INSN_CALL, 5, NONE, NONE, NONE, 0, W(4), 0x401105, 0 } },
	{ "call rcx", { 0xff, 0xd1 }, { MS_INSN_CALL, 2, NONE, NONE, 1, 0, W(4), 0, 0 } },
	{ "jmp -2", { 0xeb, 0xfc }, { MS_INSN_JUMP, 2, NONE, NONE, NONE, 0, 0, 0x400ffe, 0 } },
	{ "jmp [rax+rcx*8]",
	  { 0xff, 0x24, 0xc8 },
	  { MS_INSN_JUMP, 3, NONE, NONE, NONE, 0, 0, 0, 0 } },
	{ "jne +16", { 0x75, 0x10 }, { MS_INSN_BRANCH, 2, NONE, NONE, NONE, 0, 0, 0x401012, 0 } },
	{ "ret", { 0xc3 }, { MS_INSN_STOP, 1, NONE, NONE, NONE, 0, W(4), 0, 0 } },
	{ "ud2", { 0x0f, 0x0b }, { MS_INSN_STOP, 2, NONE, NONE, NONE, 0, 0, 0, 0 } },
	{ "lea rax,[rip+16]",
	  { 0x48, 0x8d, 0x05, 16, 0, 0, 0 },
	  { MS_INSN_CONST, 7, 0, NONE, NONE, 0, W(0), 0x401017, 0 } },
	{ "lea rdi,[rsp+8]",
	  { 0x48, 0x8d, 0x7c, 0x24, 8 },
	  { MS_INSN_ADD, 5, 7, NONE, 4, 0, W(7), 8, 0 } },
	{ "lea rax,[rcx+rdx*2]",
	  { 0x48, 0x8d, 0x04, 0x51 },
	  { MS_INSN_OTHER, 4, NONE, NONE, NONE, 0, W(0), 0, 0 } },
	{ "mov rbx,[rip-7]",
	  { 0x48, 0x8b, 0x1d, 0xf9, 0xff, 0xff, 0xff },
	  { MS_INSN_LOAD, 7, 3, NONE, NONE, 8, W(3), 0x401000, 0 } },
	{ "mov [rip+9],rax",
	  { 0x48, 0x89, 0x05, 9, 0, 0, 0 },
	  { MS_INSN_STORE, 7, 0, NONE, NONE, 8, 0, 0x401010, 0 } },
	{ "mov qword [rip+5],3",
	  { 0x48, 0xc7, 0x05, 5, 0, 0, 0, 3, 0, 0, 0 },
	  { MS_INSN_STORE_CONST, 11, NONE, NONE, NONE, 8, 0, 0x401010, 3 } },
	{ "mov rbx,rax", { 0x48, 0x89, 0xc3 }, { MS_INSN_MOVE, 3, 3, NONE, 0, 0, W(3), 0, 0 } },
	{ "mov ebx,7", { 0xbb, 7, 0, 0, 0 }, { MS_INSN_CONST, 5, 3, NONE, NONE, 0, W(3), 7, 0 } },
	{ "xor ecx,ecx", { 0x31, 0xc9 }, { MS_INSN_CONST, 2, 1, NONE, NONE, 0, W(1), 0, 0 } },
	{ "xor ecx,eax", { 0x31, 0xc1 }, { MS_INSN_OTHER, 2, NONE, NONE, NONE, 0, W(1), 0, 0 } },
	{ "mov [rsp+0x20],rax",
	  { 0x48, 0x89, 0x44, 0x24, 0x20 },
	  { MS_INSN_STORE, 5, 0, NONE, 4, 8, 0, 0x20, 0 } },
	{ "mov r9,[r8-8]",
	  { 0x4d, 0x8b, 0x48, 0xf8 },
	  { MS_INSN_LOAD, 4, 9, NONE, 8, 8, W(9), (uint64_t)-8, 0 } },
	{ "mov al,1", { 0xb0, 1 }, { MS_INSN_OTHER, 2, NONE, NONE, NONE, 0, W(0), 0, 0 } },
	{ "movups [rsp+0x10],xmm15",
	  { 0x44, 0x0f, 0x11, 0x7c, 0x24, 0x10 },
	  { MS_INSN_CLOBBER, 6, NONE, NONE, 4, 16, 0, 0x10, 0 } },
	{ "mov [rcx+rdx*8],rax",
	  { 0x48, 0x89, 0x04, 0xd1 },
	  { MS_INSN_CLOBBER, 4, NONE, NONE, 1, 0, 0, 0, 0 } },
	{ "mov [rsp+rdx*8+8],rax",
	  { 0x48, 0x89, 0x44, 0xd4, 0x08 },
	  { MS_INSN_CLOBBER, 5, NONE, NONE, 4, 0, 0, 0, 0 } },
	{ "xchg [rcx],rax",
	  { 0x48, 0x87, 0x01 },
	  { MS_INSN_CLOBBER, 3, NONE, NONE, 1, 8, W(0), 0, 0 } },
	{ "rep stosq",
	  { 0xf3, 0x48, 0xab },
	  { MS_INSN_CLOBBER, 3, NONE, NONE, 7, 0, W(1) | W(7), 0, 0 } },
	{ "cmp [rip+9],rcx",
	  { 0x48, 0x39, 0x0d, 9, 0, 0, 0 },
	  { MS_INSN_COMPARE, 7, 1, NONE, NONE, 8, 0, 0x401010, 0 } },
	{ "cmp rcx,rdx", { 0x48, 0x39, 0xd1 }, { MS_INSN_COMPARE, 3, 1, 2, NONE, 0, 0, 0, 0 } },
	{ "cmp dword [rip+9],0",
	  { 0x83, 0x3d, 9, 0, 0, 0, 0 },
	  { MS_INSN_OTHER, 7, NONE, NONE, NONE, 0, 0, 0, 0 } },
	{ "add rax,-8",
	  { 0x48, 0x83, 0xc0, 0xf8 },
	  { MS_INSN_ADD, 4, 0, NONE, 0, 0, W(0), (uint64_t)-8, 0 } },
	{ "sub rsp,16",
	  { 0x48, 0x83, 0xec, 0x10 },
	  { MS_INSN_ADD, 4, 4, NONE, 4, 0, W(4), (uint64_t)-16, 0 } },
	{ "cmove rax,rcx",
	  { 0x48, 0x0f, 0x44, 0xc1 },
	  { MS_INSN_OTHER, 4, NONE, NONE, NONE, 0, W(0), 0, 0 } },
	{ "mov rax,fs:[-8]",
	  { 0x64, 0x48, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff },
	  { MS_INSN_OTHER, 9, NONE, NONE, NONE, 0, W(0), 0, 0 } },
	{ "xchg ax,ax", { 0x66, 0x90 }, { MS_INSN_OTHER, 2, NONE, NONE, NONE, 0, 0, 0, 0 } },
	{ "nop dword [rax]",
	  { 0x0f, 0x1f, 0x00 },
	  { MS_INSN_OTHER, 3, NONE, NONE, NONE, 0, 0, 0, 0 } },
	{ "mul rcx",
	  { 0x48, 0xf7, 0xe1 },
	  { MS_INSN_OTHER, 3, NONE, NONE, NONE, 0, W(0) | W(2), 0, 0 } },
};

static const struct expected arm64[] = {
	{ "bl 0x401100",
	  { 0x40, 0x00, 0x00, 0x94 },
	  { MS_INSN_CALL, 4, NONE, NONE, NONE, 0, 0, 0x401100, 0 } },
	{ "b -4",
	  { 0xff, 0xff, 0xff, 0x17 },
	  { MS_INSN_JUMP, 4, NONE, NONE, NONE, 0, 0, 0x400ffc, 0 } },
	{ "b.ne +16",
	  { 0x81, 0x00, 0x00, 0x54 },
	  { MS_INSN_BRANCH, 4, NONE, NONE, NONE, 0, 0, 0x401010, 0 } },
	{ "cbz x1,+16",
	  { 0x81, 0x00, 0x00, 0xb4 },
	  { MS_INSN_BRANCH, 4, NONE, NONE, NONE, 0, 0, 0x401010, 0 } },
	{ "ret", { 0xc0, 0x03, 0x5f, 0xd6 }, { MS_INSN_STOP, 4, NONE, NONE, NONE, 0, 0, 0, 0 } },
	{ "adrp x27,0x402000",
	  { 0x1b, 0x00, 0x00, 0xb0 },
	  { MS_INSN_CONST, 4, 27, NONE, NONE, 0, W(27), 0x402000, 0 } },
	{ "add x0,x27,#64",
	  { 0x60, 0x03, 0x01, 0x91 },
	  { MS_INSN_ADD, 4, 0, NONE, 27, 0, W(0), 64, 0 } },
	{ "ldr x1,[x27,#16]",
	  { 0x61, 0x0b, 0x40, 0xf9 },
	  { MS_INSN_LOAD, 4, 1, NONE, 27, 8, W(1), 16, 0 } },
	{ "str x0,[x27,#16]",
	  { 0x60, 0x0b, 0x00, 0xf9 },
	  { MS_INSN_STORE, 4, 0, NONE, 27, 8, 0, 16, 0 } },
	{ "str xzr,[sp,#16]",
	  { 0xff, 0x0b, 0x00, 0xf9 },
	  { MS_INSN_STORE_CONST, 4, NONE, NONE, 31, 8, 0, 16, 0 } },
	{ "stp x0,x1,[sp,#16]",
	  { 0xe0, 0x07, 0x01, 0xa9 },
	  { MS_INSN_STORE, 4, 0, 1, 31, 8, 0, 16, 0 } },
	{ "ldp x0,x1,[sp,#16]",
	  { 0xe0, 0x07, 0x41, 0xa9 },
	  { MS_INSN_LOAD, 4, 0, 1, 31, 8, W(0) | W(1), 16, 0 } },
	{ "mov x1,x0", { 0xe1, 0x03, 0x00, 0xaa }, { MS_INSN_MOVE, 4, 1, NONE, 0, 0, W(1), 0, 0 } },
	{ "mov x1,#7",
	  { 0xe1, 0x00, 0x80, 0xd2 },
	  { MS_INSN_CONST, 4, 1, NONE, NONE, 0, W(1), 7, 0 } },
	{ "orr x0,xzr,#1",
	  { 0xe0, 0x03, 0x40, 0xb2 },
	  { MS_INSN_CONST, 4, 0, NONE, NONE, 0, W(0), 1, 0 } },
	{ "str x30,[sp,#-80]!",
	  { 0xfe, 0x0f, 0x1b, 0xf8 },
	  { MS_INSN_CLOBBER, 4, NONE, NONE, NONE, 0, W(30) | W(31), 0, 0 } },
	{ "cmp x0,x1", { 0x1f, 0x00, 0x01, 0xeb }, { MS_INSN_COMPARE, 4, 0, 1, NONE, 0, 0, 0, 0 } },
};

static void check_insn(const char *text, const struct ms_insn *got, const struct ms_insn *want)
{
	if (got->kind == want->kind && got->length == want->length && got->reg == want->reg &&
	    got->second == want->second && got->base == want->base && got->bytes == want->bytes &&
	    got->writes == want->writes && got->value == want->value &&
	    got->constant == want->constant)
		return;
	ms_test_fail(__FILE__, __LINE__,
		     "%s: kind %u length %u reg %u second %u base %u bytes %u writes %x value "
		     "%" PRIx64 " constant %" PRIx64,
		     text, got->kind, got->length, got->reg, got->second, got->base, got->bytes,
		     got->writes, got->value, got->constant);
}

static void check_table(enum ms_arch arch, const struct expected *items, size_t count)
{
	struct ms_code *code = NULL;

	CHECK_OK(ms_code_open(arch, &code));
	for (size_t i = 0; i < count; i++) {
		struct ms_insn got;

		CHECK(ms_code_decode(code, items[i].bytes, sizeof(items[i].bytes), AT, &got));
		check_insn(items[i].text, &got, &items[i].insn);
		CHECK(!ms_code_decode(code, items[i].bytes, items[i].insn.length - 1u, AT, &got));
	}
	ms_code_close(code);
}

MS_TEST(code_amd64_instructions)
{
	check_table(MS_ARCH_AMD64, amd64, MS_ARRAY_SIZE(amd64));
}

MS_TEST(code_arm64_instructions)
{
	check_table(MS_ARCH_ARM64, arm64, MS_ARRAY_SIZE(arm64));
}

MS_TEST(code_refuses_other_machines)
{
	struct ms_code *code;

	CHECK_ERR(ms_code_open(MS_ARCH_UNKNOWN, &code), MS_ERR_UNSUPPORTED);
	ms_code_close(NULL);
}

MS_TEST(code_decodes_noise_within_its_bytes)
{
	for (unsigned arch = MS_ARCH_AMD64; arch <= MS_ARCH_ARM64; arch++) {
		struct ms_code *code = NULL;

		CHECK_OK(ms_code_open(arch, &code));
		for (unsigned i = 0; i < 20000; i++) {
			uint64_t noise[2] = { ms_test_random(), ms_test_random() };
			size_t size = i % 17;
			MS_AUTO_FREE uint8_t *bytes = malloc(size + 1); // Sanitizers see its end.
			struct ms_insn insn;

			CHECK(bytes);
			memcpy(bytes, noise, size);
			bytes = realloc(bytes, size ? size : 1);
			if (!ms_code_decode(code, bytes, size, AT, &insn))
				continue;
			CHECK(insn.length >= 1 && insn.length <= size);
			CHECK(insn.reg == NONE || insn.reg < MS_CODE_REGISTERS);
			CHECK(insn.second == NONE || insn.second < MS_CODE_REGISTERS);
			CHECK(insn.base == NONE || insn.base < MS_CODE_REGISTERS);
		}
		ms_code_close(code);
	}
}
