//go:build withcgo

package main

/*
#include <pthread.h>

extern int dumpCall(int);
extern void dumpThread(void);

static int callBack(int n) { return dumpCall(n) + 1; }

static void *begin(void *nothing)
{
	dumpThread();
	return nothing;
}

static int startThread(void)
{
	pthread_t thread;

	return pthread_create(&thread, 0, begin, 0);
}
*/
import "C"

func init() {
	ways = append(ways,
		way{"main.inC", threads, func() { go inC() }},
		way{"main.alternating", threads, func() { go alternating() }},
		way{"main.dumpThread", threads, startThread})
}

//export dumpCall
func dumpCall(n C.int) C.int {
	if n > 0 {
		return C.callBack(n - 1)
	}
	return C.int(<-never)
}

func inC()         { sink += int(C.callBack(0)) }
func alternating() { sink += int(C.callBack(3)) }

//export dumpThread
func dumpThread() { sink += <-never }

// startThread makes a thread of C that comes into Go.
func startThread() {
	if C.startThread() != 0 {
		panic("no thread")
	}
}
