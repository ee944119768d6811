//go:build go1.23

package main

import "iter"

func init() {
	ways = append(ways,
		way{"main.ranges", each, func() { go ranges() }},
		way{"main.pulls", each, func() { go pulls() }})
}

func count(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

// ranges rests in the body of a loop, which is a function that count calls.
func ranges() {
	for i := range count {
		for j := range count {
			sink += <-never + i + j
		}
	}
}

// pulls rests while another goroutine, that is part of it, waits to go on.
func pulls() {
	next, stop := iter.Pull(iter.Seq[int](count))
	defer stop()
	next()
	sink += <-never
}
