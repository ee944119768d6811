// no_rows.c - an empty layout table.  layoutgen is linked with it, so that the table that it is
// about to replace, which may not even compile after a change of the questions, plays no part.
#include "golang/layout_internal.h"

const struct ms_go_layout ms_go_layout_rows[1];
const size_t ms_go_layout_row_count = 0;
