// A program that dies of its maps, or waits to be killed: crash hold|writes|read|iterate|begin|...
//
// hold prints which maps it has and waits.  writes, read, iterate and begin, which takes the first step of
// a loop alone, share one map between two goroutines, without a lock, until the runtime notices.  nil, unhashable, fault, own, memory, deadlock
// and overflow die alone, of what they are called.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

type ledger struct {
	totals map[string]int
	other  map[int]int
	any    map[interface{}]bool
	never  map[string]uint16
}

var book = &ledger{totals: map[string]int{}, other: map[int]int{}}

//go:noinline
func post(b *ledger, k int) { b.totals[fmt.Sprint(k%1000)] = k }

//go:noinline
func settle(b *ledger, k int) { b.totals[fmt.Sprint(k%1000)] = -k }

//go:noinline
func look(b *ledger) int { return b.totals["7"] }

//go:noinline
func sum(b *ledger) (s int) {
	for _, v := range b.totals {
		s += v
	}
	return
}

//go:noinline
func first(b *ledger) int {
	for _, v := range b.totals {
		return v
	}
	return 0
}

//go:noinline
func note(b *ledger, k string) { b.never[k] = 1 }

//go:noinline
func mark(b *ledger, k interface{}) { b.any[k] = true }

//go:noinline
func follow(p *ledger) int { return len(p.never) }

//go:noinline
func descend(n int) int {
	var room [128]int
	room[n&127] = n
	return descend(n+1) + room[0]
}

// hoard fills a map until the system has no more memory for it.
//
//go:noinline
func hoard(b *ledger) {
	debug.SetGCPercent(-1)
	most := syscall.Rlimit{Cur: 512 << 20, Max: 512 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &most); err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		b.other[i] = i
	}
}

// alone ends the program in the way of that name.
func alone(how string) {
	switch how {
	case "nil":
		note(book, "secret-of-a-key")
	case "unhashable":
		book.any = map[interface{}]bool{1: true}
		mark(book, []int{1})
	case "fault":
		follow(nil)
	case "own":
		panic("secret-of-a-panic")
	case "memory":
		hoard(book)
	case "deadlock":
		select {}
	case "overflow":
		debug.SetMaxStack(1 << 20)
		descend(0)
	}
}

func main() {
	for i := 0; i < 2000; i++ {
		book.other[i] = i
	}
	for i := 0; i < 1000; i++ {
		post(book, i)
	}
	for i := 0; i < 20; i++ {
		go func() { select {} }()
	}
	if os.Args[1] == "hold" {
		// Collections note who waits, and when they were.
		for i := 0; i < 2; i++ {
			time.Sleep(200 * time.Millisecond)
			runtime.GC()
		}
	}
	fmt.Println("ready", len(book.totals), len(book.other))
	alone(os.Args[1])
	// The first thread's own stack is the end of a core: a writer there would be lost in every cut.
	runtime.LockOSThread()
	go func() {
		for i := 0; os.Args[1] != "hold"; i++ {
			post(book, i)
		}
	}()
	go func() {
		for n := 0; ; n++ {
			switch os.Args[1] {
			case "writes":
				settle(book, n)
			case "read":
				n += look(book) & 1
			case "iterate":
				n += sum(book) & 1
			case "begin":
				n += first(book) & 1
			default:
				select {}
			}
		}
	}()
	time.Sleep(time.Hour)
}
