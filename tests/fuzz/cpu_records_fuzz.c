// What the CPU clock of a thread writes into its buffer, made into stacks of source lines.
//
//	1 byte  which recording      2 bytes where in the buffer it begins
//	then records: 1 byte bits (1: bytes of the input as they are), and
//	  as they are: 2 bytes size, the bytes
//	  else a sample of a goroutine that rests: 1 byte which, 1 byte words of its callchain,
//	  2 bytes of its stack, 1 byte changes; each: 2 bytes where in the record, 1 byte to flip
//
// The goroutines' memory is the recording's, so that some of what the samples say is true.
#include "stacks/cpu_records.h"

#include "stacks/sampled_stack.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/recorded.h"

#include <linux/perf_event.h>
#include <math.h>

enum {
	RING_BYTES = 128 << 10,
	READS_MAX = 20000,
	RECORDS_MAX = 32,
	CHAIN_MAX = 16,
	REGISTER_BP = 6, // As perf numbers them.
	REGISTER_SP = 7,
	REGISTER_IP = 8,
	REGISTER_G = 15,
};

static uint8_t ring_bytes[RING_BYTES];

struct writer {
	struct recorded *recorded;
	uint64_t tail, head;
	uint8_t record[MS_CPU_RECORD_BYTES_MAX];
	size_t size;
};

static void put(struct writer *w, uint64_t number, size_t size)
{
	if (w->size + size > sizeof(w->record))
		return;
	memcpy(w->record + w->size, &number, size);
	w->size += size;
}

/** What is written lies in the ring as long as it fits. */
static void record_write(struct writer *w)
{
	if (w->head + w->size - w->tail > RING_BYTES)
		return;
	for (size_t i = 0; i < w->size; i++)
		ring_bytes[w->head++ % RING_BYTES] = w->record[i];
}

static void stack_put(struct writer *w, const struct ms_goroutine *g, size_t size)
{
	size_t room = (size_t)ms_min_u64(size & ~(size_t)7, MS_CPU_STACK_BYTES), read = 0;

	put(w, room, 8);
	while (read < room && g->sp + read + 8 <= g->stack_hi &&
	       fuzz_worked(
		   ms_target_read(w->recorded->target, g->sp + read, w->record + w->size, 8))) {
		w->size += 8;
		read += 8;
	}
	for (size_t i = read; i < room; i++)
		put(w, 0, 1);
	if (room)
		put(w, read, 8);
}

static void registers_put(struct writer *w, const struct ms_goroutine *g)
{
	uint64_t registers[MS_CPU_REGISTERS] = { [REGISTER_BP] = g->bp,
						 [REGISTER_SP] = g->sp,
						 [REGISTER_IP] = g->pc,
						 [REGISTER_G] = g->address };

	put(w, PERF_SAMPLE_REGS_ABI_64, 8);
	for (size_t i = 0; i < MS_CPU_REGISTERS; i++)
		put(w, registers[i], 8);
}

static void sample_write(struct writer *w, struct fuzz_input *in)
{
	const struct ms_goroutines *all = &w->recorded->goroutines;
	const struct ms_goroutine *g = &all->items[fuzz_number(in, 1) % all->count];
	size_t words = (size_t)fuzz_number(in, 1) % CHAIN_MAX, stack = (size_t)fuzz_number(in, 2);
	unsigned changes = (unsigned)fuzz_number(in, 1);

	w->size = 0;
	put(w, PERF_RECORD_SAMPLE, 4);
	put(w, 0, 4);
	put(w, 7ull << 32 | 7, 8);
	put(w, 1000000000, 8);
	put(w, words + 2, 8);
	put(w, (uint64_t)PERF_CONTEXT_USER, 8);
	put(w, g->pc, 8);
	for (size_t i = 0; i < words; i++)
		put(w, w->recorded->text + i * 4096, 8);
	registers_put(w, g);
	stack_put(w, g, stack);
	memcpy(w->record + 6, &(uint16_t){ (uint16_t)w->size }, 2);
	for (unsigned i = 0; i < changes && in->left; i++) {
		size_t at = (size_t)fuzz_number(in, 2) % w->size;

		w->record[at] ^= (uint8_t)fuzz_number(in, 1);
	}
	record_write(w);
}

static void raw_write(struct writer *w, struct fuzz_input *in)
{
	struct fuzz_input part = fuzz_part(in, (size_t)fuzz_number(in, 2));

	w->size = 0;
	for (size_t i = 0; i < part.left; i++)
		put(w, part.at[i], 1);
	record_write(w);
}

struct reader {
	struct ms_go_runtime *rt;
	struct ms_unwinder *unwinder;
	struct ms_stack_book book;
	struct ms_stacks stacks;
	uint64_t taken;
};

static struct ms_error *sample_read(const struct ms_cpu_sample *sample, void *context)
{
	static struct ms_sampled_stack stack;
	struct reader *r = context;
	struct ms_error *err = ms_sampled_stack_make(r->rt, r->unwinder, sample, &stack);
	uint32_t index;

	r->taken++;
	if (err)
		return err;
	FUZZ_CHECK(stack.count <= MS_FRAMES_MAX && stack.by_pointer <= stack.count);
	FUZZ_CHECK(stack.frames.ended == MS_UNWIND_TOP || stack.cut || stack.by_pointer);
	err = ms_stack_book_add(&r->book, stack.pcs, stack.count, stack.cut, &index);
	FUZZ_CHECK(err || index < r->stacks.count);
	return err;
}

/** C code that is inlined once, as libdw would have it. */
static struct ms_error *resolve(void *context, ms_addr pc, bool is_return, struct ms_arena *arena,
				struct ms_stack_call *ret_calls, size_t *ret_count)
{
	(void)context;
	(void)arena;
	ret_calls[0] = (struct ms_stack_call){ .function = "inner", .is_inlined = true, .pc = pc };
	ret_calls[1] = (struct ms_stack_call){ .function = "outer", .pc = pc - is_return };
	*ret_count = 2;
	return NULL;
}

static void records_read(const struct writer *w)
{
	static uint8_t record[MS_CPU_RECORD_BYTES_MAX];
	const struct ms_cpu_ring ring = { ring_bytes, RING_BYTES, w->tail, w->head };
	struct reader r = { .rt = w->recorded->rt };
	struct ms_cpu_figures figures = { 0 };
	const struct ms_functions *functions;
	const struct ms_stack_pc outside[] = { { 0x10, false }, { w->head, true } };
	struct ms_arena arena = { 0 };
	uint32_t index;

	FUZZ_CHECK(fuzz_worked(ms_go_functions(r.rt, &functions)));
	FUZZ_CHECK(fuzz_worked(ms_unwinder_create(r.rt, &r.unwinder)));
	ms_stack_book_init(&r.book, functions, &arena, &r.stacks);
	r.book.resolve = w->head & 8 ? resolve : NULL; // Of some, C code has names.
	FUZZ_CHECK(fuzz_worked(ms_stack_book_add(&r.book, outside, 2, NULL, &index)) && index == 0);
	(void)fuzz_worked(ms_cpu_records_take(&ring, record, &figures, sample_read, &r));
	FUZZ_CHECK(figures.samples == r.taken);
	ms_stack_book_deinit(&r.book);
	ms_stacks_deinit(&r.stacks);
	ms_unwinder_destroy(r.unwinder);
	ms_arena_deinit(&arena);
}

MS_FUZZ_TARGET(cpu_records)
{
	static struct writer w;
	struct fuzz_input in = { data, size };

	w.recorded = recorded_get(fuzz_number(&in, 1));
	w.tail = w.head = RING_BYTES - 256 + fuzz_number(&in, 2);
	recorded_begin(w.recorded, READS_MAX);
	for (unsigned i = 0; i < RECORDS_MAX && in.left; i++) {
		if (fuzz_number(&in, 1) & 1)
			raw_write(&w, &in);
		else
			sample_write(&w, &in);
	}
	records_read(&w);
}
