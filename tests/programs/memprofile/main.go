// memprofile allocates maps at a few places and says what its own memory profile has of them.
//
//	records		one JSON object a line for each record: in use, allocated, stack; then "end"
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

type record struct {
	InUseObjects, AllocObjects int64
	InUseBytes, AllocBytes     int64
	Stack                      []string
}

var kept = map[uint64][64]byte{}

//go:noinline
func fill(from, to uint64) {
	for i := from; i < to; i++ {
		kept[i] = [64]byte{}
	}
}

//go:noinline
func drop(n int) int {
	m := make(map[int]string)
	for i := 0; i < n; i++ {
		m[i] = "x"
	}
	return len(m)
}

func records() {
	// Two cycles: all that happened before is published then.
	runtime.GC()
	runtime.GC()
	n, _ := runtime.MemProfile(nil, true)
	list := make([]runtime.MemProfileRecord, n+50)
	n, _ = runtime.MemProfile(list, true)
	out := json.NewEncoder(os.Stdout)
	for _, r := range list[:n] {
		j := record{r.InUseObjects(), r.AllocObjects, r.InUseBytes(), r.AllocBytes, nil}
		frames := runtime.CallersFrames(r.Stack())
		for {
			f, more := frames.Next()
			j.Stack = append(j.Stack, fmt.Sprintf("%s:%d", f.Function, f.Line))
			if !more {
				break
			}
		}
		_ = out.Encode(j)
	}
	fmt.Println("end")
}

func main() {
	fill(0, 200000)
	for i := 0; i < 50; i++ {
		drop(20000)
	}
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "records" {
			records()
		}
	}
}
