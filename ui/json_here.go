package ui

import (
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
