package history

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"

	"p2pchat/rooms"
)

// Content is a file that is being read. It may be used by several goroutines; Close ends
// it.
type Content struct {
	hash  rooms.Hash
	size  int64
	files *files
	blob  *blob
	file  file
	from  *attachment // nil: of a claim that could not be made one yet
}

// Content opens a file that a message of a room has shared. The error matches
// os.ErrNotExist where there is none of this identifier in the room.
func (s *Store) Content(key rooms.RoomKey, id string) (*Content, error) {
	c, err := s.files.find(key, id)
	if err != nil {
		return nil, err
	}
	c.file, err = s.fs.OpenFile(s.blobPath(c.hash), os.O_RDONLY)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (f *files) find(key rooms.RoomKey, id string) (*Content, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var from *attachment
	var h rooms.Hash
	if s := f.shelves[key]; s != nil {
		if i := slices.IndexFunc(s.attachments, func(a *attachment) bool { return a.id == id }); i >= 0 {
			from = s.attachments[i]
			h = from.hash
		}
	}
	if c := f.claims[id]; from == nil && c != nil && c.room == key && c.posted != 0 {
		h = c.File.Hash
	}
	b := f.blobs[h]
	if b == nil {
		return nil, fmt.Errorf("file %q: %w", id, os.ErrNotExist)
	}
	b.refs++
	return &Content{hash: h, size: b.size, files: f, blob: b, from: from}, nil
}

// Info returns the size in bytes, and the hash under which it is stored.
func (c *Content) Info() (size int64, hash rooms.Hash) { return c.size, c.hash }

// ReadAt reads. The error matches os.ErrNotExist once the file was taken out of the room.
func (c *Content) ReadAt(b []byte, off int64) (int, error) {
	if c.from != nil && c.from.gone.Load() {
		return 0, fmt.Errorf("it was taken out: %w", os.ErrNotExist)
	}
	return c.file.ReadAt(b, off)
}

// Close ends the reading.
func (c *Content) Close() error {
	var err error
	if c.file != nil {
		err = c.file.Close()
	}
	c.files.mu.Lock()
	c.files.release(c.blob)
	c.files.mu.Unlock()
	return errors.Join(err, c.files.sweep())
}

// Files returns messages of the room that shared a file which is still there: the newest
// before a number (0: of all), at most limit, with the bounds of After, oldest first. next
// is where to go on for older ones; 0: there are none.
func (l *Log) Files(before rooms.Seq, limit int) (msgs []rooms.Message, next rooms.Seq, err error) {
	found := l.store.files.between(l.key, 1, max(before, 1)-1)
	if before == 0 {
		found = l.store.files.between(l.key, 1, ^rooms.Seq(0))
	}
	text := 0
	for i := len(found) - 1; i >= 0 && len(msgs) < limit && text < pageBytes; i-- {
		next = found[i].seq
		page, err := l.After(next-1, 1)
		var damage *DamageError
		if errors.As(err, &damage) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		if len(page) == 1 && page[0].Seq == next && page[0].File != nil {
			msgs = append(msgs, page[0])
			text += sizeOfText(page[0])
		}
	}
	slices.Reverse(msgs)
	if i := sort.Search(len(found), func(i int) bool { return found[i].seq >= next }); i == 0 {
		next = 0
	}
	return msgs, next, nil
}
