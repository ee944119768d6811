package main

import (
	"bufio"
	"fmt"
	"reflect"
	"strconv"
	"unsafe"
)

// facts is what the program reads about the inside of one of its own maps.
type facts struct {
	table     bool   // It has a bucket array, group or directory.
	capacity  uint64 // Slots of the current table or tables.
	growing   bool   // Classic: an old bucket array is still there.
	sameSize  bool   // Classic: the growth under way does not double.
	oldSlots  uint64 // Classic: slots of the old array.
	nevacuate uint64 // Classic: old buckets evacuated.
	bucketLog uint64 // Classic: B.
	noverflow uint64 // Classic: the header's count of overflow buckets.
	seed      uint64 // Classic: the seed of its hashes.
	tables    uint64 // Swiss: distinct tables.
	deleted   uint64 // Swiss: control bytes that say deleted.
	depth     uint64 // Swiss: global depth of the directory.
}

const (
	whereHeap = iota
	whereStack
)

type record struct {
	address uintptr
	hold    unsafe.Pointer // Keeps a heap map alive; nil for one on a stack.
	count   int
	typ     string
	where   uint8
	label   string
	facts   facts
}

type decoy struct {
	address uintptr
	kind    string
}

// ledger lists what the program owns and what it only pretends to own.
type ledger struct {
	maps   []record
	decoys []decoy
	keep   []interface{} // Typed owners: slices and structs that hold the maps.
}

// headerOf is the address of the header behind a map variable.
func headerOf[K comparable, V any](m map[K]V) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&m))
}

// typeWord is the address of the type descriptor of m.
func typeWord(t reflect.Type) unsafe.Pointer {
	type iface struct{ tab, data unsafe.Pointer }
	return (*iface)(unsafe.Pointer(&t)).data
}

// own lists a map that stays as it is from now on.
func own[K comparable, V any](l *ledger, m map[K]V, label string) {
	l.own(m, headerOf(m), len(m), label)
}

func (l *ledger) own(m interface{}, header unsafe.Pointer, count int, label string) {
	t := reflect.TypeOf(m)
	l.maps = append(l.maps, record{
		address: uintptr(header), hold: header, count: count, typ: t.String(), label: label,
		facts: readFacts(header, typeWord(t)),
	})
}

func (r *record) state() string {
	switch {
	case !r.facts.table:
		return "never_written"
	case r.facts.sameSize:
		return "same_size"
	case r.facts.growing:
		return "growing"
	case r.count == 0:
		return "emptied"
	case r.label == "big":
		return "big"
	}
	return "normal"
}

func (l *ledger) writeMaps(w *bufio.Writer) {
	where := [...]string{whereHeap: "heap", whereStack: "stack"}
	for i := range l.maps {
		r := &l.maps[i]
		f := &r.facts
		fmt.Fprintf(w, "{\"address\":\"0x%x\",\"len\":%d,\"type\":%s,\"where\":%q,\"state\":%q,"+
			"\"label\":%q,\"kind\":%q,\"capacity\":%d", r.address, r.count,
			strconv.Quote(r.typ), where[r.where], r.state(), r.label, mapKind, f.capacity)
		if mapKind == "classic" {
			fmt.Fprintf(w, ",\"b\":%d,\"noverflow\":%d,\"growing\":%t,\"same_size\":%t,"+
				"\"nevacuate\":%d,\"from\":%d,\"seed\":%d}\n", f.bucketLog, f.noverflow,
				f.growing, f.sameSize, f.nevacuate, f.oldSlots, f.seed)
		} else {
			fmt.Fprintf(w, ",\"tables\":%d,\"deleted\":%d,\"depth\":%d}\n", f.tables, f.deleted,
				f.depth)
		}
	}
}

func (l *ledger) writeDecoys(w *bufio.Writer) {
	for _, d := range l.decoys {
		fmt.Fprintf(w, "0x%x %s\n", d.address, d.kind)
	}
}

// intact counts the maps whose header still holds the listed length.
func (l *ledger) intact() int {
	n := 0
	for i := range l.maps {
		r := &l.maps[i]
		if r.hold == nil || *(*int)(r.hold) == r.count {
			n++
		}
	}
	return n
}
