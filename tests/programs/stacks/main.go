// Goroutines that rest in every way we know of.  Once they do it says "ready", and rests itself until
// its input ends; under GOTRACEBACK=system a SIGQUIT makes the runtime print all their frames.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

const deep = 300 // More than the runtime prints, less than mapscope's bound.

type pair[K comparable, V any] struct {
	key K
	val V
}

type waiter struct {
	mu    sync.Mutex
	rw    sync.RWMutex
	group sync.WaitGroup
	cond  *sync.Cond
	ch    chan int
	other chan string
	null  *int
}

type rests interface{ rest() }

var sink int

func (w *waiter) receive()  { sink += <-w.ch }
func (w *waiter) send()     { w.other <- "never" }
func (w *waiter) lock()     { w.mu.Lock() }
func (w *waiter) readLock() { w.rw.RLock() }
func (w *waiter) await()    { w.group.Wait() }

func (w *waiter) choose() {
	select {
	case n := <-w.ch:
		sink += n
	case w.other <- "never":
	}
}

func (w *waiter) signalled() {
	w.cond.L.Lock()
	w.cond.Wait()
}

// rest has a value receiver, so that an interface calls it through a wrapper.
func (p pair[K, V]) rest() { select {} }

func hold[K comparable, V any](p *pair[K, V], ch chan int) {
	sink += <-ch
	runtime.KeepAlive(p)
}

func descend(n int, ch chan int) int {
	var room [64]byte
	room[n%64] = byte(n)
	if n == 0 {
		return <-ch
	}
	return descend(n-1, ch) + int(room[(n+1)%64])
}

// panics rests in a deferred call, above a panic that a signal began.
func (w *waiter) panics() {
	defer w.receive()
	sink += *w.null
}

func ranges(ch chan int) {
	m := map[string]int{"a": 1, "b": 2}
	for range m {
		func() {
			defer func() { sink += len(m) }()
			sink += <-ch
		}()
	}
}

func read() {
	r, _, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	buf := make([]byte, 1)
	r.Read(buf)
}

func start(w *waiter) {
	pair := &pair[string, []int]{"k", nil}
	var asked rests = pair
	go w.receive()
	go w.send()
	go w.lock()
	go w.readLock()
	go w.await()
	go w.choose()
	go w.signalled()
	go w.panics()
	go asked.rest()
	go hold(pair, w.ch)
	go descend(deep, w.ch)
	go descend(3, w.ch)
	go ranges(w.ch)
	go read()
	go time.Sleep(time.Hour)
	go func() {
		defer fmt.Println("never")
		w.receive()
	}()
}

var (
	text [1 << 20]byte // Always the same: its address is in what is printed.
	last string
)

// rest tells whether every other goroutine waits, and is where it was when this was asked before.
func rest() bool {
	time.Sleep(50 * time.Millisecond)
	before := last
	last = string(text[:runtime.Stack(text[:], true)])
	return last == before && !strings.Contains(last, "[runnable")
}

func main() {
	w := &waiter{ch: make(chan int), other: make(chan string)}
	w.cond = sync.NewCond(&sync.Mutex{})
	w.mu.Lock()
	w.rw.Lock()
	w.group.Add(1)
	start(w)
	for !rest() {
	}
	fmt.Println("ready")
	bufio.NewScanner(os.Stdin).Scan()
}
