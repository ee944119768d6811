// process.c - reading a live process without it noticing.
//
// One read of a batch takes this way:
//
//	region?  --no-->  FAULT            (not mapped, or of a kind that is never read)
//	   | yes
//	pages present?  --absent, anonymous-->  zeros       (never touched: that is what is there)
//	   |            --absent, executable->  the file    (a clean page of it)
//	   |            --swapped----------->   SWAPPED     (left out there)
//	   | yes
//	piece of a transfer  -->  worker: process_vm_readv, 1024 pieces or 1 MiB at a time
//
// The worker reads into the transfer's own buffer, never into the caller's: a worker that is
// stuck in the kernel may still write there after we have given it up (worker.h).  After the first
// such loss pieces are read one by one, so that the mapping at fault is known and avoided.
//
// A page seen as present may be gone by the time it is read; then the kernel maps a zero page, as
// if the target had looked at it itself.  A page seen as absent is asked for again at once.
#include "target/process.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "target/proc_maps.h"
#include "target/residency.h"
#include "target/resident.h"
#include "target/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

enum {
	PIECES_MAX = 1024, // IOV_MAX of the kernel.
	TRANSFER_BYTES = 1 << 20,
	PAGEMAP_WORD = 8,
	COPY_BYTES = 1 << 20,
	PAGEMAP_BLOCKS = 16, // Asked for at once: 32 MiB of address space.
	LOST_WORKERS_MAX = 4,
	PROC_FILE_BYTES_MAX = 256 << 20, // A maps file longer than this is not one.
	AUXV_BYTES_MAX = 1024,
	KERNEL_THREAD_FLAG = 0x00200000, // PF_KTHREAD of linux/sched.h.
};

struct piece {
	ms_addr addr;
	uint8_t *dst;
	uint32_t size;
	uint32_t offset; // In the transfer's buffer.
	struct ms_read *read;
};

/** What the worker may touch: everything a read needs, and nothing that anybody else owns. */
struct transfer {
	pid_t pid;
	int mem_fd; // -1: process_vm_readv.
	bool one_by_one;
	size_t count;
	uint32_t bytes;
	ms_addr addr[PIECES_MAX];
	uint32_t size[PIECES_MAX];
	uint8_t status[PIECES_MAX]; // ms_read_status
	int lost;                   // errno that says the whole target is lost, or 0.
	uint64_t calls;
	uint8_t buf[TRANSFER_BYTES];
};

struct process {
	struct ms_target target;
	int proc_fd, exe_fd, pagemap_fd, mem_fd;
	bool use_mem;
	bool one_by_one;
	unsigned lost_workers;
	struct ms_worker *worker;
	struct transfer *transfer;
	struct piece pieces[PIECES_MAX];
	struct ms_regions regions;
	struct ms_regions avoided; // Mappings that a worker was lost in.
	struct ms_residency residency;
	uint64_t page_words[PAGEMAP_BLOCKS * MS_BLOCK_PAGES]; // On their way there.
	const struct ms_region *last_region; // Of regions: neighbouring reads share it.
	const struct ms_block *last_block;   // Of residency, likewise.
	struct stat exe_stat;
	char exe_path[PATH_MAX];
	uint8_t auxv[AUXV_BYTES_MAX]; // Another program has another one.
	size_t auxv_bytes;
};

static struct process *process_of(struct ms_target *t)
{
	return (struct process *)t;
}

static struct ms_error *error_gone(const struct process *p)
{
	return ms_error_new(MS_ERR_GONE, "process %d has exited", (int)p->target.pid);
}

/** Run a job, replacing the worker when it was lost before. */
static struct ms_error *run_job(struct process *p, ms_job_fn job, void *context,
				enum ms_job_result *ret_result)
{
	struct ms_error *err;

	if (!p->worker) {
		if (p->lost_workers >= LOST_WORKERS_MAX)
			return ms_error_new(MS_ERR_LIMIT,
					    "memory of process %d does not answer: %u reads "
					    "hung for %d s each",
					    (int)p->target.pid, p->lost_workers, MS_TARGET_STUCK_S);
		err = ms_worker_create(&p->worker);
		if (err)
			return err;
	}
	*ret_result = ms_worker_run(&p->worker, job, context, MS_TARGET_STUCK_S);
	if (*ret_result == MS_JOB_STUCK) {
		p->lost_workers++;
		p->target.cost.stuck_reads++;
	}
	return NULL;
}

// --- Files under /proc and the executable, read by the worker like memory is. ---

struct file_job {
	int fd; // A duplicate of its own.
	uint64_t offset;
	size_t capacity, size;
	int error;
	uint8_t *bytes;
};

static void file_job_free(struct file_job *job)
{
	close(job->fd);
	free(job->bytes);
	free(job);
}

static void file_job_run(void *context, atomic_ullong *progress)
{
	struct file_job *job = context;

	while (job->size < job->capacity) {
		ssize_t n = pread(job->fd, job->bytes + job->size, job->capacity - job->size,
				  (off_t)(job->offset + job->size));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			job->error = errno;
		if (n <= 0)
			return;
		job->size += (size_t)n;
		atomic_fetch_add(progress, 1);
	}
}

/**
 * Likewise, of a stretch of pagemap: the kernel's own search first.  That finds nothing at all in
 * an address space that was taken down meanwhile; there, and there only, is no word to read.
 */
static void pagemap_job_run(void *context, atomic_ullong *progress)
{
	struct file_job *job = context;
	size_t words = job->capacity / PAGEMAP_WORD;
	uint64_t word;

	if (!ms_pagemap_scan(job->fd, job->offset / PAGEMAP_WORD * MS_PAGE_SIZE,
			     (uint64_t *)(void *)job->bytes, words))
		file_job_run(context, progress);
	else if (pread(job->fd, &word, PAGEMAP_WORD, (off_t)job->offset) == PAGEMAP_WORD)
		job->size = job->capacity;
}

static struct ms_error *file_job(struct process *p, ms_job_fn run, int fd, uint64_t offset,
				 void *buf, size_t size, size_t *ret_size)
{
	struct file_job *job = calloc(1, sizeof(*job));
	enum ms_job_result result = MS_JOB_DONE;
	struct ms_error *err;

	if (!job)
		return ms_error_no_memory();
	job->offset = offset;
	job->capacity = size;
	job->bytes = calloc(1, size);
	job->fd = dup(fd);
	if (!job->bytes || job->fd < 0) {
		file_job_free(job);
		return ms_error_no_memory();
	}
	err = run_job(p, run, job, &result);
	if (!err && result == MS_JOB_STUCK)
		return ms_error_new(MS_ERR_FAULT, "a file of process %d did not answer in %d s",
				    (int)p->target.pid, MS_TARGET_STUCK_S);
	if (!err && job->error == ESRCH)
		err = error_gone(p);
	if (!err && job->error && !job->size)
		err = ms_error_errno(MS_ERR_FAULT, job->error,
				     "could not read a file of process %d", (int)p->target.pid);
	if (!err) {
		memcpy(buf, job->bytes, job->size);
		*ret_size = job->size;
	}
	file_job_free(job);
	return err;
}

/** Read up to @p size bytes at @p offset; *ret_size says how many there were. */
static struct ms_error *file_read(struct process *p, int fd, uint64_t offset, void *buf,
				  size_t size, size_t *ret_size)
{
	return file_job(p, file_job_run, fd, offset, buf, size, ret_size);
}

/** A whole /proc file; its size is not known before. */
static struct ms_error *proc_file_read(struct process *p, const char *name, char **ret_text,
				       size_t *ret_size)
{
	MS_AUTO_CLOSE int fd = openat(p->proc_fd, name, O_RDONLY | O_CLOEXEC);
	MS_AUTO_FREE char *text = NULL;
	size_t size = 0, capacity = 0, n;
	struct ms_error *err;

	if (fd < 0)
		return errno == ENOENT || errno == ESRCH
			   ? error_gone(p)
			   : ms_error_errno(MS_ERR_DENIED, errno, "/proc/%d/%s", (int)p->target.pid,
					    name);
	do {
		enum { STEP = 1 << 16 };

		if (size > PROC_FILE_BYTES_MAX)
			return ms_error_new(MS_ERR_LIMIT, "/proc/%d/%s is over %d bytes long",
					    (int)p->target.pid, name, PROC_FILE_BYTES_MAX);
		if (!ms_vec_reserve_raw((void **)&text, &capacity, size + STEP, 1))
			return ms_error_no_memory();
		err = file_read(p, fd, size, text + size, STEP, &n);
		if (err)
			return err;
		size += n;
	} while (n > 0);
	*ret_text = MS_STEAL(text);
	*ret_size = size;
	return NULL;
}

// --- Regions and residency. ---

static struct ms_error *regions_load(struct process *p)
{
	MS_AUTO_FREE char *text = NULL;
	struct ms_regions fresh;
	struct ms_error *err;
	size_t size = 0;

	err = proc_file_read(p, "maps", &text, &size);
	if (!err && size == 0)
		err = error_gone(p); // A process that is exiting has no mappings left.
	if (!err)
		err = ms_proc_maps_parse(text, size, &p->exe_stat, p->exe_path, &fresh);
	if (err)
		return err;
	ms_regions_deinit(&p->regions);
	p->regions = fresh;
	p->last_region = NULL;
	ms_residency_clear(&p->residency);
	p->last_block = NULL;
	return NULL;
}

static struct ms_error *process_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	struct ms_error *err = regions_load(process_of(t));

	return err ? err : ms_regions_copy(&process_of(t)->regions, ret_regions);
}

static const struct ms_region *region_at(struct process *p, ms_addr addr)
{
	const struct ms_region *r = p->last_region;

	if (!r || addr < r->start || addr >= r->end)
		p->last_region = r = ms_regions_find(&p->regions, addr);
	return r;
}

static bool is_readable(const struct ms_region *r)
{
	return r && r->kind != MS_REGION_OTHER && (r->prot & MS_PROT_READ);
}

static const struct ms_block *block_at(struct process *p, ms_addr addr)
{
	if (!p->last_block || !ms_block_holds(p->last_block, addr))
		p->last_block = ms_residency_find(&p->residency, addr);
	return p->last_block;
}

/** Ask for the pages of a block, and of those behind it as far as the mapping goes: to *ret_end. */
static struct ms_error *blocks_load(struct process *p, ms_addr addr, ms_addr *ret_end)
{
	enum { BLOCK_BYTES = MS_BLOCK_PAGES * MS_PAGE_SIZE };
	const struct ms_region *region = region_at(p, addr);
	ms_addr start = addr / BLOCK_BYTES * BLOCK_BYTES, end = 0;
	size_t n, blocks = 1;
	struct ms_error *err;

	if (region) {
		blocks =
		    (size_t)ms_min_u64((region->end - 1 - start) / BLOCK_BYTES + 1, PAGEMAP_BLOCKS);
		end = ms_min_u64(region->end, start + blocks * BLOCK_BYTES);
	}
	memset(p->page_words, 0, blocks * MS_BLOCK_PAGES * PAGEMAP_WORD);
	err = file_job(p, pagemap_job_run, p->pagemap_fd, start / MS_PAGE_SIZE * PAGEMAP_WORD,
		       p->page_words, blocks * MS_BLOCK_PAGES * PAGEMAP_WORD, &n);
	if (!err && start + n / PAGEMAP_WORD * MS_PAGE_SIZE < ms_min_u64(end, MS_USER_END))
		err = error_gone(p);
	if (err)
		return err;
	p->last_block = NULL; // The table may move.
	for (size_t i = 0; i < blocks; i++) {
		if (!ms_residency_put(&p->residency, start + i * BLOCK_BYTES,
				      p->page_words + i * MS_BLOCK_PAGES))
			return ms_error_no_memory();
	}
	*ret_end = end;
	return NULL;
}

/** True when a read is known to be one piece: one region, one block, all pages present. */
static bool is_one_piece(struct process *p, ms_addr addr, uint32_t size)
{
	const struct ms_region *region = region_at(p, addr);
	const struct ms_block *block;

	if (!is_readable(region) || !ms_range_holds(region->start, region->end, addr, size))
		return false;
	if (p->pagemap_fd < 0)
		return true;
	block = block_at(p, addr);
	return block && ms_block_all_present(block, addr, size);
}

/** The state of the page at @p addr, as of when its block was asked for. */
static struct ms_error *page_state(struct process *p, ms_addr addr, enum ms_page_state *ret_state)
{
	struct ms_error *err;
	ms_addr end;

	if (p->pagemap_fd < 0) {
		*ret_state = MS_PAGE_PRESENT;
		return NULL;
	}
	if (!block_at(p, addr)) {
		err = blocks_load(p, addr, &end);
		if (err)
			return err;
	}
	*ret_state = ms_block_page(block_at(p, addr), addr);
	return NULL;
}

/** The state of one page now. */
static struct ms_error *page_ask(struct process *p, ms_addr addr, enum ms_page_state *ret_state)
{
	uint64_t word;
	size_t n;
	struct ms_error *err = file_read(p, p->pagemap_fd, addr / MS_PAGE_SIZE * PAGEMAP_WORD,
					 &word, PAGEMAP_WORD, &n);

	if (!err && n != PAGEMAP_WORD && addr < MS_USER_END)
		err = error_gone(p);
	if (!err)
		*ret_state = n == PAGEMAP_WORD ? ms_pagemap_state(word) : MS_PAGE_ABSENT;
	return err;
}

// --- Transfers. ---

/** Read pieces [from, to) in as few calls as their faults allow. */
static void transfer_vm_readv(struct transfer *x, size_t from, size_t to, uint32_t offset)
{
	struct iovec remote[PIECES_MAX] = { 0 };

	while (from < to) {
		struct iovec local = { x->buf + offset, 0 };
		ssize_t n;

		for (size_t i = from; i < to; i++) {
			remote[i - from] =
			    (struct iovec){ (void *)(uintptr_t)x->addr[i], x->size[i] };
			local.iov_len += x->size[i];
		}
		n = process_vm_readv(x->pid, &local, 1, remote, to - from, 0);
		x->calls++;
		if (n < 0 && (errno == ESRCH || errno == EPERM)) {
			x->lost = errno;
			return;
		}
		for (; from < to && n >= (ssize_t)x->size[from]; from++) {
			x->status[from] = MS_READ_OK;
			n -= (ssize_t)x->size[from];
			offset += x->size[from];
		}
		if (from < to) { // The first that failed: go on behind it.
			x->status[from] = MS_READ_FAULT;
			offset += x->size[from++];
		}
	}
}

static void transfer_mem(struct transfer *x, size_t index, uint32_t offset)
{
	ssize_t n = pread(x->mem_fd, x->buf + offset, x->size[index], (off_t)x->addr[index]);

	x->calls++;
	if (n == 0)
		x->lost = ESRCH; // The address space is gone.
	x->status[index] = n == (ssize_t)x->size[index] ? MS_READ_OK : MS_READ_FAULT;
}

static void transfer_run(void *context, atomic_ullong *progress)
{
	struct transfer *x = context;
	uint32_t offset = 0;

	if (x->mem_fd < 0 && !x->one_by_one) {
		transfer_vm_readv(x, 0, x->count, 0);
		return;
	}
	for (size_t i = 0; i < x->count && !x->lost; i++) {
		if (x->mem_fd >= 0)
			transfer_mem(x, i, offset);
		else
			transfer_vm_readv(x, i, i + 1, offset);
		offset += x->size[i];
		atomic_fetch_add(progress, 1);
	}
}

static struct ms_error *transfer_fresh(struct process *p)
{
	struct transfer *x = p->transfer ? p->transfer : calloc(1, sizeof(*x));

	if (!x)
		return ms_error_no_memory();
	x->pid = p->target.pid;
	x->mem_fd = p->use_mem ? p->mem_fd : -1;
	x->one_by_one = p->one_by_one;
	x->count = x->bytes = 0;
	x->lost = 0;
	x->calls = 0;
	p->transfer = x;
	return NULL;
}

/** A piece hung: read the rest without the mapping that it lies in. */
static struct ms_error *transfer_lost(struct process *p, size_t count)
{
	struct transfer *lost = p->transfer; // Belongs to the lost worker now.

	p->transfer = NULL;
	if (!p->one_by_one && !p->use_mem) {
		p->one_by_one = true; // Which piece it was is not known: find out.
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		const struct ms_region *region;

		if (lost->status[i] != MS_READ_STUCK)
			continue;
		region = ms_regions_find(&p->regions, p->pieces[i].addr);
		if (region && !ms_vec_push(&p->avoided, *region))
			return ms_error_no_memory();
		return NULL;
	}
	return NULL;
}

static bool is_avoided(const struct process *p, ms_addr addr)
{
	for (size_t i = 0; i < p->avoided.count; i++) {
		if (addr >= p->avoided.items[i].start && addr < p->avoided.items[i].end)
			return true;
	}
	return false;
}

/** Move what the worker read to where it was wanted; a whole read may stay where it is. */
static void transfer_deliver(struct process *p, size_t count, bool lend)
{
	struct transfer *x = p->transfer;

	p->target.cost.reads += x->calls;
	for (size_t i = 0; i < count; i++) {
		struct piece *piece = &p->pieces[i];

		if (x->status[i] != MS_READ_OK) {
			piece->read->status = x->status[i];
			continue;
		}
		if (lend && piece->size == piece->read->size)
			piece->read->buf = x->buf + piece->offset;
		else
			memcpy(piece->dst, x->buf + piece->offset, piece->size);
		p->target.cost.read_bytes += piece->size;
	}
}

/** Read the gathered pieces; afterwards there are none. */
static struct ms_error *transfer_flush(struct process *p, size_t *count, bool lend)
{
	enum ms_job_result result = MS_JOB_DONE;
	size_t todo = *count;
	struct ms_error *err;

	*count = 0;
	while (todo) {
		size_t kept = 0;

		err = transfer_fresh(p);
		if (err)
			return err;
		for (size_t i = 0; i < todo; i++) {
			struct piece *piece = &p->pieces[i];

			if (is_avoided(p, piece->addr)) {
				piece->read->status = MS_READ_STUCK;
				continue;
			}
			piece->offset = p->transfer->bytes;
			p->pieces[kept] = *piece;
			p->transfer->addr[kept] = piece->addr;
			p->transfer->size[kept] = piece->size;
			p->transfer->status[kept] = MS_READ_STUCK;
			p->transfer->bytes += piece->size;
			p->transfer->count = ++kept;
		}
		if (!kept)
			return NULL;
		err = run_job(p, transfer_run, p->transfer, &result);
		if (err)
			return err;
		if (result == MS_JOB_DONE)
			break;
		err = transfer_lost(p, kept);
		if (err)
			return err;
		todo = kept;
	}
	if (todo && p->transfer->lost == EPERM)
		return ms_error_new(MS_ERR_DENIED, "process %d may no longer be read",
				    (int)p->target.pid);
	if (todo && p->transfer->lost)
		return error_gone(p);
	if (todo)
		transfer_deliver(p, p->transfer->count, lend);
	return NULL;
}

/** A page that is not present: fill it in from what we know, or say that we cannot. */
static struct ms_error *page_absent(struct process *p, const struct ms_region *region,
				    enum ms_page_state state, struct piece *piece)
{
	if (state == MS_PAGE_SWAPPED) {
		p->target.cost.swapped_pages++;
		piece->read->status = MS_READ_SWAPPED;
		return NULL;
	}
	p->target.cost.absent_pages++;
	if (region->kind == MS_REGION_ANON) {
		memset(piece->dst, 0, piece->size);
		return NULL;
	}
	if (region->kind == MS_REGION_LIBRARY) {
		piece->read->status = MS_READ_FAULT;
		return NULL;
	}
	return ms_target_exe_read(&p->target, region->file_offset + (piece->addr - region->start),
				  piece->dst, piece->size);
}

struct gather {
	size_t count;
	uint32_t bytes;
};

/** Queue a piece; what is queued already is read first when there is no room. */
static struct ms_error *piece_add(struct process *p, const struct piece *piece, struct gather *g)
{
	if (g->count == PIECES_MAX) {
		struct ms_error *err = transfer_flush(p, &g->count, false);

		if (err)
			return err;
		g->bytes = 0;
	}
	p->pieces[g->count++] = *piece;
	g->bytes += piece->size;
	return NULL;
}

/**
 * What was absent may have come: of one page by a word, of a long read's by all blocks that are
 * asked for at once, up to *asked_until.
 */
static struct ms_error *ask_again(struct process *p, ms_addr addr, ms_addr end,
				  enum ms_page_state *ret_state, ms_addr *asked_until)
{
	struct ms_error *err;

	if (end - addr <= 2 * MS_PAGE_SIZE)
		return page_ask(p, addr, ret_state);
	err = blocks_load(p, addr, asked_until);
	return err ? err : page_state(p, addr, ret_state);
}

/** Split one read at page boundaries where residency changes; queue what must be read. */
static struct ms_error *read_split(struct process *p, struct ms_read *read, struct gather *g)
{
	ms_addr addr = read->addr, end = read->addr + read->size;
	uint8_t *dst = read->buf;
	bool joined = false;     // The piece before this page can be made longer.
	ms_addr asked_until = 0; // Below it what is known of pages is of this read.

	while (addr < end && read->status == MS_READ_OK) {
		ms_addr page_end = (addr | (MS_PAGE_SIZE - 1)) + 1;
		uint32_t size = (uint32_t)(ms_min_u64(page_end, end) - addr);
		const struct ms_region *region = region_at(p, addr);
		struct piece piece = { addr, dst, size, 0, read };
		enum ms_page_state state;
		struct ms_error *err;

		if (!is_readable(region)) {
			read->status = MS_READ_FAULT;
			return NULL;
		}
		err = page_state(p, addr, &state);
		if (!err && state != MS_PAGE_PRESENT && addr >= asked_until)
			err = ask_again(p, addr, end, &state, &asked_until);
		if (!err && state != MS_PAGE_PRESENT)
			err = page_absent(p, region, state, &piece);
		if (err)
			return err;
		if (state == MS_PAGE_PRESENT && joined) {
			p->pieces[g->count - 1].size += size;
			g->bytes += size;
		} else if (state == MS_PAGE_PRESENT) {
			err = piece_add(p, &piece, g);
			if (err)
				return err;
		}
		joined = state == MS_PAGE_PRESENT;
		addr += size;
		dst += size;
	}
	return NULL;
}

/** What does not fit into one transfer is copied out of it, and only the last one is lent. */
static struct ms_error *reads_do(struct ms_target *t, struct ms_read *reads, size_t count,
				 bool lend)
{
	struct process *p = process_of(t);
	struct gather g = { 0 };
	struct ms_error *err;

	for (size_t i = 0; i < count; i++) {
		reads[i].status = MS_READ_OK;
		if (!reads[i].size || reads[i].size > MS_READ_BYTES_MAX ||
		    reads[i].addr > UINT64_MAX - MS_READ_BYTES_MAX) {
			reads[i].status = MS_READ_FAULT;
			continue;
		}
		if (g.bytes + reads[i].size > TRANSFER_BYTES) {
			err = transfer_flush(p, &g.count, false);
			if (err)
				return err;
			g.bytes = 0;
		}
		if (is_one_piece(p, reads[i].addr, reads[i].size))
			err = piece_add(p,
					&(struct piece){ reads[i].addr, reads[i].buf, reads[i].size,
							 0, &reads[i] },
					&g);
		else
			err = read_split(p, &reads[i], &g);
		if (err)
			return err;
	}
	return transfer_flush(p, &g.count, lend);
}

static struct ms_error *process_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	return reads_do(t, reads, count, false);
}

static struct ms_error *process_read_lent(struct ms_target *t, struct ms_read *reads, size_t count)
{
	return reads_do(t, reads, count, true);
}

static struct ms_error *process_exe_read(struct ms_target *t, uint64_t offset, void *buf,
					 size_t size)
{
	struct process *p = process_of(t);
	struct ms_error *err;
	size_t n = 0;

	if (offset > t->exe_size || size > t->exe_size - offset)
		return ms_error_new(MS_ERR_FAULT,
				    "the executable ends at byte %" PRIu64 ", before %" PRIu64,
				    t->exe_size, offset + size);
	if (!size)
		return NULL;
	err = file_read(p, p->exe_fd, offset, buf, size, &n);
	if (!err && n != size)
		err = ms_error_new(MS_ERR_FAULT, "the executable was cut short while it was read");
	return err;
}

static int process_exe_fd(struct ms_target *t)
{
	return process_of(t)->exe_fd;
}

static struct ms_error *error_denied(pid_t pid, const char *what)
{
	return ms_error_new(
	    MS_ERR_DENIED,
	    "cannot read process %d (%s): it needs the same user or the capabilities "
	    "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; type the same command after sudo; in Docker "
	    "start with --cap-add SYS_PTRACE; in "
	    "Kubernetes: "
	    "kubectl debug -it POD --target CONTAINER --profile=sysadmin; with Yama: "
	    "sysctl kernel.yama.ptrace_scope=0",
	    (int)pid, what);
}

static struct ms_error *auxv_read(struct process *p, uint8_t *buf, size_t *ret_size)
{
	MS_AUTO_CLOSE int fd = openat(p->proc_fd, "auxv", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES ? error_denied(p->target.pid, strerror(errno))
				       : error_gone(p);
	return file_read(p, fd, 0, buf, AUXV_BYTES_MAX, ret_size);
}

static struct ms_error *process_check(struct ms_target *t)
{
	struct process *p = process_of(t);
	uint8_t auxv[AUXV_BYTES_MAX];
	struct ms_error *err;
	size_t size;

	err = auxv_read(p, auxv, &size);
	if (err)
		return err;
	if (size == 0)
		return error_gone(p);
	if (size != p->auxv_bytes || memcmp(auxv, p->auxv, size) != 0)
		return ms_error_new(MS_ERR_GONE, "process %d became another program (exec)",
				    (int)t->pid);
	return NULL;
}

/** Pages that cannot be listed are not known, which is no error. */
static struct ms_error *process_resident(struct ms_target *t, struct ms_resident *ret_resident)
{
	struct process *p = process_of(t);
	struct ms_resident_job *job = calloc(1, sizeof(*job));
	enum ms_job_result result = MS_JOB_DONE;
	struct ms_error *err;

	if (!job)
		return ms_error_no_memory();
	job->pagemap_fd = openat(p->proc_fd, "pagemap", O_RDONLY | O_CLOEXEC);
	job->statm_fd = openat(p->proc_fd, "statm", O_RDONLY | O_CLOEXEC);
	job->rollup_fd = openat(p->proc_fd, "smaps_rollup", O_RDONLY | O_CLOEXEC);
	err = ms_regions_copy(&p->regions, &job->regions);
	if (!err)
		err = run_job(p, ms_resident_job_run, job, &result);
	if (!err && result == MS_JOB_STUCK)
		job = NULL; // The lost worker's.
	if (!err && job && !job->error) {
		*ret_resident = job->result;
		job->result = (struct ms_resident){ 0 };
	} else if (!err) {
		*ret_resident = (struct ms_resident){ .rss_bytes = MS_UNKNOWN };
	}
	ms_resident_job_free(job);
	return err;
}

static void process_destroy(struct ms_target *t)
{
	struct process *p = process_of(t);

	ms_worker_destroy(p->worker);
	ms_regions_deinit(&p->regions);
	ms_regions_deinit(&p->avoided);
	ms_residency_deinit(&p->residency);
	free(p->transfer);
	// A lost worker may still sleep in the kernel with the memory file: leave that one open.
	if (p->mem_fd >= 0 && !p->lost_workers)
		close(p->mem_fd);
	if (p->pagemap_fd >= 0)
		close(p->pagemap_fd);
	if (p->exe_fd >= 0)
		close(p->exe_fd);
	if (p->proc_fd >= 0)
		close(p->proc_fd);
	free(p);
}

static void process_end_threads(struct ms_target *t)
{
	ms_worker_destroy(process_of(t)->worker);
	process_of(t)->worker = NULL;
}

static const struct ms_target_ops process_ops = {
	.kind = "process",
	.read_many = process_read_many,
	.read_lent = process_read_lent,
	.regions = process_regions,
	.exe_read = process_exe_read,
	.exe_fd = process_exe_fd,
	.check = process_check,
	.resident = process_resident,
	.end_threads = process_end_threads,
	.destroy = process_destroy,
};

const char *ms_process_access_name(const struct ms_target *t)
{
	return ((const struct process *)t)->use_mem ? "/proc/PID/mem" : "process_vm_readv";
}

// --- Opening. ---

/** Choose the way memory is read: an unmapped address tells without reading anything. */
static struct ms_error *choose_access(struct process *p, enum ms_process_access access)
{
	uint8_t byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)(uintptr_t)16, 1 };
	int refused = ENOSYS;

	if (access != MS_PROCESS_MEM) {
		if (process_vm_readv(p->target.pid, &local, 1, &remote, 1, 0) >= 0 ||
		    errno == EFAULT)
			return NULL;
		refused = errno;
		if (refused == ESRCH)
			return error_gone(p);
	}
	if (access == MS_PROCESS_VM_READV)
		return error_denied(p->target.pid, strerror(refused));
	p->mem_fd = openat(p->proc_fd, "mem", O_RDONLY | O_CLOEXEC);
	if (p->mem_fd < 0)
		return error_denied(p->target.pid, strerror(errno));
	p->use_mem = true;
	return NULL;
}

/**
 * Whether the kernel says that it is one of its own threads (PF_KTHREAD, in the ninth field of
 * stat).  A process that is ending has no executable any more either, some time before it is a
 * zombie.
 */
static bool is_kernel_thread(const struct process *p)
{
	MS_AUTO_CLOSE int fd = openat(p->proc_fd, "stat", O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *name_end = n > 0 ? memrchr(text, ')', (size_t)n) : NULL;
	unsigned long flags;

	if (!name_end)
		return false;
	text[n] = '\0';
	return sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %lu", &flags) == 1 &&
	       (flags & KERNEL_THREAD_FLAG);
}

/** What the worker does with the executable: on a file system of somebody's, the first call may
 * hang. */
struct exe_job {
	int proc_fd, fd, error;
	struct stat stat;
};

static void exe_job_free(struct exe_job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	close(job->proc_fd);
	free(job);
}

/** File systems that another process or machine answers for, whenever it likes (linux/magic.h). */
static bool is_of_others(int fd)
{
	static const uint32_t magic[] = { 0x65735546, 0x6969,     0xff534d42, 0xfe534d42,
					  0x01021997, 0x00c36400, 0x5346414f };
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return false;
	for (size_t i = 0; i < MS_ARRAY_SIZE(magic); i++) {
		if ((uint32_t)fs.f_type == magic[i])
			return true;
	}
	return false;
}

/** The bytes of @p from in memory of our own; -1 with errno. */
static int copy_file(int from, atomic_ullong *progress)
{
	int to = memfd_create("program", MFD_CLOEXEC);
	ssize_t n = 1;

	while (to >= 0 && n > 0) {
		n = sendfile(to, from, NULL, COPY_BYTES);
		atomic_fetch_add(progress, 1);
	}
	if (to >= 0 && n < 0) {
		close(to);
		to = -1;
	}
	return to;
}

static void exe_job_run(void *context, atomic_ullong *progress)
{
	struct exe_job *job = context;
	int copy;

	job->fd = openat(job->proc_fd, "exe", O_RDONLY | O_CLOEXEC);
	if (job->fd < 0 || fstat(job->fd, &job->stat) != 0)
		job->error = errno;
	if (job->error || !is_of_others(job->fd))
		return;
	copy = copy_file(job->fd, progress);
	if (copy < 0) {
		job->error = errno;
		return;
	}
	close(job->fd);
	job->fd = copy;
}

static struct ms_error *exe_error(struct process *p, int error)
{
	if (error == EACCES || error == EPERM)
		return error_denied(p->target.pid, strerror(error));
	if (error == ENOENT && is_kernel_thread(p))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "process %d has no executable: it is a kernel thread",
				    (int)p->target.pid);
	if (error == ENOENT || error == ESRCH)
		return error_gone(p);
	return ms_error_errno(MS_ERR_IO, error, "/proc/%d/exe", (int)p->target.pid);
}

static struct ms_error *open_exe(struct process *p)
{
	struct exe_job *job = calloc(1, sizeof(*job));
	enum ms_job_result result = MS_JOB_DONE;
	struct ms_error *err;
	ssize_t n;

	if (!job)
		return ms_error_no_memory();
	job->fd = -1;
	job->proc_fd = dup(p->proc_fd);
	err = run_job(p, exe_job_run, job, &result);
	if (!err && result == MS_JOB_STUCK) // The job is the lost worker's.
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the executable of process %d cannot be read: the file system "
				    "that it is on did not answer in %d s",
				    (int)p->target.pid, MS_TARGET_STUCK_S);
	if (!err && job->error)
		err = exe_error(p, job->error);
	if (!err) {
		p->exe_fd = job->fd;
		p->exe_stat = job->stat;
		job->fd = -1;
	}
	exe_job_free(job);
	if (err)
		return err;
	p->target.exe_size = (uint64_t)p->exe_stat.st_size;
	n = readlinkat(p->proc_fd, "exe", p->exe_path, sizeof(p->exe_path) - 1);
	p->exe_path[n > 0 ? n : 0] = '\0';
	return NULL;
}

static struct ms_error *process_open(struct process *p, const struct ms_process_options *options)
{
	MS_AUTO_FREE char *dir = NULL;
	struct ms_error *err;

	if (asprintf(&dir, "%s/%d", options->proc_root ? options->proc_root : "/proc",
		     (int)p->target.pid) < 0)
		return ms_error_no_memory();
	p->proc_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->proc_fd < 0)
		return ms_error_new(MS_ERR_GONE, "there is no process %d; type: pgrep -a NAME",
				    (int)p->target.pid);
	err = open_exe(p);
	if (!err)
		err = choose_access(p, options->access);
	if (!err)
		err = auxv_read(p, p->auxv, &p->auxv_bytes);
	if (err)
		return err;
	p->pagemap_fd = openat(p->proc_fd, "pagemap", O_RDONLY | O_CLOEXEC);
	return regions_load(p);
}

struct ms_error *ms_process_open(pid_t pid, const struct ms_process_options *options,
				 struct ms_target **ret_target)
{
	static const struct ms_process_options defaults;
	struct process *p = calloc(1, sizeof(*p));
	struct ms_error *err;

	if (!p)
		return ms_error_no_memory();
	p->target.ops = &process_ops;
	p->target.pid = pid;
	p->proc_fd = p->exe_fd = p->pagemap_fd = p->mem_fd = -1;
	err = process_open(p, options ? options : &defaults);
	if (err) {
		process_destroy(&p->target);
		return err;
	}
	*ret_target = &p->target;
	return NULL;
}
