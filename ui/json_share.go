package ui

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"p2pchat/rooms"
)

// shelve remembers a file, so that it can be saved by its ID.
func (j *jsonMode) shelve(m rooms.Message) {
	if m.File != nil {
		j.shelf.put(m)
	}
}

// inTurn does what a request about files asks for, in the room that the requests before it
// have entered.
func (j *jsonMode) inTurn(do func(ref json.RawMessage)) {
	ref := j.ref
	j.desk.inTurn(func() {
		switch {
		case j.loop.o.Depot == nil:
			j.write(errorObject(ref, noDepot()))
		case !j.scene.inRoom():
			j.write(errorObject(ref, rooms.Refuse(rooms.NotInRoom, "join a room first", "you are in no room")))
		default:
			do(ref)
		}
	})
}

// share brings a file to the host and says it in the room. The request is answered when
// that is on the host's disk.
func (j *jsonMode) share(path, caption string) {
	j.inTurn(func(ref json.RawMessage) { j.upload(ref, path, caption) })
}

func (j *jsonMode) upload(ref json.RawMessage, path, caption string) {
	room := j.scene.room.Room
	x := &transfer{up: true, name: filepath.Base(path), progress: Progress{Preparing: true}}
	tell := j.tells(ref, x)
	told := func() {
		if !x.progress.Preparing {
			tell("progress", "", path)
		}
	}
	x.dropped = func() { j.write(errorObject(ref, cancelled(x))) }
	j.loop.files.add(x, told, func(ctx context.Context, report func(Progress)) func() {
		file, notice, err := j.loop.o.Depot.Upload(ctx, room, path, report)
		return func() {
			if err != nil {
				tell("failed", "", path)
				j.write(errorObject(ref, notMoved(x, err)))
				return
			}
			tell("done", file.ID, path)
			if notice != "" {
				j.write(noticeEvent{head{V: 1, Type: "notice"}, notice})
			}
			j.shareNow(ref, rooms.Say{Kind: rooms.FileUp, Text: caption, File: file.ID})
		}
	})
}

// tells writes events of a transfer. Of one that is only looked at, nothing has moved.
func (j *jsonMode) tells(ref json.RawMessage, x *transfer) func(what, id, path string) {
	return func(what, id, path string) {
		p := x.progress
		if p.Preparing {
			p.Done = 0
		}
		if what == "progress" && (x.ended || p.Done == p.Total) {
			return
		}
		j.write(transferEvent{head{V: 1, Type: "transfer", Ref: ref}, what, x.n, id, x.name, path, p.Done, p.Total})
	}
}

// notMoved is why a file has not come where it should.
func notMoved(x *transfer, err error) *rooms.Refusal {
	if x.stopped {
		return cancelled(x)
	}
	return asRefusal(err, rooms.BadRequest)
}

func cancelled(x *transfer) *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "asked for again, it goes on from there", "%s was cancelled", quote(x.name))
}

// shareNow says a file that is on the host, and has patience: it was a long way there.
func (j *jsonMode) shareNow(ref json.RawMessage, say rooms.Say) {
	j.desk.ask(say, func(ev rooms.Event) {
		switch ev := ev.(type) {
		case rooms.Said:
			j.write(sentAnswer{ok(ref), ev.Seq, say.File})
		case *rooms.Refusal:
			if ev.Code == rooms.RateLimited {
				j.loop.after(max(ev.Retry, 0)+leastWait(ev.Retry), func() { j.shareNow(ref, say) })
				return
			}
			j.write(errorObject(ref, ev))
		}
	})
}

// keep saves a file of the room, named by its ID or its number, in a directory.
func (j *jsonMode) keep(name, dir string) {
	j.inTurn(func(ref json.RawMessage) {
		n, numbered := fileNumber(name)
		f := j.shelf.byID(name)
		if f == nil && numbered {
			f = j.shelf.files[place{j.scene.room.Room, n}]
		}
		switch {
		case f != nil:
			j.fetch(ref, f, dir)
		case numbered:
			j.seek(ref, name, dir, n+1)
		default:
			j.seek(ref, name, dir, 0)
		}
	})
}

// seek looks for a file among those that were shared before this session came.
func (j *jsonMode) seek(ref json.RawMessage, name, dir string, before rooms.Seq) {
	n, numbered := fileNumber(name)
	j.desk.ask(rooms.Files{Before: before}, func(ev rooms.Event) {
		switch ev := ev.(type) {
		case rooms.Shared:
			for _, m := range ev.Messages {
				if m.File != nil && (m.File.ID == name || numbered && m.Seq == n) {
					j.fetch(ref, j.shelf.put(m), dir)
					return
				}
			}
			if ev.Next == 0 || numbered {
				j.write(errorObject(ref, rooms.NoSuchUpload()))
				return
			}
			j.seek(ref, name, dir, ev.Next)
		case *rooms.Refusal:
			j.write(errorObject(ref, ev))
		}
	})
}

func (j *jsonMode) fetch(ref json.RawMessage, f *shelved, dir string) {
	to := ""
	if dir != "" {
		to = filepath.Clean(dir) + string(filepath.Separator)
	}
	x := &transfer{name: f.file.Name, progress: Progress{Total: f.file.Size}}
	tell := j.tells(ref, x)
	told := func() { tell("progress", f.file.ID, "") }
	j.loop.files.add(x, told, func(ctx context.Context, report func(Progress)) func() {
		path, err := j.loop.o.Depot.Download(ctx, f.room, f.file, to, report)
		return func() {
			if err != nil {
				tell("failed", f.file.ID, "")
				j.write(errorObject(ref, notMoved(x, err)))
				return
			}
			tell("done", f.file.ID, path)
			j.write(savedAnswer{ok(ref), f.file.ID, path})
		}
	})
}

// after calls f in the loop after d; until then there is something to be done.
func (l *loop) after(d time.Duration, f func()) {
	l.owing++
	wait := l.o.After(d)
	l.workers.Go(func() {
		select {
		case <-wait:
			l.call(func() { l.owing--; f() })
		case <-l.through:
		}
	})
}
