"""The services of the gallery: templates in Go.  $names are drawn by generate.py."""

THING = '''
type $Thing struct {
	id      uint64
	created int64
	payload [$pad]byte
}

type $Store struct {
	mu     sync.RWMutex
	$field map[$K]*$Thing
}

var $store = &$Store{$field: make(map[$K]*$Thing)}

'''

SERVICES = {}


def service(name, owners, code, until=None):
    SERVICES[name] = {'owners': owners, 'code': code, 'until': until}


FIELD = r'main\.($Store|$store)\.$field\b'

service('unbounded_cache', [FIELD], THING + '''
const room = $few

var ring [room]$K

$chain
func (s *$Store) $put(k $K, v *$Thing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.$field, ring[v.id%room]) //@healthy
	ring[v.id%room] = k               //@healthy
	s.$field[k] = v // FAULT
}

func (s *$Store) $get(k $K) *$Thing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.$field[k]
}

func (s *$Store) $handle(i uint64) {
	k := makeKey(i)
	if s.$get(k) == nil {
		s.$first(k, &$Thing{id: i})
	}
}

func warm() {
	for i := uint64(0); i < room+1000; i++ {
		$store.$handle(i)
	}
}

func start() {
	go pace($rate, func(i uint64) { $store.$handle(i + room + 1000) })
}
''')

service('missed_delete', [FIELD], THING + '''
const lag = $few

$chain
func (s *$Store) $put(k $K, v *$Thing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.$field[k] = v // ALSO
}

func (s *$Store) $drop(i uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i%10 != 0 { //@fault
		i += 1 << 40 //@fault
	} //@fault
	delete(s.$field, makeKey(i)) // FAULT
}

func (s *$Store) $handle(i uint64) {
	s.$first(makeKey(i), &$Thing{id: i})
	if i >= lag {
		s.$drop(i - lag)
	}
}

func warm() {
	for i := uint64(0); i < lag+2000; i++ {
		$store.$handle(i)
	}
}

func start() {
	go pace($rate, func(i uint64) { $store.$handle(i + lag + 2000) })
}
''')

service('slack', [FIELD], THING + '''
const many = 400000

$chain
func (s *$Store) $put(k $K, v *$Thing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.$field[k] = v // ALSO
}

func (s *$Store) $drop(k $K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.$field, k) // FAULT
}

func (s *$Store) shrink() { //@healthy
	s.mu.Lock() //@healthy
	defer s.mu.Unlock() //@healthy
	small := make(map[$K]*$Thing, len(s.$field)) //@healthy
	for k, v := range s.$field { //@healthy
		small[k] = v //@healthy
	} //@healthy
	s.$field = small //@healthy
} //@healthy

func (s *$Store) $get(k $K) *$Thing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.$field[k]
}

func warm() {
	for i := uint64(0); i < many; i++ {
		$store.$first(makeKey(i), &$Thing{id: i})
	}
	for i := uint64(0); i < many; i++ {
		if i%100 != 0 {
			$store.$drop(makeKey(i))
		}
	}
	$store.shrink() //@healthy
}

func start() {
	go pace($rate, func(i uint64) { $store.$get(makeKey(i % many)) })
}
''')

service('syncmap_deleted', [r'main\.($Store|$store)\.$field\b'], '''
type $Thing struct {
	id      uint64
	payload [$pad]byte
}

type $Store struct {
	$field sync.Map
}

var $store = new$Store()

//go:noinline
func new$Store() *$Store { return &$Store{} }

const many = 200000

func (s *$Store) $put(k $K, v *$Thing) {
	s.$field.Store(k, v) // FAULT
}

func (s *$Store) $drop(k $K) {
	s.$field.Delete(k) // ALSO
}

func (s *$Store) $get(k $K) bool {
	_, ok := s.$field.Load(k)
	return ok
}

// warm takes a crowd in, counts it, and sees most of it leave.
func warm() {
	for i := uint64(0); i < many; i++ {
		$store.$put(makeKey(i), &$Thing{id: i})
	}
	count := 0
	$store.$field.Range(func(_, _ interface{}) bool { count++; return true })
	for i := uint64(0); i < many; i++ {
		if i%200 != 0 {
			$store.$drop(makeKey(i))
		}
	}
	renew() //@healthy
}

func renew() { //@healthy
	fresh := new$Store() //@healthy
	$store.$field.Range(func(k, v interface{}) bool { fresh.$field.Store(k, v); return true }) //@healthy
	$store = fresh //@healthy
} //@healthy

func start() {
	go pace($rate, func(i uint64) { $store.$get(makeKey(i % 100 * 200)) })
}
''', until='1.23')

service('session_maps', [r'main\.$Thing\.attributes\b'], '''
type $Thing struct {
	id         uint64
	attributes map[string]string
}

type $Store struct {
	mu     sync.Mutex
	$field []*$Thing
}

var $store = &$Store{}

func new$Thing(i uint64) *$Thing {
	t := &$Thing{id: i}
	t.attributes = make(map[string]string, 200) // FAULT //@fault
	t.attributes = make(map[string]string, 4) //@healthy
	t.attributes["user"] = strconv.FormatUint(i, 10) // ALSO
	t.attributes["locale"] = "en"
	t.attributes["agent"] = "probe"
	return t
}

//go:noinline
func (s *$Store) $put(t *$Thing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.$field = append(s.$field, t)
}

func (s *$Store) $get(i int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.$field[i%len(s.$field)].attributes["user"]
}

func warm() {
	for i := uint64(0); i < 40000; i++ {
		$store.$put(new$Thing(i))
	}
}

func start() {
	go pace($rate, func(i uint64) { $store.$get(int(i)) })
}
''')

service('rwmutex_readers', [FIELD], THING + '''
const readers = 200

$chain
func (s *$Store) $put(k $K, v *$Thing) {
	s.$field[k] = v // FAULT
}

// refresh takes a batch in while it holds the lock.
func (s *$Store) refresh(from, to uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := from; i < to; i++ {
		s.$first(makeKey(i), &$Thing{id: i})
		if i%50 == 0 { //@fault
			time.Sleep(time.Millisecond) //@fault
		} //@fault
	}
}

func (s *$Store) $get(k $K) *$Thing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.$field[k]
}

func warm() {
	$store.refresh(0, 2000)
}

func start() {
	for r := 0; r < readers; r++ {
		go func(r uint64) {
			for i := r; ; i += readers {
				$store.$get(makeKey(i % 2000))
				time.Sleep(20 * time.Millisecond)
			}
		}(uint64(r))
	}
	go func() {
		for next := uint64(2000); ; next += 2000 { //@fault
			$store.refresh(next, next+2000) //@fault
		for { //@healthy
			$store.refresh(0, 2000) //@healthy
			time.Sleep(20 * time.Millisecond)
		}
	}()
}
''')

service('leaked_goroutines', [r'main\.$Thing', r'main\.\(\*$Store\)\.$handle', r'main\.follow'], '''
type $Thing struct {
	id   uint64
	seen map[uint64]string
	done chan struct{}
}

type $Store struct {
	mu     sync.Mutex
	served uint64
}

var $store = &$Store{}

//go:noinline
func (t *$Thing) fill() {
	for i := uint64(0); i < 600; i++ {
		t.seen[i] = "x"
	}
}

//go:noinline
func follow(t *$Thing) {
	t.fill()
	<-t.done // ALSO
	$store.mu.Lock()
	$store.served += uint64(len(t.seen))
	$store.mu.Unlock()
}

func (s *$Store) $handle(i uint64) {
	t := &$Thing{id: i, seen: make(map[uint64]string), done: make(chan struct{})}
	go follow(t) // FAULT
	close(t.done) //@healthy
}

func warm() {
	for i := uint64(0); i < 300; i++ {
		$store.$handle(i)
	}
}

func start() {
	go pace(60, func(i uint64) { $store.$handle(i) })
}
''')

service('closures', [r'main\.($Store|$store)\.$field\b'], '''
type $Store struct {
	mu     sync.Mutex
	$field map[uint64]func() int
}

var $store = &$Store{$field: make(map[uint64]func() int)}

const room = 500

//go:noinline
func (s *$Store) $put(i uint64, call func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.$field, i-room) //@healthy
	s.$field[i] = call // FAULT
}

func (s *$Store) $handle(i uint64) {
	buffer := make([]byte, 16<<10)
	buffer[i%uint64(len(buffer))] = byte(i)
	s.$put(i, func() int { return len(buffer) + int(buffer[0]) }) // ALSO
}

func (s *$Store) $get(i uint64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call := s.$field[i]; call != nil {
		return call()
	}
	return 0
}

func warm() {
	for i := uint64(0); i < room+500; i++ {
		$store.$handle(i)
	}
}

func start() {
	go pace(200, func(i uint64) { $store.$handle(i + room + 500); $store.$get(i) })
}
''')

service('waitgroups', [r'main\.($Store|$store)\.$field\b'], '''
type $Store struct {
	mu     sync.Mutex
	$field map[uint64]*sync.WaitGroup
}

var $store = &$Store{$field: make(map[uint64]*sync.WaitGroup)}

func (s *$Store) $put(i uint64) *sync.WaitGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	group := &sync.WaitGroup{}
	s.$field[i] = group // ALSO
	return group
}

func (s *$Store) $drop(i uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.$field, i)
}

//go:noinline
func work(i uint64, group *sync.WaitGroup) {
	if i%4 == 0 { //@fault
		return // FAULT //@fault
	} //@fault
	group.Done()
}

func (s *$Store) $handle(i uint64) {
	group := s.$put(i)
	group.Add(1)
	go work(i, group)
	go func() {
		group.Wait() // ALSO
		s.$drop(i)
	}()
}

func warm() {
	for i := uint64(0); i < 4000; i++ {
		$store.$handle(i)
	}
}

func start() {
	go pace(1500, func(i uint64) { $store.$handle(i + 4000) })
}
''')

service('syncmap_mix', [r'main\.($Store|$store)\.$field\b', r'main\.'], '''
type $Thing struct {
	id      uint64
	payload [$pad]byte
}

type $Store struct {
	$field sync.Map
}

var $store = &$Store{}

const room = 20000

//go:noinline
func (s *$Store) $put(i uint64) {
	s.$field.Store(makeKey(i), &$Thing{id: i}) // FAULT
	s.$field.Delete(makeKey(i - room))
}

//go:noinline
func (s *$Store) $get(k $K) bool {
	_, ok := s.$field.Load(k) // ALSO
	return ok
}

func warm() {
	for i := uint64(0); i < room; i++ {
		$store.$put(i)
	}
}

func start() {
	go pace(500, func(i uint64) { $store.$put(i + room) }) //@fault
	go pace(200000, func(i uint64) { $store.$get(makeKey(i + 1<<40)) }) //@fault
	go pace(20000, func(i uint64) { $store.$get(makeKey(i % room)) }) //@healthy
}
''', until='1.23')

service('clone_storm', [r'main\.'], THING + '''
const known = $few

//go:noinline
func (s *$Store) snapshot() map[$K]*$Thing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	copied := make(map[$K]*$Thing, len(s.$field)) // ALSO //@fault
	for k, v := range s.$field { // ALSO //@fault
		copied[k] = v // FAULT //@fault
	} //@fault
	return copied //@fault
	return s.$field //@healthy
}

//go:noinline
func (s *$Store) $handle(i uint64) bool {
	return s.snapshot()[makeKey(i%known)] != nil
}

func warm() {
	for i := uint64(0); i < known; i++ {
		$store.$field[makeKey(i)] = &$Thing{id: i}
	}
}

func start() {
	go pace(600, func(i uint64) { $store.$handle(i) })
}
''')

service('metric_attributes', [r'main\.($Store|$store)\.$field\b'], '''
type attributes struct {
	method, path string
	status       int
	user         uint64
}

type series struct {
	count uint64
	sum   float64
	bins  [12]uint64
}

type $Store struct {
	mu     sync.Mutex
	$field map[attributes]*series
}

var $store = &$Store{$field: make(map[attributes]*series)}

//go:noinline
func (s *$Store) $put(a attributes, seconds float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.$field[a]
	if one == nil {
		one = &series{}
		s.$field[a] = one // FAULT
	}
	one.count++
	one.sum += seconds
}

func (s *$Store) $handle(i uint64) {
	a := attributes{method: "GET", path: "/" + strconv.FormatUint(i%20, 10), status: 200}
	a.user = i / 2 // ALSO //@fault
	s.$put(a, float64(i%1000)/1e3)
}

func warm() {
	for i := uint64(0); i < 4000; i++ {
		$store.$handle(i)
	}
}

func start() {
	go pace($rate, func(i uint64) { $store.$handle(i + 4000) })
}
''')

service('no_size', [r'main\.'], '''
type $Thing struct {
	id, parent uint64
	payload    [$pad]byte
}

var sink uint64

//go:noinline
func group(things []$Thing) map[$K]$Thing {
	groups := make(map[$K]$Thing) // FAULT //@fault
	groups := groupsKept //@healthy
	for i := range things {
		groups[makeKey(things[i].parent)] = things[i] // ALSO
	}
	return groups
}

var groupsKept = make(map[$K]$Thing, $few) //@healthy

func $handle(things []$Thing) {
	sink += uint64(len(group(things)))
}

var things = make([]$Thing, $few)

func warm() {
	for i := range things {
		things[i] = $Thing{id: uint64(i), parent: uint64(i)}
	}
}

func start() {
	go pace(100, func(i uint64) { $handle(things) })
}
''')

service('concurrent_writes', [r'main\.($Store|$store)\.$field\b'], '''
type $Store struct {
	mu     sync.Mutex
	$field map[string]uint64
}

var $store = &$Store{$field: make(map[string]uint64)}

// Long keys, as of documents kept by their text: hashing one takes a while.
var documents [2]string

//go:noinline
func (s *$Store) $put(text string, i uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.$field[text] = i
}

//go:noinline
func (s *$Store) refresh(text string, i uint64) {
	s.mu.Lock() //@healthy
	defer s.mu.Unlock() //@healthy
	s.$field[text] = i // FAULT
}

func warm() {
	documents[0] = strings.Repeat("a long document ", 6<<20)
	documents[1] = strings.Repeat("another document ", 4<<20)
	for i := uint64(0); i < 1000; i++ {
		$store.$put("document "+strconv.FormatUint(i, 10), i)
	}
	$store.$put(documents[0], 0)
	$store.$put(documents[1], 0)
}

func start() {
	go pace(25, func(i uint64) { $store.$put(documents[0], i) })
	go pace(19, func(i uint64) { $store.refresh(documents[1], i) })
}
''')
