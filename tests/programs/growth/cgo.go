//go:build withcgo

package main

/*
#include <pthread.h>

extern void fillFromC(long);

static void *call(void *entries) { fillFromC((long)entries); return 0; }

static int fill_on_thread(long entries)
{
	pthread_t thread;
	if (pthread_create(&thread, 0, call, (void *)entries))
		return -1;
	return pthread_join(thread, 0);
}
*/
import "C"

//export fillFromC
func fillFromC(entries C.long) {
	fill(int(entries)) // LINE cgo
}

func init() {
	fromC = func(entries int) {
		if C.fill_on_thread(C.long(entries)) != 0 {
			panic("growth: no thread")
		}
	}
}
