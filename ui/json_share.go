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
		j.shelf.number(m.Room, *m.File)
	}
}

// refuses answers a request about files that can't be done here.
func (j *jsonMode) refuses(ref json.RawMessage) bool {
	switch {
	case j.loop.o.Depot == nil:
		j.write(errorObject(ref, noDepot()))
	case !j.scene.inRoom():
		j.write(errorObject(ref, rooms.Refuse(rooms.NotInRoom, "join a room first", "you are in no room")))
	default:
		return false
	}
	return true
}

// share brings a file to the host and says it in the room. The request is answered when
// that is on the host's disk.
func (j *jsonMode) share(path, caption string) {
	ref := j.ref
	if j.refuses(ref) {
		return
	}
	room := j.scene.room.Room
	x := &transfer{up: true, name: filepath.Base(path), progress: Progress{Preparing: true}}
	event := func(what, id string) {
		j.write(transferEvent{head{V: 1, Type: "transfer", Ref: ref}, what, x.n, id, x.name, path, x.progress.Done, x.progress.Total})
	}
	told := func() {
		if !x.progress.Preparing && x.progress.Done < x.progress.Total {
			event("progress", "")
		}
	}
	j.loop.files.add(x, told, func(ctx context.Context, report func(Progress)) func() {
		file, notice, err := j.loop.o.Depot.Upload(ctx, room, path, report)
		return func() {
			if err != nil {
				event("failed", "")
				j.write(errorObject(ref, asRefusal(err, rooms.BadRequest)))
				return
			}
			event("done", file.ID)
			if notice != "" {
				j.write(noticeEvent{head{V: 1, Type: "notice"}, notice})
			}
			j.shareNow(ref, rooms.Say{Kind: rooms.FileUp, Text: caption, File: file.ID})
		}
	})
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

// keep saves a file of the room in a directory.
func (j *jsonMode) keep(id, dir string) {
	ref := j.ref
	if j.refuses(ref) {
		return
	}
	if n, ok := j.shelf.of[id]; ok {
		j.fetch(ref, j.shelf.files[n], dir)
		return
	}
	j.seek(ref, id, dir, 0)
}

// seek looks for a file among those that were shared before this session came.
func (j *jsonMode) seek(ref json.RawMessage, id, dir string, before rooms.Seq) {
	j.desk.ask(rooms.Files{Before: before}, func(ev rooms.Event) {
		switch ev := ev.(type) {
		case rooms.Shared:
			for _, m := range ev.Messages {
				if m.File != nil && m.File.ID == id {
					j.fetch(ref, &shelved{room: m.Room, file: *m.File}, dir)
					return
				}
			}
			if ev.Next == 0 {
				j.write(errorObject(ref, rooms.NoSuchUpload()))
				return
			}
			j.seek(ref, id, dir, ev.Next)
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
	event := func(what, path string) {
		j.write(transferEvent{head{V: 1, Type: "transfer", Ref: ref}, what, x.n, f.file.ID, f.file.Name, path, x.progress.Done, x.progress.Total})
	}
	told := func() {
		if x.progress.Done < x.progress.Total {
			event("progress", "")
		}
	}
	j.loop.files.add(x, told, func(ctx context.Context, report func(Progress)) func() {
		path, err := j.loop.o.Depot.Download(ctx, f.room, f.file, to, report)
		return func() {
			if err != nil {
				event("failed", "")
				j.write(errorObject(ref, asRefusal(err, rooms.BadRequest)))
				return
			}
			event("done", path)
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
