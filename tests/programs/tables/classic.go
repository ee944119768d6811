//go:build !go1.24 || (!go1.26 && !goexperiment.swissmap)

package main

import "unsafe"

const mapKind = "classic"

type hmap struct {
	count      int
	flags      uint8
	b          uint8
	noverflow  uint16
	hash0      uint32
	buckets    unsafe.Pointer
	oldbuckets unsafe.Pointer
	nevacuate  uintptr
}

// bucket has the size of the runtime's own, which it makes by the same rules.
type bucket[K comparable, V any] struct {
	tags     [8]uint8
	keys     [8]K
	elems    [8]V
	overflow unsafe.Pointer
}

func unitOf[K comparable, V any]() uintptr { return unsafe.Sizeof(bucket[K, V]{}) }

func (h *hmap) oldUnits() uint64 {
	if h.oldbuckets == nil {
		return 0
	}
	if h.flags&8 != 0 {
		return 1 << h.b
	}
	return 1 << (h.b - 1)
}

func isHalfGrown(p unsafe.Pointer) bool {
	h := (*hmap)(p)
	return h.b == 9 && h.oldbuckets != nil && uint64(h.nevacuate) > h.oldUnits()/2
}

func isSameSize(p unsafe.Pointer) bool {
	h := (*hmap)(p)
	return h.oldbuckets != nil && h.flags&8 != 0 && h.nevacuate > 3
}

func tagsAt(p unsafe.Pointer) *[8]uint8 { return (*[8]uint8)(p) }

func linkAt(p unsafe.Pointer, unit uintptr) *unsafe.Pointer {
	return (*unsafe.Pointer)(unsafe.Add(p, unit-8))
}

func look(p unsafe.Pointer, unit uintptr, t *table) {
	h := (*hmap)(p)
	t.UnitBytes = uint64(unit)
	t.Header = map[string]uint64{"count": uint64(h.count), "flags": uint64(h.flags),
		"B": uint64(h.b), "noverflow": uint64(h.noverflow), "hash0": uint64(h.hash0),
		"buckets": uint64(uintptr(h.buckets)), "oldbuckets": uint64(uintptr(h.oldbuckets)),
		"nevacuate": uint64(h.nevacuate)}
	if h.buckets == nil {
		return
	}
	t.Unit = uint64(uintptr(h.buckets))
	t.Units = 1 << h.b
	for i := uint64(0); i < t.Units; i++ {
		entries, chain := 0, 0
		for b := unsafe.Add(h.buckets, uintptr(i)*unit); b != nil; b = *linkAt(b, unit) {
			entries += count(b, t)
			chain++
		}
		t.Fills[min16(entries)]++
		t.Chains[min16(chain)]++
		t.Overflow += uint64(chain - 1)
	}
	t.OldUnits = h.oldUnits()
	t.SameSize = h.flags&8 != 0 && h.oldbuckets != nil
	for i := uint64(0); i < t.OldUnits; i++ {
		b := unsafe.Add(h.oldbuckets, uintptr(i)*unit)
		if tag := tagsAt(b)[0]; tag > 1 && tag < 5 {
			t.Moved++
			continue
		}
		for ; b != nil; b = *linkAt(b, unit) {
			count(b, t)
		}
	}
}

func count(b unsafe.Pointer, t *table) int {
	n := 0
	for _, tag := range tagsAt(b) {
		if tag >= 5 {
			t.Tags[tag]++
			n++
		}
		if tag == 1 {
			t.Deleted++
		}
	}
	return n
}

func min16(v int) int {
	if v > 16 {
		return 16
	}
	return v
}

// fullChain is a bucket with an overflow bucket.
func fullChain(h *hmap, unit uintptr) unsafe.Pointer {
	for i := uint64(0); i < 1<<h.b; i++ {
		b := unsafe.Add(h.buckets, uintptr(i)*unit)
		if *linkAt(b, unit) != nil {
			return b
		}
	}
	return nil
}

func damageMap(kind string, p unsafe.Pointer, unit uintptr) bool {
	h := (*hmap)(p)
	switch kind {
	case "count":
		spoil(p, h.count+1)
	case "header":
		spoil(unsafe.Pointer(&h.flags), uint8(77))
	case "tags":
		spoil(h.buckets, uint8(3))
	case "chain_cycle":
		b := fullChain(h, unit)
		if b == nil {
			return false
		}
		next := *linkAt(b, unit)
		spoil(unsafe.Pointer(linkAt(next, unit)), uintptr(next))
	case "overflow":
		b := fullChain(h, unit)
		if b == nil {
			return false
		}
		spoil(unsafe.Pointer(linkAt(b, unit)), uintptr(*linkAt(b, unit))+16)
	case "overflow_count":
		spoil(unsafe.Pointer(&h.noverflow), h.noverflow+1)
	case "frontier":
		if h.oldbuckets == nil {
			return false
		}
		spoil(unsafe.Pointer(&h.nevacuate), uintptr(h.oldUnits()))
	default:
		return false
	}
	return true
}
