// cleanup.h - scope-exit cleanup.  Declare, initialise to NULL (or -1), and return freely.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MS_CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void ms_freep(void *p)
{
	free(*(void **)p);
}

static inline void ms_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void ms_fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define MS_AUTO_FREE MS_CLEANUP(ms_freep)
#define MS_AUTO_CLOSE MS_CLEANUP(ms_closep)
#define MS_AUTO_FCLOSE MS_CLEANUP(ms_fclosep)
#define MS_AUTO_ERROR MS_CLEANUP(ms_error_freep)

/** Pass a pointer on and forget it here, so that the scope's cleanup leaves it alone. */
#define MS_STEAL(p)                                                                                \
	({                                                                                         \
		__typeof__(p) stolen_ = (p);                                                       \
		(p) = NULL;                                                                        \
		stolen_;                                                                           \
	})
