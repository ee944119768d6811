// Package session has an import path of several parts, and types that main holds.
package session

// ID is a named key.
type ID uint64

// Session is one of many with a small map each.
type Session struct {
	id    ID
	user  string
	attrs map[string]string
}

// Registry holds the sessions.
type Registry struct {
	name string
	byID map[ID]*Session
}

// Active is exported, hidden is not.
var (
	Active map[ID]string
	hidden map[string]ID
)

// Fill makes the maps of the package's variables.
func Fill() {
	Active = map[ID]string{1: "active"}
	hidden = map[string]ID{"hidden": 1, "too": 2}
}

// Hidden gives the map that is not exported.
func Hidden() map[string]ID {
	return hidden
}

// New makes a registry of count sessions.
func New(count int) *Registry {
	r := &Registry{name: "sessions", byID: make(map[ID]*Session)}
	for i := 0; i < count; i++ {
		s := &Session{id: ID(i), user: "user", attrs: map[string]string{"lang": "en"}}
		if i%3 == 0 {
			s.attrs["theme"] = "dark"
		}
		r.byID[s.id] = s
	}
	return r
}

// Index is the registry's own map.
func (r *Registry) Index() map[ID]*Session {
	return r.byID
}

// Attributes gives the map of one session.
func (r *Registry) Attributes(id ID) map[string]string {
	return r.byID[id].attrs
}
