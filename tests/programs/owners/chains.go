package main

import "example.test/deep/session"

const (
	listLength   = 100000
	sessionCount = 41230
	ringLength   = 3
)

type ListNode struct {
	next *ListNode
	id   int
	m    map[int]int
}

type Ring struct {
	m    map[string]rune
	next *Ring
}

type Person struct {
	parent   *Person
	children []*Person
	traits   map[string]Word
}

var (
	head     *ListNode
	ring     *Ring
	family   *Person
	self     map[string]interface{}
	sessions *session.Registry
)

func fillList() {
	for i := 0; i < listLength; i++ {
		head = &ListNode{head, i, map[int]int{i: i}}
	}
}

func tellList(l *ledger) {
	for n := head; n != nil; n = n.next {
		l.field(n.m, "main.ListNode.m", "main.head")
	}
}

func fillRing() {
	ring = &Ring{m: map[string]rune{"last": 'l'}}
	end := ring
	for i := 1; i < ringLength; i++ {
		ring = &Ring{map[string]rune{"more": 'm', "of": 'o'}, ring}
	}
	end.next = ring
}

func tellRing(l *ledger) {
	for i, r := 0, ring; i < ringLength; i++ {
		l.field(r.m, "main.Ring.m", "main.ring")
		r = r.next
	}
}

func fillFamily() {
	family = &Person{traits: map[string]Word{"first": "a"}}
	for i := 0; i < 3; i++ {
		child := &Person{parent: family, traits: map[string]Word{"hair": "red", "eyes": "blue"}}
		child.children = []*Person{{parent: child, traits: map[string]Word{"small": "very"}}}
		family.children = append(family.children, child)
	}
}

func tellFamily(l *ledger) {
	var tell func(*Person)
	tell = func(p *Person) {
		l.field(p.traits, "main.Person.traits", "main.family")
		for _, c := range p.children {
			tell(c)
		}
	}
	tell(family)
}

func fillSelf() {
	self = map[string]interface{}{"n": 1}
	self["self"] = self
}

func tellSelf(l *ledger) {
	l.say(self, &expected{Owners: []string{"main.self"}, Shared: []int{1, 2},
		Stripped: []string{l.global("")}})
}

func fillSessions() { sessions = session.New(sessionCount) }

func tellSessions(l *ledger) {
	l.field(sessions.Index(), "session.Registry.byID", "main.sessions")
	for i := 0; i < sessionCount; i++ {
		l.field(sessions.Attributes(session.ID(i)), "session.Session.attrs", "main.sessions")
	}
}
