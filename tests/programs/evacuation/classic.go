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

const (
	sameSizeGrow   = 8
	evacuatedX     = 2
	evacuatedY     = 3
	evacuatedEmpty = 4
	slots          = 8
)

type look struct {
	table             unsafe.Pointer
	capacity          uint64
	growing, sameSize bool
	frontier, old     uint64
}

func (f *filled) look() look {
	h := (*hmap)(f.header)
	l := look{table: h.buckets, capacity: slots << h.b, growing: h.oldbuckets != nil}
	if l.growing {
		l.frontier = uint64(h.nevacuate)
		l.sameSize = h.flags&sameSizeGrow != 0
		l.old = 1 << h.b
		if !l.sameSize {
			l.old /= 2
		}
	}
	return l
}

// steps says which growth lies between two looks around one insertion.
func (l look) steps(after look) []growth {
	if l.table == nil || l.table == after.table {
		return nil
	}
	kind := "double"
	if l.capacity == after.capacity {
		kind = "same_size"
	}
	return []growth{{Kind: kind, From: l.capacity, To: after.capacity}}
}

// tags reads the old array: for each bucket how many entries went to X and to Y, along its chain.
func (f *filled) tags() [][4]uint64 {
	h := (*hmap)(f.header)
	var all [][4]uint64
	for i := uint64(0); h.oldbuckets != nil && i < f.look().old; i++ {
		row := [4]uint64{i, 0, 0, 1}
		b := unsafe.Add(h.oldbuckets, uintptr(i)*f.stride)
		for ; b != nil; b = *(*unsafe.Pointer)(unsafe.Add(b, f.stride-8)) {
			for _, tag := range *(*[slots]uint8)(b) {
				switch tag {
				case evacuatedX:
					row[1]++
				case evacuatedY:
					row[2]++
				case evacuatedEmpty:
				default:
					row[3] = 0
				}
			}
		}
		all = append(all, row)
	}
	return all
}
