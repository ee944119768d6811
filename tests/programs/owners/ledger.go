package main

import (
	"bufio"
	"encoding/json"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"unsafe"
)

// expected is what may be said of a map: any one of its owners or patterns, any one of its types,
// any one of its counts of holders.
type expected struct {
	Number   int      `json:"number"`
	Owners   []string `json:"owners"`   // With the names of variables: as they are,
	Patterns []string `json:"patterns"` // or as a regular expression of the whole.
	Stripped []string `json:"stripped"` // Without them, regular expressions of the whole.
	Types    []string `json:"types"`    // As Go prints them.
	Untyped  bool     `json:"untyped"`  // No type is an answer, too.
	Shared   []int    `json:"shared"`   // Places that hold it; none: not to be known.
}

type line struct {
	Way     string `json:"way"`
	Address uint64 `json:"address"` // A number: nothing here keeps a map.
	Len     int    `json:"len"`
	Kind    string `json:"kind"` // map, or sync_trie.
	Expect  int    `json:"expect"`

	expected *expected
}

// ledger lists maps.  Maps of one owner share what is expected of them.
type ledger struct {
	maps  []line
	way   string
	users string               // The functions that use the variables of this way.
	cache map[string]*expected // By way and owner; the strings of one way repeat.
}

func nameOf(f interface{}) string {
	return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
}

func (l *ledger) enter(w *way) {
	user := `(?:` + regexp.QuoteMeta(nameOf(w.fill)) + `|` + regexp.QuoteMeta(nameOf(w.tell)) +
		`|main\.init)(?:\.func\d+|\.\d+)*`
	l.way = w.name
	l.users = ` \(` + user + `(?:, ` + user + `){0,2}\)`
	l.cache = make(map[string]*expected)
}

// global is the expression for a variable without a name, with steps such as [] behind it.
func (l *ledger) global(steps string) string {
	steps = regexp.QuoteMeta(steps)
	return `global 0x[0-9a-f]+(?:` + steps + l.users + `|` + l.users + steps + `)`
}

func (l *ledger) add(address uintptr, length int, e *expected) {
	l.maps = append(l.maps, line{l.way, uint64(address), length, "map", 0, e})
}

func typeOf(m interface{}) string {
	return reflect.TypeOf(m).String()
}

// spellings of a map's type: its own and, where that is a name, what the name stands for.
func spellings(t reflect.Type) []string {
	own, plain := t.String(), "map["+t.Key().String()+"]"+t.Elem().String()
	if own == plain {
		return []string{own}
	}
	return []string{own, plain}
}

// say lists a map of which e is expected.
func (l *ledger) say(m interface{}, e *expected) {
	v := reflect.ValueOf(m)
	if len(e.Types) == 0 {
		e.Types = spellings(v.Type())
	}
	l.add(v.Pointer(), v.Len(), e)
}

// expect gives what is expected under a key, made once.
func (l *ledger) expect(m interface{}, key string, make func() *expected) *expected {
	key = typeOf(m) + " " + key
	if l.cache[key] == nil {
		l.cache[key] = make()
	}
	return l.cache[key]
}

// variable: a package-level variable of a map type.
func (l *ledger) variable(m interface{}, name string) {
	l.within(m, name, "", "")
}

// within: a map inside of a variable or of something without a name that a variable holds.  The
// type's field, when given, is another right answer where the variable has no name.
func (l *ledger) within(m interface{}, name, steps, field string) {
	l.say(m, l.expect(m, name+steps, func() *expected {
		e := &expected{Owners: []string{name + steps}, Shared: []int{1},
			Stripped: []string{l.global(steps)}}
		if steps != "" && !strings.HasSuffix(steps, "[]") {
			// Without a name the place itself is what is known, or the type around it.
			e.Stripped = append(e.Stripped, l.global(""), l.global("[]"))
		}
		if field != "" {
			e.Stripped = append(e.Stripped, l.global(""),
				regexp.QuoteMeta(field)+" <- "+l.global(""))
		}
		return e
	}))
}

// field: a map in a field of a named type, reached from a variable.
func (l *ledger) field(m interface{}, field, root string) {
	l.say(m, l.expect(m, field+root, func() *expected {
		return &expected{Owners: []string{field + " <- " + root}, Shared: []int{1},
			Stripped: []string{regexp.QuoteMeta(field) + " <- " + l.global("")}}
	}))
}

// captured: a map that a function value holds.
func (l *ledger) captured(m interface{}, function, captured, root string) {
	l.say(m, l.expect(m, function+root, func() *expected {
		holder := regexp.QuoteMeta(function) + `(?:\.&?` + captured + `)?`
		return &expected{Patterns: []string{holder + " <- " + regexp.QuoteMeta(root)},
			Stripped: []string{holder + " <- " + l.global("")}, Shared: []int{1}}
	}))
}

// held: a map that the runtime holds through something with this name; what stands behind the
// arrow is the runtime's business.
func (l *ledger) held(address uintptr, length int, typ string, holder ...string) {
	e := &expected{Types: []string{typ}, Shared: []int{1}}
	for _, h := range holder {
		e.Patterns = append(e.Patterns, h+`(?: <- .+)?`)
	}
	e.Stripped = e.Patterns
	l.add(address, length, e)
}

// stack: a map that only the frames of these functions hold, one of them or any.
func (l *ledger) stack(address uintptr, length int, typ string, functions ...string) {
	l.framed(address, length, typ, "", functions...)
}

// framed: the same, through a field of a named type, which may be named, too.
func (l *ledger) framed(address uintptr, length int, typ, field string, functions ...string) {
	e := &expected{Types: []string{typ}}
	for _, f := range functions {
		e.Owners = append(e.Owners, "stack of "+f)
		if field != "" {
			e.Owners = append(e.Owners, field+" <- stack of "+f)
		}
	}
	for _, o := range e.Owners {
		e.Stripped = append(e.Stripped, regexp.QuoteMeta(o))
	}
	l.add(address, length, e)
}

// write puts each expectation before the first map that refers to it.
func (l *ledger) write(w *bufio.Writer) {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	written := make(map[*expected]int)
	for i := range l.maps {
		e := l.maps[i].expected
		if written[e] == 0 {
			written[e] = len(written) + 1
			e.Number = written[e]
			fail(out.Encode(e))
		}
		l.maps[i].Expect = written[e]
		fail(out.Encode(&l.maps[i]))
	}
}

// same counts the maps that both lists have at one place and with one length.
func (l *ledger) same(other *ledger) int {
	n := 0
	for i := range l.maps {
		if i < len(other.maps) && l.maps[i].Address == other.maps[i].Address &&
			l.maps[i].Len == other.maps[i].Len {
			n++
		}
	}
	return n
}

// placed remembers a map that its holder does not give away: where it is and how long.
type placed struct {
	address uintptr
	length  int
}

func place(m interface{}) placed {
	v := reflect.ValueOf(m)
	return placed{v.Pointer(), v.Len()}
}

// now is the length that stands at that place, the first word of either kind of map.
func (p placed) now() int {
	return **(**int)(unsafe.Pointer(&p.address))
}
