//go:build !go1.24 || (!go1.26 && !goexperiment.swissmap)

package main

import "unsafe"

const mapKind = "classic"

// hmap is the part of the runtime's header that did not move from Go 1.18 to the last classic map.
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

const sameSizeGrow = 8

func readFacts(p, _ unsafe.Pointer) facts {
	h := (*hmap)(p)
	f := facts{
		table:     h.buckets != nil,
		seed:      uint64(h.hash0),
		bucketLog: uint64(h.b),
		noverflow: uint64(h.noverflow),
		growing:   h.oldbuckets != nil,
	}
	if f.table {
		f.capacity = 8 << h.b
	}
	if f.growing {
		f.nevacuate = uint64(h.nevacuate)
		f.sameSize = h.flags&sameSizeGrow != 0
		f.oldSlots = f.capacity
		if !f.sameSize {
			f.oldSlots /= 2
		}
	}
	return f
}
