package ui

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// sharing reads what stands behind /send: paths, and a caption for the last of the files.
// Behind the first, only what looks like a path is one: it begins with /, ~, ./ or ../,
// as terminals write files that are dragged into them.
func (a *arguments) sharing() (paths []string, caption string, no *rooms.Refusal) {
	for first := true; a.more() && (first || looksLikePath(a.rest)); first = false {
		path, no := a.path()
		if no != nil {
			return nil, "", no
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil, "", a.usage("needs a path")
	}
	return paths, a.text(), nil
}

func looksLikePath(text string) bool {
	text = strings.TrimLeft(text, `"'`)
	for _, start := range []string{"/", "~/", "./", "../", `\\`, `.\`, `..\`} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return len(text) > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/') // a drive of Windows
}

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
	x := &transfer{up: true, name: filepath.Base(path), progress: Progress{Preparing: true}}
	c.loop.files.add(x, c.showStatus, func(ctx context.Context, report func(Progress)) func() {
		file, notice, err := depot.Upload(ctx, room, path, report)
		return func() {
			switch {
			case x.stopped:
				c.say("stopped sending %s; sent again, it goes on from there", x.name)
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

// numbered finds the file that the first word of arg names; nil, when there is none, and
// that is told.
func (c *chat) numbered(command, arg string) (f *shelved, n int, rest string) {
	word, rest, _ := cutBlank(strings.TrimLeft(arg, blanks))
	f, n = c.page.shelf.find(word)
	switch {
	case word == "":
		c.print(c.page.refusal((&arguments{entry: lookup(command)}).usage("needs the number of a file"))...)
	case f == nil:
		c.print(c.page.refusal(rooms.Refuse(rooms.NoSuchFile, "/files shows those of this room", "there is no file %s", quote(word)))...)
	case f.room != c.scene.room.Room && f.saved == "":
		c.print(c.page.refusal(rooms.Refuse(rooms.NotInRoom, "/join "+string(f.room)+" first", "file %d is in #%s", n, f.room))...)
		f = nil
	}
	return f, n, strings.TrimLeft(rest, blanks)
}

// saveFile fetches a file of the room.
func (c *chat) saveFile(arg string) {
	f, n, rest := c.numbered("save", arg)
	if f == nil {
		return
	}
	to := ""
	if rest != "" {
		path, no := (&arguments{entry: lookup("save"), rest: rest}).path()
		if no != nil {
			c.print(c.page.refusal(no)...)
			return
		}
		to = path
	}
	c.fetch(f, n, to, func() {
		hint := ""
		switch {
		case picture.Viewable(f.file.Name, f.file.MIME):
			hint = fmt.Sprintf("; /open %d shows it", n)
		case picture.Executable(f.file.Name, f.file.MIME):
			hint = "; take care: it could run on this machine"
		}
		c.say("saved as %s%s", f.saved, hint)
	})
}

// openFile shows a file in the system's viewer, once it is on this machine.
func (c *chat) openFile(arg string) {
	f, n, rest := c.numbered("open", arg)
	switch {
	case f == nil:
		return
	case rest != "":
		c.print(c.page.refusal((&arguments{entry: lookup("open")}).usage("takes one number only"))...)
		return
	case !picture.Viewable(f.file.Name, f.file.MIME):
		c.print(c.page.refusal(rooms.Refuse(rooms.Denied, fmt.Sprintf("/save %d keeps it, if you trust who sent it", n), "%s is no picture, film, sound, PDF or plain text by name and content, so it is not opened from here", fileName(f.file)))...)
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
	c.fetch(f, n, "", show)
}

// fetch brings a file to this machine; then is called once it is there.
func (c *chat) fetch(f *shelved, n int, to string, then func()) {
	depot := c.withFiles()
	if depot == nil {
		return
	}
	x := &transfer{name: f.file.Name, progress: Progress{Total: f.file.Size}}
	c.loop.files.add(x, c.showStatus, func(ctx context.Context, report func(Progress)) func() {
		path, err := depot.Download(ctx, f.room, f.file, to, report)
		return func() {
			switch {
			case x.stopped:
				c.say("stopped fetching %s; /save %d goes on from there", fileName(f.file), n)
			case err != nil:
				c.failed(x, err)
			default:
				f.saved = path
				then()
			}
		}
	})
	c.showStatus()
}

// cancelFile stops a file on its way: the only one, or the one of a number.
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
	}
	x := c.loop.files.cancel(n)
	switch {
	case x == nil:
		c.print(c.page.refusal(rooms.Refuse(rooms.NoSuchFile, "on their way: "+strings.Join(c.onTheirWay(), ", "), "no file %s is on its way", quote(word)))...)
	case x.stop == nil:
		c.say("%s is not sent", x.name)
	}
	c.showStatus()
}

// onTheirWay names the files that move, each with its number.
func (c *chat) onTheirWay() []string {
	var names []string
	for _, x := range c.loop.files.running {
		names = append(names, fmt.Sprintf("%d %s", x.n, x.name))
	}
	return names
}

// transferring is the part of the status row about files on their way.
func (c *chat) transferring() string {
	running := c.loop.files.running
	if len(running) == 0 {
		return ""
	}
	x := running[0]
	text := transferText(x, c.term.Width())
	if n := len(running) - 1; n > 0 {
		text += fmt.Sprintf(", %d more", n)
	}
	return text
}

// barWidth is how wide a bar is, on a screen that has room for one.
const barWidth = 20

// transferText says how far a file has come: "↑ clip.mp4 86% [####  ] 4.2 MiB/s, 12s left, /cancel 2".
func transferText(x *transfer, columns int) string {
	arrow := "↓ "
	if x.up {
		arrow = "↑ "
	}
	text := arrow + progressText(x.name, x.progress, columns)
	if !x.progress.Preparing && x.pace.speed > 0 {
		text += " " + byteSize(int64(x.pace.speed)) + "/s"
		if left := x.pace.left(x.progress); left > 0 {
			text += ", " + lasting(left) + " left"
		}
	}
	return fmt.Sprintf("%s, /cancel %d", text, x.n)
}

// ProgressText says how far a file has come that is sent, in one row of a terminal of
// this many columns.
func ProgressText(path string, p Progress, columns int) string {
	return CutRow("sending "+progressText(filepath.Base(path), p, columns), columns)
}

func progressText(name string, p Progress, columns int) string {
	text := fileName(rooms.File{Name: name})
	part := 0
	if p.Total > 0 {
		part = int(100 * p.Done / p.Total)
	}
	switch {
	case p.Preparing && p.Total == 0:
		return text + " is looked at"
	case p.Preparing:
		return fmt.Sprintf("%s is read, %d%%", text, part)
	}
	text += fmt.Sprintf(" %d%%", part)
	if columns >= 80 {
		full := barWidth * part / 100
		text += " [" + strings.Repeat("#", full) + strings.Repeat(" ", barWidth-full) + "]"
	}
	return text
}
