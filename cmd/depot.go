package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"p2pchat/files"
	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// carryFlags say where files go, and what goes with them.
type carryFlags struct {
	downloads string
	metadata  bool
}

func (f *carryFlags) flags(fl *pflag.FlagSet) {
	f.keep(fl)
	fl.StringVar(&f.downloads, "downloads", "", "where saved files go (default: ~/Downloads/p2pchat)")
	nameValues(fl, "downloads", "DIR")
}

// keep is the flag of who only sends.
func (f *carryFlags) keep(fl *pflag.FlagSet) {
	fl.BoolVar(&f.metadata, "keep-metadata", false, "send pictures with place, time and camera left in")
}

// depot moves files between this disk and a host.
type depot struct {
	client *node.Client
	folder string
	temp   string // for copies without metadata
	whole  bool
}

// depot returns where the files of a chat go.
func (s *settings) depot(client *node.Client, f carryFlags) (*depot, error) {
	folder := f.downloads
	if folder == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("say with --downloads where files go: %w", err)
		}
		folder = filepath.Join(home, "Downloads", "p2pchat")
	}
	return &depot{client: client, folder: folder, temp: s.path(outgoingDir), whole: f.metadata}, nil
}

// Upload implements ui.Depot.
func (d *depot) Upload(ctx context.Context, room rooms.RoomID, path string, report func(ui.Progress)) (rooms.File, string, error) {
	reading := func(done, total int64) { report(ui.Progress{Preparing: true, Done: done, Total: total}) }
	p, err := files.Pick(ctx, path, files.PickOptions{Temp: d.temp, Whole: d.whole, Report: reading})
	if err != nil {
		return rooms.File{}, "", plainly(err)
	}
	defer p.Close()
	notice := ""
	if p.Kept != "" {
		notice = fmt.Sprintf("%s was sent as it is, with what it may say about its camera and place: %s", p.File.Name, p.Kept)
	}
	sending := func(done, total int64) { report(ui.Progress{Done: done, Total: total}) }
	file, err := d.client.Upload(ctx, node.Outgoing{Room: room, File: p.File, Content: p}, sending)
	var no *rooms.Refusal
	if errors.As(err, &no) && no.Code == rooms.BadRequest && p.Changed() != nil { // the host knows only that something else has arrived
		err = rooms.Refuse(no.Code, "send it again when nothing writes to it", "%s", files.ErrChanged)
	}
	return file, notice, err
}

// Download implements ui.Depot.
func (d *depot) Download(ctx context.Context, room rooms.RoomID, f rooms.File, to string, report func(ui.Progress)) (string, error) {
	folder, name := d.target(f.Name, to)
	saving, err := folder.Begin(name, f.Size, f.Hash)
	if err != nil {
		return "", plainly(err)
	}
	defer saving.Close()
	coming := func(done, total int64) { report(ui.Progress{Done: done, Total: total}) }
	if err := d.client.Download(ctx, room, f, saving, saving.Offset(), coming); err != nil {
		return "", plainly(err)
	}
	path, err := saving.Finish()
	return path, plainly(err)
}

// target says in which folder, and as what, a file is saved.
func (d *depot) target(name, to string) (files.Folder, string) {
	info, err := os.Stat(to)
	switch {
	case to == "":
		return files.Folder{Dir: d.folder}, name
	case os.IsPathSeparator(to[len(to)-1]), err == nil && info.IsDir():
		return files.Folder{Dir: filepath.Clean(to)}, name
	}
	return files.Folder{Dir: filepath.Dir(to), Fixed: true}, filepath.Base(to)
}

// Open implements ui.Depot.
func (d *depot) Open(path string) error { return plainly(files.Open(path)) }

// plainly leaves out of an error of the system which call it came from.
func plainly(err error) error {
	var path *fs.PathError
	var refusal *rooms.Refusal
	switch {
	case errors.As(err, &refusal), !errors.As(err, &path):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return rooms.Refuse(rooms.NoSuchFile, "look at the path", "there is no file %s", path.Path)
	}
	return fmt.Errorf("%s: %w", path.Path, path.Err)
}
