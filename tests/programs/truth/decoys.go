package main

import "unsafe"

// decoyCounts tells how many headers were faked.  The empty ones are counted apart: a map that was
// never written is nothing but zeros and a seed, so only the place of its pointers tells them from it.
type decoyCounts struct{ shaped, empty int }

const headerWords = int(unsafe.Sizeof(decoyHeader{}) / 8)

// bucketSizes are the sizes of buckets and groups of common maps.
var bucketSizes = []int{144, 208, 272, 80, 136, 200, 264, 400}

// table is an object a decoy may point to: zero, without pointers or with.
func table(size int, pointers bool) unsafe.Pointer {
	if pointers {
		return unsafe.Pointer(&make([]unsafe.Pointer, size/8)[0])
	}
	return unsafe.Pointer(&make([]byte, size)[0])
}

// seedWord packs flags 0, B, noverflow 0 and a seed the way a classic header does.
func seedWord(b int, rng *random) uint64 {
	return rng.next()<<32 | uint64(b)<<8
}

type decoyMaker struct {
	kind string
	fill func(d *decoyHeader, rng *random)
}

var decoyMakers = []decoyMaker{
	{"random", func(d *decoyHeader, rng *random) {
		d.w0, d.w1, d.w4 = rng.next(), rng.next(), rng.next()
		d.setPointers(table(48, true), table(16, false), table(32, true), rng.next(), rng.next())
	}},
	{"small numbers", func(d *decoyHeader, rng *random) {
		d.w0, d.w1, d.w4 = rng.next()%64, rng.next()%64, rng.next()%64
		d.setPointers(table(bucketSizes[rng.below(8)], truth(rng.next())), nil, nil, 0, 0)
	}},
	{"classic, empty bucket", func(d *decoyHeader, rng *random) {
		d.w0, d.w1 = uint64(rng.between(1, 8)), seedWord(0, rng)
		d.setPointers(table(bucketSizes[rng.below(8)], truth(rng.next())), nil, nil, 0, 0)
	}},
	{"classic, wrong tags", func(d *decoyHeader, rng *random) {
		t := table(bucketSizes[rng.below(8)], false)
		*(*uint64)(t) = rng.next() | 0x8080808080808080
		d.w0, d.w1 = uint64(rng.between(1, 7)), seedWord(0, rng)
		d.setPointers(t, nil, nil, 0, 0)
	}},
	{"classic, empty table", func(d *decoyHeader, rng *random) {
		b := rng.between(1, 5)
		d.w0, d.w1 = uint64(rng.between(4<<b, 6<<b)), seedWord(b, rng)
		d.setPointers(table(bucketSizes[rng.below(8)]<<b, truth(rng.next())), nil, nil, 0, 0)
	}},
	{"classic, growing", func(d *decoyHeader, rng *random) {
		b := rng.between(2, 4)
		size := bucketSizes[rng.below(8)]
		d.w0, d.w1, d.w4 = uint64(rng.between(4<<b, 6<<b)), seedWord(b, rng), rng.next()%3
		d.setPointers(table(size<<b, false), table(size<<(b-1), false), nil, 0, 0)
	}},
	{"swiss, wrong group", func(d *decoyHeader, rng *random) {
		t := table(bucketSizes[rng.below(8)], false)
		*(*uint64)(t) = 0x8080808080808080
		d.w0, d.w1 = uint64(rng.between(1, 8)), rng.next()
		d.setPointers(t, nil, nil, 0, rng.next()%2)
	}},
	{"swiss, wrong tables", func(d *decoyHeader, rng *random) {
		depth := rng.between(0, 3)
		dir := make([]unsafe.Pointer, 1<<depth)
		for i := range dir {
			t := (*[4]uint64)(table(32, true))
			// used, capacity, growthLeft and localDepth that look right, and no groups.
			t[0] = 100 | 128<<16 | 12<<32 | uint64(depth)<<48
			t[1] = uint64(i)
			dir[i] = unsafe.Pointer(t)
		}
		d.w0, d.w1, d.w4 = uint64(100<<depth), rng.next(), uint64(depth)|uint64(64-depth)<<8
		d.setPointers(unsafe.Pointer(&dir[0]), nil, nil, uint64(len(dir)), 0)
	}},
}

// copyHeaders fakes maps from the headers of maps that are gone: the words that pointed to their
// tables are not pointers any more, and one pointer stands where a header has none.
func copyHeaders(l *ledger, n int, rng *random) {
	list := make([]*strangeHeader, n)
	for i := range list {
		m := make(map[[3]uint32][7]uint32) // No other map has buckets of this size.
		for k := uint32(0); k < 20+uint32(i%60); k++ {
			m[[3]uint32{k}] = [7]uint32{1}
		}
		words := (*[headerWords]uint64)(headerOf(m))
		d := &strangeHeader{w0: words[0], w1: words[1], w2: words[2], w3: words[3], w5: words[5]}
		d.p4 = unsafe.Pointer(l)
		list[i] = d
		l.decoys = append(l.decoys, decoy{uintptr(unsafe.Pointer(d)), "copied"})
	}
	l.keep = append(l.keep, list)
}

// addDecoys fakes n headers, and beside them a tenth as many that look never written.
func addDecoys(l *ledger, n int, rng *random) decoyCounts {
	copied := n / 20
	list := make([]*decoyHeader, 0, n-copied)
	for len(list) < n-copied {
		maker := &decoyMakers[len(list)%len(decoyMakers)]
		d := &decoyHeader{}
		maker.fill(d, rng)
		list = append(list, d)
		l.decoys = append(l.decoys, decoy{uintptr(unsafe.Pointer(d)), maker.kind})
	}
	copyHeaders(l, copied, rng)
	empty := make([]*strangeHeader, n/10)
	for i := range empty {
		d := &strangeHeader{w1: rng.next()}
		if mapKind == "classic" {
			d.w1 = seedWord(0, rng)
		}
		empty[i] = d
		l.decoys = append(l.decoys, decoy{uintptr(unsafe.Pointer(d)), "empty"})
	}
	l.keep = append(l.keep, list, empty)
	return decoyCounts{shaped: n, empty: len(empty)}
}

// addGarbage drops maps that were written; no collection has seen them die when it returns.
//
//go:noinline
func addGarbage(l *ledger, n int, rng *random) {
	for i := 0; i < n; i++ {
		m := make(map[uint64]*order)
		fill(m, rng.between(1, 60), func(i uint64) uint64 { return i }, newOrder)
		l.decoys = append(l.decoys, decoy{uintptr(headerOf(m)), "garbage"})
	}
}
