// Growth makes maps grow on command and says how often they did.
//
// It answers each line of its input with one line of JSON.  How often maps of known sizes grow
// follows from their sizes; of a classic map it also watches the header, which names another array
// of buckets whenever a growth began.  It runs until its input ends.
//
//	fill MAPS ENTRIES        maps of so many entries, one after the other
//	burst GOROUTINES MAPS ENTRIES   the same by goroutines at once, each a new one
//	deep CALLS ENTRIES       one map, filled below so many calls
//	depths CALLS             one map grows below each number of calls up to it, each by a new
//	                         goroutine, so that some growth function finds its stack too short
//	churn ENTRIES ROUNDS     one map whose entries come and go
//	owned ENTRIES            one map that a variable holds
//	calls ENTRIES            one map, filled by a thread of C (cgo only)
//	spin SECONDS             fills maps for so long
//	work UNITS ENTRIES LOOKUPS   so many times, one map filled and then looked into; says how long
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unsafe"
)

type answer struct {
	Maps    int    `json:"maps"`
	Entries int    `json:"entries"`
	Arrays  int    `json:"arrays"` // Of buckets that watched maps had.
	Map     string `json:"map"`
	Nanos   int64  `json:"nanos"`
}

// Registry owns a map.
type Registry struct {
	byNumber map[uint64]uint64
}

var (
	registry Registry
	fromC    func(entries int)
)

// put is small enough to be inlined.
func put(m map[int]int, key int) {
	m[key] = key // LINE put
}

//go:noinline
func fill(entries int) map[int]int {
	m := make(map[int]int)
	for i := 0; i < entries; i++ {
		put(m, i) // LINE fill
	}
	return m
}

func fillMaps(maps, entries int) {
	for i := 0; i < maps; i++ {
		fill(entries) // LINE maps
	}
}

func burst(goroutines, maps, entries int) {
	var all sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		all.Add(1)
		go func() { // LINE go
			defer all.Done()
			fillMaps(maps, entries)
		}()
	}
	all.Wait()
}

//go:noinline
func below(calls, entries int) int {
	if calls == 0 {
		return len(fill(entries))
	}
	return below(calls-1, entries) + 1 // LINE below
}

// add makes a full map grow without anything else that needs much stack.
//
//go:noinline
func add(calls int, m map[int]int) int {
	if calls == 0 {
		m[-1] = 1
		return 1
	}
	return add(calls-1, m) + 1
}

func depths(calls int) {
	for i := 0; i <= calls; i++ {
		done := make(chan int)
		go func(calls int, m map[int]int) { done <- add(calls, m) }(i, fill(8))
		<-done
	}
}

// buckets is the array that a classic map's header names.
func buckets(m map[int]int) uintptr {
	return (*(**[3]uintptr)(unsafe.Pointer(&m)))[2]
}

// churn counts the arrays that the map's header named, the first one left out.
func churn(entries, rounds int) (arrays int) {
	m := make(map[int]int)
	last, next := uintptr(0), 0
	see := func() {
		now := buckets(m)
		if last != 0 && now != last {
			arrays++
		}
		last = now
	}
	for ; next < entries; next++ {
		m[next] = next
		see()
	}
	for i := 0; i < rounds*entries; i++ {
		delete(m, next-entries)
		m[next] = next
		next++
		see()
	}
	return arrays
}

func own(entries int) string {
	registry.byNumber = make(map[uint64]uint64)
	for i := 0; i < entries; i++ {
		registry.byNumber[uint64(i)] = 1
	}
	return fmt.Sprintf("0x%x", *(*uintptr)(unsafe.Pointer(&registry.byNumber)))
}

func spin(seconds float64) (maps int) {
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); maps++ {
		fill(1000)
	}
	return maps
}

// work is what a program does that lives from its maps: mostly, it looks into them.
func work(units, entries, lookups int) int64 {
	start, found := time.Now(), 0
	for i := 0; i < units; i++ {
		m := fill(entries)
		for k := 0; k < lookups; k++ {
			if _, ok := m[k%(2*entries)]; ok {
				found++
			}
		}
	}
	if found > units*lookups {
		panic("growth: more was found than was looked for")
	}
	return time.Since(start).Nanoseconds()
}

func obey(line string) (a answer) {
	var verb string
	var x, y, z int
	verb = strings.Fields(line)[0]
	fmt.Sscanf(line[len(verb):], "%d %d %d", &x, &y, &z)
	switch verb {
	case "fill":
		fillMaps(x, y)
		a.Maps, a.Entries = x, y
	case "burst":
		burst(x, y, z)
		a.Maps, a.Entries = x*y, z
	case "deep":
		below(x, y)
		a.Maps, a.Entries = 1, y
	case "depths":
		depths(x)
		a.Maps, a.Entries = x+1, 9
	case "churn":
		a.Arrays = churn(x, y)
		a.Maps, a.Entries = 1, x
	case "owned":
		a.Map = own(x)
		a.Maps, a.Entries = 1, x
	case "calls":
		fromC(x)
		a.Maps, a.Entries = 1, x
	case "work":
		a.Nanos = work(x, y, z)
		a.Maps, a.Entries = x, y
	case "spin":
		a.Maps, a.Entries = spin(float64(x)), 1000
	}
	return a
}

func main() {
	out := json.NewEncoder(os.Stdout)
	out.Encode(answer{})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		out.Encode(obey(in.Text()))
	}
}
