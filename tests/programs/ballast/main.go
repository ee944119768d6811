// ballast holds known amounts of each kind of memory, and says what the runtime says of them.
//
// Commands on stdin, each answered by one line of JSON: "stats", "drop" (garbage is made and
// collected, its pages are kept), "return" (free pages go back to the system).
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
)

const (
	mib        = 1 << 20
	blocks     = 48 // Of a MiB, without pointers.
	nodes      = 300000
	mapEntries = 400000
	goroutines = 2000
	offHeap    = 40 * mib
	cHeap      = 24 * mib
	dropped    = 40 * mib
)

type node struct {
	next *node
	data [5]uint64
}

var (
	keepBlocks [][]byte
	keepNodes  *node
	keepMap    map[uint64]uint64
	keepHint   map[uint64]uint64
	keepOff    []byte
	sink       []byte
)

func touch(b []byte) {
	for i := 0; i < len(b); i += 512 {
		b[i] = byte(i >> 9)
	}
}

//go:noinline
func deep(n int, wait chan struct{}) byte {
	var pad [512]byte
	if n == 0 {
		<-wait
		return pad[0]
	}
	pad[n] = deep(n-1, wait)
	return pad[n] + pad[n/2]
}

type answer struct {
	HeapAlloc, HeapInuse, HeapIdle, HeapReleased, StackInuse, Runtime uint64
	OffHeap, CHeap                                                    uint64
}

func stats() answer {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c := uint64(0)
	if hasC {
		c = cHeap
	}
	return answer{m.HeapAlloc, m.HeapInuse, m.HeapIdle, m.HeapReleased, m.StackInuse,
		m.MSpanSys + m.MCacheSys + m.BuckHashSys + m.GCSys + m.OtherSys, offHeap, c}
}

func main() {
	debug.SetGCPercent(1000) // No collection but those asked for.
	for i := 0; i < blocks; i++ {
		b := make([]byte, mib)
		touch(b)
		keepBlocks = append(keepBlocks, b)
	}
	for i := 0; i < nodes; i++ {
		keepNodes = &node{next: keepNodes}
	}
	keepMap = map[uint64]uint64{}
	for i := uint64(0); i < mapEntries; i++ {
		keepMap[i] = i
	}
	keepHint = make(map[uint64]uint64, 2*mapEntries) // Mostly untouched in older releases.
	keepHint[1] = 1
	wait := make(chan struct{})
	for i := 0; i < goroutines; i++ {
		go deep(23, wait)
	}
	keepOff, _ = syscall.Mmap(-1, 0, offHeap, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	touch(keepOff)
	allocateC(cHeap)
	runtime.GC()
	runtime.GC() // The second sweeps what the first left.
	out, in := json.NewEncoder(os.Stdout), bufio.NewScanner(os.Stdin)
	out.Encode(stats())
	for in.Scan() {
		switch in.Text() {
		case "drop":
			for i := 0; i < dropped/mib; i++ {
				sink = make([]byte, mib)
				touch(sink)
			}
			sink = nil
			runtime.GC()
			runtime.GC()
		case "return":
			debug.FreeOSMemory()
		}
		out.Encode(stats())
	}
	runtime.KeepAlive(wait)
}
