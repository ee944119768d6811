// lines.c - in the order of how well they are known: the line that made most of a map's growths;
// for two at once the one that writes; else where the memory profile saw its table made, or the
// only line of the code that makes, fills or empties such maps.  A line that makes maps anew is
// told by the call that makes one, if its function has it.
#include "diagnose/lines.h"

#include "golang/make_calls.h"
#include "stacks/book.h"

static const struct ms_stack_call *line_of(const struct ms_stacks *stacks, uint32_t stack)
{
	return stack < stacks->count ? ms_stack_program_line(&stacks->items[stack]) : NULL;
}

static const struct ms_stack_call *filler_line(const struct ms_diagnosis_report *r,
					       const struct ms_finding *f)
{
	if (!f->filler_count || f->fillers[0].growths * 2 <= f->growths_traced)
		return NULL;
	return line_of(&r->trace.stacks, f->fillers[0].stack);
}

/** What the line of a finding says: of code where it makes the map, if that is known. */
static const struct ms_stack_call *code_line(const struct ms_finding *f)
{
	if (!f->line.stack)
		return NULL;
	if (f->kind == MS_FINDING_CODE && f->line.made_at.function)
		return &f->line.made_at;
	return ms_stack_program_line(f->line.stack);
}

static const struct ms_stack_call *clue_line(const struct ms_diagnosis_report *r,
					     const struct ms_finding *f)
{
	if (f->verdict != MS_VERDICT_RACE || f->clue >= r->goroutines.clue_count)
		return NULL;
	return line_of(&r->goroutines.stacks, r->goroutines.clues[f->clue].stacks[0]);
}

/** The only line of the code that does what the finding is about; NULL where there are several. */
static const struct ms_stack_call *site_line(const struct ms_finding *f)
{
	const struct ms_code_sites *s = &f->sites;
	const struct ms_code_calls *order[3] = { &s->filled, &s->made, &s->deleted };

	if (f->kind == MS_FINDING_OWNER) {
		order[0] = &s->made;
		order[1] = &s->filled;
	} else if (f->verdict == MS_VERDICT_SLACK) {
		order[0] = &s->deleted;
		order[1] = &s->filled;
		order[2] = &s->made;
	}
	for (size_t i = 0; i < MS_ARRAY_SIZE(order); i++) {
		if (order[i]->lines == 1)
			return &order[i]->items[0];
	}
	return NULL;
}

/** The go statement of goroutines that never end. */
static const struct ms_stack_call *leak_line(const struct ms_diagnosis_report *r,
					     const struct ms_finding *f)
{
	return f->leak < r->goroutines.suspect_count ? &r->goroutines.suspects[f->leak].created_by
						     : NULL;
}

// --- Where a map is made. ---

enum { CALLERS_MAX = 6 }; // Through so many a map is handed to what fills it.

/** By the function that fills it, or one of those that called that. */
static struct ms_error *made_at_find(struct ms_go_runtime *rt, const struct ms_functions *functions,
				     struct ms_stack_book *book, struct ms_code_line *line)
{
	const struct ms_stack *stack = line->stack;
	const struct ms_stack_call *own = ms_stack_program_line(stack);
	ms_addr at = 0, made_for = 0;
	struct ms_error *err = NULL;
	unsigned looked = 0;

	for (uint32_t i = own ? (uint32_t)(own - stack->calls) : stack->count;
	     i < stack->count && !at && !err && looked < CALLERS_MAX; i++) {
		const struct ms_stack_call *call = &stack->calls[i];
		const struct ms_function *f = call->pc && call->pc != made_for
						  ? ms_functions_find(functions, call->pc)
						  : NULL;

		if (!f || (f->flags & MS_FUNCTION_RUNTIME))
			continue;
		looked++;
		made_for = call->pc;
		err = ms_make_call_find(rt, functions, f, call->pc, &at);
	}
	if (err || !at)
		return err;
	return ms_stack_book_call(book, (struct ms_stack_pc){ at, true }, &line->made_at);
}

struct ms_error *ms_made_at_find(struct ms_go_runtime *rt, struct ms_diagnosis_report *report)
{
	const struct ms_functions *functions;
	struct ms_stack_book book;
	struct ms_error *err = ms_go_functions(rt, &functions);

	if (err)
		return err;
	ms_stack_book_init(&book, functions, &report->arena, &report->allocations.stacks);
	for (size_t i = 0; i < report->finding_count && !err; i++) {
		if (report->findings[i].kind == MS_FINDING_CODE)
			err = made_at_find(rt, functions, &book, &report->findings[i].line);
	}
	ms_stack_book_deinit(&book);
	if (!err || ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err); // Code that cannot be read makes no line.
	return NULL;
}

void ms_lines_name(struct ms_diagnosis_report *report)
{
	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_finding *f = &report->findings[i];
		const struct ms_stack_call *line = clue_line(report, f);

		if (!line)
			line = leak_line(report, f);
		if (!line)
			line = filler_line(report, f);
		if (!line)
			line = code_line(f);
		if (!line)
			line = site_line(f);
		if (!f->advice.text || !line || line->is_runtime || !line->file)
			continue;
		f->advice.file = line->file;
		f->advice.line = line->line;
	}
}
