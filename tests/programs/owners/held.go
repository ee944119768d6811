package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Guarded waits for its finalizer, which holds a map.
type Guarded struct {
	id    int
	peers *Guarded
}

// Final is given to a finalizer that does not come to its end.
type Final struct {
	id int
	m  map[string]complex64
}

// Queued comes after Final: its finalizer is due and has not been called.
type Queued struct {
	id int
	m  map[string]complex128
}

type Pooled struct {
	id int
	m  map[complex64]int
}

type ctxKey struct{}

var (
	guarded    *Guarded
	watched    placed
	finalAsk   = make(worker)
	queuedHere placed
	armed      placed
	timerHere  placed
	keptTimer  *time.Timer
	victims    sync.Pool
	victimHere placed
	pool       sync.Pool
	pooledHere [4]placed
	ctx        context.Context
)

//go:noinline
func watch(g *Guarded) placed {
	notes := map[int]complex64{1: 1, 2: 2}
	runtime.SetFinalizer(g, func(g *Guarded) { notes[g.id] = 0 })
	return place(notes)
}

func fillFinalizerClosure() {
	guarded = &Guarded{id: 1}
	watched = watch(guarded)
}

func tellFinalizerClosure(l *ledger) {
	if guarded.id == 1 {
		l.held(watched.address, watched.now(), "map[int]complex64",
			`main\.watch\.func1(?:\.notes)?`)
	}
}

// finish is a finalizer that waits, and with it all that are due after it.
func finish(f *Final) {
	for answer := range finalAsk {
		answer <- place(f.m)
	}
	f.id++
}

//go:noinline
func dropFinal() {
	f := &Final{1, map[string]complex64{"final": 1}}
	runtime.SetFinalizer(f, finish)
}

func fillFinalizerArgument() {
	aside(dropFinal)
	runtime.GC()
	finalAsk.ask() // It has begun.
}

func tellFinalizerArgument(l *ledger) {
	p := finalAsk.ask() // The queue has not let go of what it has given to the function.
	l.held(p.address, p.length, "map[string]complex64", `main\.Final\.m`, `stack of main\.finish`)
	l.maps[len(l.maps)-1].expected.Shared = nil // Frames may have it in slots, too.
}

//go:noinline
func dropQueued() {
	q := &Queued{1, map[string]complex128{"queued": 1, "up": 2}}
	queuedHere = place(q.m)
	runtime.SetFinalizer(q, func(q *Queued) { q.id++ })
}

// The collections that follow find it, and the queue stands.
func fillFinalizerQueue() { aside(dropQueued) }

func tellFinalizerQueue(l *ledger) {
	l.held(queuedHere.address, queuedHere.now(), "map[string]complex128", `main\.Queued\.m`)
}

//go:noinline
func arm() (*time.Timer, placed) {
	late := map[string]uintptr{"late": 1}
	timer := time.AfterFunc(1000*time.Hour, func() { late["called"] = 1 })
	return timer, place(late)
}

func fillTimer() { _, armed = arm() }

func tellTimer(l *ledger) {
	l.held(armed.address, armed.now(), "map[string]uintptr", `main\.arm\.func1(?:\.late)?`)
}

func fillKeptTimer() { keptTimer, timerHere = arm() }

func tellKeptTimer(l *ledger) {
	if keptTimer != nil {
		l.held(timerHere.address, timerHere.now(), "map[string]uintptr",
			`main\.arm\.func1(?:\.late)?`)
	}
}

func newPooled(n int) *Pooled {
	return &Pooled{n, map[complex64]int{1: n}}
}

// A collection makes the contents of a pool its victims, the next one drops them.
func fillVictim() {
	p := newPooled(1)
	victimHere = place(p.m)
	victims.Put(p)
}

// pooled lists what was put into a pool: a look through Get may come from another processor, and
// misses what the first one has to itself.  The race detector has pools forget at random what they
// are given.
func (l *ledger) pooled(root string, maps ...placed) {
	if raceEnabled {
		return
	}
	e := &expected{Owners: []string{"main.Pooled.m <- " + root}, Shared: []int{1},
		Types:    []string{"map[complex64]int"},
		Stripped: []string{`main\.Pooled\.m <- ` + l.global("")}}
	for _, p := range maps {
		l.add(p.address, p.now(), e)
	}
}

func tellVictim(l *ledger) { l.pooled("main.victims", victimHere) }

func fillPool() {
	for i := range pooledHere {
		p := newPooled(i)
		pooledHere[i] = place(p.m)
		pool.Put(p)
	}
}

func tellPool(l *ledger) { l.pooled("main.pool", pooledHere[:]...) }

func fillContext() {
	ctx = context.WithValue(context.Background(), ctxKey{}, map[string][]int{"context": {1}})
	ctx = context.WithValue(ctx, "number", 1)
}

func tellContext(l *ledger) {
	l.field(ctx.Value(ctxKey{}), "context.valueCtx.val", "main.ctx")
}
