package history

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"p2pchat/rooms"
)

// People is what a client remembers of other members over its runs. Two files have it:
// one for each host, with the key that each nick had there when it was seen last; and
// one for all hosts, with the keys that are verified or ignored. Both are replaced as a
// whole, under a lock. What another process has put there meanwhile is kept.
//
// Its methods may be called from any goroutine. Verify, Ignore and Close wait for the
// disk; a goroutine writes what was met, within a second.
type People struct {
	fs           fs
	marks, names string // the files

	touched     chan struct{} // of capacity one: a nick was noted
	stop, ended chan struct{}

	writing sync.Mutex // is taken before mu, and held while a file is replaced

	mu      sync.Mutex // guards the fields below, and is never held for the disk
	known   map[string]person
	marked  map[string]person
	renamed map[rooms.PeerID]string // of marked: nicks that are not on disk
	dirty   bool                    // nicks of known are not on disk
}

// peopleLimit bounds each file of people. In memory there may be knownSlack more nicks,
// so that not each one that is met makes one look for the oldest.
const (
	peopleLimit = 4096
	knownSlack  = peopleLimit / 4
)

// meetAgain is how old a note of a nick with the same key gets before it is renewed.
const meetAgain = 24 * time.Hour

// OpenPeople reads both files, which need not be there yet: marks has the keys that are
// verified or ignored, names the nicks of one host.
func OpenPeople(marks, names string) (*People, error) { return openPeople(disk{}, marks, names) }

func openPeople(fsys fs, marks, names string) (*People, error) {
	p := &People{
		fs: fsys, marks: marks, names: names,
		renamed: map[rooms.PeerID]string{}, touched: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	for _, path := range []string{marks, names} {
		if err := mkdirs(fsys, filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	var err error
	if p.known, err = p.read(names, byNick); err != nil {
		return nil, err
	}
	if p.marked, err = p.read(marks, byPeer); err != nil {
		return nil, err
	}
	go p.run()
	return p, nil
}

// Known returns the key that a nick had on the host when it was seen last.
func (p *People) Known(nick string) (rooms.PeerID, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.known[rooms.FoldNick(nick)]
	return known.Peer, ok
}

// Meet notes the key of a nick, and the nick of a key that is verified or ignored. Of too
// many nicks those seen longest ago are forgotten, but none of a verified key.
func (p *People) Meet(nick string, peer rooms.PeerID) {
	met := person{Nick: nick, Peer: peer, Seen: time.Now().UTC().Truncate(time.Millisecond)}
	if !met.valid() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m, marked := p.marked[string(peer)]
	if marked && m.Nick != nick {
		m.Nick = nick
		p.marked[string(peer)], p.renamed[peer] = m, nick
		p.touch()
	}
	if was := p.known[byNick(met)]; was.Peer == peer && (m.Verified || met.Seen.Sub(was.Seen) < meetAgain) {
		return // a verified one stays where it is among those that are kept
	}
	p.known[byNick(met)] = met
	if len(p.known) > peopleLimit+knownSlack {
		forgetOldest(p.known, verifiedIn(p.marked))
	}
	p.dirty = true
	p.touch()
}

// touch has what was met written soon.
func (p *People) touch() {
	select {
	case p.touched <- struct{}{}:
	default:
	}
}

// Verified returns the keys that were compared with their owners, each with its nick at
// that time.
func (p *People) Verified() map[rooms.PeerID]string {
	return p.chosen(func(m person) bool { return m.Verified })
}

// Ignored returns the keys of whom nothing is to be shown, each with its nick at that time.
func (p *People) Ignored() map[rooms.PeerID]string {
	return p.chosen(func(m person) bool { return m.Ignored })
}

func (p *People) chosen(has func(person) bool) map[rooms.PeerID]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	chosen := map[rooms.PeerID]string{}
	for _, m := range p.marked {
		if has(m) {
			chosen[m.Peer] = m.Nick
		}
	}
	return chosen
}

// Verify notes that a key is verified, or is not. The error says that this does not
// outlive the process.
func (p *People) Verify(peer rooms.PeerID, nick string, verified bool) error {
	return p.mark(peer, nick, func(m *person) { m.Verified = verified })
}

// Ignore notes that a key is ignored, or is not. The error says that this does not
// outlive the process.
func (p *People) Ignore(peer rooms.PeerID, nick string, ignored bool) error {
	return p.mark(peer, nick, func(m *person) { m.Ignored = ignored })
}

// mark changes what is noted of a key, in the file as it is now.
func (p *People) mark(peer rooms.PeerID, nick string, change func(*person)) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	held, locked := hold(p.fs, p.marks)
	if locked == nil {
		defer held.Close()
	}
	marked, unread := p.read(p.marks, byPeer)
	b, err := p.marking(marked, unread == nil, person{Peer: peer, Nick: nick, Seen: time.Now().UTC().Truncate(time.Millisecond)}, change)
	switch {
	case err != nil:
		return err
	case locked != nil:
		return locked // to write now may take away what another process has noted
	}
	return errors.Join(unread, p.replace(p.marks, b))
}

// marking makes a change to what is noted of m's key, and returns the file with it; fresh:
// marked is what the file has now.
func (p *People) marking(marked map[string]person, fresh bool, m person, change func(*person)) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !fresh {
		marked = maps.Clone(p.marked)
	}
	rename(marked, p.renamed)
	was, there := marked[byPeer(m)]
	m.Verified, m.Ignored = was.Verified, was.Ignored
	change(&m)
	switch {
	case !m.valid():
		return nil, fmt.Errorf("%q is no peer ID", m.Peer)
	case !m.Verified && !m.Ignored:
		delete(marked, byPeer(m))
	case !there && len(marked) >= peopleLimit:
		return nil, fmt.Errorf("%s has %d people and takes no more", p.marks, peopleLimit)
	default:
		marked[byPeer(m)] = m
	}
	p.marked = marked
	return encodePeople(marked), nil
}
