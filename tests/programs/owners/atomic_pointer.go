//go:build go1.19

package main

import "sync/atomic"

type Snapshot struct {
	version int
	m       map[string]int32
}

var (
	snapshot  atomic.Pointer[Snapshot]
	atomicMap atomic.Pointer[map[string]uint64]
)

func fillAtomicPointer() {
	snapshot.Store(&Snapshot{1, map[string]int32{"snapshot": 1}})
	m := map[string]uint64{"atomic": 1, "pointer": 2}
	atomicMap.Store(&m)
}

func tellAtomicPointer(l *ledger) {
	l.field(snapshot.Load().m, "main.Snapshot.m", "main.snapshot")
	l.say(*atomicMap.Load(), &expected{Patterns: []string{`\*?main\.atomicMap(?:\.v)?`},
		Shared: []int{1}, Stripped: []string{`\*?` + l.global("")}})
}
