// text_stack.h - stacks on a page.
#pragma once

#include "render/text.h"

/**
 * Append a function's name, the path of a package that is not the standard library's cut to its
 * last part: "…/session.(*Registry).Get".
 */
void ms_text_function(struct ms_text *t, const char *name);

/** Append "main.(*Cart).Add cart.go:51", the file without its folders. */
void ms_text_call(struct ms_text *t, const struct ms_stack_call *call);

/**
 * A stack in two lines at @p indent: the program's own innermost call with its line and the call it
 * stands in, then who called it.
 */
void ms_text_stack(struct ms_text *t, const struct ms_stack *stack, unsigned indent);

/** The second of these lines: who called the program's innermost line; nothing when nobody did. */
void ms_text_callers(struct ms_text *t, const struct ms_stack *stack, unsigned indent);

/** A stack as Go prints it, two lines a call. */
void ms_text_stack_whole(struct ms_text *t, const struct ms_stack *stack);
