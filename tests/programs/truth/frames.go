package main

import (
	"reflect"
	"syscall"
	"unsafe"
)

// parked are the goroutines that hold a map in their frame.
type parked struct {
	count   int
	wake    chan struct{}
	moved   chan bool
	pipe    [2]int
	waiting int // Of these, goroutines that wait in a system call.
}

// touch keeps an array in its caller's frame.
//
//go:noinline
func touch(p *[3000]byte, i int) byte { return p[i%len(p)] }

// frameAddress tells where a map's header is without letting the map escape.
func frameAddress(m *map[int]int) uintptr {
	return *(*uintptr)(unsafe.Pointer(m))
}

// holdMap makes a map that does not escape, tells its address and waits.  The array makes the frame
// fill more than a quarter of the stack, so that no collection shrinks and thereby moves it.
func holdMap(size, index int, p *parked, tell chan<- record, wait func()) {
	var pad [3000]byte
	m := make(map[int]int)
	for i := 0; i < size; i++ {
		m[i*31+index] = i
	}
	pad[index%len(pad)] = 1
	at := frameAddress(&m)
	tell <- record{address: at, count: len(m), where: whereStack, label: "frame",
		facts: readFacts(*(*unsafe.Pointer)(unsafe.Pointer(&m)), intMapType)}
	wait()
	p.moved <- frameAddress(&m) != at || len(m) != size || touch(&pad, index) != 1
}

var intMapType = typeWord(reflect.TypeOf(map[int]int(nil)))

// parkFrames starts n goroutines with a map each; every tenth waits inside a read(2).
func parkFrames(l *ledger, n int) *parked {
	p := &parked{count: n, wake: make(chan struct{}), moved: make(chan bool, n)}
	fail(syscall.Pipe(p.pipe[:]))
	tell := make(chan record)
	for i := 0; i < n; i++ {
		size := 1 + i%8
		switch i % 5 {
		case 3:
			size = 20 + i%80
		case 4:
			size = 1000 + i
		}
		wait := func() { <-p.wake }
		if i%10 == 9 && p.waiting < 100 {
			p.waiting++
			wait = func() {
				var b [1]byte
				_, _ = syscall.Read(p.pipe[0], b[:])
			}
		}
		go holdMap(size, i, p, tell, wait)
		r := <-tell
		r.typ = "map[int]int"
		l.maps = append(l.maps, r)
	}
	return p
}

// release wakes them all and counts the maps that were no longer where they had been told to be.
func (p *parked) release() int {
	close(p.wake)
	fail(syscall.Close(p.pipe[1]))
	moved := 0
	for i := 0; i < p.count; i++ {
		if <-p.moved {
			moved++
		}
	}
	return moved
}
