package main

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"
)

type Locks struct {
	name  string
	cache sync.Map
}

type Settings struct {
	value atomic.Value
}

// Raw has a map behind a pointer that says nothing of it.
type Raw struct {
	id  int
	raw unsafe.Pointer
}

type Hidden struct {
	id int
	m  map[string]int64
}

var (
	syncMap     sync.Map
	locks       *Locks
	syncPointer *sync.Map
	syncValues  sync.Map
	atomicValue atomic.Value
	settings    *Settings
	raw         *Raw
	rawHidden   *Raw
)

const syncMapType = "map[interface {}]*sync.entry"

// crowd leaves a sync.Map with entries in both of its maps, where it has two.
func crowd(m *sync.Map, n int) {
	for i := 0; i < n; i++ {
		m.Store(i, "first")
	}
	m.Range(func(_, _ interface{}) bool { return true })
	for i := 0; i < 3; i++ {
		m.Store(n+i, "later")
	}
}

func size(m *sync.Map) int {
	n := 0
	m.Range(func(_, _ interface{}) bool {
		n++
		return true
	})
	return n
}

// parts gives the maps of the runtime in a sync.Map; none since it is a trie.
func parts(m *sync.Map) []placed {
	v := reflect.ValueOf(m).Elem()
	dirty := v.FieldByName("dirty")
	if !dirty.IsValid() {
		return nil
	}
	read := v.FieldByName("read").FieldByName("v")
	var index uintptr
	if read.Kind() == reflect.Interface { // Up to 1.19 an atomic.Value.
		index = read.Elem().Field(0).Pointer()
	} else {
		at := read.Pointer()
		index = **(**uintptr)(unsafe.Pointer(&at))
	}
	all := []placed{{index, placed{address: index}.now()}}
	if !dirty.IsNil() {
		all = append(all, placed{dirty.Pointer(), dirty.Len()})
	}
	return all
}

// sync lists a sync.Map: as one row, or as the two maps that it is made of.  Nothing is asked of
// the map itself before they are: a walk over its entries would make one of the two.
func (l *ledger) sync(m *sync.Map, e *expected) {
	e.Types = []string{syncMapType, "map[any]*sync.entry"}
	for _, p := range parts(m) {
		l.add(p.address, p.length, e)
	}
	if parts(m) == nil {
		trie := *e
		trie.Types = []string{"sync.Map", "internal/sync.HashTrieMap[any,any]",
			"sync.HashTrieMap[interface {},interface {}]"}
		trie.Untyped = true
		l.maps = append(l.maps, line{l.way, uint64(reflect.ValueOf(m).Pointer()), size(m),
			"sync_trie", 0, &trie})
	}
}

func fillSyncMap() { crowd(&syncMap, 10) }

func tellSyncMap(l *ledger) {
	l.sync(&syncMap, &expected{Owners: []string{"main.syncMap"}, Shared: []int{1},
		Stripped: []string{l.global("")}})
}

func fillLocks() {
	locks = &Locks{name: "locks"}
	crowd(&locks.cache, 20)
}

func tellLocks(l *ledger) {
	l.sync(&locks.cache, &expected{Owners: []string{"main.Locks.cache <- main.locks"},
		Shared: []int{1}, Stripped: []string{`main\.Locks\.cache <- ` + l.global("")}})
}

func fillSyncPointer() {
	syncPointer = new(sync.Map)
	crowd(syncPointer, 30)
}

func tellSyncPointer(l *ledger) {
	l.sync(syncPointer, &expected{Owners: []string{"main.syncPointer", "*main.syncPointer"},
		Shared: []int{1}, Stripped: []string{`\*?` + l.global("")}})
}

func fillSyncValues() {
	syncValues.Store("map", map[string]int8{"in": 1, "sync": 2})
	syncValues.Store("bag", newBag(9))
	syncValues.Range(func(_, _ interface{}) bool { return true })
}

func tellSyncValues(l *ledger) {
	m, _ := syncValues.Load("map")
	b, _ := syncValues.Load("bag")
	l.within(m, "main.syncValues", "[]", "")
	l.field(b.(*Bag).m, "main.Bag.m", "main.syncValues")
}

func fillAtomicValue() {
	atomicValue.Store(map[string]uint8{"atomic": 1})
	settings = new(Settings)
	settings.value.Store(map[string]uint8{"atomic": 1, "settings": 2})
}

func tellAtomicValue(l *ledger) {
	l.say(atomicValue.Load(), &expected{Shared: []int{1},
		Owners:   []string{"main.atomicValue", "main.atomicValue.v"},
		Stripped: []string{l.global(""), l.global(".v")}})
	l.say(settings.value.Load(), &expected{Shared: []int{1},
		Owners: []string{"main.Settings.value.v <- main.settings",
			"main.Settings.value <- main.settings"},
		Stripped: []string{`main\.Settings\.value(?:\.v)? <- ` + l.global("")}})
}

// Who looks only at types sees where the map is held, not that it is one.
func fillRaw() {
	m := map[int64]int8{1: 1, 2: 2, 3: 3}
	raw = &Raw{1, *(*unsafe.Pointer)(unsafe.Pointer(&m))}
}

func tellRaw(l *ledger) {
	m := *(*map[int64]int8)(unsafe.Pointer(&raw.raw))
	l.say(m, &expected{Owners: []string{"main.Raw.raw <- main.raw"}, Untyped: true,
		Shared: []int{1}, Stripped: []string{`main\.Raw\.raw <- ` + l.global("")}})
}

func fillHidden() {
	rawHidden = &Raw{2, unsafe.Pointer(&Hidden{1, map[string]int64{"hidden": 1}})}
}

func tellHidden(l *ledger) {
	l.say((*Hidden)(rawHidden.raw).m, &expected{Untyped: true, Shared: []int{1},
		Owners:   []string{"main.Hidden.m <- main.rawHidden", "main.Raw.raw <- main.rawHidden"},
		Stripped: []string{`main\.(?:Hidden\.m|Raw\.raw) <- ` + l.global("")}})
}
