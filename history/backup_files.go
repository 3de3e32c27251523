package history

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"p2pchat/rooms"
)

// files writes the files that members share, behind the rooms: what a message of those
// shares is there as an attachment, or still as a claim, so these come first. Uploads that
// are not complete are left out.
func (b *backup) files(keys []rooms.RoomKey) error {
	hashes := map[rooms.Hash]bool{}
	if err := b.claims(hashes); err != nil {
		return err
	}
	for _, key := range keys {
		if err := b.attachments(key, hashes); err != nil {
			return err
		}
	}
	for h := range hashes {
		if err := b.blob(h); err != nil {
			return err
		}
	}
	return nil
}

func (b *backup) claims(hashes map[rooms.Hash]bool) error {
	entries, err := b.store.listIn(b.store.claimDir())
	if err != nil {
		return err
	}
	for _, e := range entries {
		c, err := b.store.readClaim(b.store.claimPath(e.name))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, errNoClaim) {
			continue // posted since, or just being written
		}
		if err != nil {
			return err
		}
		text, err := c.encode(b.store)
		if err == nil {
			err = b.text(path.Join("files", "claims", e.name), string(text))
		}
		if err != nil {
			return err
		}
		hashes[c.File.Hash] = true
	}
	return nil
}

func (b *backup) attachments(key rooms.RoomKey, hashes map[rooms.Hash]bool) error {
	entries, err := b.store.listIn(b.store.shelfDir(key))
	if err != nil {
		return err
	}
	for _, e := range entries {
		a, ok := parseAttachment(e.name)
		if !ok {
			continue
		}
		if err := b.text(path.Join("rooms", hex.EncodeToString(key[:]), "files", e.name), ""); err != nil {
			return err
		}
		hashes[a.hash] = true
	}
	return nil
}

// blob writes a content. One that is gone was taken out of its room meanwhile, or is
// missing on the disk: verify tells.
func (b *backup) blob(h rooms.Hash) error {
	f, err := b.store.fs.OpenFile(b.store.blobPath(h), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	if size > maxBlob {
		return fmt.Errorf("%q has %d bytes, at most %d fit into a backup", b.store.blobPath(h), size, int64(maxBlob))
	}
	name, sum := blobName(h), sha256.New()
	if err := b.add(name, io.TeeReader(io.NewSectionReader(f, 0, size), sum), size); err != nil {
		return err
	}
	b.info.Shared++
	if rooms.Hash(sum.Sum(nil)) != h {
		b.info.Damaged = append(b.info.Damaged, name)
	}
	return nil
}

// blobName is the name of a content in a backup, and below the store's directory.
func blobName(h rooms.Hash) string {
	name := h.String()
	return path.Join("files", "blobs", name[:2], name)
}

// isBlobName tells whether the parts of a name are those of a content.
func isBlobName(parts []string) bool {
	if len(parts) != 4 || parts[0] != "files" {
		return false
	}
	h, ok := parseHash(parts[3])
	return ok && blobName(h) == path.Join(parts...)
}

// verifyFiles compares the messages of a room that share a file with what is there.
func (v *verifier) verifyFiles() error {
	entries, err := v.store.listIn(v.store.shelfDir(v.report.Room))
	if err != nil {
		return err
	}
	for _, e := range entries {
		a, ok := parseAttachment(e.name)
		if !ok || e.dir {
			continue
		}
		v.path, v.last = filepath.Join(v.store.shelfDir(v.report.Room), e.name), a.seq
		f, shared := v.shared[a.seq]
		switch {
		case !shared && (a.seq < v.report.First || a.seq > v.report.Last):
			continue // a crash left it; the host removes it
		case !shared && v.isUnread(a.seq): // a repair may find that it is right
		case !shared || f.id != a.id || f.hash != a.hash:
			v.problem(0, "message %d shares no such file", a.seq)
			v.report.strays = append(v.report.strays, a.seq)
			continue
		}
		delete(v.shared, a.seq)
		if err := v.content(a); err != nil {
			return err
		}
	}
	for seq, f := range v.shared {
		if _, err := v.store.readClaim(v.store.claimPath(f.id)); err == nil && isFileID(f.id) {
			continue // the host has yet to make an attachment of it
		}
		v.path, v.last = v.store.shelfDir(v.report.Room), seq
		v.problem(0, "the file of message %d is missing", seq)
	}
	return nil
}

// content reads the whole content of an attachment.
func (v *verifier) content(a *attachment) error {
	v.path = v.store.blobPath(a.hash)
	f, err := v.store.fs.OpenFile(v.path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		v.problem(0, "the content of the file of message %d is missing", a.seq)
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	v.report.Files++
	v.report.FileBytes += size
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return fmt.Errorf("%q: %w", v.path, err)
	}
	if rooms.Hash(sum.Sum(nil)) != a.hash {
		v.problem(0, "the file of message %d has another content than its name says", a.seq)
	}
	return nil
}

// sharedFile is what a message says of its file.
type sharedFile struct {
	id   string
	hash rooms.Hash
}

// share notes that a message shares a file. One without a hash is of a program that
// stored none.
func (v *verifier) share(rec *record, seq rooms.Seq) {
	if !rec.File || len(rec.FileHash) != len(rooms.Hash{}) {
		return
	}
	if v.shared == nil {
		v.shared = map[rooms.Seq]sharedFile{}
	}
	v.shared[seq] = sharedFile{rec.FileID, rooms.Hash(rec.FileHash)}
}
