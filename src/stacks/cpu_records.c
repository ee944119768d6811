// cpu_records.c - a record may lie across the end of the buffer, so it is copied out before it is
// looked at:
//
//	tid ... | time | callchain | registers, as perf numbers them | stack bytes, how many
#include "stacks/cpu_records.h"

#include <linux/perf_event.h>

/** What is left of a record. */
struct rest {
	const uint8_t *at;
	size_t size;
};

static const uint8_t *take(struct rest *r, size_t size)
{
	const uint8_t *at = r->at;

	if (size > r->size)
		return NULL;
	r->at += size;
	r->size -= size;
	return at;
}

static bool take_u64(struct rest *r, uint64_t *ret_value)
{
	const uint8_t *at = take(r, 8);

	if (at)
		*ret_value = ms_load_u64(at);
	return at != NULL;
}

/** The user's part of the callchain: behind its mark. */
static bool take_chain(struct rest *r, struct ms_cpu_sample *sample)
{
	uint64_t count;
	const uint8_t *words;

	if (!take_u64(r, &count) || count > r->size / 8)
		return false;
	words = take(r, (size_t)count * 8);
	for (uint64_t i = 0; i < count; i++) {
		if (ms_load_u64(words + i * 8) == (uint64_t)PERF_CONTEXT_USER) {
			sample->chain = words + (i + 1) * 8;
			sample->chain_count = (size_t)ms_min_u64(count - i - 1, MS_CPU_CHAIN_MAX);
			return true;
		}
	}
	return true;
}

/** Registers in the machine's numbers, as code.h has them. */
static void take_registers(const uint8_t *words, struct ms_cpu_sample *sample)
{
#if defined(__aarch64__)
	for (unsigned i = 0; i < MS_CODE_REGISTERS; i++)
		sample->registers[i] = ms_load_u64(words + i * 8);
	sample->bp = sample->registers[29];
	sample->lr = sample->registers[30];
	sample->sp = sample->registers[MS_ARM64_SP];
	sample->pc = ms_load_u64(words + 32 * 8);
#else
	static const uint8_t number[MS_CPU_REGISTERS] = { 0, 3, 1,  2,  6,  7,  5,  4, 16,
							  8, 9, 10, 11, 12, 13, 14, 15 };

	for (unsigned i = 0; i < MS_CPU_REGISTERS; i++)
		sample->registers[number[i]] = ms_load_u64(words + i * 8ull);
	sample->bp = sample->registers[5];
	sample->sp = sample->registers[MS_AMD64_SP];
	sample->pc = sample->registers[16];
	sample->registers[16] = 0;
#endif
}

/** Take one record apart; false for one without registers, or shorter than it says. */
static bool sample_parse(struct rest r, struct ms_cpu_sample *ret_sample)
{
	struct ms_cpu_sample sample = { 0 };
	const uint8_t *threads = take(&r, 8), *registers;
	uint64_t time_ns, abi, size, real;

	if (!threads || !take_u64(&r, &time_ns) || !take_chain(&r, &sample) || !take_u64(&r, &abi))
		return false;
	if (abi != PERF_SAMPLE_REGS_ABI_64)
		return false;
	registers = take(&r, 8ull * MS_CPU_REGISTERS);
	if (!registers || !take_u64(&r, &size))
		return false;
	take_registers(registers, &sample);
	sample.thread = ms_load_u32(threads + 4);
	sample.time = (double)time_ns / 1e9;
	if (size) {
		sample.stack = take(&r, (size_t)size);
		if (!sample.stack || !take_u64(&r, &real))
			return false;
		sample.stack_bytes = (size_t)ms_min_u64(real, size);
	}
	*ret_sample = sample;
	return true;
}

static void copy_out(const struct ms_cpu_ring *ring, uint64_t at, void *buf, size_t size)
{
	size_t start = (size_t)(at % ring->size);
	size_t first = (size_t)ms_min_u64(size, ring->size - start);

	memcpy(buf, ring->data + start, first);
	memcpy((uint8_t *)buf + first, ring->data, size - first);
}

static struct ms_error *record_take(const uint8_t *record, const struct perf_event_header *head,
				    struct ms_cpu_figures *figures, ms_cpu_sample_fn fn,
				    void *context)
{
	struct rest r = { record + sizeof(*head), head->size - sizeof(*head) };
	struct ms_cpu_sample sample;

	if (head->type == PERF_RECORD_LOST && r.size >= 16)
		figures->lost += ms_load_u64(r.at + 8);
	if (head->type != PERF_RECORD_SAMPLE || !sample_parse(r, &sample))
		return NULL;
	figures->samples++;
	return fn(&sample, context);
}

struct ms_error *ms_cpu_records_take(const struct ms_cpu_ring *ring, uint8_t *record,
				     struct ms_cpu_figures *figures, ms_cpu_sample_fn fn,
				     void *context)
{
	uint64_t tail = ring->tail;
	struct ms_error *err = NULL;

	while (tail < ring->head && !err) {
		struct perf_event_header header;

		copy_out(ring, tail, &header, sizeof(header));
		if (header.size < sizeof(header) || header.size > ring->head - tail)
			break; // No record of the kernel's; what is left is skipped.
		copy_out(ring, tail, record, header.size);
		tail += header.size;
		err = record_take(record, &header, figures, fn, context);
	}
	return err;
}
