// A thousand goroutines that rest in every way we know of, and the runtime's own account of them.
//
// Once all rest it says "ready N", N goroutines of its own.  A line "dump PATH" makes it write what
// runtime/pprof's profile of goroutines with debug=2 says of all of them, and answer "dumped".
//
// Given an argument, some go round in loops on the only processor: all of these but one at a time
// have been preempted, by a signal ("preempted") or, without such signals, where they call ("polite").
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"time"
)

// each is how many goroutines rest in each way, but for those that take a thread.
const (
	each    = 24
	threads = 3
)

var (
	started  int
	sink     int
	never    = make(chan int)
	nobody   = make(chan string)
	locked   sync.Mutex
	readers  sync.RWMutex
	forever  sync.WaitGroup
	cond     = sync.NewCond(&sync.Mutex{})
	stopped  int
	looping  int // Goroutines that reached their loop.
	ways     []way
	awaiting = map[string]int{} // How many goroutines must be seen with a text on their stack.
)

// A way to rest: start makes one goroutine, text is on its stack once it does.
type way struct {
	text  string
	count int
	start func()
}

func begin() {
	locked.Lock()
	readers.Lock()
	forever.Add(1)
	for _, w := range ways {
		for i := 0; i < w.count; i++ {
			w.start()
			started++
		}
		awaiting[w.text] += w.count
	}
}

func dump() []byte {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 2); err != nil {
		panic(err)
	}
	return text.Bytes()
}

// rests tells whether every goroutine is where it is to stay.
func rests() bool {
	seen := map[string]int{}
	for _, stack := range strings.Split(string(dump()), "\n\n") {
		for text := range awaiting {
			if strings.Contains(stack, text) {
				seen[text]++
			}
		}
	}
	for text, count := range awaiting {
		if seen[text] < count {
			return false
		}
	}
	return len(os.Args) == 1 || looping == threads
}

func main() {
	if len(os.Args) > 1 {
		runtime.GOMAXPROCS(1)
		ways = append(ways, preempted[os.Args[1]])
	}
	begin()
	for !rests() {
		runtime.Gosched()
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("ready", started)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		path := strings.TrimPrefix(lines.Text(), "dump ")
		if err := os.WriteFile(path, dump(), 0o600); err != nil {
			panic(err)
		}
		fmt.Println("dumped")
	}
}
