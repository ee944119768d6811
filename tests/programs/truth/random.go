package main

// random is a small generator (splitmix64): the same seed gives the same maps in every release.
type random struct{ state uint64 }

func newRandom(seed uint64) *random {
	return &random{state: seed * 0x9e3779b97f4a7c15}
}

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// below is a number from 0 to n-1.
func (r *random) below(n int) int {
	return int(r.next() % uint64(n))
}

// between is a number from low to high, both included.
func (r *random) between(low, high int) int {
	return low + r.below(high-low+1)
}
