// A program that dies of its maps, or waits to be killed: crash hold|writes|read|iterate
//
// hold prints which maps it has and waits.  The others share one map between two goroutines, without
// a lock, until the runtime notices.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

type ledger struct {
	totals map[string]int
	other  map[int]int
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
			default:
				select {}
			}
		}
	}()
	time.Sleep(time.Hour)
}
