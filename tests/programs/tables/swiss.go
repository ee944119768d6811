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
	globalShift uint8
	writing     uint8
}

type swissTable struct {
	used, capacity, growthLeft uint16
	localDepth                 uint8
	index                      int
	groups                     unsafe.Pointer
	lengthMask                 uint64
}

// group has the size of the runtime's own, which it makes by the same rules.
type group[K comparable, V any] struct {
	control uint64
	slots   [8]struct {
		key  K
		elem V
	}
}

func unitOf[K comparable, V any]() uintptr { return unsafe.Sizeof(group[K, V]{}) }

func isHalfGrown(unsafe.Pointer) bool { return false } // A table grows within one write.
func isSameSize(unsafe.Pointer) bool  { return false }

func controlAt(p unsafe.Pointer) *[8]uint8 { return (*[8]uint8)(p) }

func look(p unsafe.Pointer, unit uintptr, t *table) {
	m := (*swissMap)(p)
	t.UnitBytes = uint64(unit)
	t.Header = map[string]uint64{"used": m.used, "seed": uint64(m.seed),
		"dirPtr": uint64(uintptr(m.dirPtr)), "dirLen": uint64(m.dirLen),
		"globalDepth": uint64(m.globalDepth), "globalShift": uint64(m.globalShift),
		"writing": uint64(m.writing)}
	if m.dirPtr == nil {
		return
	}
	if m.dirLen == 0 {
		lookGroups(m.dirPtr, 1, unit, t)
		return
	}
	var last *swissTable
	for _, tab := range unsafe.Slice((**swissTable)(m.dirPtr), m.dirLen) {
		if tab == last {
			continue
		}
		last = tab
		t.Tables++
		lookGroups(tab.groups, tab.lengthMask+1, unit, t)
	}
}

func lookGroups(groups unsafe.Pointer, n uint64, unit uintptr, t *table) {
	if t.Unit == 0 {
		t.Unit = uint64(uintptr(groups))
	}
	open := make([]bool, n)
	for g := uint64(0); g < n; g++ {
		fill := 0
		for _, c := range controlAt(unsafe.Add(groups, uintptr(g)*unit)) {
			switch {
			case c < 0x80:
				t.Tags[c]++
				fill++
			case c == 0xfe:
				t.Deleted++
			default:
				open[g] = true
			}
		}
		t.Fills[fill]++
		t.Units++
	}
	for g := uint64(0); g < n; g++ {
		at, looked := g, uint64(1)
		for looked < n && !open[at] {
			at = (at + looked) % n
			looked++
		}
		if looked > 16 {
			looked = 16
		}
		t.Chains[looked]++
	}
}

func firstTable(m *swissMap) *swissTable {
	if m.dirLen == 0 {
		return nil
	}
	return *(**swissTable)(m.dirPtr)
}

func damageMap(kind string, p unsafe.Pointer, unit uintptr) bool {
	m := (*swissMap)(p)
	t := firstTable(m)
	switch kind {
	case "count":
		spoil(p, m.used+1)
	case "header":
		spoil(unsafe.Pointer(&m.globalShift), m.globalShift+1)
	case "tags":
		if t == nil {
			spoil(m.dirPtr, uint8(0x9a))
		} else {
			spoil(t.groups, uint8(0x9a))
		}
	case "tables":
		if t == nil {
			return false
		}
		spoil(unsafe.Pointer(&t.lengthMask), t.lengthMask+1)
	case "directory":
		if t == nil {
			return false
		}
		spoil(unsafe.Pointer(&t.index), t.index+1)
	case "table_counts":
		if t == nil || t.growthLeft == 0 {
			return false
		}
		spoil(unsafe.Pointer(&t.growthLeft), t.growthLeft-1)
	default:
		return false
	}
	return true
}
