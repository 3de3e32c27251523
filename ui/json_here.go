package ui

import (
	"strconv"
	"strings"

	"p2pchat/rooms"
)

// What a program asks for by a line that needs no host.
var _ hands = (*jsonMode)(nil)

func (j *jsonMode) showTopic(string) {
	if !j.scene.inRoom() {
		j.write(errorObject(j.ref, rooms.Refuse(rooms.NotInRoom, "join a room first", "you are in no room")))
		return
	}
	j.write(topicAnswer{head: ok(j.ref), Room: j.scene.room.Room, Topic: j.scene.room.Topic})
}

// state answers "/status" by the host's own state; its owner alone may see it.
func (j *jsonMode) state(string) { j.ask(j.ref, rooms.Status{}) }

func (j *jsonMode) help(name string) {
	p := &page{width: func() int { return 0 }}
	j.write(textAnswer{head: ok(j.ref), Text: strings.Join(p.helpFor(name), "\n")})
}

func (j *jsonMode) quit(why string) {
	j.quitRef = &quitRequest{j.ref}
	j.loop.quit(why)
}

func (j *jsonMode) clear(string)   { j.write(okObject(j.ref)) }
func (j *jsonMode) setBell(string) { j.write(okObject(j.ref)) }

func (j *jsonMode) ignore(string) {
	j.notHere("leave out the messages of that peer yourself", "/ignore")
}
func (j *jsonMode) unignore(string) {
	j.notHere("leave out the messages of that peer yourself", "/unignore")
}
func (j *jsonMode) edit(string) { j.notHere("say the text", "/edit") }

// notHere refuses what is about one person's screen.
func (j *jsonMode) notHere(hint, what string) {
	j.write(errorObject(j.ref, rooms.Refuse(rooms.BadRequest, hint, "%s is for people at a terminal", what)))
}

func (j *jsonMode) openFile(string) { j.notHere("save it", "/open") }

func (j *jsonMode) sendFiles(arg string) {
	paths, caption, no := (&arguments{entry: lookup("send"), rest: arg}).sharing()
	switch {
	case no != nil:
		j.write(errorObject(j.ref, no))
	case len(paths) > 1:
		j.write(errorObject(j.ref, rooms.Refuse(rooms.BadRequest, "one request for each", "this sends several files")))
	default:
		j.share(paths[0], caption)
	}
}

// saveFile is "/save N [DIR]"; programs may name files by their IDs, too.
func (j *jsonMode) saveFile(arg string) {
	a := &arguments{entry: lookup("save"), rest: arg}
	id, no := a.word()
	dir := ""
	if no == nil && a.more() {
		dir, no = a.path()
	}
	if no != nil {
		j.write(errorObject(j.ref, no))
		return
	}
	j.keep(id, dir)
}

func (j *jsonMode) cancelFile(arg string) {
	n, err := strconv.Atoi(strings.TrimSpace(arg))
	if err != nil || j.loop.files.cancel(n) == nil {
		j.write(errorObject(j.ref, rooms.Refuse(rooms.NoSuchFile, `the "n" of a transfer`, "no such file is on its way")))
		return
	}
	j.write(okObject(j.ref))
}
