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
}

// A look at a Swiss map's tables: none of a map that has one group or nothing.
type look struct {
	table             unsafe.Pointer
	tables            []*swissTable
	capacity          uint64
	growing, sameSize bool
	frontier, old     uint64
}

func (f *filled) look() look {
	m := (*swissMap)(f.header)
	l := look{table: m.dirPtr}
	if m.dirPtr == nil {
		return l
	}
	if m.dirLen == 0 {
		l.capacity = 8
		return l
	}
	for _, t := range unsafe.Slice((**swissTable)(m.dirPtr), m.dirLen) {
		if len(l.tables) > 0 && t == l.tables[len(l.tables)-1] {
			continue // The directory names a shallow table several times in a row.
		}
		l.tables = append(l.tables, t)
		l.capacity += uint64(t.capacity)
	}
	return l
}

// steps says which growths lie between two looks around one insertion: a few tables at most.
func (l look) steps(after look) []growth {
	var log []growth
	if l.table == nil || len(after.tables) == 0 {
		return nil
	}
	if len(l.tables) == 0 {
		return []growth{{Kind: "to_table", From: 8, To: 16}}
	}
	if len(l.tables) == len(after.tables) {
		for i := range l.tables {
			if l.tables[i] != after.tables[i] {
				log = append(log, growth{Kind: "double", From: uint64(l.tables[i].capacity),
					To: uint64(after.tables[i].capacity)})
			}
		}
		return log
	}
	for i := len(l.tables); i < len(after.tables); i++ {
		log = append(log, growth{Kind: "split", From: 1024, To: 2048})
	}
	return log
}

func (f *filled) tags() [][4]uint64 { return nil }
