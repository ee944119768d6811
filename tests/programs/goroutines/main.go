// Goroutines in known states and numbers, for mapscope goroutines to be held against.
//
//	goroutines EACH [DEPTH [RUNNING]]
//
// EACH goroutines for each way to wait, behind DEPTH calls (12); some ways take a thread each and
// have few.  RUNNING of them never rest (1).  When all rest it prints a line for each way, "ready", and obeys lines on its input:
//
//	gc     collect, so that the runtime notes who waits
//	more   start ten goroutines that nobody will wake, from one go statement
//	churn  start ten that wait, let ten end, from another
//	final  let the runtime's goroutine for finalizers wait in one of ours
//	dump   write what the runtime says of all goroutines (debug=2), then "."
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const few = 4

var (
	mu      sync.Mutex
	rw      sync.RWMutex
	group   sync.WaitGroup
	cond    = sync.NewCond(&sync.Mutex{})
	never   = make(chan int)
	other   = make(chan string)
	leaking = make(chan int)
	turns   = make(chan int)
	sink    int64
	stop    int32
	depth   = 12
	running = 1
)

type way struct {
	name  string // As the page has it: state, or wait reason.
	count int
	start func(n int)
}

// The calls behind which a goroutine waits: no two alike, so that none is folded away.

//go:noinline
func first(n int, wait func()) {
	if n <= 0 {
		wait()
	} else {
		second(n-1, wait)
	}
	atomic.AddInt64(&sink, 1)
}

//go:noinline
func second(n int, wait func()) {
	if n <= 0 {
		wait()
	} else {
		third(n-1, wait)
	}
	atomic.AddInt64(&sink, 1)
}

//go:noinline
func third(n int, wait func()) {
	if n <= 0 {
		wait()
	} else {
		first(n-1, wait)
	}
	atomic.AddInt64(&sink, 1)
}

func receive()  { <-never }
func send()     { other <- "never" }
func lock()     { mu.Lock() }
func readLock() { rw.RLock() }
func rest()     { time.Sleep(time.Hour) }
func await()    { group.Wait() }
func nilChan()  { var c chan int; <-c }
func nothing()  { select {} }

func choose() {
	select {
	case n := <-never:
		sink += int64(n)
	case other <- "never":
	}
}

func signalled() {
	cond.L.Lock()
	cond.Wait()
}

func pollRead() {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	r.Read(make([]byte, 1))
	w.Close() // Never; a collection must not do it before.
}

func blockedRead() {
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		panic(err)
	}
	syscall.Read(fds[0], make([]byte, 1))
}

func run() {
	for atomic.LoadInt32(&stop) == 0 {
	}
}

func leak() { <-leaking }
func turn() { <-turns }

// One go statement for each way, so that each has a line of its own.
func ways(each int) []way {
	return []way{
		{"chan receive", each, func(n int) { go first(n, receive) }},
		{"chan send", each, func(n int) { go first(n, send) }},
		{"select", each, func(n int) { go first(n, choose) }},
		{"sync.Mutex.Lock", each, func(n int) { go first(n, lock) }},
		{"sync.RWMutex.RLock", each, func(n int) { go first(n, readLock) }},
		{"sleep", each, func(n int) { go first(n, rest) }},
		{"sync.WaitGroup.Wait", each, func(n int) { go first(n, await) }},
		{"sync.Cond.Wait", each, func(n int) { go first(n, signalled) }},
		{"chan receive (nil chan)", few, func(n int) { go first(n, nilChan) }},
		{"select (no cases)", few, func(n int) { go first(n, nothing) }},
		{"IO wait", few, func(n int) { go first(n, pollRead) }},
		{"syscall", few, func(n int) { go first(n, blockedRead) }},
		{"running", running, func(n int) { go first(n, run) }},
	}
}

func startMore() {
	for i := 0; i < 10; i++ {
		go leak()
	}
}

func startTurns() {
	for i := 0; i < 10; i++ {
		go turn()
	}
}

// waitInFinalizer makes a goroutine of the runtime's one of the program's.
func waitInFinalizer() {
	entered := make(chan bool)
	runtime.SetFinalizer(new([64]byte), func(*[64]byte) {
		entered <- true
		<-never
	})
	for {
		runtime.GC()
		select {
		case <-entered:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func obey(line string) {
	switch line {
	case "gc":
		runtime.GC()
	case "more":
		startMore()
	case "churn":
		startTurns()
		for i := 0; i < 9; i++ {
			turns <- i
		}
	case "final":
		waitInFinalizer()
	case "dump":
		pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
		fmt.Println(".")
		return
	}
	time.Sleep(50 * time.Millisecond) // Let them get there.
	fmt.Println("done")
}

func number(at, otherwise int) int {
	if len(os.Args) <= at {
		return otherwise
	}
	n, err := strconv.Atoi(os.Args[at])
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	each := number(1, 0)
	depth, running = number(2, depth), number(3, running)
	mu.Lock()
	rw.Lock()
	group.Add(1)
	for _, w := range ways(each) {
		for i := 0; i < w.count; i++ {
			w.start(depth)
		}
	}
	time.Sleep(time.Duration(each)*10*time.Microsecond + 300*time.Millisecond)
	for _, w := range ways(each) {
		fmt.Printf("%s\t%d\n", w.name, w.count)
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		obey(lines.Text())
	}
}
