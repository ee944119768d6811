// A program that holds a sync.Map in every way that a stripped binary says little of, and values of
// package unique.  It prints one line of JSON: each sync.Map with its address and its entries, and
// how many values of each type it made unique.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"unique"
	"unsafe"
)

type key struct {
	number int
	text   string
}

type cache struct {
	hits    int
	entries sync.Map
}

type listed struct {
	Way     string
	Address uintptr
	Entries int
}

// said is what the program says of itself.
type said struct {
	Maps   []listed
	Unique map[string]int
}

const (
	uniqueKeys  = 3141
	uniqueTexts = 2718
)

var (
	plain    sync.Map
	inside   cache
	static   = &cache{}
	row      [3]sync.Map
	handed   sync.Map // Whose address is only handed on.
	boxed    interface{}
	hidden   unsafe.Pointer
	captured func() int
	cleared  sync.Map
	single   sync.Map
	unused   sync.Map
	keys     []unique.Handle[key]
	texts    []unique.Handle[string]
)

//go:noinline
func fill(m *sync.Map, n int) {
	for i := 0; i < n; i++ {
		m.Store(i, "value")
	}
}

func count(m *sync.Map) int {
	n := 0
	m.Range(func(_, _ interface{}) bool {
		n++
		return true
	})
	return n
}

// capture gives a closure over a sync.Map of its own.
func capture(n int, s *said) func() int {
	m := new(sync.Map)
	fill(m, n)
	s.add("captured", m)
	return func() int { return count(m) }
}

func (s *said) add(way string, m *sync.Map) {
	s.Maps = append(s.Maps, listed{way, uintptr(unsafe.Pointer(m)), count(m)})
}

func (s *said) fillAll() {
	for i := 0; i < 3000; i++ {
		plain.Store(i, i)
		inside.entries.Store(fmt.Sprint(i), i)
	}
	for i := 0; i < 1000; i++ {
		plain.Delete(i * 2)
	}
	s.add("plain", &plain)
	s.add("inside", &inside.entries)
	fill(&static.entries, 501)
	s.add("static", &static.entries)
	for i := range row {
		fill(&row[i], 40+i)
		s.add("row", &row[i])
	}
	fill(&handed, 77)
	s.add("handed", &handed)
	boxed = &cache{}
	fill(&boxed.(*cache).entries, 99)
	s.add("boxed", &boxed.(*cache).entries)
	c := &cache{}
	fill(&c.entries, 123)
	hidden = unsafe.Pointer(c)
	s.add("hidden", &c.entries)
	captured = capture(55, s)
	fill(&cleared, 1000)
	cleared.Clear()
	s.add("cleared", &cleared)
	single.Store("key", "value")
	s.add("single", &single)
}

func (s *said) makeUnique() {
	for i := 0; i < uniqueKeys; i++ {
		keys = append(keys, unique.Make(key{i, "key"}))
	}
	for i := 0; i < uniqueTexts; i++ {
		texts = append(texts, unique.Make(fmt.Sprint("text ", i)))
	}
	s.Unique = map[string]int{"main.key": uniqueKeys, "string": uniqueTexts}
}

func main() {
	var s said

	s.fillAll()
	s.makeUnique()
	runtime.GC()
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		panic(err)
	}
	bufio.NewReader(os.Stdin).ReadByte()
	unused.Range(func(_, _ interface{}) bool { return true })
	fmt.Println(captured(), len(keys), len(texts), hidden, boxed, static)
}
