// Clock adds entries to one map at a steady rate, under a memory limit that can be changed.
//
// It fills the map with -start entries at once, prints one line of JSON with what the runtime says
// of its settings, and then adds -rate entries a second.  Each line of its input is a new limit in
// bytes, or "gogc N"; it answers with the settings again.  It runs until its input ends.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	lock    sync.Mutex
	orders  map[uint64]uint64
	ballast []byte
)

const step = 10 * time.Millisecond

type settings struct {
	Entries int   `json:"entries"`
	Percent int   `json:"gc_percent"`
	Limit   int64 `json:"memory_limit"`
}

func answer() {
	lock.Lock()
	defer lock.Unlock()
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	json.NewEncoder(os.Stdout).Encode(settings{len(orders), percent, debug.SetMemoryLimit(-1)})
}

// add keeps to the rate whatever the scheduler does: it looks at the clock, not at the ticks.
func add(start, rate int) {
	begin := time.Now()
	for range time.Tick(step) {
		due := start + int(time.Since(begin).Seconds()*float64(rate))
		lock.Lock()
		for n := len(orders); n < due; n++ {
			orders[uint64(n)] = uint64(n)
		}
		lock.Unlock()
	}
}

func main() {
	start := flag.Int("start", 1000, "entries to begin with")
	rate := flag.Int("rate", 100, "entries a second")
	size := flag.Int("ballast", 0, "bytes to hold besides")
	flag.Parse()
	orders = make(map[uint64]uint64)
	for n := 0; n < *start; n++ {
		orders[uint64(n)] = uint64(n)
	}
	ballast = make([]byte, *size)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	answer()
	if *rate > 0 {
		go add(*start, *rate)
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); answer() {
		if words := strings.Fields(in.Text()); len(words) == 2 && words[0] == "gogc" {
			percent, _ := strconv.Atoi(words[1])
			debug.SetGCPercent(percent)
		} else if limit, err := strconv.ParseInt(in.Text(), 10, 64); err == nil {
			debug.SetMemoryLimit(limit)
		}
	}
}
