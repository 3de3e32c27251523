package history

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"p2pchat/rooms"
)

// post makes attachments of the claims that durable messages have posted. Where the
// disk does not let it, the claim stays, and with it the content: it is tried again.
func (l *Log) post(msgs []rooms.Message) {
	f := l.store.files
	f.mu.Lock()
	for i := range msgs {
		if msgs[i].File == nil {
			continue
		}
		if c := f.claims[msgs[i].File.ID]; c != nil && c.room == l.key && c.File.Hash == msgs[i].File.Hash {
			c.posted, l.unattached = msgs[i].Seq, true
		}
	}
	f.mu.Unlock()
	l.attach()
}

// attach tries to make the attachments that are missing.
func (l *Log) attach() {
	if !l.unattached {
		return
	}
	f, failed := l.store.files, false
	for _, c := range f.postedIn(l.key) {
		failed = f.attach(c) != nil || failed
	}
	l.unattached = failed
}

// postedIn returns the claims of a room that were posted and have no attachment.
func (f *files) postedIn(key rooms.RoomKey) (all []*claim) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.claims {
		if c.room == key && c.posted != 0 {
			all = append(all, c)
		}
	}
	return all
}

// attach makes the attachment of a claim, durable before the claim goes.
func (f *files) attach(c *claim) error {
	dir := f.store.shelfDir(c.room)
	if err := f.makeDir(dir); err != nil {
		return err
	}
	a := &attachment{seq: c.posted, id: c.File.ID, hash: c.File.Hash}
	made, err := f.store.fs.OpenFile(filepath.Join(dir, attachmentName(a.seq, a.id, a.hash)), os.O_RDWR|os.O_CREATE)
	if err == nil {
		err = errors.Join(made.Close(), f.store.fs.SyncDir(dir))
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	s := f.shelf(c.room)
	i, there := slices.BinarySearchFunc(s.attachments, a.seq, bySeq)
	if !there {
		s.attachments = slices.Insert(s.attachments, i, a)
		a.blob = f.hold(c.room, a.hash)
	}
	f.mu.Unlock()
	return f.removeClaim(c)
}

func bySeq(a *attachment, seq rooms.Seq) int {
	switch {
	case a.seq < seq:
		return -1
	case a.seq > seq:
		return 1
	}
	return 0
}

// detach takes the files of the room out that messages from first up to last have
// shared. Contents that nothing refers to any more are gone when it returns nil.
func (l *Log) detach(first, last rooms.Seq) error {
	f := l.store.files
	var err error
	for _, c := range f.postedIn(l.key) {
		if c.posted >= first && c.posted <= last {
			err = errors.Join(err, f.removeClaim(c))
		}
	}
	for _, a := range f.between(l.key, first, last) {
		a.gone.Store(true)
		rerr := l.store.fs.Remove(filepath.Join(l.store.shelfDir(l.key), attachmentName(a.seq, a.id, a.hash)))
		if rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
			err = errors.Join(err, rerr)
			continue
		}
		f.forget(l.key, a)
	}
	return errors.Join(err, f.syncShelf(l.key), f.sweep())
}

// syncShelf makes it durable that attachments were removed.
func (f *files) syncShelf(key rooms.RoomKey) error {
	f.mu.Lock()
	s := f.shelves[key]
	unsynced := s != nil && s.unsynced
	f.mu.Unlock()
	if !unsynced {
		return nil
	}
	err := f.store.fs.SyncDir(f.store.shelfDir(key))
	f.mu.Lock()
	s.unsynced = err != nil
	f.mu.Unlock()
	return err
}

func (f *files) between(key rooms.RoomKey, first, last rooms.Seq) []*attachment {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shelves[key]
	if s == nil {
		return nil
	}
	i := sort.Search(len(s.attachments), func(i int) bool { return s.attachments[i].seq >= first })
	j := sort.Search(len(s.attachments), func(i int) bool { return s.attachments[i].seq > last })
	return slices.Clone(s.attachments[i:max(i, j)])
}

func (f *files) forget(key rooms.RoomKey, a *attachment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shelf(key)
	i := slices.Index(s.attachments, a)
	if i < 0 {
		return
	}
	s.attachments = slices.Delete(s.attachments, i, i+1)
	s.unsynced = true
	f.letGo(key, a.blob)
}

// reconcile brings the attachments of a room in line with its messages, after the log
// was opened whole: a crash may have come between the two.
func (l *Log) reconcile() error {
	if l.settled.Load() {
		return nil
	}
	f := l.store.files
	now := l.view.Load()
	err := errors.Join(f.secureShelf(l.key), l.detach(1, now.segments[0]-1), l.detach(now.head()+1, ^rooms.Seq(0)))
	claims, after := map[string]*claim{}, now.head()
	f.mu.Lock()
	for id, c := range f.claims {
		if c.room == l.key {
			claims[id], after = c, min(after, c.after)
		}
	}
	f.mu.Unlock()
	posted, perr := l.postedClaims(after, claims)
	if err = errors.Join(err, perr); err != nil {
		return err
	}
	f.mu.Lock()
	for id, seq := range posted {
		claims[id].posted, l.unattached = seq, true
	}
	f.mu.Unlock()
	l.attach()
	if err := l.detachRedacted(); err != nil {
		return err
	}
	l.redactions = nil
	l.settled.Store(true)
	return nil
}

// secureShelf makes durable what a process that was killed has made or removed there.
func (f *files) secureShelf(key rooms.RoomKey) error {
	if !f.any {
		return nil
	}
	err := f.store.fs.SyncDir(f.store.shelfDir(key))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// postedClaims finds the messages behind after that have posted claims.
func (l *Log) postedClaims(after rooms.Seq, claims map[string]*claim) (map[string]rooms.Seq, error) {
	posted := map[string]rooms.Seq{}
	for len(claims) > 0 {
		msgs, err := l.After(after, blockFrames)
		if err != nil || len(msgs) == 0 {
			return posted, err
		}
		for _, m := range msgs {
			if m.File != nil && claims[m.File.ID] != nil {
				posted[m.File.ID] = m.Seq
			}
			after = m.Seq
		}
	}
	return posted, nil
}

// detachRedacted takes out the files of redacted messages that a crash has left.
func (l *Log) detachRedacted() error {
	for _, seq := range l.redactions {
		msgs, err := l.After(seq-1, 1)
		if err != nil {
			return err
		}
		if len(msgs) == 1 && msgs[0].Target != 0 {
			if err := l.detach(msgs[0].Target, msgs[0].Target); err != nil {
				return err
			}
		}
	}
	return nil
}
