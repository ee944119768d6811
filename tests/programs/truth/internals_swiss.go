//go:build go1.26 || (go1.24 && goexperiment.swissmap)

package main

import "unsafe"

const mapKind = "swiss"

type swissMap struct {
	used        uint64
	seed        uintptr
	dirPtr      unsafe.Pointer
	dirLen      int
	globalDepth uint8
}

type swissTable struct {
	used, capacity, growthLeft uint16
	localDepth                 uint8
	index                      int
	groups                     unsafe.Pointer
	lengthMask                 uint64
}

type mapType struct {
	common        [48]byte // abi.Type.
	key, elem     unsafe.Pointer
	group, hasher unsafe.Pointer
	groupSize     uintptr
}

const ctrlDeleted = 0xfe

// deletedIn counts the deleted slots of one group by its eight control bytes.
func deletedIn(group unsafe.Pointer) uint64 {
	n := uint64(0)
	for _, c := range *(*[8]uint8)(group) {
		if c == ctrlDeleted {
			n++
		}
	}
	return n
}

func readFacts(p, typ unsafe.Pointer) facts {
	m := (*swissMap)(p)
	f := facts{table: m.dirPtr != nil, depth: uint64(m.globalDepth)}
	if !f.table {
		return f
	}
	if m.dirLen == 0 {
		f.capacity = 8
		f.deleted = deletedIn(m.dirPtr)
		return f
	}
	groupSize := (*mapType)(typ).groupSize
	var last *swissTable
	for _, t := range unsafe.Slice((**swissTable)(m.dirPtr), m.dirLen) {
		if t == last {
			continue // The directory names a shallow table several times in a row.
		}
		last = t
		f.tables++
		f.capacity += uint64(t.capacity)
		for g := uintptr(0); g <= uintptr(t.lengthMask); g++ {
			f.deleted += deletedIn(unsafe.Add(t.groups, g*groupSize))
		}
	}
	return f
}
