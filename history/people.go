package history

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"p2pchat/rooms"
)

// People is what a client remembers of other members over its runs. Two files have it:
// one for each host, with the key that each nick had there when it was seen last; and
// one for all hosts, with the keys that are verified or ignored. Both are replaced as a
// whole. What another process has put there meanwhile is kept.
//
// Its methods may be called from any goroutine. Verify, Ignore and Close wait for the
// disk; a goroutine writes the nicks, within a second.
type People struct {
	fs           fs
	marks, names string // the files

	touched     chan struct{} // of capacity one: a nick was noted
	stop, ended chan struct{}

	mu     sync.Mutex // guards the fields below
	known  map[string]person
	marked map[string]person
	dirty  bool // nicks are not on disk
}

// peopleLimit bounds each file of people.
const peopleLimit = 4096

// meetAgain is how old a note of a nick with the same key gets before it is renewed.
const meetAgain = 24 * time.Hour

// OpenPeople reads both files, which need not be there yet: marks has the keys that are
// verified or ignored, names the nicks of one host.
func OpenPeople(marks, names string) (*People, error) { return openPeople(disk{}, marks, names) }

func openPeople(fsys fs, marks, names string) (*People, error) {
	p := &People{
		fs: fsys, marks: marks, names: names,
		touched: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
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

// Meet notes the key of a nick. Of too many nicks those seen longest ago are forgotten.
func (p *People) Meet(nick string, peer rooms.PeerID) {
	met := person{Nick: nick, Peer: peer, Seen: time.Now().UTC().Truncate(time.Millisecond)}
	if !met.valid() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if was := p.known[byNick(met)]; was.Peer == peer && met.Seen.Sub(was.Seen) < meetAgain {
		return
	}
	p.known[byNick(met)] = met
	forgetOldest(p.known)
	p.dirty = true
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
	p.mu.Lock()
	defer p.mu.Unlock()
	marked, err := p.read(p.marks, byPeer)
	if err != nil {
		marked = maps.Clone(p.marked)
	}
	m := marked[string(peer)]
	m.Peer, m.Nick, m.Seen = peer, nick, time.Now().UTC().Truncate(time.Millisecond)
	change(&m)
	switch {
	case !m.valid():
		return fmt.Errorf("%q is no peer ID", peer)
	case !m.Verified && !m.Ignored:
		delete(marked, string(peer))
	case len(marked) >= peopleLimit && marked[string(peer)].Peer == "":
		return fmt.Errorf("%s has %d people and takes no more", p.marks, peopleLimit)
	default:
		marked[string(peer)] = m
	}
	p.marked = marked
	return errors.Join(err, p.replace(p.marks, encodePeople(marked)))
}

// run writes the nicks until Close.
func (p *People) run() {
	defer close(p.ended)
	var later <-chan time.Time
	for {
		select {
		case <-p.touched:
			if later == nil {
				later = time.After(noteDelay)
			}
		case <-later:
			later = nil
			_ = p.save() // tried again at the next one, and told by Close
		case <-p.stop:
			return
		}
	}
}

// save writes the nicks, with those that the file has meanwhile.
func (p *People) save() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dirty {
		return nil
	}
	there, err := p.read(p.names, byNick)
	if err != nil {
		return err
	}
	for key, other := range there {
		if other.Seen.After(p.known[key].Seen) {
			p.known[key] = other
		}
	}
	forgetOldest(p.known)
	if err := p.replace(p.names, encodePeople(p.known)); err != nil {
		return err
	}
	p.dirty = false
	return nil
}

// Close writes what is not on disk yet.
func (p *People) Close() error {
	close(p.stop)
	<-p.ended
	return p.save()
}

func (p *People) read(path string, key func(person) string) (map[string]person, error) {
	b, err := readWhole(p.fs, path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return decodePeople(b, key), nil
}

// replace writes a file under a name that no other process uses, which then becomes its own.
func (p *People) replace(path string, b []byte) error {
	fresh := fmt.Sprintf("%s.%016x.tmp", path, rand.Uint64())
	f, err := p.fs.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = p.fs.Rename(fresh, path)
	}
	if err != nil {
		_ = p.fs.Remove(fresh)
		return err
	}
	return p.fs.SyncDir(filepath.Dir(path))
}
