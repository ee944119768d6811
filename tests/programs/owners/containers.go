package main

// Lists holds maps in containers.
type Lists struct {
	list  []map[string]int
	byKey map[string]map[string]int
}

type Job struct {
	id int
	m  map[string]string
}

type Pile []map[int8]int

type wideKey [20]uint64

// Wide is larger than the 128 bytes that a map stores in place.
type Wide struct {
	pad [25]uint64
	m   map[int]int64
}

var (
	caches []map[string]int
	tail   []map[string]int
	lists  *Lists
	shelf  []Bag
	rows   []struct {
		id int
		m  map[int]string
	}
	pile     Pile
	byName   map[string]map[string]int
	deepMaps map[string]map[int]map[string]int
	bySlice  map[string][]map[int]int
	arrays   map[string][4]map[int]int
	bags     map[string]Bag
	bagRefs  map[string]*Bag
	byBag    map[*Bag]int
	wide     map[wideKey]Wide
	growing  map[int]map[int]int
	queue    chan map[int]int
	jobs     chan Job
)

//go:noinline
func words(n int) map[string]int {
	m := make(map[string]int)
	for i := 0; i < n; i++ {
		m[string(rune('A'+i))] = i
	}
	return m
}

func fillSlice() {
	for i := 0; i < 30; i++ {
		caches = append(caches, words(i))
	}
}

func tellSlice(l *ledger) {
	for _, m := range caches {
		l.within(m, "main.caches", "[]", "")
	}
}

// What lies between the length and the capacity of a slice is alive.
func fillTail() { tail = []map[string]int{words(2), words(3), words(4)}[:1] }

func tellTail(l *ledger) {
	for _, m := range tail[:cap(tail)] {
		l.within(m, "main.tail", "[]", "")
	}
}

func fillLists() {
	lists = &Lists{byKey: make(map[string]map[string]int)}
	for i := 0; i < 9; i++ {
		lists.list = append(lists.list, words(i))
		lists.byKey[string(rune('a'+i))] = words(i + 1)
	}
}

func tellLists(l *ledger) {
	l.field(lists.byKey, "main.Lists.byKey", "main.lists")
	for _, m := range lists.list {
		l.field(m, "main.Lists.list[]", "main.lists")
	}
	for _, k := range keys(lists.byKey) {
		l.field(lists.byKey[k], "main.Lists.byKey[]", "main.lists")
	}
}

func fillSliceOfStructs() {
	for i := 0; i < 5; i++ {
		shelf = append(shelf, *newBag(i + 1))
	}
}

func tellSliceOfStructs(l *ledger) {
	for i := range shelf {
		l.field(shelf[i].m, "main.Bag.m", "main.shelf")
	}
}

func fillRows() {
	rows = append(rows, struct {
		id int
		m  map[int]string
	}{1, map[int]string{1: "row"}})
	rows = append(rows, rows[0])
	rows[1].m = map[int]string{2: "other", 3: "row"}
}

func tellRows(l *ledger) {
	for i := range rows {
		l.within(rows[i].m, "main.rows", "[].m", "")
	}
}

func fillPile() { pile = Pile{{1: 1}, {2: 2, 3: 3}} }

func tellPile(l *ledger) {
	for _, m := range pile {
		l.within(m, "main.pile", "[]", "")
	}
}

func fillByName() {
	byName = make(map[string]map[string]int)
	for i := 0; i < 40; i++ {
		byName[string(rune('a'+i))] = words(i % 12)
	}
}

func tellByName(l *ledger) {
	l.variable(byName, "main.byName")
	for i := 0; i < 40; i++ {
		l.within(byName[string(rune('a'+i))], "main.byName", "[]", "")
	}
}

func fillDeepMaps() {
	deepMaps = map[string]map[int]map[string]int{"a": {1: words(1), 2: words(2)}, "b": {3: words(9)}}
}

func tellDeepMaps(l *ledger) {
	l.variable(deepMaps, "main.deepMaps")
	for _, a := range []string{"a", "b"} {
		l.within(deepMaps[a], "main.deepMaps", "[]", "")
	}
	for _, m := range []map[string]int{deepMaps["a"][1], deepMaps["a"][2], deepMaps["b"][3]} {
		l.within(m, "main.deepMaps", "[]", "")
	}
}

func fillBySlice() {
	bySlice = map[string][]map[int]int{"a": {ints(1), ints(2)}, "b": {ints(20)}}
}

func tellBySlice(l *ledger) {
	l.variable(bySlice, "main.bySlice")
	for _, m := range append(append([]map[int]int{}, bySlice["a"]...), bySlice["b"]...) {
		l.within(m, "main.bySlice", "[]", "")
	}
}

func fillArrays() {
	arrays = map[string][4]map[int]int{"a": {ints(1), ints(2), ints(3), ints(4)}}
}

func tellArrays(l *ledger) {
	l.variable(arrays, "main.arrays")
	for _, m := range arrays["a"] {
		l.within(m, "main.arrays", "[]", "")
	}
}

func fillBags() {
	bags = make(map[string]Bag)
	for i := 0; i < 50; i++ {
		bags[string(rune('a'+i))] = *newBag(1 + i%20)
	}
}

func tellBags(l *ledger) {
	l.variable(bags, "main.bags")
	for i := 0; i < 50; i++ {
		l.field(bags[string(rune('a'+i))].m, "main.Bag.m", "main.bags")
	}
}

func fillBagPointers() {
	bagRefs = make(map[string]*Bag)
	for i := 0; i < 50; i++ {
		bagRefs[string(rune('a'+i))] = newBag(1 + i%9)
	}
}

func tellBagPointers(l *ledger) {
	l.variable(bagRefs, "main.bagRefs")
	for i := 0; i < 50; i++ {
		l.field(bagRefs[string(rune('a'+i))].m, "main.Bag.m", "main.bagRefs")
	}
}

func fillByBag() {
	byBag = map[*Bag]int{newBag(3): 3}
}

func tellByBag(l *ledger) {
	l.variable(byBag, "main.byBag")
	for b := range byBag {
		l.field(b.m, "main.Bag.m", "main.byBag")
	}
}

func fillWide() {
	wide = make(map[wideKey]Wide)
	for i := 0; i < 12; i++ {
		wide[wideKey{uint64(i)}] = Wide{m: map[int]int64{i: 1, i + 1: 2}}
	}
}

func tellWide(l *ledger) {
	l.variable(wide, "main.wide")
	for i := 0; i < 12; i++ {
		l.field(wide[wideKey{uint64(i)}].m, "main.Wide.m", "main.wide")
	}
}

// One more than 32 classic buckets take: the old ones are still there, with most of the entries.
func fillGrowing() {
	growing = make(map[int]map[int]int)
	for i := 0; i < 32*13/2+1; i++ {
		growing[i] = ints(i % 10)
	}
}

func tellGrowing(l *ledger) {
	l.variable(growing, "main.growing")
	for i := 0; i < len(growing); i++ {
		l.within(growing[i], "main.growing", "[]", "")
	}
}

// The buffer's contents begin in the middle and go on at its start.
func fillQueue() {
	queue = make(chan map[int]int, 4)
	for i := 0; i < 6; i++ {
		queue <- ints(i + 1)
		if i >= 3 {
			<-queue
		}
	}
}

func tellQueue(l *ledger) {
	for i := len(queue); i > 0; i-- {
		m := <-queue
		l.within(m, "main.queue", "[]", "")
		queue <- m
	}
}

func fillJobs() {
	jobs = make(chan Job, 5)
	jobs <- Job{1, map[string]string{"first": "job"}}
	jobs <- Job{2, map[string]string{"second": "job", "not": "done"}}
}

func tellJobs(l *ledger) {
	for i := len(jobs); i > 0; i-- {
		j := <-jobs
		l.field(j.m, "main.Job.m", "main.jobs")
		jobs <- j
	}
}

func keys(m map[string]map[string]int) []string {
	var all []string
	for i := 0; i < len(m); i++ {
		all = append(all, string(rune('a'+i)))
	}
	return all
}
