package main

import (
	"fmt"
	"strconv"
	"unsafe"
)

type (
	order struct {
		id     uint64
		amount float64
		next   *order
	}
	point    struct{ x, y int32 }
	mixedKey struct {
		name string
		n    int
		ok   bool
	}
	bigNoscan   [20]uint64 // 160 bytes: stored behind a pointer.
	bigPointers struct {
		names [9]string // 144 bytes, with pointers.
	}
	pair[A, B any] struct {
		a A
		b B
	}
	ordersByID map[uint64]*order
)

// What has become of a map when it is listed.
const (
	fateWritten = iota
	fateNever   // Made, never written.
	fateHinted  // Made with a hint and never written: large ones have a table already.
	fateEmptied // Written, then every key deleted one by one.
	fateCleared // Written, then cleared by the loop the compiler knows.
	fateHalved  // Written, then every other key deleted.
)

type mapPlan struct {
	shape, fate, size int
}

type shape struct {
	max  int // Entries at most: few keys of this type exist, or they are large.
	make func(l *ledger, p mapPlan, rng *random)
}

var shapes []shape

func fill[K comparable, V any](m map[K]V, size int, key func(uint64) K, val func(uint64) V) {
	for i := uint64(0); len(m) < size; i++ {
		m[key(i)] = val(i)
	}
}

// make1 makes one map by its plan.
func make1[K comparable, V any](p mapPlan, key func(uint64) K, val func(uint64) V) map[K]V {
	switch p.fate {
	case fateNever:
		return make(map[K]V)
	case fateHinted:
		return make(map[K]V, p.size)
	}
	var m map[K]V
	if p.size%3 == 0 {
		m = make(map[K]V, p.size)
	} else {
		m = make(map[K]V)
	}
	fill(m, p.size, key, val)
	switch p.fate {
	case fateCleared:
		for k := range m {
			delete(m, k)
		}
	case fateEmptied:
		for i := uint64(0); len(m) > 0; i++ {
			delete(m, key(i))
		}
	case fateHalved:
		for i := uint64(0); len(m) > p.size/2; i += 2 {
			delete(m, key(i))
		}
	}
	return m
}

// box holds the maps of one shape the way programs do: in a slice, a struct field, an interface.
type box[K comparable, V any] struct {
	list  []map[K]V
	field struct{ m map[K]V }
	any   []interface{}
}

func shapeOf[K comparable, V any](max int, key func(uint64) K, val func(uint64) V) shape {
	var b *box[K, V]
	return shape{max: max, make: func(l *ledger, p mapPlan, rng *random) {
		if b == nil {
			b = &box[K, V]{}
			l.keep = append(l.keep, b)
		}
		m := make1(p, key, val)
		switch {
		case b.field.m == nil:
			b.field.m = m
		case len(b.list)%8 == 7 && len(b.any) < len(b.list)/8:
			b.any = append(b.any, m)
		default:
			b.list = append(b.list, m)
		}
		own(l, m, "mixed")
	}}
}

// anyKeyShape is shapeOf for interface keys, which no type parameter of Go 1.18 may be.
func anyKeyShape[V any](val func(uint64) V) shape {
	return shape{max: unlimited, make: func(l *ledger, p mapPlan, rng *random) {
		m := make(map[interface{}]V)
		if p.fate != fateNever {
			for i := uint64(0); len(m) < p.size; i++ {
				m[keyOfAnyType(i)] = val(i)
			}
		}
		for i := uint64(0); p.fate == fateHalved && len(m) > p.size/2; i += 2 {
			delete(m, keyOfAnyType(i))
		}
		l.keep = append(l.keep, m)
		l.own(m, *(*unsafe.Pointer)(unsafe.Pointer(&m)), len(m), "mixed")
	}}
}

const unlimited = 1 << 30

func num(i uint64) int         { return int(i * 7919) }
func word(i uint64) string     { return "key-" + strconv.FormatUint(i*2654435761, 36) }
func newOrder(i uint64) *order { return &order{id: i, amount: float64(i)} }
func truth(i uint64) bool      { return i%2 == 0 }
func nothing(uint64) struct{}  { return struct{}{} }

func keyOfAnyType(i uint64) interface{} {
	switch i % 4 {
	case 0:
		return int(i)
	case 1:
		return word(i)
	case 2:
		return float64(i)
	}
	return point{int32(i), 1}
}

func large(i uint64) bigNoscan { return bigNoscan{i, 1, 2} }

func largeNames(i uint64) bigPointers {
	var b bigPointers
	b.names[0] = word(i)
	return b
}

func bytes128(i uint64) [128]byte {
	return [128]byte{byte(i), byte(i >> 8), byte(i >> 16)}
}

func allShapes() []shape {
	channels := make([]chan int, 60) // The same ones each time: keys have to be found again.
	for i := range channels {
		channels[i] = make(chan int)
	}
	channel := func(i uint64) chan int { return channels[i%60] }
	orders := make([]order, 256)
	return append(scalarShapes(), []shape{
		shapeOf(unlimited, word, num),
		shapeOf(unlimited, word, word),
		shapeOf(unlimited, word, func(i uint64) []byte { return []byte{byte(i)} }),
		shapeOf(unlimited, word, func(i uint64) interface{} { return i }),
		shapeOf(unlimited, word, nothing),
		shapeOf(unlimited, word, func(uint64) [0]byte { return [0]byte{} }),
		shapeOf(unlimited, word, func(uint64) map[string]int { return nil }),
		shapeOf(unlimited, word, func(uint64) func() { return nil }),
		shapeOf(unlimited, word, func(i uint64) error { return fmt.Errorf("no %d", i) }),
		shapeOf(unlimited, word, func(i uint64) *[]string { return &[]string{word(i)} }),
		shapeOf(unlimited, num, newOrder),
		shapeOf(unlimited, num, word),
		anyKeyShape(num),
		anyKeyShape(func(i uint64) interface{} { return word(i) }),
		shapeOf(unlimited, func(i uint64) uintptr { return uintptr(i) },
			func(i uint64) unsafe.Pointer { return unsafe.Pointer(&orders[i%256]) }),
		shapeOf(unlimited, func(i uint64) rune { return rune(i) },
			func(i uint64) []rune { return []rune{rune(i)} }),
		shapeOf(unlimited, func(i uint64) [2]int { return [2]int{int(i), 2} }, word),
		shapeOf(unlimited, func(i uint64) mixedKey { return mixedKey{word(i), int(i), true} },
			newOrder),
		shapeOf(256, func(i uint64) *order { return &orders[i%256] }, num),
		shapeOf(60, channel, word),
		shapeOf(unlimited, func(i uint64) [1]string { return [1]string{word(i)} },
			func(i uint64) []string { return []string{word(i)} }),
		shapeOf(unlimited, func(i uint64) pair[int, string] {
			return pair[int, string]{int(i), word(i)}
		}, func(i uint64) pair[string, int] { return pair[string, int]{word(i), int(i)} }),
		// Over 128 bytes: the slot holds a pointer.
		shapeOf(200, word, large),
		shapeOf(200, large, num),
		shapeOf(200, large, large),
		shapeOf(200, largeNames, newOrder),
		shapeOf(200, num, largeNames),
		shapeOf(200, largeNames, largeNames),
		// Exactly 128 bytes, and one more.
		shapeOf(200, num, bytes128),
		shapeOf(200, bytes128, num),
		shapeOf(200, num, func(i uint64) [129]byte { return [129]byte{byte(i)} }),
		shapeOf(200, func(i uint64) [129]byte { return [129]byte{byte(i), byte(i >> 8)} }, nothing),
	}...)
}

// scalarShapes have neither pointers nor large slots: their tables are never scanned.
func scalarShapes() []shape {
	return []shape{
		shapeOf(unlimited, num, num),
		shapeOf(unlimited, func(i uint64) uint64 { return i },
			func(i uint64) int64 { return int64(i) }),
		shapeOf(unlimited, func(i uint64) int32 { return int32(i) }, truth),
		shapeOf(unlimited, func(i uint64) int64 { return int64(i) },
			func(i uint64) float64 { return float64(i) }),
		shapeOf(unlimited, func(i uint64) uint32 { return uint32(i) },
			func(i uint64) uint64 { return i }),
		shapeOf(60000, func(i uint64) uint16 { return uint16(i) }, nothing),
		shapeOf(250, func(i uint64) uint8 { return uint8(i) },
			func(i uint64) uint8 { return uint8(i) }),
		shapeOf(2, truth, num),
		shapeOf(1, nothing, num),
		shapeOf(1, func(uint64) [0]int { return [0]int{} },
			func(i uint64) uint32 { return uint32(i) }),
		shapeOf(unlimited, func(i uint64) float64 { return float64(i) / 3 }, num),
		shapeOf(unlimited, func(i uint64) complex128 { return complex(float64(i), 1) }, num),
		shapeOf(unlimited, func(i uint64) point { return point{int32(i), int32(i >> 3)} }, num),
		shapeOf(unlimited, func(i uint64) [16]byte {
			return [16]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		}, func(i uint64) uint32 { return uint32(i) }),
		shapeOf(unlimited, func(i uint64) [3]byte {
			return [3]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		}, func(i uint64) [5]byte { return [5]byte{byte(i)} }),
	}
}
