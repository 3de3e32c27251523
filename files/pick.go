package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// PickOptions say how a file is made ready to be sent.
type PickOptions struct {
	// Temp is the directory for copies without metadata; they are gone at Close.
	Temp string
	// Whole sends pictures with what their camera noted: time, place, owner.
	Whole bool
	// Report is told how much of the file has been read; nil: nobody is.
	Report func(done, total int64)
}

// Picked is a file that is ready to be sent, and what is said about it: all of rooms.File
// but the ID.
type Picked struct {
	File rooms.File
	// Kept says why metadata stays in, where a picture holds it: "the file is damaged";
	// "" when there is none, or it was wanted.
	Kept    string
	content *os.File
	copied  bool        // content is a copy of ours
	first   fs.FileInfo // of the person's file, when it was opened
}

// Pick opens the regular file at path, whatever that leads through, looks what it is, and
// reads it once from end to end. It ends early with ctx.
func Pick(ctx context.Context, path string, o PickOptions) (*Picked, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	p := &Picked{content: f}
	if p.first, err = f.Stat(); err != nil {
		_ = p.Close()
		return nil, err
	}
	if err := p.prepare(ctx, path, o); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// openRegular opens a file; folders, devices and pipes are refused without waiting.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = fmt.Errorf("%s is a folder: pack it into one file first", path)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (p *Picked) prepare(ctx context.Context, path string, o PickOptions) error {
	head := make([]byte, picture.HeadSize)
	n, err := p.content.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n > 0 && p.first.Size() == 0 {
		return fmt.Errorf("%s does not say how long it is: copy it, and send the copy", path)
	}
	p.File.Name, p.File.MIME = sentName(path), picture.Sniff(head[:n])
	if !o.Whole {
		if err := p.strip(ctx, o.Temp); err != nil {
			return err
		}
	}
	info, err := p.content.Stat()
	if err != nil {
		return err
	}
	p.File.Size = info.Size()
	facts := picture.Look(p.content, p.File.Size, p.File.MIME)
	p.File.Width, p.File.Height, p.File.Duration = facts.Width, facts.Height, facts.Duration
	if p.File.Preview, err = picture.Preview(ctx, p.content, p.File.Size, p.File.MIME); errors.Is(err, picture.ErrNoPreview) {
		p.File.Preview = p.still(ctx, path)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.sum(ctx, o.Report)
}

// still is the preview of a film. It is made by another program, which opens the path
// once more: what that shows counts only if the path still leads to the file that is
// sent. Who could put another there and take it away again, within the moment, can write
// where this person's files are.
func (p *Picked) still(ctx context.Context, path string) []byte {
	preview, err := picture.Still(ctx, path, p.File.MIME)
	if err != nil {
		return nil
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(now, p.first) {
		return nil
	}
	return preview
}

// sentName is what others are told that the file is called.
func sentName(path string) string {
	const most = rooms.FileNameBytes
	name := strings.ToValidUTF8(filepath.Base(path), "_")
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	if len(name) > most {
		name = cutName(name)
	}
	return name
}

// strip goes on with a copy without metadata, where the file is of a kind that has any.
func (p *Picked) strip(ctx context.Context, temp string) error {
	info, err := p.content.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return err
	}
	copied, err := os.CreateTemp(temp, "send-*") // mode 0600
	if err != nil {
		return err
	}
	_ = os.Remove(copied.Name()) // where the system lets go of open files, it is gone with the process
	err = picture.Strip(&stoppable{ctx, copied}, p.content, info.Size(), p.File.MIME)
	if err == nil {
		err = p.content.Close()
		p.content, p.copied = copied, true
		return err
	}
	_ = copied.Close()
	_ = discard(copied.Name())
	switch {
	case errors.Is(err, picture.ErrUnknownKind):
		if p.File.MIME == "image/tiff" || strings.HasPrefix(p.File.MIME, "video/") { // raw photos are TIFF, too
			p.Kept = "files of this kind are not taken apart"
		}
		return nil
	case errors.Is(err, picture.ErrMalformed):
		p.Kept = "the file is damaged"
		return nil
	}
	return err
}

// stoppable is a writer that takes nothing once ctx has ended.
type stoppable struct {
	ctx context.Context
	w   io.Writer
}

func (s *stoppable) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(b)
}

// sum reads the file for its hash.
func (p *Picked) sum(ctx context.Context, report func(done, total int64)) error {
	sum := sha256.New()
	buf := make([]byte, 256<<10)
	for at := int64(0); at < p.File.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := p.content.ReadAt(buf[:min(int64(len(buf)), p.File.Size-at)], at)
		if n == 0 {
			if err == nil || errors.Is(err, io.EOF) {
				err = ErrChanged
			}
			return err
		}
		sum.Write(buf[:n])
		at += int64(n)
		if report != nil {
			report(at, p.File.Size)
		}
	}
	p.File.Hash = rooms.Hash(sum.Sum(nil))
	return nil
}

// ErrChanged is why a file is not sent that was written to after Pick had begun to read it.
var ErrChanged = errors.New("the file was changed while it was sent")

// Changed is ErrChanged if the file was written to since Pick opened it, as far as its
// length and date tell. It explains why a host has not got what was announced; what the
// host has got is what was read, so otherwise a change does no harm. A copy without
// metadata does not change.
func (p *Picked) Changed() error {
	if p.copied {
		return nil
	}
	now, err := p.content.Stat()
	if err != nil || now.Size() == p.first.Size() && now.ModTime().Equal(p.first.ModTime()) {
		return err
	}
	return ErrChanged
}

// ReadAt implements io.ReaderAt over what is sent.
func (p *Picked) ReadAt(b []byte, at int64) (int, error) { return p.content.ReadAt(b, at) }

// Close gives the file back.
func (p *Picked) Close() error {
	err := p.content.Close()
	if p.copied {
		err = errors.Join(err, discard(p.content.Name()))
	}
	return err
}

// discard removes a copy, unless it is gone already.
func discard(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
