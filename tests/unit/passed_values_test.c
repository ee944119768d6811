// Goal: what a function was called with is told by its caller's code where that leads to it, and
// nothing is told where two ways, a write or another function's jump may have changed it.
// Method: callers written by hand, as the compiler makes them, over a made function table and a
// stack that has their frames.
#include "golang/passed_values.h"

#include "tests/support/fake_functions.h"
#include "tests/support/test.h"

enum {
	RAX = 0,
	RBX = 3,
	RSI = 6,
	RDI = 7,
	CODE_BYTES = 64, // Of each function.
	CODE_AT = FAKE_PROLOGUE_BYTES,
	FRAME_BYTES = 32,
	CALL_BYTES = 5,
	FUNCTIONS = 5,
	DUFFZERO = 4,
	// Words of the stack.
	LOOK_END = 16,
	OUTER_END = 32,
	OBJECT = 64,
	METHOD = 72, // An address of code.
};

static const struct fake_function list[] = {
	{ .name = "runtime.mapaccess1",
	  .bytes = CODE_BYTES,
	  .frame_bytes = FRAME_BYTES,
	  .line = 10 },
	{ .name = "main.look", .bytes = CODE_BYTES, .frame_bytes = FRAME_BYTES, .line = 20 },
	{ .name = "main.outer", .bytes = CODE_BYTES, .frame_bytes = FRAME_BYTES, .line = 30 },
	{ .name = "main.main", .bytes = CODE_BYTES, .frame_bytes = FRAME_BYTES, .line = 40 },
	{ .name = "runtime.duffzero", .bytes = CODE_BYTES, .frame_bytes = FRAME_BYTES, .line = 50 },
};

struct called {
	struct fake_functions *fake;
	const struct ms_functions *functions;
	struct ms_code *code;
	struct ms_frames frames;
	size_t text; // Where in the file the code is.
};

static ms_addr word_at(size_t index)
{
	return FAKE_STACK_LO + 8 * index;
}

/** Put @p code, which is followed by a call of the function before it in the list. */
static void write_function(struct fake_functions *fake, size_t text, unsigned index,
			   const uint8_t *code, size_t size)
{
	uint8_t *to = fake->exe + text + (size_t)CODE_BYTES * index;
	int32_t back = -(int32_t)(CODE_AT + size + CALL_BYTES + CODE_BYTES);

	memset(to, 0x90, CODE_BYTES);
	memcpy(to + CODE_AT, code, size);
	to[CODE_AT + size] = 0xe8;
	memcpy(to + CODE_AT + size + 1, &back, sizeof(back));
}

/** The same with a call of what register rcx has. */
static void call_by_register(struct called *c, unsigned index, size_t code)
{
	uint8_t *to = c->fake->exe + c->text + (size_t)CODE_BYTES * index + CODE_AT + code;

	memcpy(to, (uint8_t[CALL_BYTES]){ 0xff, 0xd1, 0x90, 0x90, 0x90 }, CALL_BYTES);
	fake_functions_commit(c->fake);
	CHECK_OK(ms_go_functions(&c->fake->rt, &c->functions));
	c->frames.items[index].pc -= CALL_BYTES - 2;
	for (unsigned i = 0; i < 4; i++)
		c->frames.items[i].function = &c->functions->items[i];
}

static struct ms_frame frame_of(const struct called *c, unsigned index, size_t end, size_t code)
{
	const struct ms_function *f = &c->functions->items[index];

	return (struct ms_frame){ .pc = f->entry + CODE_AT + code + CALL_BYTES,
				  .sp = word_at(end) - FRAME_BYTES,
				  .end = word_at(end),
				  .function = f,
				  .is_return = true };
}

/** main.outer with @p outer calls main.look with @p look, and that the map's code. */
static struct called call(const uint8_t *look, size_t look_bytes, const uint8_t *outer,
			  size_t outer_bytes)
{
	struct called c = { .fake = fake_functions_create(list, FUNCTIONS, MS_ARCH_AMD64) };
	size_t text = c.fake->exe_bytes;

	CHECK(text + FUNCTIONS * CODE_BYTES <= sizeof(c.fake->exe));
	memset(c.fake->exe + text, 0x90, FUNCTIONS * CODE_BYTES);
	write_function(c.fake, text, 1, look, look_bytes);
	write_function(c.fake, text, 2, outer, outer_bytes);
	c.fake->exe_bytes += FUNCTIONS * CODE_BYTES;
	c.fake->rt.elf.segments[c.fake->rt.elf.segment_count++] =
	    (struct ms_elf_segment){ .vaddr = FAKE_TEXT,
				     .offset = text,
				     .mem_bytes = FUNCTIONS * CODE_BYTES,
				     .file_bytes = FUNCTIONS * CODE_BYTES };
	fake_functions_commit(c.fake);
	CHECK_OK(ms_go_functions(&c.fake->rt, &c.functions));
	CHECK_OK(ms_code_open(MS_ARCH_AMD64, &c.code));
	c.text = text;
	c.frames.count = 4;
	c.frames.items[0] = frame_of(&c, 0, LOOK_END - 5, 0);
	c.frames.items[1] = frame_of(&c, 1, LOOK_END, look_bytes);
	c.frames.items[2] = frame_of(&c, 2, OUTER_END, outer_bytes);
	c.frames.items[3] = frame_of(&c, 3, OUTER_END + 8, 0);
	c.fake->stack[LOOK_END - 2] = word_at(OBJECT);
	c.fake->stack[LOOK_END - 1] = word_at(METHOD);
	c.fake->stack[OBJECT + 1] = 0xc000aaaa00;
	return c;
}

static void drop(struct called *c)
{
	ms_code_close(c->code);
	fake_functions_destroy(c->fake);
}

static bool value_of(const struct called *c, unsigned reg, ms_addr *ret_value)
{
	bool is_known;

	CHECK_OK(ms_passed_value(c->functions, c->code, &c->frames, 0, reg, &is_known, ret_value));
	return is_known;
}

static void check_value(const struct called *c, unsigned reg, ms_addr expected)
{
	ms_addr value;

	CHECK(value_of(c, reg, &value));
	CHECK_EQ(value, expected);
}

static void check_unknown(const struct called *c, unsigned reg)
{
	ms_addr value;

	CHECK(!value_of(c, reg, &value));
	CHECK_EQ(value, 0);
}

// clang-format off
static const uint8_t plain[] = {
	0x48, 0x8b, 0x4c, 0x24, 0x10, // mov rcx, [rsp + 0x10]
	0x48, 0x8b, 0x59, 0x08, // mov rbx, [rcx + 8]
	0xb8, 0x44, 0x33, 0x22, 0x11, // mov eax, 0x11223344
	0x48, 0x89, 0xf7, // mov rdi, rsi
};
static const uint8_t address[] = {
	0x48, 0x8d, 0x74, 0x24, 0x08, // lea rsi, [rsp + 8]
};
static const uint8_t method[] = {
	0x48, 0x8b, 0x5c, 0x24, 0x18, // mov rbx, [rsp + 0x18]
	0x48, 0x8b, 0x0b, // mov rcx, [rbx]
};
static const uint8_t loop[] = {
	0x48, 0x8b, 0x5a, 0x08, // mov rbx, [rdx + 8]
	0x48, 0x89, 0x5c, 0x24, 0x10, // mov [rsp + 0x10], rbx
	0xeb, 0x05, // jmp to the call
	0x48, 0x8b, 0x5c, 0x24, 0x10, // mov rbx, [rsp + 0x10]
};
static const uint8_t branch[] = {
	0xbf, 0x02, 0, 0, 0, // mov edi, 2
	0x48, 0x85, 0xc0, // test rax, rax
	0x74, 0x05, // je to the call
	0xbb, 0x01, 0, 0, 0, // mov ebx, 1
};
static const uint8_t overwritten[] = {
	0x48, 0x8b, 0x4c, 0x24, 0x10, // mov rcx, [rsp + 0x10]
	0x48, 0x8b, 0x59, 0x08, // mov rbx, [rcx + 8]
	0x48, 0x89, 0xc8, // mov rax, rcx
	0x48, 0x89, 0x7e, 0x08, // mov [rsi + 8], rdi
};
static const uint8_t slot_overwritten[] = {
	0x48, 0x8b, 0x4c, 0x24, 0x10, // mov rcx, [rsp + 0x10]
	0x48, 0x8b, 0x59, 0x08, // mov rbx, [rcx + 8]
	0x48, 0xc7, 0x44, 0x24, 0x10, 0, 0, 0, 0, // mov qword [rsp + 0x10], 0
};
// clang-format on

MS_TEST(what_a_caller_had_is_told_by_its_code)
{
	struct called c = call(plain, sizeof(plain), address, sizeof(address));

	check_value(&c, RBX, 0xc000aaaa00); // A field behind a word of the frame.
	check_value(&c, RAX, 0x11223344);
	check_value(&c, RDI, word_at(OUTER_END) - FRAME_BYTES + 8); // Of the caller's caller.
	check_value(&c, RSI, word_at(OUTER_END) - FRAME_BYTES + 8);
	check_unknown(&c, 9); // Nobody gave it anything.
	drop(&c);
}

MS_TEST(a_register_that_was_stored_is_in_its_word)
{
	struct called c = call(loop, sizeof(loop), address, sizeof(address));

	check_value(&c, RBX, word_at(OBJECT)); // Two ways, and the same word in both.
	drop(&c);
}

MS_TEST(two_ways_that_bring_different_things_tell_nothing)
{
	struct called c = call(branch, sizeof(branch), address, sizeof(address));

	check_unknown(&c, RBX);
	check_value(&c, RDI, 2);
	drop(&c);
}

MS_TEST(a_write_forgets_what_was_read_there)
{
	struct called c = call(overwritten, sizeof(overwritten), address, sizeof(address));

	check_unknown(&c, RBX); // At the same distance: it may be the same object.
	check_value(&c, RAX, word_at(OBJECT));
	drop(&c);
	c = call(slot_overwritten, sizeof(slot_overwritten), address, sizeof(address));
	check_unknown(&c, RBX);
	drop(&c);
}

MS_TEST(a_function_that_was_jumped_to_tells_nothing)
{
	struct called c = call(plain, sizeof(plain), address, sizeof(address));

	c.frames.items[0].function = &c.functions->items[3]; // The call was of another one.
	check_unknown(&c, RBX);
	c.frames.items[0].function = &c.functions->items[0];
	c.frames.items[1].is_return = false; // Nothing was called: a signal put it there.
	check_unknown(&c, RBX);
	c.frames.items[1].is_return = true;
	c.frames.count = 2; // Where the caller's frame ends is not known.
	check_unknown(&c, RBX);
	c.frames.count = 1;
	check_unknown(&c, RAX);
	drop(&c);
}

MS_TEST(a_computed_call_is_followed_where_it_led_to_the_function)
{
	struct called c = call(method, sizeof(method), address, sizeof(address));

	call_by_register(&c, 1, sizeof(method));
	c.fake->stack[METHOD] = c.functions->items[0].entry;
	check_value(&c, RBX, word_at(METHOD));
	c.fake->stack[METHOD] = c.functions->items[3].entry; // That jumped on.
	check_unknown(&c, RBX);
	drop(&c);
}

/** main.look, which calls into the middle of a function before it calls the map's code. */
static struct called call_between(unsigned called)
{
	enum { CALL_AT = 14, INTO = 16 };
	int32_t ahead =
	    (int32_t)((called - 1) * CODE_BYTES) + INTO - (CODE_AT + CALL_AT + CALL_BYTES);
	uint8_t look[CALL_AT + CALL_BYTES];

	memcpy(look, plain, CALL_AT);
	look[CALL_AT] = 0xe8;
	memcpy(look + CALL_AT + 1, &ahead, sizeof(ahead));
	return call(look, sizeof(look), address, sizeof(address));
}

MS_TEST(a_part_of_the_frame_is_zeroed_between)
{
	struct called c = call_between(DUFFZERO);

	check_value(&c, RBX, 0xc000aaaa00);
	check_value(&c, RAX, 0x11223344);
	check_unknown(&c, RDI); // It counts in this one.
	drop(&c);
	c = call_between(3); // Of any other.
	check_unknown(&c, RBX);
	check_unknown(&c, RAX);
	drop(&c);
}

MS_TEST(memory_that_cannot_be_read_tells_nothing)
{
	struct called c = call(plain, sizeof(plain), address, sizeof(address));

	c.fake->stack[LOOK_END - 2] = 0x10;
	check_unknown(&c, RBX);
	check_value(&c, RAX, 0x11223344);
	drop(&c);
}
