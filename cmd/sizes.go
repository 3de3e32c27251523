package cmd

import (
	"strings"

	"github.com/spf13/pflag"

	"p2pchat/rooms"
	"p2pchat/ui"
)

// size is a flag's value in bytes: 256MiB, 900; 0 is none.
type size struct{ to *int64 }

func (s size) String() string {
	if s.to == nil {
		return ""
	}
	return strings.ReplaceAll(rooms.ByteCount(*s.to), " ", "")
}

func (size) Type() string { return "SIZE" }

// Set reads a size.
func (s size) Set(text string) error {
	n, err := ui.ParseBytes(text)
	if err == nil {
		*s.to = n
	}
	return err
}

// rate is a size a second: 2MiB, or 2MiB/s.
type rate struct{ size }

func (rate) Type() string { return "RATE" }

func (r rate) String() string {
	if r.to == nil || *r.to == 0 {
		return "no limit"
	}
	return r.size.String() + "/s"
}

// Set reads a rate.
func (r rate) Set(text string) error { return r.size.Set(strings.TrimSuffix(text, "/s")) }

// fileFlags are the flags of p2pchat host that are about files.
type fileFlags struct {
	file, member, room, disk int64
	upload                   int64
}

func (f *fileFlags) flags(fl *pflag.FlagSet) {
	d := rooms.DefaultLimits()
	f.file, f.member, f.room, f.disk = d.FileBytes, d.MemberBytes, d.RoomBytes, d.DiskBytes
	fl.Var(size{&f.file}, "file-limit", "the largest file that members may share; 0: any")
	fl.Var(size{&f.member}, "member-quota", "what a member may upload within a day; 0: no limit")
	fl.Var(size{&f.room}, "room-quota", "files in one room; 0: no limit")
	fl.Var(size{&f.disk}, "disk-quota", "files of all rooms; 0: no limit")
	fl.Var(rate{size{&f.upload}}, "upload-limit", "how fast the host sends files, all together a second")
}

// apply puts the flags into limits. A file that is allowed has to fit into each quota.
func (f *fileFlags) apply(l *rooms.Limits) error {
	for _, quota := range []struct {
		flag  string
		bytes int64
	}{{"member-quota", f.member}, {"room-quota", f.room}, {"disk-quota", f.disk}} {
		if quota.bytes > 0 && (f.file == 0 || quota.bytes < f.file) {
			return usagef("--%s %s: a file of --file-limit %s would not fit; raise the one or lower the other", quota.flag, size{&quota.bytes}, size{&f.file})
		}
	}
	l.FileBytes, l.MemberBytes, l.RoomBytes, l.DiskBytes = f.file, f.member, f.room, f.disk
	return nil
}
