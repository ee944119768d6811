// Go's own map under the loops of ../loops.hpp: bench numbers|tail N, lines of "row,N,value".
package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"
)

var sink uint64

func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func say(row string, n int, value float64) {
	fmt.Printf("%s,%d,%.4f\n", row, n, value)
}

func eachNS(repetitions, operations int, f func()) float64 {
	var times []float64
	for r := 0; r < repetitions; r++ {
		t := time.Now()
		f()
		times = append(times, float64(time.Since(t).Nanoseconds())/float64(operations))
	}
	sort.Float64s(times)
	return times[len(times)/2]
}

func numbers(n int) {
	put := make([]uint64, n)
	for i := range put {
		put[i] = mixed(uint64(i) + 1)
	}
	hit := append([]uint64(nil), put...)
	for i := len(hit); i > 1; i-- {
		j := mixed(uint64(i)) % uint64(i)
		hit[i-1], hit[j] = hit[j], hit[i-1]
	}
	if len(hit) > 1000000 {
		hit = hit[:1000000]
	}
	miss := make([]uint64, len(hit))
	for i := range miss {
		miss[i] = mixed(uint64(i) + 1<<40)
	}
	most := 3000000 / n
	if most < 3 {
		most = 3
	}
	var m map[uint64]uint64
	say("build", n, eachNS(most/3+1, n, func() {
		m = map[uint64]uint64{}
		for i, k := range put {
			m[k] = uint64(i)
		}
	}))
	say("hit", n, eachNS(most, len(hit), func() {
		for _, k := range hit {
			sink += m[k]
		}
	}))
	say("miss", n, eachNS(most, len(miss), func() {
		for _, k := range miss {
			sink += m[k]
		}
	}))
	say("iterate", n, eachNS(most/4+1, n, func() {
		for _, v := range m {
			sink += v
		}
	}))
	half := len(hit)
	if half > 500000 {
		half = 500000
	}
	say("churn", n, eachNS(most/8+1, 4*half, func() {
		for i := 0; i < half; i++ {
			delete(m, hit[i])
			m[miss[i]] = uint64(i)
		}
		for i := 0; i < half; i++ {
			delete(m, miss[i])
			m[hit[i]] = uint64(i)
		}
	}))
}

// One run: Go seeds each map anew, so a minimum by index over runs would hide its growths.
func tail(n int) {
	took := make([]time.Duration, n)
	m := map[uint64]uint64{}
	for i := range took {
		k := mixed(uint64(i) + 1)
		t := time.Now()
		m[k] = uint64(i)
		took[i] = time.Since(t)
	}
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	for _, q := range []struct {
		name string
		at   int
	}{{"p50", n / 2}, {"p999", n - n/1000}, {"p9999", n - n/10000}, {"max", n - 1}} {
		say("put_"+q.name+"_us", n, float64(took[q.at].Nanoseconds())/1e3)
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bench numbers|tail N")
		os.Exit(1)
	}
	n, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil || n < 1 {
		fmt.Fprintln(os.Stderr, "N is not a number of entries")
		os.Exit(1)
	}
	if os.Args[1] == "tail" {
		tail(int(n))
	} else {
		numbers(int(n))
	}
}
