package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	deep  = 300 // More than the runtime prints, less than mapscope's bound.
	large = 200 // Frames of a kilobyte each.
)

func init() {
	w := &waiter{1}
	p := &pair[string, []int]{"k", []int{1}}
	var asked rester = *p
	ways = append(ways, []way{
		{"main.(*waiter).receive", each, func() { go w.receive() }},
		{"main.send", each, func() { go send("never") }},
		{"main.closed", each, func() { go closed(nil) }},
		{"main.sendNil", each, func() { go sendNil() }},
		{"main.choose(", each, func() { go choose() }},
		{"main.chooseOne", each, func() { go chooseOne() }},
		{"main.nothing", each, func() { go nothing() }},
		{"main.lock(", each, func() { go lock() }},
		{"main.readLock", each, func() { go readLock() }},
		{"main.writeLock", each, func() { go writeLock() }},
		{"main.await", each, func() { go await() }},
		{"main.signalled", each, func() { go signalled() }},
		{"main.once", each, func() { go once() }},
		{"main.sleep", each, func() { go sleep() }},
		{"main.timer", each, func() { go timer() }},
		{"main.readPipe", each, func() { go readPipe() }},
		{"main.accept", each, func() { go accept() }},
		{"main.pair[...].rest", each, func() { go asked.rest() }},
		{"main.(*pair[...]).hold", each, func() { go p.hold(never) }},
		{"main.hold[...]", each, func() { go hold(map[int]pair[int, string]{}, never) }},
		{"main.apply[...]", each, func() { go apply([]int{1, 2}, receiveInt) }},
		{"main.(*list[...]).each", each, func() { go (&list[float64]{}).add(1).each(rest[float64]) }},
		{"captures", each, func() { captures(w)() }},
		{"main.nested.func1", each, func() { go nested(3) }},
		{"main.methodValue", each, func() { go methodValue(w.receiveThen) }},
		{"main.methodExpression", each, func() { go methodExpression((*waiter).receiveThen, w) }},
		{"main.deferred(", each, func() { go deferred() }},
		{"main.deferredInLoop", each, func() { go deferredInLoop(3) }},
		{"main.deferredClosure", each, func() { go deferredClosure() }},
		{"main.panics", each, func() { go panics() }},
		{"main.faults", each, func() { go faults(nil) }},
		{"main.faultsInWrapper", each, func() { go faultsInWrapper(nil) }},
		{"main.recovers", each, func() { go recovers() }},
		{"main.again", each, func() { go again() }},
		{"main.exits", each, func() { go exits() }},
		{"main.afterRecovery", each, func() { go afterRecovery() }},
		{"main.inlinedDeep", each, func() { go inlinedDeep() }},
		{"main.inlinedClosure", each, func() { go inlinedClosure(w) }},
		{"main.descend", 3, func() { go descend(deep) }},
		{"main.ninetyNine", each, func() { go ninetyNine() }},
		{"main.wide", 3, func() { go wide(large) }},
		{"main.viaLibrary", each, func() { go viaLibrary() }},
		{"main.viaFormat", each, func() { go viaFormat() }},
		{"main.viaMap", each, func() { go viaMap() }},
		{"main.embedded", each, func() { go embedded() }},
		{"main.inSyscall", threads, func() { go inSyscall() }},
		{"main.onThread", threads, func() { go onThread() }},
		{"main.finalized", 1, finalizes},
	}...)
}

type waiter struct{ n int }

func (w *waiter) receive()          { sink += <-never + w.n }
func (w *waiter) receiveThen(n int) { sink += <-never + w.n + n }

func send(text string)     { nobody <- text }
func closed(ch chan int)   { sink += <-ch }
func sendNil()             { var ch chan string; ch <- "never" }
func nothing()             { select {} }
func lock()                { locked.Lock() }
func readLock()            { readers.RLock() }
func writeLock()           { readers.Lock() }
func await()               { forever.Wait() }
func sleep()               { time.Sleep(1000 * time.Hour) }
func timer()               { <-time.NewTimer(1000 * time.Hour).C }
func receiveInt(n int) int { return <-never + n }

func choose() {
	select {
	case n := <-never:
		sink += n
	case nobody <- "never":
	case <-time.After(1000 * time.Hour):
	}
}

func chooseOne() {
	for {
		select {
		case n, ok := <-never:
			if ok {
				sink += n
			}
		}
	}
}

func signalled() {
	cond.L.Lock()
	defer cond.L.Unlock()
	cond.Wait()
}

func once() {
	var o sync.Once
	o.Do(func() { sink += <-never })
}

func readPipe() {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	buf := make([]byte, 1)
	r.Read(buf)
	w.Close()
}

func accept() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	l.Accept()
}

// Type parameters: of methods, functions, closures in both, behind an interface.

type rester interface{ rest() }

type pair[K comparable, V any] struct {
	key K
	val V
}

// rest has a value receiver, so that an interface calls it through a wrapper.
func (p pair[K, V]) rest() { select {} }

//go:noinline
func (p *pair[K, V]) hold(ch chan int) {
	func() { sink += <-ch }()
	runtime.KeepAlive(p)
}

func hold[K comparable, V any](m map[K]V, ch chan int) {
	for i := 0; i < 1; i++ {
		sink += len(m) + <-ch
	}
}

func apply[T, U any](items []T, f func(T) U) (all []U) {
	for _, item := range items {
		all = append(all, f(item))
	}
	return all
}

type list[T any] struct {
	item T
	next *list[T]
}

func (l *list[T]) add(item T) *list[T] { return &list[T]{item, l} }

func (l *list[T]) each(f func(T)) {
	for at := l; at != nil; at = at.next {
		f(at.item)
	}
}

func rest[T any](T) { sink += <-never }

// Closures and methods as values.

func captures(w *waiter) func() {
	n := 0
	return func() {
		n++
		go func() {
			n += w.n
			w.receiveThen(n)
		}()
	}
}

func nested(n int) {
	func() {
		func() {
			defer func() { sink += n }()
			func() { sink += <-never + n }()
		}()
	}()
}

//go:noinline
func methodValue(f func(int)) { f(1) }

//go:noinline
func methodExpression(f func(*waiter, int), w *waiter) { f(w, 2) }

// Deferred calls: while they run, in a panic, behind it.

func deferred() {
	defer nothing()
	sink++
}

func deferredInLoop(n int) {
	for i := 0; i < n; i++ {
		defer func(i int) { sink += <-never + i }(i)
	}
}

func deferredClosure() {
	n := 1
	defer func() {
		n += <-never
	}()
	if sink >= 0 {
		defer func() { n++ }()
	}
}

func panics() {
	defer nothing()
	panic("on purpose")
}

// faults rests in a deferred call, above a panic that a signal began.
func faults(n *int) {
	defer nothing()
	sink += *n
}

// faultsInWrapper calls a method of a value that is not there: the compiler's wrapper panics.
func faultsInWrapper(p *pair[string, int]) {
	defer nothing()
	var asked rester = p
	asked.rest()
}

func recovers() {
	defer func() {
		if recover() != nil {
			sink += <-never
		}
	}()
	var none []int
	sink += none[sink+5]
}

// again panics in a deferred call of a panic.
func again() {
	defer nothing()
	defer func() { panic("second") }()
	panic("first")
}

func exits() {
	defer nothing()
	runtime.Goexit()
}

func swallow() (done bool) {
	defer func() { done = recover() != nil }()
	panic("swallowed")
}

func afterRecovery() {
	if swallow() {
		sink += <-never
	}
}

// Inlined calls, several deep, and what is inlined into closures.

func inlined3(n int) int { return <-never + n }
func inlined2(n int) int { return inlined3(n+1) + 1 }
func inlined1(n int) int { return inlined2(n+1) + 1 }

//go:noinline
func inlinedDeep() { sink += inlined1(1) }

//go:noinline
func inlinedClosure(w *waiter) {
	f := func(n int) { w.receiveThen(inlinedAdd(n)) }
	f(1)
}

func inlinedAdd(n int) int { return n + 1 }

// Long stacks: of many frames, of just as many as the runtime prints, of wide ones.

func descend(n int) int {
	var room [64]byte
	room[n%64] = byte(n)
	if n == 0 {
		return <-never
	}
	return descend(n-1) + int(room[(n+1)%64])
}

func ninetyNine() { sink += descend(94) }

func wide(n int) int {
	var room [1024]byte
	room[n%1024] = byte(n)
	if n == 0 {
		return <-never
	}
	return wide(n-1) + int(room[(n+1)%1024])
}

// Through the library.

func viaLibrary() {
	sort.Slice([]int{2, 1}, func(i, j int) bool { return <-never < i+j })
}

type formatted struct{}

func (formatted) String() string { sink += <-never; return "" }

func viaFormat() { fmt.Fprint(&strings.Builder{}, formatted{}) }

func viaMap() { strings.Map(func(r rune) rune { return r + rune(<-never) }, "a") }

type inner struct{ waiter }
type outer struct{ *inner }

//go:noinline
func embedded() {
	var o interface{ receive() } = outer{&inner{waiter{2}}}
	o.receive()
}

// On threads of their own.

func inSyscall() {
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	buf := make([]byte, 1)
	syscall.Read(pipe[0], buf)
}

func onThread() {
	runtime.LockOSThread()
	sink += <-never
}

type finalizable struct{ n [4]int }

// The runtime's own goroutine for finalizers rests in one of ours.
func finalized(*finalizable) { sink += <-never }

func finalizes() {
	for i := 0; i < 2; i++ {
		runtime.SetFinalizer(&finalizable{}, finalized)
		runtime.GC()
	}
}

// Preempted: at any instruction of a loop that is one line, and where a function begins.

var preempted = map[string]way{
	"preempted": {"main.spin", threads, func() { go spin() }},
	"polite":    {"main.step", threads, func() { go walk() }},
}

func spin() {
	looping++
	for stopped == 0 {
	}
}

//go:noinline
func step(n int) int {
	var room [256]byte
	room[n%256] = byte(n)
	return int(room[(n+1)%256])
}

func walk() {
	looping++
	for stopped == 0 {
		sink = step(sink)
	}
}
