package main

// Objects for whoever walks a heap by its types: very many, in wide and in deep shapes.

// tiny is as small as an object with a pointer can be while it has a number beside it.
type tiny struct {
	peer *tiny
	id   int
}

// holder is a struct with a map, as programs have them.
type holder struct {
	id    int
	name  string
	attrs map[int]int
}

// node is a link of a list without an end in sight: a walk that recurses falls, one that goes in
// breadth has one object at a time.
type node struct {
	next  *node
	id    int
	attrs map[int]int
}

const (
	chunk      = 1 << 20 // Pointers in one slice: no single object of a gigabyte.
	nodesOfMap = 1000    // Nodes of the list to one that has a map.
)

var (
	tinies  [][]*tiny
	holders []*holder
	list    *node
)

func smallMap(r *random) map[int]int {
	m := make(map[int]int)
	for i := r.next() % 9; i > 0; i-- {
		m[int(r.next())] = int(i)
	}
	return m
}

// fillObjects gives the number of maps among them.
func fillObjects(tinyCount, holderCount, nodeCount int) int {
	r, maps := random(2), 0
	for made := 0; made < tinyCount; {
		part := make([]*tiny, 0, chunk)
		for ; made < tinyCount && len(part) < chunk; made++ {
			t := &tiny{id: made}
			if made%4 != 0 && len(part) > 0 {
				t.peer = part[len(part)-1]
			}
			part = append(part, t)
		}
		tinies = append(tinies, part)
	}
	for i := 0; i < holderCount; i++ {
		holders = append(holders, &holder{i, "holder", smallMap(&r)})
		maps++
	}
	for i := 0; i < nodeCount; i++ {
		list = &node{next: list, id: i}
		if i%nodesOfMap == 0 {
			list.attrs = smallMap(&r)
			maps++
		}
	}
	return maps
}
