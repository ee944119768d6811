//go:build withcgo

package main

/*
#include <pthread.h>

static void *nap(void *arg) { return arg; }

// A thread that is not Go's: the process is a real cgo program, not only linked as one.
static int start_thread(void)
{
	pthread_t thread;
	if (pthread_create(&thread, 0, nap, 0))
		return -1;
	return pthread_join(thread, 0);
}
*/
import "C"

func init() {
	if C.start_thread() != 0 {
		panic("truth: no thread")
	}
}
