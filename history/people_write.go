package history

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"p2pchat/rooms"
)

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

// save writes what was met, with what the files have meanwhile.
func (p *People) save() error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	known, renamed, dirty := maps.Clone(p.known), p.renamed, p.dirty
	p.renamed, p.dirty = map[rooms.PeerID]string{}, false
	p.mu.Unlock()
	if !dirty && len(renamed) == 0 {
		return nil
	}
	err := p.write(known, renamed, dirty)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		maps.Copy(renamed, p.renamed)
		p.renamed, p.dirty = renamed, p.dirty || dirty
	}
	return err
}

func (p *People) write(known map[string]person, renamed map[rooms.PeerID]string, met bool) error {
	held, err := hold(p.fs, p.marks)
	if err != nil {
		return err
	}
	defer held.Close()
	marked, err := p.read(p.marks, byPeer)
	if err != nil {
		return err
	}
	if rename(marked, renamed) {
		if err := p.replace(p.marks, encodePeople(marked)); err != nil {
			return err
		}
	}
	if !met {
		return nil
	}
	there, err := p.read(p.names, byNick)
	if err != nil {
		return err
	}
	verified := verifiedIn(marked)
	for key, other := range there {
		if mine, ok := known[key]; !ok || outweighs(other, mine, verified) {
			known[key] = other
		}
	}
	forgetOldest(known, verified)
	return p.replace(p.names, encodePeople(known))
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
	return replaceFile(p.fs, fmt.Sprintf("%s.%016x.tmp", path, rand.Uint64()), path, b)
}

// replaceFile writes a file as fresh, which then takes the place of path. Whatever fails,
// path has its old content or all of the new; after nil, the new for good.
func replaceFile(disk fs, fresh, path string, b []byte) error {
	f, err := disk.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
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
		err = disk.Rename(fresh, path)
	}
	if err != nil {
		_ = disk.Remove(fresh)
		return err
	}
	return disk.SyncDir(filepath.Dir(path))
}
