package history

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"p2pchat/rooms"
)

// person is a line of a file of people: JSON, so that its owner can read it and take
// a line out, as with known_hosts. A line that can't be read is left out.
type person struct {
	Nick     string       `json:"nick"`
	Peer     rooms.PeerID `json:"peer"`
	Seen     time.Time    `json:"seen"`
	Verified bool         `json:"verified,omitempty"`
	Ignored  bool         `json:"ignored,omitempty"`
}

// The limits of a person's strings, in bytes: those of the wire.
const (
	personNick = 512
	personPeer = 64
)

// valid reports whether the person can be written down and found again.
func (p person) valid() bool {
	year := p.Seen.UTC().Year()
	return p.Peer != "" && len(p.Peer) <= personPeer && len(p.Nick) <= personNick &&
		utf8.ValidString(string(p.Peer)) && utf8.ValidString(p.Nick) && year >= 1970 && year <= 9999
}

// The two ways to find a person.
func byNick(p person) string { return rooms.FoldNick(p.Nick) }
func byPeer(p person) string { return string(p.Peer) }

// oldestFirst returns the people in the order in which they were seen.
func oldestFirst(people map[string]person) []person {
	return slices.SortedFunc(maps.Values(people), func(a, b person) int {
		if c := a.Seen.Compare(b.Seen); c != 0 {
			return c
		}
		return strings.Compare(string(a.Peer)+a.Nick, string(b.Peer)+b.Nick)
	})
}

// verifiedIn tells of a key whether it is verified.
func verifiedIn(marked map[string]person) func(person) bool {
	return func(p person) bool { return marked[string(p.Peer)].Verified }
}

// outweighs reports whether one of two notes of a nick is to be kept: that of a verified
// key, or else the later one.
func outweighs(a, b person, verified func(person) bool) bool {
	if va, vb := verified(a), verified(b); va != vb {
		return va
	}
	return a.Seen.After(b.Seen)
}

// rename gives people the nicks that they have now; it reports whether one is another.
func rename(marked map[string]person, nicks map[rooms.PeerID]string) (renamed bool) {
	for peer, nick := range nicks {
		if m, ok := marked[string(peer)]; ok && m.Nick != nick {
			m.Nick = nick
			marked[string(peer)], renamed = m, true
		}
	}
	return renamed
}

// forgetOldest brings people within their bound at once: first those leave who are not to
// be kept, seen longest ago first. Of too many to be kept the first ones stay, lest new
// nicks drive them out.
func forgetOldest(people map[string]person, keep func(person) bool) {
	over := len(people) - peopleLimit
	if over <= 0 {
		return
	}
	all := slices.SortedFunc(maps.Keys(people), func(a, b string) int {
		return people[a].Seen.Compare(people[b].Seen)
	})
	var kept []string
	for _, key := range all {
		switch {
		case over == 0:
			return
		case keep(people[key]):
			kept = append(kept, key)
		default:
			delete(people, key)
			over--
		}
	}
	for ; over > 0; over-- {
		last := len(kept) - 1
		delete(people, kept[last])
		kept = kept[:last]
	}
}

func encodePeople(people map[string]person) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, p := range oldestFirst(people) {
		_ = enc.Encode(p) // a buffer takes everything
	}
	return b.Bytes()
}

// decodePeople reads a file of people. Of two lines with one key the later one holds,
// of too many lines the last ones.
func decodePeople(b []byte, key func(person) string) map[string]person {
	people := map[string]person{}
	lines := bytes.Split(b, []byte("\n"))
	slices.Reverse(lines)
	for _, line := range lines {
		var p person
		if len(people) >= peopleLimit || json.Unmarshal(line, &p) != nil || !p.valid() {
			continue
		}
		p.Seen = p.Seen.UTC().Truncate(time.Millisecond)
		if _, later := people[key(p)]; !later {
			people[key(p)] = p
		}
	}
	return people
}
