// Evacuation fills maps on command and says when they grew, by looking at their headers itself.
//
// It prints {"maps": {NAME: ADDRESS, ...}} and then answers each line of its input with one line of
// JSON; it ends with its input.  Times are CLOCK_MONOTONIC in nanoseconds, each a pair: before and
// after the insertion in which it happened.
//
//	add NAME N           N entries, one after the other
//	slow NAME N          likewise, a hundred of them every millisecond; every five while it grows
//	half NAME PERCENT    until an evacuation is so far, and stop there
//	overfill NAME        until overflow buckets start a growth in the same size
//	burst NAME N         N entries without looking at the header, for speed
//	make NAME            a new map
//	clear NAME           delete all
//	dump NAME            the tags of the old array: [bucket, to X, to Y, evacuated]
//	gc                   two collections
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

type order struct {
	id   uint64
	note *string
}

// A filled is one map and the next key to go into it.
type filled struct {
	header unsafe.Pointer
	insert func(uint64)
	remove func(uint64)
	size   func() int
	next   uint64
	stride uintptr // Of a bucket.
	dump   func() [][4]uint64
}

// A growth is one that an insertion began.
type growth struct {
	Kind    string   `json:"kind"`
	From    uint64   `json:"from"`
	To      uint64   `json:"to"`
	Entries int      `json:"entries"`
	At      [2]int64 `json:"at_ns"`
	Ended   [2]int64 `json:"ended_ns"` // Zero while its evacuation goes on.
}

type answer struct {
	Len      int         `json:"len"`
	Began    int         `json:"began"` // Growths so far.
	Growths  []growth    `json:"growths"`
	Capacity uint64      `json:"capacity"`
	Growing  bool        `json:"growing"`
	Moved    uint64      `json:"frontier"`
	Old      uint64      `json:"old"`
	Dump     [][4]uint64 `json:"dump"`
	Address  string      `json:"address"`
}

var maps = map[string]*filled{}

func now() int64 {
	var t syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

func headerOf[K comparable, V any](m map[K]V) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&m))
}

// A bucket's size: eight tags, eight keys, eight elems, a link.
func stride[K comparable, V any]() uintptr {
	var k K
	var v V
	return 8 + 8*unsafe.Sizeof(k) + 8*unsafe.Sizeof(v) + 8
}

func newFilled[K comparable, V any](name string, key func(uint64) K, val func(uint64) V) {
	m := make(map[K]V)
	maps[name] = &filled{
		header: headerOf(m),
		insert: func(n uint64) { m[key(n)] = val(n) },
		remove: func(n uint64) { delete(m, key(n)) },
		size:   func() int { return len(m) },
		stride: stride[K, V](),
	}
}

func number(n uint64) uint64 { return n }

func word(n uint64) string { return "order-" + strconv.FormatUint(n, 10) }

func pointer(n uint64) *order { return &order{id: n} }

// add inserts n entries and notes what their insertions did to the map.
func (f *filled) add(n uint64, slow bool, stop func() bool) []growth {
	var log []growth
	before := f.look()
	open := -1
	for i := uint64(0); i < n && !stop(); i++ {
		size := f.size()
		began := now()
		f.insert(f.next)
		f.next++
		ended := now()
		after := f.look()
		for _, g := range before.steps(after) {
			g.Entries, g.At = size, [2]int64{began, ended}
			log = append(log, g)
			open = len(log) - 1
		}
		if open >= 0 && !after.growing {
			log[open].Ended = [2]int64{began, ended}
			open = -1
		}
		before = after
		if slow && i%100 == 99 {
			time.Sleep(time.Millisecond)
			if after.growing { // Long enough for whoever looks on to be held up.
				time.Sleep(4 * time.Millisecond)
			}
		}
	}
	return log
}

func never() bool { return false }

func (f *filled) command(words []string) []growth {
	n := uint64(0)
	if len(words) > 2 {
		n, _ = strconv.ParseUint(words[2], 10, 64)
	}
	switch words[0] {
	case "add":
		return f.add(n, false, never)
	case "slow":
		return f.add(n, true, never)
	case "burst":
		for end := f.next + n; f.next < end; f.next++ {
			f.insert(f.next)
		}
	case "half":
		return f.add(1<<30, false, func() bool {
			at := f.look()
			return at.growing && at.frontier*100 >= n*at.old
		})
	case "overfill":
		return f.overfill()
	case "clear":
		for k := uint64(0); k < f.next; k++ {
			f.remove(k)
		}
	}
	return nil
}

// overfill piles up overflow buckets, as tests/programs/truth does.  It leaves time between rounds: a
// map that is emptied takes another seed.
func (f *filled) overfill() []growth {
	room := int(f.look().capacity) * 13 / 16
	for {
		log := f.add(uint64(room-f.size()), false, func() bool { return f.look().sameSize })
		for i := range log {
			if log[i].Kind == "same_size" {
				return log[i:]
			}
		}
		for k := f.next - uint64(f.size()); f.size() > 0; k++ {
			f.remove(k)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func make_(name string) {
	newFilled(name, number, number)
}

func main() {
	newFilled("numbers", number, number)
	newFilled("words", word, pointer)
	newFilled("small", number, number)
	for i := uint64(0); i < 100; i++ {
		maps["small"].insert(i)
	}
	maps["small"].next = 100
	addresses := map[string]string{}
	for name, f := range maps {
		addresses[name] = fmt.Sprintf("%p", f.header)
	}
	out := json.NewEncoder(os.Stdout)
	out.Encode(map[string]any{"maps": addresses, "kind": mapKind})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		words := strings.Fields(in.Text())
		var log []growth
		if words[0] == "gc" {
			runtime.GC()
			runtime.GC()
			out.Encode(answer{})
			continue
		}
		if words[0] == "make" {
			make_(words[1])
		}
		f := maps[words[1]]
		log = f.command(words)
		at := f.look()
		a := answer{Len: f.size(), Growths: log, Capacity: at.capacity, Growing: at.growing,
			Moved: at.frontier, Old: at.old, Address: fmt.Sprintf("%p", f.header)}
		if words[0] == "dump" {
			a.Dump = f.tags()
		}
		out.Encode(a)
	}
	runtime.KeepAlive(maps)
}
