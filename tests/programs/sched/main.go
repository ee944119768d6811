// A scheduler in a known state.  Each processor runs a goroutine that keeps it, and made others ready
// before, which wait behind it in its own queue or in the one for all.
//
// It says "full" once all is so.  A line "let go" lets all run to where they rest; it says which
// they are, in one line of JSON, and rests in a read.  Upon "grow" two goroutines take turns on
// filling a map, until its input ends; it says which.  It has to run under GOGC=off: a collection
// would wait for the loops.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	processors = 3
	queued     = 50  // Made ready by each loop.
	spilled    = 400 // By the last: more than a queue has room for.
	locked     = 2   // Goroutines on threads of their own, which wait.
	called     = 2   // Goroutines in system calls.
)

// made is a goroutine that made others ready.
type made struct {
	ID     uint64   `json:"id"`
	Thread int      `json:"thread"`
	Ready  []uint64 `json:"ready"` // In the order in which they were made.
}

type told struct {
	Loops         []made   `json:"loops"`
	Locked        []uint64 `json:"locked"`
	LockedThreads []int    `json:"locked_threads"`
	Called        []uint64 `json:"called"`
	CalledThreads []int    `json:"called_threads"`
}

var (
	looping, all, done, ran int32

	never = make(chan int)
)

// id asks the runtime for the number of this goroutine in the one way there is.
func id() (n uint64) {
	var buf [64]byte
	for _, c := range buf[len("goroutine "):runtime.Stack(buf[:], false)] {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// raw makes a system call of which the scheduler knows nothing: it keeps the processor.
func raw(call, fd uintptr, text []byte) {
	syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
}

// pin keeps this goroutine on its processor: nothing preempts it until unpin.
//
//go:linkname pin runtime.procPin
func pin() int

//go:linkname unpin runtime.procUnpin
func unpin()

func await(n *int32, value int32) {
	for atomic.LoadInt32(n) < value {
	}
}

func ready(m *made, count int) {
	m.ID, m.Thread = id(), syscall.Gettid()
	m.Ready = make([]uint64, count)
	for i := range m.Ready {
		go func(slot *uint64) {
			*slot = id()
			atomic.AddInt32(&ran, 1)
			<-never
		}(&m.Ready[i])
	}
}

// loop takes a processor, makes others ready once each has one, and keeps it.
func loop(m *made) {
	pin()
	atomic.AddInt32(&looping, 1)
	await(&all, 1)
	ready(m, queued)
	atomic.AddInt32(&looping, 1)
	await(&done, 1)
	unpin()
}

func start(t *told) {
	settled := make(chan bool)
	for i := 0; i < locked; i++ {
		go func(i int) {
			runtime.LockOSThread()
			t.Locked[i], t.LockedThreads[i] = id(), syscall.Gettid()
			settled <- true
			<-never
		}(i)
	}
	for i := 0; i < called; i++ {
		go func(i int) {
			var pipe [2]int
			if err := syscall.Pipe(pipe[:]); err != nil {
				panic(err)
			}
			t.Called[i] = id()
			settled <- true
			t.CalledThreads[i] = syscall.Gettid() // From here on it stays.
			syscall.Read(pipe[0], make([]byte, 1))
		}(i)
	}
	for i := 0; i < locked+called; i++ {
		<-settled
	}
	for !rest() { // They have said so, and may not have come to it yet.
		time.Sleep(time.Millisecond)
	}
}

// rest tells whether those that start has started are where they stay.
func rest() bool {
	text := make([]byte, 1<<16)
	all := string(text[:runtime.Stack(text, true)])
	return strings.Count(all, "[chan receive, locked to thread]") == locked && strings.Count(all, "[syscall") == called
}

// fill brings the scheduler into its state; when it returns, it has been looked at.
func fill(t *told) {
	start(t)
	for i := range t.Loops[1:] {
		go loop(&t.Loops[1+i])
	}
	pin()
	await(&looping, processors-1)
	atomic.StoreInt32(&all, 1)
	await(&looping, 2*(processors-1))
	ready(&t.Loops[0], spilled)
	raw(syscall.SYS_WRITE, 1, []byte("full\n"))
	raw(syscall.SYS_READ, 0, make([]byte, len("let go\n")))
	atomic.StoreInt32(&done, 1)
	unpin()
	for atomic.LoadInt32(&ran) < (processors-1)*queued+spilled {
		runtime.Gosched()
	}
}

// grow fills a map from two goroutines, each when it is its turn.
func grow(stop chan bool) (ids [2]uint64) {
	turns := [2]chan int{make(chan int), make(chan int)}
	told := make(chan bool)
	for i := range ids {
		go func(i int) {
			ids[i] = id()
			told <- true
			m := map[int]int(nil)
			for n := range turns[i] {
				if n%500 == 0 || m == nil {
					m = map[int]int{}
				}
				for k := 0; k < 100; k++ {
					m[n*100+k] = k
				}
				select {
				case turns[1-i] <- n + 1:
				case <-stop:
					return
				}
			}
		}(i)
	}
	<-told
	<-told
	turns[0] <- 0
	return ids
}

func say(what interface{}) {
	if err := json.NewEncoder(os.Stdout).Encode(what); err != nil {
		panic(err)
	}
}

func main() {
	runtime.GOMAXPROCS(processors)
	t := told{
		Loops:         make([]made, processors),
		Locked:        make([]uint64, locked),
		LockedThreads: make([]int, locked),
		Called:        make([]uint64, called),
		CalledThreads: make([]int, called),
	}
	fill(&t)
	say(t)
	stop := make(chan bool)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "grow" {
			say(grow(stop))
		}
	}
	close(stop)
}
