// Target is a process to be measured while somebody looks into it: many maps, and a clock that
// notices every moment in which the process did not run.
//
// Standard input steers it, one answer a line: "gaps" prints the largest time between two ticks of
// a millisecond since it was last asked, in microseconds; "churn N" has N goroutines change maps of
// their own from now on; the end of input ends it.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Everything is reachable from here, by names that a debugger can be asked for.
var (
	ints    []map[int]int
	strs    []map[string]int
	recs    []map[uint64]*record
	watched map[int]int
	ballast [][]byte
)

type record struct {
	id   uint64
	name string
}

// random is a multiplicative congruential generator: the same maps in every run and release.
type random uint64

func (r *random) next() uint64 {
	*r = *r*6364136223846793005 + 1442695040888963407
	return uint64(*r >> 33)
}

// entries draws how many entries a map has: most maps of real programs are small.
func entries(r *random) int {
	switch p := r.next() % 100; {
	case p < 5:
		return 0
	case p < 50:
		return 1 + int(r.next()%8)
	case p < 90:
		return 9 + int(r.next()%56)
	case p < 99:
		return 65 + int(r.next()%192)
	default:
		return 257 + int(r.next()%1792)
	}
}

func makeMap(r *random, small bool) {
	n := entries(r)
	if small {
		n = int(r.next() % 17)
	}
	switch r.next() % 4 {
	case 0, 1:
		m := make(map[int]int)
		for i := 0; i < n; i++ {
			m[int(r.next())] = i
		}
		ints = append(ints, m)
	case 2:
		m := make(map[string]int)
		for i := 0; i < n; i++ {
			m["key-"+strconv.FormatUint(r.next(), 16)] = i
		}
		strs = append(strs, m)
	case 3:
		m := make(map[uint64]*record)
		for i := 0; i < n; i++ {
			id := r.next()
			m[id] = &record{id: id, name: "record"}
		}
		recs = append(recs, m)
	}
}

func heapBytes() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse
}

func heapObjects() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapObjects
}

// fill makes the maps, then other objects until the heap is as large as it is wanted.
func fill(maps int, heap uint64, small bool) {
	r := random(1)
	for i := 0; i < maps; i++ {
		makeMap(&r, small)
	}
	watched = make(map[int]int)
	for i := 0; i < 1000; i++ {
		watched[i] = i * i
	}
	runtime.GC()
	for have := heapBytes(); have < heap; {
		step := 64 + r.next()%8192
		have += step
		ballast = append(ballast, make([]byte, step))
	}
	runtime.GC()
	runtime.GC()
}

var largest int64 // Gap in microseconds since it was last asked for.

func watchClock() {
	last := time.Now()
	for range time.Tick(time.Millisecond) {
		now := time.Now()
		if gap := now.Sub(last).Microseconds(); gap > atomic.LoadInt64(&largest) {
			atomic.StoreInt64(&largest, gap)
		}
		last = now
	}
}

// churn fills maps and empties them again, and stays below half of one core.
func churn(seed random) {
	for {
		m := make(map[uint64]uint64)
		for i := 0; i < 2000; i++ {
			m[seed.next()] = 1
			if i%7 == 0 {
				delete(m, seed.next())
			}
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func main() {
	maps := flag.Int("maps", 10000, "how many maps")
	heap := flag.Uint64("heap", 0, "MiB of heap at least")
	small := flag.Bool("small", false, "maps of at most 16 entries")
	tinyCount := flag.Int("tiny", 0, "objects of 16 bytes")
	holderCount := flag.Int("holders", 0, "structs with a small map each")
	nodeCount := flag.Int("list", 0, "nodes of one long list, a map in each thousandth")
	flag.Parse()
	debug.SetGCPercent(50)
	others := fillObjects(*tinyCount, *holderCount, *nodeCount)
	fill(*maps, *heap<<20, *small)
	go watchClock()
	fmt.Printf("ready %d maps %d bytes %d objects\n", len(ints)+len(strs)+len(recs)+1+others,
		heapBytes(), heapObjects())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch {
		case len(words) == 1 && words[0] == "gaps":
			fmt.Println("gap", atomic.SwapInt64(&largest, 0))
		case len(words) == 2 && words[0] == "churn":
			n, _ := strconv.Atoi(words[1])
			for i := 0; i < n; i++ {
				go churn(random(i))
			}
			fmt.Println("churn", n)
		default:
			fmt.Println("unknown")
		}
	}
	runtime.KeepAlive(ballast)
	runtime.KeepAlive(tinies)
	runtime.KeepAlive(holders)
	runtime.KeepAlive(list)
}
