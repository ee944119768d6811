// seed_code.c - types, functions and code, written down as Go's linker and compiler would.
#include "tests/fuzz/seed_code.h"

#include "golang/types.h"
#include "tests/fuzz/code_program.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, ENTRY_BYTES = 8, NAME_BYTES = 40 };

static const char *const function_names[SEED_FN_COUNT] = {
	"runtime.mapaccess1_fast64",
	"runtime.mapassign_fast64",
	"runtime.makemap_small",
	"runtime.makemap",
	"runtime.makechan",
	"runtime.growslice",
	"runtime.newobject",
	"runtime.gcWriteBarrier",
	"runtime.typedmemmove",
	"runtime.panicIndex",
	"example.org/a%2eb.(*T).Do",
	"sync.(*Mutex).Lock",
	"main.main.func1",
	"runtime.other",
	"main.other",
	"sync/atomic.StorePointer",
	"sync/atomic.(*Pointer[...]).Swap",
	"main.make",
	"main.pass",
	"main.fill",
	"main.either",
	"main.use",
};

// --- Types. ---

static void name_put(struct seed *s, size_t at, const char *name)
{
	seed_number_at(s, at, 0, 1);
	seed_number_at(s, at + 1, strlen(name), 1);
	for (size_t i = 0; name[i]; i++)
		seed_number_at(s, at + 2 + i, (uint8_t)name[i], 1);
}

struct type {
	size_t at;
	unsigned kind, tflag;
	uint64_t bytes;
	size_t name;
};

static void type_put(struct seed *s, size_t base, const struct ms_go_layout *l, struct type t)
{
	seed_number_at(s, base + t.at + l->type_bytes, t.bytes, 8);
	seed_number_at(s, base + t.at + l->type_ptrdata, t.kind == 12 || t.kind == 2 ? 0 : 8, 8);
	seed_number_at(s, base + t.at + l->type_tflag, t.tflag, 1);
	seed_number_at(s, base + t.at + l->type_kind, t.kind, 1);
	seed_number_at(s, base + t.at + l->type_str, t.name, 4);
}

static void map_put(struct seed *s, size_t base, const struct ms_go_layout *l, size_t at,
		    size_t elem)
{
	bool classic = l->maps == MS_GO_MAPS_CLASSIC;

	type_put(s, base, l, (struct type){ at, MS_KIND_MAP, 0, 8, 0x20 });
	seed_number_at(s, base + at + l->maptype_key, CODE_TYPES + SEED_TYPE_INT, 8);
	seed_number_at(s, base + at + l->maptype_elem, CODE_TYPES + elem, 8);
	seed_number_at(s, base + at + (classic ? l->maptype_bucket : l->maptype_group),
		       CODE_TYPES + SEED_TYPE_TABLE, 8);
	seed_number_at(s, base + at + (classic ? l->maptype_bucket_size : l->maptype_group_size),
		       0x90, classic ? 2 : 8);
}

/** A struct with one field; named ones have an uncommon part with their package. */
static void struct_put(struct seed *s, size_t base, const struct ms_go_layout *l, struct type t,
		       size_t field_name, size_t field_type, size_t package)
{
	size_t fields = 0x200 + (t.at - SEED_TYPE_TABLE) / 4;

	type_put(s, base, l, t);
	seed_number_at(s, base + t.at + l->structtype_fields, CODE_TYPES + fields, 8);
	seed_number_at(s, base + t.at + l->structtype_fields + 8, 1, 8);
	seed_number_at(s, base + t.at + l->structtype_fields + 16, 1, 8);
	seed_number_at(s, base + fields + l->structfield_name, CODE_TYPES + field_name, 8);
	seed_number_at(s, base + fields + l->structfield_type, CODE_TYPES + field_type, 8);
	if (package)
		seed_number_at(s, base + t.at + l->structtype_fields + 24 + l->uncommontype_package,
			       package, 4);
}

static void types_put(struct seed *s, const struct ms_go_layout *l)
{
	size_t base = s->size;

	name_put(s, base + 0x10, "int");
	name_put(s, base + 0x20, "map[int]int");
	name_put(s, base + 0x40, "b.T");
	name_put(s, base + 0x50, "F");
	name_put(s, base + 0x58, "mu");
	name_put(s, base + 0x60, "struct { F uintptr }");
	name_put(s, base + 0x80, "example.org/a.b");
	name_put(s, base + 0xa0, "sync.Mutex");
	name_put(s, base + 0xb0, "sync");
	type_put(s, base, l, (struct type){ SEED_TYPE_INT, 2, 0, 8, 0x10 });
	type_put(s, base, l, (struct type){ SEED_TYPE_UINTPTR, 12, 0, 8, 0x10 });
	map_put(s, base, l, SEED_TYPE_MAP, SEED_TYPE_INT);
	map_put(s, base, l, SEED_TYPE_NAMED_MAP, SEED_TYPE_INT);
	map_put(s, base, l, SEED_TYPE_OTHER_MAP, SEED_TYPE_UINTPTR);
	struct_put(s, base, l, (struct type){ SEED_TYPE_TABLE, MS_KIND_STRUCT, 0, 0x90, 0x10 },
		   0x58, SEED_TYPE_INT, 0);
	struct_put(s, base, l, (struct type){ SEED_TYPE_T, MS_KIND_STRUCT, 5, 24, 0x40 }, 0x58,
		   SEED_TYPE_MUTEX, 0x80);
	struct_put(s, base, l, (struct type){ SEED_TYPE_CLOSURE, MS_KIND_STRUCT, 0, 16, 0x60 },
		   0x50, SEED_TYPE_UINTPTR, 0);
	struct_put(s, base, l, (struct type){ SEED_TYPE_MUTEX, MS_KIND_STRUCT, 5, 8, 0xa0 }, 0x58,
		   SEED_TYPE_INT, 0xb0);
	type_put(s, base, l, (struct type){ SEED_TYPE_CHAN, 18, 5, 8, 0x10 });
	seed_number_at(s, base + SEED_TYPE_CHAN + l->chantype_elem, CODE_TYPES + SEED_TYPE_INT, 8);
	type_put(s, base, l, (struct type){ SEED_TYPE_ARRAY, 17, 5, 32, 0x10 });
	seed_number_at(s, base + SEED_TYPE_ARRAY + l->arraytype_elem, CODE_TYPES + SEED_TYPE_INT,
		       8);
	type_put(s, base, l, (struct type){ SEED_TYPE_POINTER, 22, 5, 8, 0x10 });
	seed_number_at(s, base + SEED_TYPE_POINTER + l->ptrtype_elem, CODE_TYPES + SEED_TYPE_T, 8);
	seed_fill(s, base + SEED_TYPES_BYTES);
}

// --- Functions. ---

static ms_addr entry(unsigned function)
{
	return CODE_TEXT + (uint64_t)function * SEED_FUNCTION_BYTES;
}

/** Everything before the text; sizes are put in when they are known. */
static void head_put(struct seed *s, const struct ms_go_layout *l)
{
	size_t head = s->size + 4, at;

	seed_number(s, (uint64_t)ms_go_minor(l->since), 1);
	seed_number(s, (uint64_t)ms_go_patch(l->since), 1);
	seed_number(s, l->arch == MS_ARCH_ARM64, 1);
	seed_number(s, l->experiments, 1);
	seed_number(s, SEED_TYPES_BYTES, 2);
	seed_number(s, 0, 4);
	seed_number(s, SEED_FN_COUNT, 2);
	types_put(s, l);
	at = s->size;
	for (unsigned i = 0; i <= SEED_FN_COUNT; i++) {
		size_t record = ((SEED_FN_COUNT + 1) * ENTRY_BYTES) + (size_t)i * 64;

		seed_number_at(s, at + (size_t)i * ENTRY_BYTES, (uint64_t)i * SEED_FUNCTION_BYTES,
			       4);
		seed_number_at(s, at + (size_t)i * ENTRY_BYTES + 4, record, 4);
		seed_number_at(s, at + record + l->func_name, 1 + (uint64_t)i * NAME_BYTES, 4);
		seed_fill(s, at + record + 64);
	}
	seed_number_at(s, head + 2, s->size - at, 2);
	seed_number_at(s, head + 4, (uint64_t)SEED_FN_COUNT * NAME_BYTES + 1, 2);
	at = s->size;
	for (unsigned i = 0; i < SEED_FN_COUNT; i++) {
		seed_fill(s, at + 1 + (size_t)i * NAME_BYTES);
		seed_string(s, function_names[i]);
	}
	seed_fill(s, at + 1 + (size_t)SEED_FN_COUNT * NAME_BYTES);
}

/** The table ends where the last function does. */
static void tail_put(struct seed *s, size_t text)
{
	seed_align(s, 1);
	seed_number_at(s, 12 + SEED_TYPES_BYTES + SEED_FN_COUNT * ENTRY_BYTES, s->size - text, 4);
}

// --- amd64. ---

struct writer {
	struct seed *s;
	size_t text; // Where it starts in the seed.
};

static ms_addr here(const struct writer *w)
{
	return CODE_TEXT + (w->s->size - w->text);
}

/** REX.W opcode modrm distance: a register and a fixed address. */
static void at_address(struct writer *w, unsigned opcode, unsigned reg, ms_addr address)
{
	seed_number(w->s, 0x48, 1);
	seed_number(w->s, opcode, 1);
	seed_number(w->s, 0x05 | reg << 3, 1);
	seed_number(w->s, address - (here(w) + 4), 4);
}

static void lea(struct writer *w, unsigned reg, ms_addr address)
{
	at_address(w, 0x8d, reg, address);
}

static void load(struct writer *w, unsigned reg, ms_addr address)
{
	at_address(w, 0x8b, reg, address);
}

static void store(struct writer *w, ms_addr address, unsigned reg)
{
	at_address(w, 0x89, reg, address);
}

static void call(struct writer *w, unsigned function)
{
	seed_number(w->s, 0xe8, 1);
	seed_number(w->s, entry(function) - (here(w) + 4), 4);
}

static void raw(struct writer *w, const char *bytes, size_t size)
{
	seed_bytes(w->s, bytes, size);
}

#define RAW(w, text) raw((w), text, sizeof(text) - 1)

static ms_addr type(unsigned offset)
{
	return CODE_TYPES + offset;
}

static void use_map(struct writer *w, unsigned map_type, ms_addr word, unsigned function)
{
	lea(w, RAX, type(map_type));
	load(w, RBX, word);
	call(w, function);
}

static void make(struct writer *w, unsigned made_type, unsigned function)
{
	lea(w, RAX, type(made_type));
	call(w, function);
}

/** A write barrier in the form of its release: the store is on both ways. */
static void barrier(struct writer *w, ms_addr word)
{
	RAW(w, "\x83\x3d\x00\x03\x30\x00\x00"); // cmp dword [rip+...], 0
	RAW(w, "\x75\x09");                     // jne over store and jmp
	store(w, word, RAX);
	RAW(w, "\xeb\x0c"); // jmp behind
	lea(w, RDI, word);
	call(w, SEED_FN_BARRIER);
}

static void maps_use(struct writer *w)
{
	use_map(w, SEED_TYPE_MAP, SEED_CODE_MAP, SEED_FN_MAPACCESS);
	use_map(w, SEED_TYPE_NAMED_MAP, SEED_CODE_MAP, SEED_FN_MAPASSIGN); // An alias.
	use_map(w, SEED_TYPE_MAP, SEED_CODE_CONFLICT, SEED_FN_MAPACCESS);
	use_map(w, SEED_TYPE_OTHER_MAP, SEED_CODE_CONFLICT, SEED_FN_MAPACCESS);
	call(w, SEED_FN_MAKEMAP_SMALL);
	RAW(w, "\x48\x89\x44\x24\x20"); // mov [rsp+0x20], rax
	RAW(w, "\x48\x89\xc3");         // mov rbx, rax
	RAW(w, "\x48\x8d\x4c\x24\x18"); // lea rcx, [rsp+0x18]: a key
	lea(w, RAX, type(SEED_TYPE_MAP));
	call(w, SEED_FN_MAPASSIGN);
	RAW(w, "\x48\x89\x04\xd1");     // mov [rcx+rdx*8], rax
	RAW(w, "\x48\x8b\x44\x24\x20"); // mov rax, [rsp+0x20]
	store(w, SEED_CODE_SMALL, RAX);
}

/** Maps that lie on the stack where others may write, and where much else lies. */
static void stack_use(struct writer *w)
{
	call(w, SEED_FN_MAKEMAP_SMALL);
	RAW(w, "\x48\x89\x44\x24\x38"); // mov [rsp+0x38], rax: behind what is taken below
	RAW(w, "\x48\x89\xc3");         // mov rbx, rax
	lea(w, RAX, type(SEED_TYPE_MAP));
	call(w, SEED_FN_MAPASSIGN);
	RAW(w, "\x48\x8b\x44\x24\x38"); // mov rax, [rsp+0x38]
	store(w, SEED_CODE_WRITTEN, RAX);
	use_map(w, SEED_TYPE_MAP, SEED_CODE_MAP, SEED_FN_MAPACCESS);
	make(w, SEED_TYPE_MAP, SEED_FN_MAKEMAP);
	RAW(w, "\x48\x89\x44\x24\x20"); // mov [rsp+0x20], rax
	lea(w, RCX, type(SEED_TYPE_INT));
	for (unsigned at = 0; at < 40; at++) {
		RAW(w, "\x48\x89\x8c\x24"); // mov [rsp+at], rcx
		seed_number(w->s, 0x200 + 8ull * at, 4);
	}
	RAW(w, "\x48\x8b\x44\x24\x20"); // mov rax, [rsp+0x20]
	store(w, SEED_CODE_FULL, RAX);
}

/** Until Go 1.19 a dictionary came first. */
static void atomics_use(struct writer *w, bool is_old)
{
	make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
	RAW(w, "\x48\x89\xc3"); // mov rbx, rax
	lea(w, RAX, SEED_CODE_ATOMIC);
	call(w, SEED_FN_STORE_POINTER);
	make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
	RAW(w, "\x48\x89\xc1"); // mov rcx, rax
	lea(w, RAX, SEED_CODE_SWAPPED);
	if (is_old)
		RAW(w, "\x48\x89\xc3"); // mov rbx, rax
	call(w, SEED_FN_SWAP_POINTER);
}

static void results_use(struct writer *w)
{
	call(w, SEED_FN_PASS);
	store(w, SEED_CODE_RESULT, RAX);
	call(w, SEED_FN_FILL);
	store(w, SEED_CODE_FILLED, RAX);
	call(w, SEED_FN_EITHER);
	store(w, SEED_CODE_EITHER, RAX);
	call(w, SEED_FN_OTHER);
	store(w, SEED_CODE_FOREIGN, RAX);
	RAW(w, "\x48\x89\xc3"); // mov rbx, rax
	lea(w, RAX, type(SEED_TYPE_MAP));
	call(w, SEED_FN_MAPACCESS);
	call(w, SEED_FN_MAKE); // An interface: nothing of its second word.
	lea(w, RCX, type(SEED_TYPE_POINTER));
	store(w, SEED_CODE_INTERFACE, RCX);
	store(w, SEED_CODE_INTERFACE + 8, RAX);
}

/** A loop whose head is at its end, as the compiler lays it out. */
static void loop_use(struct writer *w)
{
	size_t body;

	call(w, SEED_FN_MAKEMAP_SMALL);
	RAW(w, "\x48\x89\x44\x24\x28"); // mov [rsp+0x28], rax
	store(w, SEED_CODE_LOOP, RAX);
	RAW(w, "\x31\xc9\xeb\x14"); // xor ecx, ecx; jmp to the condition
	body = w->s->size;
	lea(w, RAX, type(SEED_TYPE_MAP));
	RAW(w, "\x48\x8b\x5c\x24\x28"); // mov rbx, [rsp+0x28]
	call(w, SEED_FN_MAPASSIGN);
	RAW(w, "\x48\xff\xc1");     // inc rcx
	RAW(w, "\x48\x83\xf9\x10"); // cmp rcx, 16
	seed_number(w->s, 0x7c, 1);
	seed_number(w->s, body - (w->s->size + 1), 1); // jl to the body
}

static void objects_use(struct writer *w)
{
	make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
	store(w, SEED_CODE_POINTER, RAX);
	make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
	barrier(w, SEED_CODE_BARRIER);
	make(w, SEED_TYPE_CHAN, SEED_FN_MAKECHAN);
	store(w, SEED_CODE_CHAN, RAX);
	lea(w, RAX, type(SEED_TYPE_INT));
	RAW(w, "\x48\x89\xc6"); // mov rsi, rax
	call(w, SEED_FN_GROWSLICE);
	store(w, SEED_CODE_SLICE, RAX);
	make(w, SEED_TYPE_ARRAY, SEED_FN_NEWOBJECT);
	store(w, SEED_CODE_LITERAL, RAX);
	RAW(w, "\xb9\x04\x00\x00\x00"); // mov ecx, 4
	store(w, SEED_CODE_LITERAL + 8, RCX);
	make(w, SEED_TYPE_CLOSURE, SEED_FN_NEWOBJECT);
	lea(w, RCX, entry(SEED_FN_CLOSURE));
	RAW(w, "\x48\x89\x08"); // mov [rax], rcx
	make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
	lea(w, RCX, type(SEED_TYPE_POINTER)); // As good as any constant address.
	store(w, SEED_CODE_INTERFACE, RCX);
	store(w, SEED_CODE_INTERFACE + 8, RAX);
}

static void values_use(struct writer *w)
{
	lea(w, RAX, SEED_CODE_VALUE);
	call(w, SEED_FN_METHOD);
	lea(w, RAX, SEED_CODE_FIRST);
	call(w, SEED_FN_MUTEX_METHOD);
	lea(w, RAX, SEED_CODE_FIRST);
	call(w, SEED_FN_METHOD);
	lea(w, RAX, SEED_CODE_STALE);
	call(w, SEED_FN_RUNTIME);
	call(w, SEED_FN_METHOD);
	lea(w, RAX, type(SEED_TYPE_T));
	lea(w, RBX, SEED_CODE_MOVED);
	call(w, SEED_FN_TYPEDMEMMOVE);
	lea(w, RAX, type(SEED_TYPE_MAP));
	load(w, RBX, SEED_CODE_BOXED);
	call(w, SEED_FN_OTHER);
	load(w, RCX, SEED_CODE_ASSERTED);
	lea(w, RAX, type(SEED_TYPE_MAP));
	RAW(w, "\x48\x39\xc1"); // cmp rcx, rax
	load(w, RBX, SEED_CODE_ASSERTED + 8);
	call(w, SEED_FN_OTHER);
	lea(w, RAX, type(SEED_TYPE_POINTER)); // As what was stored there says.
	load(w, RBX, SEED_CODE_POINTER);
	call(w, SEED_FN_OTHER);
	lea(w, RAX, type(SEED_TYPE_CHAN));
	load(w, RBX, SEED_CODE_CHAN);
	call(w, SEED_FN_OTHER);
}

/** Two ways bring different things. */
static void merge_use(struct writer *w)
{
	RAW(w, "\x48\x85\xc9\x74\x0e"); // test rcx, rcx; je to the second
	make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
	RAW(w, "\xeb\x0c"); // jmp behind
	make(w, SEED_TYPE_MUTEX, SEED_FN_NEWOBJECT);
	store(w, SEED_CODE_MERGED, RAX);
}

/** The functions whose results are asked for; others only return. */
static void function_put(struct writer *w, unsigned function)
{
	switch (function) {
	case SEED_FN_MAKE:
		make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
		break;
	case SEED_FN_PASS:
		RAW(w, "\x48\x85\xc0\x75\x03"); // test rax, rax; jne over nil and ret
		RAW(w, "\x31\xc0\xc3");         // xor eax, eax; ret
		call(w, SEED_FN_MAKE);
		break;
	case SEED_FN_FILL:
		RAW(w, "\x48\x83\xec\x10"); // sub rsp, 0x10
		call(w, SEED_FN_MAKEMAP_SMALL);
		RAW(w, "\x48\x89\x44\x24\x08"); // mov [rsp+8], rax
		RAW(w, "\x48\x89\xc3");         // mov rbx, rax
		lea(w, RAX, type(SEED_TYPE_MAP));
		call(w, SEED_FN_MAPASSIGN);
		RAW(w, "\x48\x8b\x44\x24\x08"); // mov rax, [rsp+8]
		break;
	case SEED_FN_EITHER:
		RAW(w, "\x48\x85\xc0\x75\x0d"); // test rax, rax; jne over make and ret
		make(w, SEED_TYPE_T, SEED_FN_NEWOBJECT);
		RAW(w, "\xc3");
		make(w, SEED_TYPE_MUTEX, SEED_FN_NEWOBJECT);
		break;
	default:
		break;
	}
	RAW(w, "\xc3");
}

static size_t text_start(struct seed *s, const struct ms_go_layout *l)
{
	size_t text;

	head_put(s, l);
	text = s->size;
	for (unsigned i = 0; i < SEED_FN_USE; i++) {
		if (l->arch == MS_ARCH_ARM64)
			seed_number(s, 0xd65f03c0, 4); // ret
		else
			function_put(&(struct writer){ s, text }, i);
		seed_fill(s, text + ((size_t)i + 1) * SEED_FUNCTION_BYTES);
	}
	return text;
}

void seed_code_amd64(struct seed *s, const struct ms_go_layout *layout)
{
	struct writer w = { s, text_start(s, layout) };

	RAW(&w, "\x48\x83\xec\x40"); // sub rsp, 0x40
	maps_use(&w);
	loop_use(&w);
	objects_use(&w);
	values_use(&w);
	merge_use(&w);
	stack_use(&w);
	atomics_use(&w, layout->since < MS_GO(1, 20));
	results_use(&w);
	RAW(&w, "\x48\x8d\x4c\x24\x30");         // lea rcx, [rsp+0x30]
	RAW(&w, "\x44\x0f\x11\x7c\x24\x30");     // movups [rsp+0x30], xmm15
	RAW(&w, "\x48\x39\xd1\xf3\x48\xab\x06"); // cmp rcx, rdx; rep stosq; no instruction
	call(&w, SEED_FN_PANIC);
	RAW(&w, "\xc3");
	tail_put(s, w.text);
}

// --- arm64. ---

static void page_put(struct writer *w, unsigned reg, ms_addr address)
{
	uint64_t pages = ((address & ~(uint64_t)4095) - (here(w) & ~(uint64_t)4095)) >> 12;

	seed_number(w->s, 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5 | reg, 4);
}

static void add_put(struct writer *w, unsigned to, unsigned page, ms_addr address)
{
	page_put(w, page, address);
	seed_number(w->s, 0x91000000 | (address & 4095) << 10 | page << 5 | to, 4);
}

static void call_put(struct writer *w, unsigned function)
{
	seed_number(w->s, 0x94000000 | ((entry(function) - here(w)) >> 2 & 0x3ffffff), 4);
}

void seed_code_arm64(struct seed *s, const struct ms_go_layout *layout)
{
	struct writer w = { s, text_start(s, layout) };

	add_put(&w, 0, 27, type(SEED_TYPE_MAP));
	page_put(&w, 27, SEED_CODE_MAP);
	seed_number(s, 0xf9400000 | (SEED_CODE_MAP & 4095) / 8 << 10 | 27 << 5 | 1, 4); // ldr x1
	call_put(&w, SEED_FN_MAPACCESS);
	add_put(&w, 0, 27, type(SEED_TYPE_T));
	call_put(&w, SEED_FN_NEWOBJECT);
	page_put(&w, 27, SEED_CODE_POINTER);
	seed_number(s, 0xf9000000 | (SEED_CODE_POINTER & 4095) / 8 << 10 | 27 << 5, 4); // str x0
	add_put(&w, 0, 27, type(SEED_TYPE_CLOSURE));
	call_put(&w, SEED_FN_NEWOBJECT);
	add_put(&w, 1, 27, entry(SEED_FN_CLOSURE));
	seed_number(s, 0xf9000001, 4); // str x1, [x0]
	seed_number(s, 0xf81b0ffe, 4); // str x30, [sp,#-80]!
	seed_number(s, 0xa90107e0, 4); // stp x0, x1, [sp,#16]
	seed_number(s, 0xa94107e0, 4); // ldp x0, x1, [sp,#16]
	seed_number(s, 0xf9000bff, 4); // str xzr, [sp,#16]
	seed_number(s, 0xaa0003e1, 4); // mov x1, x0
	seed_number(s, 0xeb01001f, 4); // cmp x0, x1
	seed_number(s, 0x54000041, 4); // b.ne
	seed_number(s, 0xb4000041, 4); // cbz
	seed_number(s, 0xd2800001, 4); // mov x1, #0
	seed_number(s, 0xd65f03c0, 4); // ret
	tail_put(s, w.text);
}
