package main

import (
	"runtime"
	"sync/atomic"
)

var counter uint64

func churnCount() uint64 { return atomic.LoadUint64(&counter) }

// churnOne inserts, deletes, creates and drops maps for ever, none of which is listed.
func churnOne(seed uint64) {
	rng := newRandom(seed)
	ring := make([]map[uint64]*order, 64)
	scratch := make(map[string]int)
	for {
		i := rng.below(len(ring))
		if ring[i] == nil || rng.below(500) == 0 {
			ring[i] = make(map[uint64]*order)
		}
		m := ring[i]
		for n := 0; n < 64; n++ {
			k := rng.next() % 4096
			if rng.below(3) == 0 {
				delete(m, k)
			} else {
				m[k] = &order{id: k}
			}
		}
		scratch[word(rng.next()%100000)] = i
		if len(scratch) > 20000 {
			scratch = make(map[string]int)
		}
		atomic.AddUint64(&counter, 64)
	}
}

// startChurn returns once each worker has got going.
func startChurn(n int) {
	for i := 0; i < n; i++ {
		go churnOne(uint64(i) + 100)
	}
	for n > 0 && churnCount() < 1000*uint64(n) {
		runtime.Gosched()
	}
}
