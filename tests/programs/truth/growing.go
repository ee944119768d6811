package main

import "reflect"

func inside[K comparable, V any](m map[K]V) facts {
	return readFacts(headerOf(m), typeWord(reflect.TypeOf(m)))
}

// addHalfGrown writes to a map until its growth to 2^log buckets has come as far as percent, and
// leaves it there.  Growth moves on only with writes, so it stays so.
func addHalfGrown[K comparable, V any](l *ledger, log uint64, percent uint64,
	key func(uint64) K, val func(uint64) V) {
	m := make(map[K]V)
	for i := uint64(0); ; i++ {
		m[key(i)] = val(i)
		if i < 13<<log/4 {
			continue // The growth that is asked for starts at 6.5 entries in each of 2^(log-1).
		}
		f := inside(m)
		if f.growing && f.bucketLog == log && f.nevacuate*100 >= percent*f.oldSlots/8 {
			break
		}
		if f.bucketLog > log || i > 1<<24 {
			break // A small map may finish with the write that starts its growth.
		}
	}
	own(l, m, "half grown")
	l.keep = append(l.keep, m)
}

// addSameSize piles up overflow buckets until the runtime rebuilds the table in its own size.
//
// A map that is emptied takes a new seed, so each round lets other buckets overflow, and overflow
// buckets are never given back.
func addSameSize(l *ledger, log int, percent uint64) {
	room := 13 * (1 << log) / 2
	m := make(map[int]int, room)
	next := 0
	for round := 0; round < 10000; round++ {
		// Once that growth is under way the map may pass its load factor: it cannot start another.
		for i := 0; i < room || inside(m).growing; i++ {
			m[next] = i
			next++
			f := inside(m)
			if f.sameSize && f.nevacuate*100 >= percent*f.oldSlots/8 {
				own(l, m, "same size")
				l.keep = append(l.keep, m)
				return
			}
		}
		// Key by key: a loop that clears the map would give its overflow buckets back.
		for k := next - len(m); len(m) > 0; k++ {
			delete(m, k)
		}
	}
	panic("truth: no same-size growth came")
}

// addDeleted leaves slots that are marked deleted: full groups lose a key each.
func addDeleted(l *ledger, size, every int) {
	m := make(map[int]int)
	fill(m, size, num, num)
	for i := 0; i < size; i += every {
		delete(m, num(uint64(i)))
	}
	own(l, m, "deleted slots")
	l.keep = append(l.keep, m)
}

// addGrowing makes the maps that are caught on the way.  Only classic maps stay half grown; a Swiss
// map grows table by table within one write, so of those the sizes around each growth are listed.
// Maps of more than largest entries are left out.
func addGrowing(l *ledger, largest int) {
	id := func(i uint64) uint64 { return i }
	for size := 1; size <= 40; size++ {
		addDeleted(l, size, 2)
	}
	for size := 50; size < 300000 && size <= largest; size = size*7/4 + 1 {
		addDeleted(l, size, 2)
		addDeleted(l, size, 10)
	}
	for log := 1; log <= 11 && 7<<log < largest; log++ {
		for _, full := range []int{13 << log / 2, 7 << log} { // Load 6.5 of 8 per bucket; 7 of 8.
			for size := full - 1; size <= full+1; size++ {
				m := make(map[uint64]string)
				fill(m, size, id, word)
				own(l, m, "around a growth")
				l.keep = append(l.keep, m)
			}
		}
	}
	if mapKind != "classic" {
		return
	}
	// A map on its way to 2^log buckets has at most 6.5 entries for each.
	fits := func(log int) bool { return 13<<log/2 <= largest }
	for log := 3; log <= 14 && fits(log); log++ {
		for _, percent := range []uint64{0, 10, 50, 90} {
			addHalfGrown(l, uint64(log), percent, num, num)
			addHalfGrown(l, uint64(log), percent, word, newOrder)
		}
	}
	if fits(17) {
		addHalfGrown(l, 17, 30, num, num)
	}
	if fits(6) {
		addHalfGrown(l, 6, 50, large, large)
		addHalfGrown(l, 6, 50, largeNames, num)
	}
	for _, log := range []int{4, 6, 9} {
		if fits(log) {
			addSameSize(l, log, 0)
			addSameSize(l, log, 50)
			addSameSize(l, log, 95)
		}
	}
}
