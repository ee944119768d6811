// Creations makes maps with known hints on command and says where they are.
//
// It answers each line of its input with one line of JSON.  Maps that it names are kept, so that no
// address is used again.  It runs until its input ends.
//
//	make MAPS HINT           so many maps
//	burst GOROUTINES MAPS    by goroutines at once, each with hints of its own
//	depths CALLS             one map below each number of calls up to it, each by a new goroutine,
//	                         so that some stack is moved on the way
//	local HINT               a map that does not outlive its function
//	small MAPS               without a hint
//	work MAPS HINT           as make, but kept by nobody; says how long
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

type made struct {
	Map  string `json:"map"`
	Hint int    `json:"hint"`
}

type answer struct {
	Maps  []made `json:"maps"`
	Nanos int64  `json:"nanos"`
}

var (
	mutex sync.Mutex
	kept  []map[int]int
	last  map[int]int
)

func keep(m map[int]int, hint int) made {
	mutex.Lock()
	defer mutex.Unlock()
	kept = append(kept, m)
	return made{fmt.Sprintf("%#x", *(*uintptr)(unsafe.Pointer(&m))), hint}
}

//go:noinline
func create(hint int) map[int]int {
	return make(map[int]int, hint) // LINE create
}

func several(maps, hint int) (all []made) {
	for i := 0; i < maps; i++ {
		all = append(all, keep(create(hint), hint))
	}
	return all
}

func burst(goroutines, maps int) (all []made) {
	var group sync.WaitGroup
	parts := make([][]made, goroutines)
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for k := 0; k < maps; k++ {
				parts[i] = append(parts[i], several(1, 10+13*i+k)...)
			}
		}(i)
	}
	group.Wait()
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

//go:noinline
func below(calls, hint int) map[int]int {
	if calls == 0 {
		return create(hint)
	}
	m := below(calls-1, hint)
	last = m
	return m
}

func depths(calls int) (all []made) {
	for i := 0; i <= calls; i++ {
		done := make(chan map[int]int)
		go func(calls int) { done <- below(calls, 100+calls) }(i)
		all = append(all, keep(<-done, 100+i))
	}
	return all
}

//go:noinline
func local(hint int) int {
	m := make(map[int]int, hint) // LINE local
	for i := 0; i < 3; i++ {
		m[i] = i
	}
	return len(m)
}

func small(maps int) {
	for i := 0; i < maps; i++ {
		last = make(map[int]int)
	}
}

func work(maps, hint int) int64 {
	began := time.Now()
	for i := 0; i < maps; i++ {
		last = create(hint)
	}
	return time.Since(began).Nanoseconds()
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.Encode(answer{})
	for in.Scan() {
		var word string
		var a, b int
		var all answer
		fmt.Sscan(strings.TrimSpace(in.Text()), &word, &a, &b)
		switch word {
		case "make":
			all.Maps = several(a, b)
		case "burst":
			all.Maps = burst(a, b)
		case "depths":
			all.Maps = depths(a)
		case "local":
			local(a)
		case "small":
			small(a)
		case "work":
			all.Nanos = work(a, b)
		}
		out.Encode(all)
	}
}
