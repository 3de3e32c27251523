package history

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The files of a backup that are none of the host's.
const (
	manifestName = "p2pchat-backup.json" // the first
	sumsName     = "SHA256SUMS"          // the last
)

// Limits of a backup. What one can't be restored from is not made.
const (
	backupFormat  = 1
	maxEntries    = 1 << 19
	maxExtra      = 1 << 20   // bytes of a file beside the history
	maxSums       = 128 << 20 // bytes
	maxBackupFile = 1 << 30   // bytes of a segment or a state
	maxBlob       = 1 << 42   // bytes of a file that members share
	maxPlain      = 8<<30 - 1 // bytes of the largest file that every tar can hold
)

// manifest is the first file of a backup.
type manifest struct {
	Format  int       `json:"format"`  // of the backup
	History int       `json:"history"` // of the files in it
	Program string    `json:"program"`
	Created time.Time `json:"created"`
}

// BackupOptions say what a backup holds beside the history.
type BackupOptions struct {
	Files   []string // names of files in the directory; missing ones are left out
	Program string   // the version of the program
	Created time.Time
}

// BackupInfo is what is in a backup.
type BackupInfo struct {
	Program  string // that made it
	Created  time.Time
	Files    []string // beside the history
	Rooms    int
	Messages int64
	Shared   int      // files that members have shared, each content once
	Bytes    int64    // of all files
	Damaged  []string // files that are damaged, and are in it as they are
}

// errVanished says that the host has gone over to other files since they were listed.
var errVanished = errors.New("the host goes on changing its files")

// Backup writes the directory of a host as a tar stream, while the host may be running. All
// that was acknowledged before the call is in it, and nothing in part. A damaged file is
// copied as it is, and told in the info: Restore repairs it. What was set aside in
// lost/ is left out. The error is a *VersionError where a later program wrote the files.
func Backup(w io.Writer, dir string, o BackupOptions) (BackupInfo, error) {
	return backupOf(disk{}, w, dir, o)
}

func backupOf(fsys fs, w io.Writer, dir string, o BackupOptions) (BackupInfo, error) {
	s, err := viewOn(fsys, dir)
	if err != nil {
		return BackupInfo{}, err
	}
	defer s.Close()
	b := &backup{
		store: s, tar: tar.NewWriter(w), created: o.Created.UTC().Truncate(time.Second),
		info: BackupInfo{Program: o.Program, Created: o.Created.UTC().Truncate(time.Second)},
	}
	if err := b.all(o); err != nil {
		return b.info, fmt.Errorf("backup of %q: %w", dir, err)
	}
	return b.info, b.tar.Close()
}

// backup is one that is being written.
type backup struct {
	store   *Store
	tar     *tar.Writer
	created time.Time
	sums    strings.Builder
	entries int
	info    BackupInfo
}

// all writes the state before the rooms: what the state knows of is there then.
func (b *backup) all(o BackupOptions) error {
	m := manifest{Format: backupFormat, History: version, Program: o.Program, Created: b.created}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := b.text(manifestName, string(text)+"\n"); err != nil {
		return err
	}
	for _, name := range o.Files {
		if err := b.extra(name); err != nil {
			return err
		}
	}
	if err := b.state(); err != nil {
		return err
	}
	keys, err := b.store.RoomKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := b.room(key); err != nil {
			return err
		}
	}
	if err := b.files(keys); err != nil {
		return err
	}
	if b.entries == 1 {
		return errors.New("nothing is stored there")
	}
	return b.text(sumsName, b.sums.String())
}

// text writes a file that is made for the backup.
func (b *backup) text(name, text string) error {
	return b.add(name, strings.NewReader(text), int64(len(text)))
}

// header is that of a file. A larger one than plain tar can hold has GNU's, which tar,
// bsdtar and 7-Zip read, too.
func (b *backup) header(name string, size int64) *tar.Header {
	format := tar.FormatUSTAR
	if size > maxPlain {
		format = tar.FormatGNU
	}
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: b.created, Format: format}
}

// add writes size bytes of r as a file.
func (b *backup) add(name string, r io.Reader, size int64) error {
	if b.entries++; b.entries > maxEntries {
		return fmt.Errorf("there are more than %d files", maxEntries-1)
	}
	if err := b.tar.WriteHeader(b.header(name, size)); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.CopyN(io.MultiWriter(b.tar, sum), r, size)
	if err != nil {
		return fmt.Errorf("%q, of which %d bytes of %d were read: %w", name, n, size, err)
	}
	b.sums.WriteString(sumLine(sum, name))
	if name != manifestName && name != sumsName {
		b.info.Bytes += size
	}
	return nil
}

// sumLine is a line of SHA256SUMS, as sha256sum(1) has it.
func sumLine(sum hash.Hash, name string) string {
	return hex.EncodeToString(sum.Sum(nil)) + "  " + name + "\n"
}

// file writes the first size bytes of an open file.
func (b *backup) file(name string, f file, size int64) error {
	if size > maxBackupFile {
		return fmt.Errorf("%q has %d bytes", name, size)
	}
	return b.add(name, io.NewSectionReader(f, 0, size), size)
}

// damaged writes a file as it is.
func (b *backup) damaged(name string, f file) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	b.info.Damaged = append(b.info.Damaged, name)
	return b.file(name, f, size)
}

// extra writes a file beside the history, if it is there.
func (b *backup) extra(name string) error {
	if !isExtra(name) {
		return fmt.Errorf("%q is no name of a file", name)
	}
	f, err := b.store.fs.OpenFile(filepath.Join(b.store.dir, name), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err == nil && size > maxExtra {
		err = fmt.Errorf("%q has %d bytes, at most %d belong into a backup", name, size, maxExtra)
	}
	if err != nil {
		return err
	}
	b.info.Files = append(b.info.Files, name)
	return b.file(name, f, size)
}
