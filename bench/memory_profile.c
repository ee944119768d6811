// memory_profile.c - the memory profile of a process, a line for each stack that allocated.
//
//	memory_profile PID
//
// In use, allocated, bytes of one object, then the lines of the stack, by tabs.
#include "golang/memory_profile.h"
#include "stacks/book.h"
#include "target/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ms_error *print_row(const struct ms_profile *p, const struct ms_profile_row *row,
				  struct ms_stack_book *book)
{
	struct ms_stack_pc pcs[MS_PROFILE_PCS_MAX];
	struct ms_error *err;
	uint32_t index;

	for (uint32_t i = 0; i < row->pc_count; i++)
		pcs[i] = (struct ms_stack_pc){ p->pcs[row->first_pc + i], true };
	err = ms_stack_book_add(book, pcs, row->pc_count, NULL, &index);
	if (err)
		return err;
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64, row->in_use, row->allocs, row->size_bytes);
	for (uint32_t i = 0; i < book->stacks->items[index].count; i++) {
		const struct ms_stack_call *call = &book->stacks->items[index].calls[i];

		printf("\t%s:%u", call->function, call->line);
	}
	putchar('\n');
	return NULL;
}

static struct ms_error *print(struct ms_go_runtime *rt)
{
	struct ms_profile_place place;
	struct ms_profile profile = { 0 };
	const struct ms_functions *functions;
	struct ms_arena arena = { 0 };
	struct ms_stacks stacks = { 0 };
	struct ms_stack_book book;
	double began = now_s(), found;
	struct ms_error *err = ms_go_functions(rt, &functions);

	if (!err)
		err = ms_profile_find(rt, &place);
	if (err)
		return err;
	found = now_s();
	err = ms_profile_read(rt, &place, &profile);
	if (err)
		return err;
	printf("rate %" PRIu64 " cycle_bytes %u rows %zu find_s %.4f read_s %.4f\n", place.rate,
	       place.cycle_bytes, profile.row_count, found - began, now_s() - found);
	ms_stack_book_init(&book, functions, &arena, &stacks);
	for (size_t i = 0; i < profile.row_count && !err; i++)
		err = print_row(&profile, &profile.rows[i], &book);
	ms_stack_book_deinit(&book);
	ms_stacks_deinit(&stacks);
	ms_arena_deinit(&arena);
	ms_profile_deinit(&profile);
	return err;
}

int main(int argc, char **argv)
{
	struct ms_go_runtime *rt = NULL;
	struct ms_target *target = NULL;
	struct ms_error *err;

	char *end;
	long pid = argc == 2 ? strtol(argv[1], &end, 10) : 0;

	if (argc != 2 || *end || pid <= 0) {
		fprintf(stderr, "usage: memory_profile PID\n");
		return 1;
	}
	err = ms_process_open((pid_t)pid, NULL, &target);
	if (!err)
		err = ms_go_open(target, NULL, &rt);
	if (!err)
		err = print(rt);
	if (err)
		fprintf(stderr, "memory_profile: %s\n", ms_error_message(err));
	ms_go_close(rt);
	ms_target_destroy(target);
	ms_error_free(err);
	return err != NULL;
}
