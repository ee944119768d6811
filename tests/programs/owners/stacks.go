package main

import (
	"time"
	"unsafe"
)

// A worker answers each question with the place and length of its map, and waits for the next.  Its
// array makes the frame fill more than a quarter of the stack, so that no collection shrinks and
// thereby moves it.
type worker chan chan placed

const padding = 3000

var (
	headerWorker, referenceWorker, argumentWorker, structWorker worker
	sliceWorker, innerWorker, closureWorker, deferWorker        worker
	blocked                                                     chan Job
	senderTold                                                  = make(chan placed, 1)
	sent, outer, deferred                                       placed
)

func newWorker(run func(worker)) worker {
	w := make(worker)
	go run(w)
	w.ask() // It has come to its waiting.
	return w
}

func (w worker) ask() placed {
	answer := make(chan placed)
	w <- answer
	return <-answer
}

//go:noinline
func touch(p *[padding]byte, i int) byte { return p[i%padding] }

// headerOf tells where a map's header is without letting the map escape.
//
//go:noinline
func headerOf(m *map[int]int) uintptr { return *(*uintptr)(unsafe.Pointer(m)) }

// holdHeader has the header itself in its frame.
func holdHeader(w worker) {
	var pad [padding]byte
	m := make(map[int]int)
	for i := 0; i < 5; i++ {
		m[i] = i
	}
	for answer := range w {
		answer <- placed{headerOf(&m), len(m)}
		touch(&pad, len(m))
	}
}

// holdReference has a pointer to a map of the heap in its frame.
func holdReference(w worker) {
	var pad [padding]byte
	m := ints(6)
	for answer := range w {
		answer <- place(m)
		touch(&pad, len(m))
	}
}

//go:noinline
func holdArgument(w worker, m map[int]int) {
	for answer := range w {
		answer <- place(m)
	}
}

func holdStruct(w worker) {
	b := newBag(4)
	for answer := range w {
		answer <- place(b.m)
		b.name += "!"
	}
}

func holdSlice(w worker) {
	list := []map[int]int{ints(3)}
	for answer := range w {
		answer <- place(list[0])
		list = append(list[:1], nil)
	}
}

func holdOuter(w worker) {
	m := ints(7)
	outer = place(m)
	holdInner(w)
	m[0] = 1
}

// holdInner waits above the frame that holds a map, with one of its own.
//
//go:noinline
func holdInner(w worker) {
	m := ints(8)
	for answer := range w {
		answer <- place(m)
	}
}

func newClosureWorker() worker {
	w, m := make(worker), ints(9)
	go func() {
		for answer := range w {
			answer <- place(m)
		}
	}()
	w.ask()
	return w
}

// holdDeferred has made its maps over to calls that come at its end.  As they are made in a loop,
// the records of these calls are no part of its frame.
func holdDeferred(w worker) {
	for i := 0; i < 2; i++ {
		m := map[int]bool{i: true, i + 5: true}
		deferred = place(m)
		defer func() { m[0] = true }()
	}
	for answer := range w {
		answer <- deferred
	}
}

// blockedSender waits with a struct in its hands that nobody takes.
func blockedSender(c chan Job, told chan<- placed) {
	j := Job{1, map[string]string{"blocked": "sender"}}
	told <- place(j.m)
	c <- j
	touch(new([padding]byte), len(j.m))
}

func (l *ledger) worker(w worker, functions ...string) {
	p := w.ask()
	l.stack(p.address, p.length, "map[int]int", functions...)
}

func fillStackHeader() { headerWorker = newWorker(holdHeader) }

func tellStackHeader(l *ledger) { l.worker(headerWorker, "main.holdHeader") }

func fillStackReference() { referenceWorker = newWorker(holdReference) }

func tellStackReference(l *ledger) { l.worker(referenceWorker, "main.holdReference") }

func fillStackArgument() {
	argumentWorker = make(worker)
	go holdArgument(argumentWorker, ints(11))
	argumentWorker.ask()
}

func tellStackArgument(l *ledger) { l.worker(argumentWorker, "main.holdArgument") }

func fillStackStruct() { structWorker = newWorker(holdStruct) }

func tellStackStruct(l *ledger) {
	p := structWorker.ask()
	l.framed(p.address, p.length, "map[string]bool", "main.Bag.m", "main.holdStruct")
}

func fillStackSlice() { sliceWorker = newWorker(holdSlice) }

func tellStackSlice(l *ledger) { l.worker(sliceWorker, "main.holdSlice") }

func fillStackInner() { innerWorker = newWorker(holdOuter) }

func tellStackInner(l *ledger) {
	l.worker(innerWorker, "main.holdInner", "main.holdOuter")
	l.stack(outer.address, outer.now(), "map[int]int", "main.holdOuter")
}

func fillGoClosure() { closureWorker = newClosureWorker() }

func tellGoClosure(l *ledger) { l.worker(closureWorker, "main.newClosureWorker.func1") }

func fillSender() {
	blocked = make(chan Job)
	go blockedSender(blocked, senderTold)
	sent = <-senderTold
	time.Sleep(20 * time.Millisecond) // Nothing tells from outside that a sender waits.
}

func tellSender(l *ledger) {
	l.framed(sent.address, sent.now(), "map[string]string", "main.Job.m", "main.blockedSender")
}

func fillDeferred() { deferWorker = newWorker(holdDeferred) }

func tellDeferred(l *ledger) {
	l.held(deferred.address, deferred.now(), "map[int]bool",
		`main\.holdDeferred\.func1(?:\.m)?`, `stack of main\.holdDeferred`)
	l.maps[len(l.maps)-1].expected.Shared = nil // The frame may have it in a slot, too.
}
