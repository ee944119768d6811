// Goroutines that wait for locks and channels in every way there is, and some that only look as if
// they held one.  Prints "ready" when all are on their way; each that blocks on purpose prints its
// name and line before that.  "collect" on its input has it collect garbage, "release" lets all
// that block on purpose go on.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

type thing struct{ id int }

var release = make(chan bool)

var printing sync.Mutex

// block waits for ever, and says where its caller does.
//
//go:noinline
func block(name string) {
	_, _, line, _ := runtime.Caller(1)
	printing.Lock()
	fmt.Println("at", name, line)
	printing.Unlock()
	begun <- true
	<-release
}

var begun = make(chan bool)

// start runs f and waits until it has called block.
func start(f func()) {
	go f()
	<-begun
}

// Registry is the common case: a lock and the map that it guards.
type Registry struct {
	name string
	mu   sync.RWMutex
	m    map[string]*thing
}

var registry *Registry

//go:noinline
func (r *Registry) fill() {
	r.mu.Lock()
	block("registry")
	r.m["x"] = &thing{1}
	r.mu.Unlock()
}

//go:noinline
func (r *Registry) get(key string) *thing {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.m[key]
}

// Shard is one of many in an array.
type Shard struct {
	mu sync.Mutex
	m  map[uint64]int
}

var shards [8]Shard

//go:noinline
func (s *Shard) add(key uint64, slow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slow {
		block("shard")
	}
	s.m[key]++
}

// Two package-level variables: nothing says that the one guards the other.
var plainMu sync.Mutex
var plainMap = map[int]int{}

//go:noinline
func plain(slow bool) {
	plainMu.Lock()
	if slow {
		block("plain")
	}
	plainMap[1]++
	plainMu.Unlock()
}

// Cache embeds its lock.
type Cache struct {
	sync.Mutex
	items map[int]int
}

var cache = &Cache{items: map[int]int{}}

//go:noinline
func (c *Cache) put(slow bool) {
	c.Lock()
	defer c.Unlock()
	if slow {
		block("cache")
	}
	c.items[1]++
}

// Pair has two locks and a map for each.
type Pair struct {
	aMu sync.Mutex
	a   map[int]string
	bMu sync.Mutex
	b   map[int]string
	c   map[int]string
}

var pair *Pair

//go:noinline
func (p *Pair) setB(slow bool) {
	p.bMu.Lock()
	if slow {
		block("pair")
	}
	p.b[1] = "x"
	p.bMu.Unlock()
}

//go:noinline
func (p *Pair) setA() {
	p.aMu.Lock()
	p.a[1] = "x"
	p.aMu.Unlock()
}

// Shop is read by one, while two want to write and one more to read.
type Shop struct {
	orders map[int]int
	mu     sync.RWMutex
}

var shop *Shop

//go:noinline
func (s *Shop) read(slow bool) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if slow {
		block("shop")
	}
	return s.orders[1]
}

//go:noinline
func (s *Shop) write() {
	s.mu.Lock()
	s.orders[1]++
	s.mu.Unlock()
}

// Channels.
var full = make(chan int, 4)
var empty = make(chan string)
var work = make(chan int, 2)

// Job is waited for, and never done.
type Job struct {
	wg   sync.WaitGroup
	done map[string]bool
}

var job *Job

// Box is waited for by a condition: nobody who waits there holds its lock.
type Box struct {
	mu      sync.Mutex
	cond    sync.Cond
	items   map[int]int
	waiting int
}

var box *Box

//go:noinline
func (b *Box) wait() {
	b.mu.Lock()
	b.waiting++
	for len(b.items) == 0 {
		b.cond.Wait()
	}
	b.mu.Unlock()
}

// lock takes the lock for its caller, so that nothing on a stack tells who holds it.
//
//go:noinline
func (b *Box) lock() {
	b.mu.Lock()
}

//go:noinline
func (b *Box) hold() {
	b.lock()
	block("box")
	b.mu.Unlock()
}

//go:noinline
func (b *Box) put() {
	b.mu.Lock()
	b.items[1]++
	b.mu.Unlock()
}

// ready says whether so many wait for the condition.
func (b *Box) ready(count int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting == count
}

// Decoy is held by one that cannot be known, while others have it on their stacks.
type Decoy struct {
	mu sync.Mutex
	m  map[int]int
}

var decoy, otherDecoy *Decoy

//go:noinline
func (d *Decoy) lock() {
	d.mu.Lock()
}

//go:noinline
func (d *Decoy) hold() {
	d.lock()
	block("decoy")
	d.mu.Unlock()
}

// after has given it back.
//
//go:noinline
func (d *Decoy) after() {
	d.mu.Lock()
	d.m[1]++
	d.mu.Unlock()
	block("decoy-after")
	d.m[2]++
}

// sometimes has it only where it was asked to.
//
//go:noinline
func (d *Decoy) sometimes(take bool) {
	if take {
		d.mu.Lock()
	}
	block("decoy-sometimes")
	if take {
		d.mu.Unlock()
	}
	d.m[3]++
}

//go:noinline
func (d *Decoy) outside() {
	d.mu.Unlock()
	block("decoy-outside")
	d.mu.Lock()
}

// callee's callee gives it back for a while.
//
//go:noinline
func (d *Decoy) callee() {
	d.mu.Lock()
	d.outside()
	d.m[4]++
	d.mu.Unlock()
}

// both holds the other one.
//
//go:noinline
func both(d, other *Decoy) {
	other.mu.Lock()
	block("decoy-both")
	d.m[5]++
	other.m[5]++
	other.mu.Unlock()
}

//go:noinline
func (d *Decoy) branch(early bool) {
	d.mu.Lock()
	if early {
		d.mu.Unlock()
		block("decoy-branch")
		d.m[6]++
		return
	}
	d.m[7]++
	d.mu.Unlock()
}

//go:noinline
func (d *Decoy) want() {
	d.mu.Lock()
	d.m[8]++
	d.mu.Unlock()
}

// Duo has two locks.  Who holds the one is known, but nobody waits for it; who holds the other is not.
type Duo struct {
	aMu sync.Mutex
	a   map[int]int
	bMu sync.Mutex
	b   map[int]int
}

// DuoRW likewise.
type DuoRW struct {
	aMu sync.RWMutex
	a   map[int]int
	bMu sync.RWMutex
	b   map[int]int
}

var duo *Duo
var duoRW *DuoRW

//go:noinline
func (d *Duo) lockA() { d.aMu.Lock() }

//go:noinline
func (d *Duo) holdA() {
	d.lockA()
	block("duo-a")
	d.aMu.Unlock()
}

//go:noinline
func (d *Duo) holdB() {
	d.bMu.Lock()
	block("duo-b")
	d.b[1]++
	d.bMu.Unlock()
}

//go:noinline
func (d *Duo) wantA() {
	d.aMu.Lock()
	d.a[1]++
	d.aMu.Unlock()
}

//go:noinline
func (d *DuoRW) lockA() { d.aMu.Lock() }

//go:noinline
func (d *DuoRW) holdA() {
	d.lockA()
	block("duorw-a")
	d.aMu.Unlock()
}

//go:noinline
func (d *DuoRW) holdB() {
	d.bMu.Lock()
	block("duorw-b")
	d.b[1]++
	d.bMu.Unlock()
}

//go:noinline
func (d *DuoRW) wantA() {
	d.aMu.RLock()
	_ = d.a[2]
	d.aMu.RUnlock()
}

// Local is reached from stacks alone.
type Local struct {
	mu sync.Mutex
	m  map[string]int
}

//go:noinline
func (l *Local) run(slow bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slow {
		block("local")
	}
	l.m["x"]++
}

func times(n int, f func()) {
	for i := 0; i < n; i++ {
		go f()
	}
}

func locks() {
	start(registry.fill)
	times(412, func() { registry.get("x") })
	start(func() { shards[3].add(1, true) })
	times(5, func() { shards[3].add(1, false) })
	start(func() { plain(true) })
	times(3, func() { plain(false) })
	start(func() { cache.put(true) })
	times(4, func() { cache.put(false) })
	start(func() { pair.setB(true) })
	times(2, func() { pair.setB(false) })
	start(func() { shop.read(true) })
	times(1, shop.write)
	for shop.mu.TryRLock() { // Until the first is in the queue.
		shop.mu.RUnlock()
		runtime.Gosched()
	}
	times(1, shop.write)
	times(6, func() { shop.read(false) })
	local := &Local{m: map[string]int{}}
	start(func() { local.run(true) })
	times(7, func() { local.run(false) })
}

func decoys() {
	start(decoy.after)
	start(func() { decoy.branch(true) })
	start(func() { decoy.sometimes(false) })
	start(decoy.callee)
	start(func() { both(decoy, otherDecoy) })
	start(duo.holdA)
	start(duo.holdB)
	times(11, duo.wantA)
	start(duoRW.holdA)
	start(duoRW.holdB)
	times(12, duoRW.wantA)
	start(decoy.hold)
	times(9, decoy.want)
	times(4, box.wait)
	for !box.ready(4) {
		runtime.Gosched()
	}
	start(box.hold)
	times(10, box.put)
}

func others() {
	for i := 0; i < 4; i++ {
		full <- i
	}
	times(3, func() { full <- 9 })
	times(2, func() { <-empty })
	times(8, func() {
		done := make(chan bool)
		select {
		case <-done:
		case <-work:
		}
	})
	job.wg.Add(1)
	times(2, job.wg.Wait)
}

// churn takes the lock and gives it back, and sleeps with it and without it.
//
//go:noinline
func (d *Decoy) churn(tell chan<- int) {
	for first := true; ; first = false {
		d.mu.Lock()
		if first {
			tell <- line()
		}
		time.Sleep(300 * time.Microsecond)
		d.mu.Unlock()
		time.Sleep(100 * time.Microsecond)
	}
}

// line is that of its caller.
//
//go:noinline
func line() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

// churnAll has eight locks changing hands among sixty-four goroutines, and never returns.
func churnAll() {
	tell := make(chan int)
	for i := 0; i < 8; i++ {
		d := &Decoy{m: map[int]int{}}
		times(8, func() { d.churn(tell) })
	}
	held := 0
	for i := 0; i < 64; i++ {
		held = <-tell + 2 // Where it sleeps with the lock.
	}
	fmt.Println("at held", held)
	fmt.Println("ready")
	select {}
}

func main() {
	if len(os.Args) > 1 {
		churnAll()
	}
	registry = &Registry{m: map[string]*thing{"y": {2}}}
	for i := range shards {
		shards[i].m = map[uint64]int{1: 1}
	}
	pair = &Pair{a: map[int]string{}, b: map[int]string{}, c: map[int]string{}}
	shop = &Shop{orders: map[int]int{}}
	job = &Job{done: map[string]bool{}}
	box = &Box{items: map[int]int{}}
	box.cond.L = &box.mu
	decoy = &Decoy{m: map[int]int{}}
	duo = &Duo{a: map[int]int{}, b: map[int]int{}}
	duoRW = &DuoRW{a: map[int]int{}, b: map[int]int{}}
	otherDecoy = &Decoy{m: map[int]int{}}
	locks()
	decoys()
	others()
	fmt.Println("ready")
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		switch input.Text() {
		case "collect":
			runtime.GC()
			fmt.Println("collected")
		case "release":
			close(release)
			fmt.Println("released")
		}
	}
}
