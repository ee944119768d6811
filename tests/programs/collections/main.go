// A program that collects when it is told to, and says what it knows of it.
//
// Commands, a line each, answered by a line of JSON:
//
//	stats       collections and pauses so far
//	force N     N collections by runtime.GC, some garbage before each
//	churn N     N MB of garbage, so that it collects by itself
//	keep N      hold N MB more
//	percent N   debug.SetGCPercent
//	limit N     debug.SetMemoryLimit, in MB
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
)

var (
	kept    [][]*[512]byte
	garbage []byte
)

type stats struct {
	NumGC, NumForcedGC, PauseTotalNs, HeapGoal uint64
	MaxProcs                                   int
}

func read() stats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(sample)
	return stats{uint64(m.NumGC), uint64(m.NumForcedGC), m.PauseTotalNs, sample[0].Value.Uint64(),
		runtime.GOMAXPROCS(0)}
}

func churn(megabytes int) {
	for i := 0; i < megabytes*16; i++ {
		garbage = make([]byte, 64<<10)
	}
}

func keep(megabytes int) {
	objects := make([]*[512]byte, megabytes<<11)
	for i := range objects {
		objects[i] = new([512]byte)
	}
	kept = append(kept, objects)
}

func obey(command string, n int) {
	switch command {
	case "stats":
	case "force":
		for i := 0; i < n; i++ {
			churn(1)
			runtime.GC()
		}
	case "churn":
		churn(n)
	case "keep":
		keep(n)
	case "percent":
		debug.SetGCPercent(n)
	case "limit":
		setMemoryLimit(int64(n) << 20)
	default:
		panic(command)
	}
}

func main() {
	fmt.Println("ready")
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var n int
		words := strings.Fields(lines.Text())
		if len(words) > 1 {
			fmt.Sscan(words[1], &n)
		}
		obey(words[0], n)
		if err := answers.Encode(read()); err != nil {
			panic(err)
		}
	}
	runtime.KeepAlive(kept)
}
