package history

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"p2pchat/rooms"
)

// markerName is a file that says of a directory that it is being restored. It is locked
// meanwhile.
const markerName = ".restoring"

// ErrNotEmpty says that there is something in the directory that a backup was to be
// restored to.
var ErrNotEmpty = errors.New("it is not empty")

// ErrBackup says that what was to be restored is no backup, or not the whole one.
var ErrBackup = errors.New("not a whole backup")

// RestoreInfo is what was restored.
type RestoreInfo struct {
	BackupInfo
	Repairs []Repair // of the rooms that were damaged already in the backup
	State   StateRepair
}

// Restore makes a directory for a host from the stream that Backup wrote. dir must not
// exist, or be empty, or else the error is ErrNotEmpty. Everything is unpacked beside it,
// to dir + ".restoring", and checked; what the backup holds damaged is repaired, and
// every room gets another epoch, for its members may know messages that are not in the
// backup. Only then it becomes dir. After an error nothing is left. Where r is no backup,
// is cut short or was changed, the error is ErrBackup.
//
// Beside the history only files of the given names are taken, as BackupOptions has them.
func Restore(r io.Reader, dir string, files []string) (RestoreInfo, error) {
	return restoreOn(disk{}, r, dir, files)
}

func restoreOn(fsys fs, r io.Reader, dir string, files []string) (info RestoreInfo, err error) {
	u := &restore{fs: fsys, target: filepath.Clean(dir), files: files, sums: map[string]string{}, made: map[string]bool{}}
	u.dir = u.target + ".restoring"
	if err := u.begin(); err != nil {
		return info, err
	}
	err = u.unpack(tar.NewReader(r))
	if err == nil {
		err = u.renew()
	}
	if err == nil {
		err = u.finish()
	}
	if err != nil {
		return info, errors.Join(fmt.Errorf("restoring to %q: %w", dir, err), u.undo())
	}
	return u.info, nil
}

// restore is a backup that is being restored.
type restore struct {
	fs     fs
	target string
	dir    string   // where it is unpacked
	files  []string // the names that files beside the history may have
	marker io.Closer
	info   RestoreInfo
	sums   map[string]string // a line of SHA256SUMS, by name
	order  []string          // the names, as they came
	made   map[string]bool   // directories
}

// begin makes the directory to unpack to.
func (u *restore) begin() error {
	if err := u.vacant(); err != nil {
		return err
	}
	if err := mkdirs(u.fs, filepath.Dir(u.target)); err != nil {
		return err
	}
	marker := filepath.Join(u.dir, markerName)
	err := u.fs.Mkdir(u.dir)
	if errors.Is(err, os.ErrExist) {
		if err = u.clear(marker); err == nil {
			err = u.fs.Mkdir(u.dir)
		}
	}
	if err != nil {
		return err
	}
	u.marker, err = u.fs.Lock(marker)
	if err == nil {
		err = u.fs.SyncDir(u.dir) // before there is anything else
	}
	if err != nil {
		return errors.Join(err, u.undo())
	}
	return nil
}

// vacant tells why the target can't be used.
func (u *restore) vacant() error {
	entries, err := u.fs.List(u.target)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%q can't be restored to: %w", u.target, ErrNotEmpty)
	}
	return err
}

// clear removes what a restore left that was cut short. Anything else is not ours.
func (u *restore) clear(marker string) error {
	f, err := u.fs.OpenFile(marker, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		entries, lerr := u.fs.List(u.dir)
		if lerr == nil && len(entries) == 0 {
			return u.fs.Remove(u.dir) // it was cut short before the marker was made
		}
		return fmt.Errorf("%q is in the way: move it elsewhere", u.dir)
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	held, err := u.fs.Lock(marker) // nobody else is restoring to it now
	if err != nil {
		return err
	}
	return errors.Join(held.Close(), removeTree(u.fs, u.dir, markerName))
}

// undo removes what was unpacked.
func (u *restore) undo() error {
	var err error
	if u.marker != nil {
		err = u.marker.Close()
		u.marker = nil
	}
	return errors.Join(err, removeTree(u.fs, u.dir, markerName))
}

// removeTree removes a directory with everything in it, the file called last after all
// others, if it is there. It follows no link: none is made in there.
func removeTree(fsys fs, dir, last string) error {
	entries, err := fsys.List(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	marked := false
	for _, e := range entries {
		path := filepath.Join(dir, e.name)
		switch {
		case e.name == last:
			marked = true
		case e.dir:
			err = errors.Join(err, removeTree(fsys, path, ""))
		default:
			err = errors.Join(err, fsys.Remove(path))
		}
	}
	if marked && err == nil {
		err = fsys.SyncDir(dir)
	}
	if marked && err == nil {
		err = fsys.Remove(filepath.Join(dir, last))
	}
	if err != nil {
		return err
	}
	return fsys.Remove(dir)
}

// renew opens what was unpacked as a host does, repairs it, and gives it other epochs.
func (u *restore) renew() error {
	s := newStore(u.fs, u.dir)
	if err := s.open(); err != nil {
		return err
	}
	err := u.renewRooms(s)
	return errors.Join(err, s.Close())
}

func (u *restore) renewRooms(s *Store) error {
	var err error
	if u.info.State, err = s.RepairState(); err != nil {
		return err
	}
	keys, err := s.RoomKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := u.renewRoom(s, key); err != nil {
			return err
		}
	}
	u.info.Rooms = len(keys)
	return nil
}

func (u *restore) renewRoom(s *Store, key rooms.RoomKey) error {
	r, err := s.Repair(key)
	if err != nil {
		return err
	}
	if r.Done() {
		u.info.Repairs = append(u.info.Repairs, r)
	}
	u.info.Messages += int64(r.Report.Messages)
	l, err := s.Room(key)
	if err != nil {
		return err
	}
	if err := l.Damage(); err != nil {
		return err
	}
	return errors.Join(l.Renew(), l.Close())
}

// finish makes what was unpacked the target.
func (u *restore) finish() error {
	for dir := range u.made {
		if err := u.fs.SyncDir(filepath.Join(u.dir, dir)); err != nil {
			return err
		}
	}
	if err := u.fs.SyncDir(u.dir); err != nil {
		return err
	}
	if err := u.vacant(); err != nil {
		return err
	}
	// Not every system renames over a directory; one with something in it is not removed.
	if err := u.fs.Remove(u.target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := u.marker.Close() // Windows renames nothing that is open
	u.marker = nil
	if err == nil {
		err = u.fs.Rename(u.dir, u.target)
	}
	if err != nil {
		return err
	}
	// From here on it is there; what may still fail is only to make that durable.
	u.moved(u.info.State.Aside)
	for _, r := range u.info.Repairs {
		u.moved(r.Aside)
	}
	u.dir = u.target
	if err := u.fs.SyncDir(filepath.Dir(u.target)); err != nil {
		return err
	}
	if err := u.fs.Remove(filepath.Join(u.target, markerName)); err != nil {
		return err
	}
	return u.fs.SyncDir(u.target)
}

// moved corrects paths that were set aside while the target was elsewhere.
func (u *restore) moved(paths []string) {
	for i, path := range paths {
		paths[i] = u.target + strings.TrimPrefix(path, u.dir)
	}
}
