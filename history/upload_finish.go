package history

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"p2pchat/rooms"
)

// Finish compares the content with its hash, and returns the claim on it when all is
// durable: the content, then its name, then the claim. The error matches ErrContent
// where it is not the one that was announced.
func (u *Upload) Finish() (rooms.Claim, error) {
	if u.ended || u.failed != nil {
		return rooms.Claim{}, errors.Join(u.failed, errors.New("the upload has ended"))
	}
	if u.part != nil {
		if err := u.secure(); err != nil {
			return rooms.Claim{}, errors.Join(err, u.Close())
		}
	}
	c, err := u.claim()
	return c, errors.Join(err, u.Close())
}

// secure makes a blob of the partial, to which the upload then refers.
func (u *Upload) secure() error {
	if u.part.written != u.part.size {
		return fmt.Errorf("%w: %d bytes of %d", ErrContent, u.part.written, u.part.size)
	}
	if sum := u.sum.Sum(nil); !bytes.Equal(sum, u.desc.Hash[:]) {
		return errors.Join(ErrContent, u.drop(0))
	}
	if err := u.Sync(); err != nil {
		return err
	}
	err := u.file.Close() // Windows renames no open file
	u.file = nil
	if err != nil {
		return err
	}
	return u.name()
}

// drop removes what has arrived, and gives back bytes of the member's day.
func (u *Upload) drop(back int64) error {
	f := u.files
	err := u.file.Close()
	u.file = nil
	f.mu.Lock()
	f.ahead -= u.part.size - u.part.written
	d := f.day(u.peer)
	d.bytes = max(d.bytes-back, 0)
	u.part.written = 0 // where it can't be removed, it begins anew
	f.mu.Unlock()
	u.ended = true
	return errors.Join(err, f.discard(u.part))
}

// name gives the content its final name, where it has none yet.
func (u *Upload) name() error {
	f, s := u.files, u.files.store
	path := s.blobPath(u.desc.Hash)
	dir := filepath.Dir(path)
	if err := f.makeDir(dir); err != nil {
		return err
	}
	f.mu.Lock()
	b := f.blobs[u.desc.Hash]
	known := b != nil
	if !known {
		if err := s.fs.Rename(u.path(), path); err != nil {
			f.mu.Unlock()
			return err
		}
		b = &blob{hash: u.desc.Hash, size: u.desc.Size}
		f.blobs[b.hash] = b
		f.used += charge(b.size)
	}
	b.refs++
	u.blob = b
	f.mu.Unlock()
	err := s.fs.SyncDir(dir)
	if err == nil && !known {
		err = s.fs.SyncDir(s.partialDir())
	}
	return errors.Join(err, u.renamed())
}

// renamed forgets the partial: its content has another name now, or is there already.
func (u *Upload) renamed() error {
	err := u.files.discard(u.part)
	if err == nil {
		u.part = nil
	}
	return err
}

// claim makes the claim, or finds the one that an earlier try has made.
func (u *Upload) claim() (rooms.Claim, error) {
	f, s := u.files, u.files.store
	f.mu.Lock()
	for _, c := range f.claims {
		if c.Peer == u.peer && c.room == u.room && c.posted == 0 && u.same(c.File) {
			f.mu.Unlock()
			return c.Claim, nil
		}
	}
	c := &claim{Claim: rooms.Claim{Peer: u.peer, File: u.desc, Made: s.now().UTC()}, room: u.room, after: u.after}
	c.File.ID = s.newFileID()
	f.mu.Unlock()
	if err := s.writeClaim(c); err != nil {
		_ = s.fs.Remove(s.claimPath(c.File.ID)) // a claim that the member does not know of
		return rooms.Claim{}, err
	}
	f.mu.Lock()
	f.claims[c.File.ID] = c
	c.blob = f.hold(u.room, u.blob.hash)
	f.mu.Unlock()
	return c.Claim, nil
}

// same tells whether a file is described as this upload describes it.
func (u *Upload) same(other rooms.File) bool {
	d := u.desc
	return other.Hash == d.Hash && other.Name == d.Name && other.MIME == d.MIME && bytes.Equal(other.Preview, d.Preview) &&
		other.Width == d.Width && other.Height == d.Height && other.Duration == d.Duration
}
