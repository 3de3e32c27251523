package history

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// notWhole makes an error that matches ErrBackup.
func notWhole(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBackup, fmt.Sprintf(format, args...))
}

// unpack writes the files of the backup, and compares them with their sums.
func (u *restore) unpack(t *tar.Reader) error {
	if err := u.manifest(t); err != nil {
		return err
	}
	for {
		h, err := u.next(t)
		if err != nil {
			return err
		}
		if h.Name == sumsName {
			return u.compare(t)
		}
		if err := u.file(h, t); err != nil {
			return err
		}
	}
}

// next returns the header of the next file, which is nothing but a file, and new.
func (u *restore) next(t *tar.Reader) (*tar.Header, error) {
	h, err := t.Next()
	if errors.Is(err, io.EOF) {
		return nil, notWhole("it ends too early")
	}
	if err != nil {
		return nil, notWhole("%v", err)
	}
	limit, ok := limitOf(h.Name)
	if slices.Contains(u.files, h.Name) {
		limit, ok = maxExtra, true
	}
	switch {
	case h.Typeflag != tar.TypeReg || len(h.PAXRecords) > 0:
		return nil, notWhole("%q is no plain file", h.Name)
	case !ok:
		return nil, notWhole("%q does not belong into one", h.Name)
	case h.Size < 0 || h.Size > limit:
		return nil, notWhole("%q has %d bytes", h.Name, h.Size)
	case u.sums[h.Name] != "":
		return nil, notWhole("%q is in it twice", h.Name)
	case len(u.order) >= maxEntries:
		return nil, notWhole("it has more than %d files", maxEntries)
	}
	return h, nil
}

// manifest reads the first file.
func (u *restore) manifest(t *tar.Reader) error {
	h, err := u.next(t)
	if err != nil {
		return err
	}
	if h.Name != manifestName {
		return notWhole("it begins with %q", h.Name)
	}
	text, err := io.ReadAll(t)
	if err != nil {
		return notWhole("%v", err)
	}
	u.note(h.Name, text)
	var m manifest
	switch err := json.Unmarshal(text, &m); {
	case err != nil || m.Format < 1:
		return notWhole("%q can't be read", h.Name)
	case m.Format > backupFormat:
		return &VersionError{File: h.Name, Version: m.Format}
	case m.History > version:
		return &VersionError{File: h.Name, Version: m.History}
	}
	u.info.Program, u.info.Created = m.Program, m.Created
	return nil
}

func (u *restore) note(name string, text []byte) {
	sum := sha256.New()
	sum.Write(text)
	u.sums[name] = sumLine(sum, name)
	u.order = append(u.order, name)
}

// file writes one file.
func (u *restore) file(h *tar.Header, t *tar.Reader) error {
	parts := strings.Split(h.Name, "/")
	for i := range parts[1:] {
		dir := filepath.Join(parts[:i+1]...)
		if u.made[dir] {
			continue
		}
		if err := u.fs.Mkdir(filepath.Join(u.dir, dir)); err != nil {
			return err
		}
		u.made[dir] = true
	}
	f, err := u.fs.OpenFile(filepath.Join(u.dir, filepath.Join(parts...)), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	out, sum := &appender{file: f}, sha256.New()
	_, err = io.CopyN(io.MultiWriter(out, sum), t, h.Size)
	if err != nil && out.err == nil {
		err = notWhole("%q: %v", h.Name, err)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	u.sums[h.Name] = sumLine(sum, h.Name)
	u.order = append(u.order, h.Name)
	u.info.Bytes += h.Size
	if isBlobName(parts) {
		u.info.Shared++
	}
	if slices.Contains(u.files, h.Name) {
		u.info.Files = append(u.info.Files, h.Name)
	}
	return nil
}

// appender writes a file from its beginning on.
type appender struct {
	file
	end int64
	err error
}

func (a *appender) Write(b []byte) (int, error) {
	n, err := a.WriteAt(b, a.end)
	a.end, a.err = a.end+int64(n), err
	return n, err
}

// compare reads the sums, behind which nothing may follow.
func (u *restore) compare(t *tar.Reader) error {
	got, err := io.ReadAll(t)
	if err != nil {
		return notWhole("%v", err)
	}
	var want strings.Builder
	for _, name := range u.order {
		want.WriteString(u.sums[name])
	}
	if string(got) != want.String() {
		return notWhole("a file in it is not the one that was put into it")
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return notWhole("something follows its end")
	}
	return nil
}
