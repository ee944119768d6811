// A program that is inside map code, in a way that is asked for:
//
//	inside mix     writes, reads, deletes, loops: each function its own map
//	inside fill    one goroutine inserts without end
//	inside race    two goroutines write one map without a lock
//	inside locked  the same, under one
//	inside turns   two goroutines insert into one map by turns, as fast as they can hand over
//	inside crowd   many goroutines, each with a map of its own, insert and take turns
//	inside loop    goroutines wait in loops over maps, one of which grows meanwhile
//
// It prints the address of each map with the function that uses it, then "ready"; a line on its
// input ends it.
//
// Two goroutines that write one map end a program soon: the runtime notices.  Here the keys are so
// long that nearly all the time goes into hashing them, during which the runtime looks at nothing.
// What follows takes some nanoseconds: the key is found by its address, in a map so large that no
// function is called for it in which the goroutine could be asked to stop.  The keys' bytes are one
// small piece of memory again and again, so that hashing leaves the map in the cache.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	keyBytes   = 1 << 30
	pieceBytes = 1 << 20
)

type registry struct {
	mu     sync.Mutex
	orders map[int]int
	names  map[string]int
}

var (
	held registry
	a, b = map[int]int{}, map[int]int{}
	c    = map[int32]string{}
	d, e = map[string]int{}, map[[24]byte]int{}
	sink int

	whose uint32
)

func address(m unsafe.Pointer) string {
	return fmt.Sprintf("%#x", *(*uintptr)(m))
}

//go:noinline
func writeA(i int) { a[i&0x3ffff] = i }

//go:noinline
func writeB(i int) { b[i&0xfff] = i }

//go:noinline
func readC(i int32) { sink += len(c[i&0xfff]) }

//go:noinline
func loopD() {
	for k := range d {
		sink += len(k)
	}
}

//go:noinline
func changeE(i int) {
	var key [24]byte
	key[i%24] = byte(i)
	e[key] = i
	key[(i+1)%24] = byte(i)
	delete(e, key)
}

// Maps that no census has seen.
//
//go:noinline
func fresh(i int) {
	m := map[int]int{}
	for k := 0; k < 20; k++ {
		m[k*i] = k
	}
	sink += len(m)
}

func mix() {
	for i := int32(0); i < 1<<12; i++ {
		c[i] = "text"
		d[fmt.Sprint("key", i)] = 1
	}
	go func() {
		for i := 0; ; i++ {
			writeA(i)
			writeB(i)
			fresh(i)
		}
	}()
	go func() {
		for i := 0; ; i++ {
			readC(int32(i))
			changeE(i)
			if i%4096 == 0 {
				loopD()
			}
		}
	}()
}

// A string of keyBytes in pieceBytes of memory.
func longKey() string {
	file, err := os.CreateTemp("", "inside")
	if err == nil {
		err = os.Remove(file.Name())
	}
	if err == nil {
		err = file.Truncate(pieceBytes)
	}
	if err != nil {
		panic(err)
	}
	place, err := syscall.Mmap(-1, 0, keyBytes, syscall.PROT_READ,
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		panic(err)
	}
	start := uintptr(unsafe.Pointer(&place[0]))
	for at := uintptr(0); at < keyBytes; at += pieceBytes {
		_, _, failed := syscall.Syscall6(syscall.SYS_MMAP, start+at, pieceBytes,
			syscall.PROT_READ, syscall.MAP_SHARED|syscall.MAP_FIXED|syscall.MAP_POPULATE,
			file.Fd(), 0)
		if failed != 0 {
			panic(failed)
		}
	}
	return *(*string)(unsafe.Pointer(&place))
}

func fill(m map[int]int) {
	for i := 0; ; i++ {
		m[i&0xfffff] = i
	}
}

//go:noinline
func set(m map[string]int, key string, lock *sync.Mutex) {
	for {
		if lock != nil {
			lock.Lock()
		}
		m[key]++
		if lock != nil {
			lock.Unlock()
		}
	}
}

//go:noinline
func turn(m map[int]int, mine uint32) {
	for i := 0; ; i++ {
		for atomic.LoadUint32(&whose) != mine {
		}
		m[i&0xff] = i
		atomic.StoreUint32(&whose, 1-mine)
	}
}

// Maps that grow all the time, so that the goroutine may be asked to stop inside.
//
//go:noinline
func crowd(m map[int]int) {
	for i := 0; ; i++ {
		m[i] = i
		if len(m) > 20000 {
			for k := range m {
				delete(m, k)
			}
		}
	}
}

//go:noinline
func waitInLoop(m map[int]int, started chan<- bool, forever <-chan bool) {
	for k := range m {
		started <- true
		<-forever
		sink += k
	}
}

// Leaves an iterator behind that nobody needs any more.
//
//go:noinline
func waitBehindLoop(m map[int]int, started chan<- bool, forever <-chan bool) {
	for k := range m {
		sink += k
		break
	}
	started <- true
	<-forever
}

func loop() {
	started, forever := make(chan bool), make(chan bool)
	for i := 0; i < 1000; i++ {
		a[i], b[i] = i, i
	}
	go waitInLoop(a, started, forever)
	go waitInLoop(b, started, forever)
	go waitBehindLoop(a, started, forever)
	for i := 0; i < 3; i++ {
		<-started
	}
	for i := 0; i < 100000; i++ {
		a[i] = i
	}
}

func main() {
	held.orders, held.names = map[int]int{}, map[string]int{}
	for i := 0; i < 100; i++ {
		held.names[fmt.Sprint(i)] = i
	}
	switch os.Args[1] {
	case "mix":
		mix()
	case "fill":
		go fill(held.orders)
	case "race":
		key := longKey()
		held.names[key], held.names[key[:keyBytes*3/4]] = 0, 0
		go set(held.names, key, nil)
		go set(held.names, key[:keyBytes*3/4], nil) // Not in step with the other.
	case "locked":
		key := longKey()
		held.names[key], held.names[key[:keyBytes*3/4]] = 0, 0
		go set(held.names, key, &held.mu)
		go set(held.names, key, &held.mu)
	case "turns":
		go turn(held.orders, 0)
		go turn(held.orders, 1)
	case "crowd":
		for i := 0; i < 100; i++ {
			go crowd(map[int]int{})
		}
	case "loop":
		loop()
	}
	fmt.Println("main.fill", address(unsafe.Pointer(&held.orders)))
	fmt.Println("main.set", address(unsafe.Pointer(&held.names)))
	fmt.Println("main.writeA", address(unsafe.Pointer(&a)))
	fmt.Println("main.writeB", address(unsafe.Pointer(&b)))
	fmt.Println("main.readC", address(unsafe.Pointer(&c)))
	fmt.Println("main.loopD", address(unsafe.Pointer(&d)))
	fmt.Println("main.changeE", address(unsafe.Pointer(&e)))
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
}
