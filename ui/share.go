package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// noDepot is the refusal of everything about files where there is no place for them.
func noDepot() *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "p2pchat join can", "files can't be moved from here")
}

// withFiles returns where files go, or explains why they don't.
func (c *chat) withFiles() Depot {
	switch {
	case c.loop.o.Depot == nil:
		c.print(c.page.refusal(noDepot())...)
		return nil
	case !c.scene.inRoom():
		c.print(c.page.refusal(nowhere())...)
		return nil
	}
	return c.loop.o.Depot
}

// sendFiles shares files with the room.
func (c *chat) sendFiles(arg string) {
	paths, caption, no := (&arguments{entry: lookup("send"), rest: arg}).sharing()
	if no != nil {
		c.print(c.page.refusal(no)...)
		return
	}
	depot := c.withFiles()
	if depot == nil {
		return
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil && len(paths) > 1 {
			c.print(c.page.refusal(rooms.Refuse(rooms.NoSuchFile, "a path with blanks stands in quotes; Tab completes one", "nothing is sent: there is no file %s", path))...)
			return
		}
	}
	for i, path := range paths {
		text := ""
		if i == len(paths)-1 {
			text = caption
		}
		c.upload(depot, path, text)
	}
}

func (c *chat) upload(depot Depot, path, caption string) {
	room := c.scene.room.Room
	x := &transfer{up: true, name: filepath.Base(path), again: "/send of the same file", progress: Progress{Preparing: true}}
	c.loop.files.add(x, c.showStatus, func(ctx context.Context, report func(Progress)) func() {
		file, notice, err := depot.Upload(ctx, room, path, report)
		return func() {
			switch {
			case x.stopped:
				c.say("%s", x.unfinished())
			case err != nil:
				c.failed(x, err)
			case room != c.scene.room.Room:
				c.say("%s is not shared: you have left #%s", x.name, room)
			default:
				if notice != "" {
					c.say("%s", notice)
				}
				c.speak(typed{cmd: rooms.Say{Kind: rooms.FileUp, Text: caption, File: file.ID}})
			}
		}
	})
	c.begun(x, "sending")
}

// begun shows that a file is on its way; where there is no status row, by a line.
func (c *chat) begun(x *transfer, what string) {
	if c.term.Width() == 0 {
		c.say("%s %s; /cancel %d stops it", what, fileName(rooms.File{Name: x.name}), x.n)
	}
	c.showStatus()
}

// failed tells why a file has not come where it should.
func (c *chat) failed(x *transfer, err error) {
	var no *rooms.Refusal
	if errors.As(err, &no) {
		c.print(c.page.refusal(rooms.Refuse(no.Code, no.Hint, "%s: %s", x.name, no.Message))...)
		return
	}
	c.print(c.page.refusal(rooms.Refuse(rooms.BadRequest, "", "%s: %s", x.name, err))...)
}

// numbered finds the file that the first word of arg names, and calls then in the loop;
// not, when there is none, and that is told.
func (c *chat) numbered(command, arg string, then func(f *shelved, rest string)) {
	word, rest, _ := cutBlank(strings.TrimLeft(arg, blanks))
	rest = strings.TrimLeft(rest, blanks)
	n, ok := fileNumber(word)
	f := c.page.shelf.files[place{c.scene.room.Room, n}]
	switch {
	case word == "":
		c.print(c.page.refusal((&arguments{entry: lookup(command)}).usage("needs the number of a file"))...)
	case !c.scene.inRoom():
		c.print(c.page.refusal(nowhere())...)
	case f != nil:
		then(f, rest)
	case !ok:
		c.print(c.page.refusal(noFile(word))...)
	default:
		c.lookUp(word, n, func(f *shelved) { then(f, rest) })
	}
}

// lookUp asks the host for a file that was not shown yet.
func (c *chat) lookUp(word string, n rooms.Seq, then func(f *shelved)) {
	cmd := rooms.Files{Before: n + 1, Limit: 1}
	if no := c.reaching(cmd); no != nil {
		c.print(c.page.refusal(no)...)
		return
	}
	c.send(typed{cmd: cmd}, func(ev rooms.Event, show func()) {
		switch ev := ev.(type) {
		case rooms.Shared:
			if m, ok := fileAt(ev, n); ok {
				then(c.page.shelf.put(m))
				return
			}
			c.print(c.page.refusal(noFile(word))...)
		default:
			show()
		}
	})
}

// fileAt finds the message of a number that shares a file.
func fileAt(s rooms.Shared, n rooms.Seq) (rooms.Message, bool) {
	for _, m := range s.Messages {
		if m.Seq == n && m.File != nil {
			return m, true
		}
	}
	return rooms.Message{}, false
}

// saveFile fetches a file of the room.
func (c *chat) saveFile(arg string) {
	c.numbered("save", arg, func(f *shelved, rest string) {
		to, no := "", (*rooms.Refusal)(nil)
		if a := (&arguments{entry: lookup("save"), rest: rest}); a.more() {
			if to, no = a.path(); no == nil && a.more() {
				no = a.usage("takes one path; one with blanks stands in quotes")
			}
		}
		if no != nil {
			c.print(c.page.refusal(no)...)
			return
		}
		c.fetch(f, to, func() {
			hint := ""
			switch {
			case picture.Viewable(f.file.Name, f.file.MIME):
				hint = fmt.Sprintf("; /open %d shows it", f.seq)
			case picture.Executable(f.file.Name, f.file.MIME):
				hint = "; take care: it could run on this machine"
			}
			c.say("saved as %s%s", f.saved, hint)
		})
	})
}

// openFile shows a file in the system's viewer, once it is on this machine.
func (c *chat) openFile(arg string) { c.numbered("open", arg, c.openNumbered) }

func (c *chat) openNumbered(f *shelved, rest string) {
	switch {
	case rest != "":
		c.print(c.page.refusal((&arguments{entry: lookup("open")}).usage("takes one number only"))...)
		return
	case !picture.Viewable(f.file.Name, f.file.MIME):
		c.print(c.page.refusal(rooms.Refuse(rooms.Denied, fmt.Sprintf("/save %d keeps it, if you trust who sent it", f.seq), "%s is no picture, film, sound, PDF or plain text by name and content, so it is not opened from here", fileName(f.file)))...)
		return
	}
	show := func() {
		if err := c.loop.o.Depot.Open(f.saved); err != nil {
			c.print(c.page.refusal(rooms.Refuse(rooms.BadRequest, "", "%s", err))...)
			return
		}
		c.say("opened %s", f.saved)
	}
	if f.saved != "" {
		show()
		return
	}
	c.fetch(f, "", show)
}

// fetch brings a file to this machine; then is called once it is there.
func (c *chat) fetch(f *shelved, to string, then func()) {
	depot := c.withFiles()
	if depot == nil {
		return
	}
	x := &transfer{name: f.file.Name, seq: f.seq, again: fmt.Sprintf("/save %d", f.seq), progress: Progress{Total: f.file.Size}}
	c.loop.files.add(x, c.showStatus, func(ctx context.Context, report func(Progress)) func() {
		path, err := depot.Download(ctx, f.room, f.file, to, report)
		return func() {
			switch {
			case x.stopped:
				c.say("%s", x.unfinished())
			case err != nil:
				c.failed(x, err)
			default:
				f.saved = path
				then()
			}
		}
	})
	c.begun(x, "fetching")
}

// cancelFile stops a file on its way: the only one, or the one of a number, its own here or
// the one by which it was asked for.
func (c *chat) cancelFile(arg string) {
	running := c.loop.files.running
	word := strings.Trim(arg, blanks+"[]#")
	n := 0
	switch {
	case len(running) == 0:
		c.print(c.page.refusal(rooms.Refuse(rooms.NoSuchFile, "/send and /save move files", "no file is on its way"))...)
		return
	case word == "" && len(running) > 1:
		c.print(c.page.refusal((&arguments{entry: lookup("cancel")}).usage("needs a number: %s", strings.Join(c.onTheirWay(), ", ")))...)
		return
	case word == "":
		n = running[0].n
	default:
		_, _ = fmt.Sscanf(word, "%d", &n)
		n = c.loop.files.called(n)
	}
	x := c.loop.files.cancel(n)
	switch {
	case x == nil:
		c.print(c.page.refusal(rooms.Refuse(rooms.NoSuchFile, "on their way: "+strings.Join(c.onTheirWay(), ", "), "no file %s is on its way", quote(word)))...)
	case x.stop == nil:
		c.say("%s", x.unfinished())
	}
	c.showStatus()
}

// unfinished says what is left of a file that was stopped.
func (x *transfer) unfinished() string {
	name := fileName(rooms.File{Name: x.name})
	what := "%s is not fetched"
	if x.up {
		what = "%s is not sent"
	}
	if x.progress.Preparing || x.progress.Done == 0 {
		return fmt.Sprintf(what, name)
	}
	return fmt.Sprintf(what+"; %s goes on from %d%%", name, x.again, x.progress.percent())
}

// leftBehind tells, at the end, which files are not where they should be.
func (c *chat) leftBehind() {
	for _, x := range c.loop.files.running {
		c.say("%s", x.unfinished())
	}
}

// onTheirWay names the files that move, each with its number.
func (c *chat) onTheirWay() []string {
	var names []string
	for _, x := range c.loop.files.running {
		names = append(names, fmt.Sprintf("%d %s", x.n, x.name))
	}
	return names
}
