package ui

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// fakeDepot moves nothing. Each file waits until the test lets it go on.
type fakeDepot struct {
	asked  chan string
	answer chan error // nil: it has come
	opened []string
}

// open makes its channels, in the bubble of a test.
func (d *fakeDepot) open() { d.asked, d.answer = make(chan string, 10), make(chan error) }

func (d *fakeDepot) wait(ctx context.Context, what string, report func(Progress)) error {
	d.asked <- what
	report(Progress{Done: 0, Total: 1 << 20})
	for {
		select {
		case err := <-d.answer:
			if err == errHalf {
				report(Progress{Done: 1 << 19, Total: 1 << 20})
				continue
			}
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errHalf = errors.New("half of it has come")

func (d *fakeDepot) Upload(ctx context.Context, room rooms.RoomID, path string, report func(Progress)) (rooms.File, string, error) {
	err := d.wait(ctx, "upload "+string(room)+" "+path, report)
	return rooms.File{ID: "id-" + filepath.Base(path)}, "", err
}

func (d *fakeDepot) Download(ctx context.Context, room rooms.RoomID, f rooms.File, to string, report func(Progress)) (string, error) {
	err := d.wait(ctx, "download "+string(room)+" "+f.ID+" "+to, report)
	return "/home/a/Downloads/p2pchat/" + f.Name, err
}

func (d *fakeDepot) Open(path string) error { d.opened = append(d.opened, path); return nil }

// withDepot is inDev, with a depot.
func withDepot(d *fakeDepot) func(*Options, *fakeHost) {
	return func(o *Options, _ *fakeHost) { d.open(); o.Room, o.Depot = "dev", d }
}

// wants checks what the depot was asked since the last time.
func (d *fakeDepot) wants(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for len(d.asked) > 0 {
		got = append(got, <-d.asked)
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the depot was asked %q, want %q", got, want)
	}
}

func (d *fakeDepot) settle(err error) { d.answer <- err; synctest.Wait() }

// shared is a message that shares a file.
func shared(seq rooms.Seq, name string) rooms.Posted {
	p := posted(seq, bob, "bob", "look")
	p.Kind = rooms.FileUp
	p.File = &rooms.File{ID: "id-" + name, Name: name, Size: 186368, MIME: "image/png", Width: 640, Height: 320}
	return p
}

func TestChatSendsFiles(t *testing.T) {
	d := &fakeDepot{}
	tree(t, "my cat.png", "b.txt", "c.mp4")
	sit(t, withDepot(d), func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say(`/send "my cat.png" ./b.txt ./c.mp4 all of them`)
		d.wants(t, "upload dev my cat.png") // one after the other, so that they come in order
		s.pass(time.Second)
		d.settle(errHalf)
		if got := s.special(); got != "↑ my cat.png 50% [#####     ] 512 KiB/s, 1s left, /cancel 1, 2 more" {
			t.Errorf("status %q", got)
		}
		d.settle(nil)
		s.wantAsked(t, rooms.Say{Kind: rooms.FileUp, File: "id-my cat.png"})
		d.wants(t, "upload dev ./b.txt")
		d.settle(rooms.Refuse(rooms.TooLarge, "send less", "it is too large"))
		s.want("!! b.txt: it is too large; send less")
		d.wants(t, "upload dev ./c.mp4")
		s.settle(t, rooms.Said{Seq: 3})
		d.settle(nil)
		s.wantAsked(t, rooms.Say{Kind: rooms.FileUp, File: "id-c.mp4", Text: "all of them"})
		s.settle(t, rooms.Said{Seq: 4})
		if got := s.special(); got != "" {
			t.Errorf("status %q", got)
		}
	})
}

func TestChatCancelsFiles(t *testing.T) {
	d := &fakeDepot{}
	tree(t, "a.png", "b.png", "c.png")
	sit(t, withDepot(d), func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say("/cancel")
		s.want("!! no file is on its way; /send and /save move files")
		s.say("/send a.png b.png")
		d.wants(t, "upload dev a.png")
		s.say("/cancel")
		s.want("!! /cancel needs a number: 1 a.png, 2 b.png; usage: /cancel [N], for example", "    │ /cancel 2")
		s.say("/cancel 7")
		s.want(`!! no file "7" is on its way; on their way: 1 a.png, 2 b.png`)
		s.say("/cancel 2")
		s.want("-- b.png is not sent")
		s.say("/cancel 1")
		synctest.Wait()
		s.want("-- a.png is not sent")
		s.say("/send a.png")
		d.wants(t, "upload dev a.png")
		s.say("/leave")
		s.settle(t, rooms.Done{})
		s.forget()
		d.settle(nil)
		s.want("-- a.png is not shared: you have left #dev")
		s.settle(t, rooms.Listing{})
	})
}

func TestChatFetchesFiles(t *testing.T) {
	d := &fakeDepot{}
	sit(t, withDepot(d), func(s *seat) {
		s.enter(dev(1), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		s.tell(shared(3, "cat.png"), shared(4, "run.sh"))
		s.want("00:03 bob [3] cat.png · png 640×320 · 182 KiB · /open 3", "    │ look",
			"00:04 bob [4] run.sh · png 640×320 · 182 KiB · /open 4", "    │ look")
		s.say("/open 3")
		d.wants(t, "download dev id-cat.png ")
		d.settle(nil)
		s.want("-- opened /home/a/Downloads/p2pchat/cat.png")
		s.say("/open 3") // it is here
		d.wants(t)
		s.forget()
		s.say("/open 4")
		if got := strings.Join(s.term.printed, " "); !strings.Contains(strings.ReplaceAll(got, "     │ ", " "), "/save 4 keeps it") {
			t.Errorf("%q", got)
		}
		s.forget()
		s.say("/save 4 ~/x/")
		if got := <-d.asked; !strings.HasPrefix(got, "download dev id-run.sh ") || !strings.HasSuffix(got, "/x/") || strings.Contains(got, "~") {
			t.Errorf("asked %q", got)
		}
		d.settle(rooms.NoSuchUpload())
		s.want("!! run.sh: there is no such file in a room that you are in; /files shows those", "    │ of this room")
		for line, want := range map[string]string{
			"/open":   "!! /open needs the number of a file; usage: /open N, for example /open 1",
			"/save x": `!! there is no file "x" here; /files shows those of this room`,
			"/open 0": `!! there is no file "0" here; /files shows those of this room`,
		} {
			s.forget()
			s.say(line)
			s.want(want)
		}
		s.forget()
		s.say("/save 3 a b")
		if got := strings.Join(s.term.printed, " "); !strings.Contains(got, "/save takes one path") {
			t.Errorf("%q", got)
		}
		s.forget()
		s.say("/files")
		s.settle(t, rooms.Shared{Messages: []rooms.Message{shared(3, "cat.png").Message, shared(1, "old.pdf").Message}, Next: 1})
		s.want("-- 2 files", "-- older ones: /files --before 1",
			"    3  cat.png · png 640×320 · 182 KiB · by bob, 1 Jan 00:03",
			"    1  old.pdf · png 640×320 · 182 KiB · says pdf, looks like png · by bob, 1", "    │ Jan 00:01")
		if len(d.opened) != 2 {
			t.Errorf("opened %q", d.opened)
		}
	})
}

// A file that was never on this screen has its number all the same.
func TestNumberOfAFileFromBefore(t *testing.T) {
	d := &fakeDepot{}
	sit(t, withDepot(d), func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say("/save [5]")
		s.wantAsked(t, rooms.Files{Before: 6, Limit: 1})
		s.settle(t, rooms.Shared{Messages: []rooms.Message{shared(5, "old.png").Message}, Next: 5})
		d.wants(t, "download dev id-old.png ")
		d.settle(nil)
		s.want("-- saved as /home/a/Downloads/p2pchat/old.png; /open 5 shows it")
		s.forget()
		s.say("/save 5")
		d.wants(t, "download dev id-old.png ")
		s.say("/cancel 5") // as it was asked for
		synctest.Wait()
		s.want("-- old.png is not fetched")
		s.forget()
		s.say("/open 7") // the file before it
		s.settle(t, rooms.Shared{Messages: []rooms.Message{shared(5, "old.png").Message}, Next: 5})
		s.want(`!! there is no file "7" here; /files shows those of this room`)
		d.wants(t)
	})
}

// Who leaves waits for no file, and is told which ones have not arrived.
func TestChatLeavesWithFilesOnTheirWay(t *testing.T) {
	d := &fakeDepot{}
	tree(t, "a.png", "b.png")
	sit(t, withDepot(d), func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.say("/send a.png b.png")
		d.wants(t, "upload dev a.png")
		s.pass(time.Second)
		d.settle(errHalf)
		s.forget()
		if err := s.leave(); err != nil {
			t.Error(err)
		}
		s.want("-- a.png is not sent; /send of the same file goes on from 50%", "-- b.png is not sent")
	})
}

// What stands behind /send is taken for what it is meant to be.
func TestSharing(t *testing.T) {
	tree(t, "a.png", "b c.png", "README", "pics/", "pics/d.png")
	for line, want := range map[string][]string{
		"a.png pics/d.png":           {"a.png", "pics/d.png", ""},
		"a.png README":               {"a.png", "README", ""},
		"a.png README first":         {"a.png", "README first"}, // as it is meant, most likely
		"pics/d.png a.png README x":  {"pics/d.png", "a.png README x"},
		"a.png pics/d.png look here": {"a.png", "pics/d.png", "look here"},
		"a.png e.g. this":            {"a.png", "e.g. this"},
		"b c.png":                    {"b c.png", ""},
		`"b c.png" a.png`:            {"b c.png", "a.png", ""},
		"a.png pics/":                {"a.png", "pics/"},
		"file:///tmp/a%20b.png x":    {"/tmp/a b.png", "x"},
		"a.png file://localhost/x":   {"a.png", "/x", ""},
		"file://other/x":             {"file://other/x", ""},
	} {
		paths, caption, no := (&arguments{entry: lookup("send"), rest: line}).sharing()
		if got := append(paths, caption); no != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", line, got, no, want)
		}
	}
}

// Without a status row, a line tells that a file moves; while the host is away, the row does
// not tell how fast it was.
func TestFilesOnTheirWayAreSeen(t *testing.T) {
	d := &fakeDepot{}
	tree(t, "a.png")
	sit(t, withDepot(d), func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.say("/send a.png")
		d.wants(t, "upload dev a.png")
		s.pass(time.Second)
		d.settle(errHalf)
		s.tell(rooms.Connection{What: rooms.ConnectionLost})
		if got, want := s.special(), "↑ a.png 50% [#####     ] waits for the host, /cancel 1"; !strings.Contains(got, want) {
			t.Errorf("status %q, want %q", got, want)
		}
		s.term.width = 0
		s.forget()
		s.say("/send a.png")
		s.want("-- sending a.png; /cancel 2 stops it")
	})
}

// Of several files, none is sent when one is not there.
func TestChatSendsAllOrNone(t *testing.T) {
	d := &fakeDepot{}
	tree(t, "a.png")
	sit(t, withDepot(d), func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say("/send a.png ./none.png hello")
		s.want("!! nothing is sent: there is no file ./none.png; a path with blanks stands in", "    │ quotes; Tab completes one")
		d.wants(t)
	})
}

// A preview is drawn where it can be, and what is no picture is not.
func TestPreviews(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	m := shared(1, "cat.png").Message
	for _, c := range []struct {
		preview []byte
		width   int
		mode    picture.Mode
		drawn   bool
	}{
		{b.Bytes(), 80, picture.Blocks, true},
		{b.Bytes(), 80, picture.Kitty, true},
		{b.Bytes(), 80, picture.None, false},
		{b.Bytes(), 39, picture.Blocks, false},
		{[]byte("\x1b]0;owned\a"), 80, picture.Blocks, false},
		{b.Bytes()[:50], 80, picture.Blocks, false},
		{nil, 80, picture.Blocks, false},
	} {
		p := testPage(c.width, 256)
		p.draws = func() picture.Options { return picture.Options{Mode: c.mode} }
		m.File.Preview = c.preview
		if rows := p.preview(m); len(rows) > 0 != c.drawn {
			t.Errorf("%q at %d in %s: %q", c.preview[:min(9, len(c.preview))], c.width, c.mode, rows)
		}
	}
	m.Redacted = true
	m.File.Preview = b.Bytes()
	if p := testPage(80, 256); p.preview(m) != nil {
		t.Error("what was removed is drawn")
	}
}

func TestJSONMovesFiles(t *testing.T) {
	d := &fakeDepot{}
	playJSON(t, func(o *Options) { d.open(); o.Room, o.Depot = "dev", d }, func(p *program) {
		p.settle(t, dev(1))
		p.wantAsked(t, rooms.Join{Room: "dev", Recent: 10})
		p.write(`{"do":"send","path":"/tmp/cat.png","caption":"my cat","ref":1}` + "\n")
		d.wants(t, "upload dev /tmp/cat.png")
		d.settle(nil)
		p.wantAsked(t, rooms.Say{Kind: rooms.FileUp, File: "id-cat.png", Text: "my cat"})
		p.settle(t, rooms.Said{Seq: 7})
		if out := p.out.String(); !strings.Contains(out, `{"v":1,"type":"ok","ref":1,"seq":7,"file":"id-cat.png"}`) || !strings.Contains(out, `"type":"transfer","ref":1,"event":"done"`) {
			t.Errorf("output %s", out)
		}
		p.tell(shared(8, "dog.png"))
		p.write(`{"do":"save","file":"id-dog.png","dir":"/tmp/x","ref":2}` + "\n" + `{"do":"save","file":"id-old.png","ref":3}` + "\n")
		d.wants(t, "download dev id-dog.png /tmp/x/")
		d.settle(nil)
		p.wantAsked(t, rooms.Files{})
		p.settle(t, rooms.Shared{Messages: []rooms.Message{shared(5, "new.png").Message}, Next: 5})
		p.wantAsked(t, rooms.Files{Before: 5})
		p.settle(t, rooms.Shared{Messages: []rooms.Message{shared(2, "old.png").Message}})
		d.wants(t, "download dev id-old.png ")
		d.settle(rooms.Refuse(rooms.NoSuchFile, "", "gone"))
		out := p.out.String()
		for _, want := range []string{`"ref":2,"file":"id-dog.png","path":"/home/a/Downloads/p2pchat/dog.png"`, `"ref":3,"code":"no_such_file","message":"gone"`} {
			if !strings.Contains(out, want) {
				t.Errorf("no %s in %s", want, out)
			}
		}
	})
}

// A program that asks for a file right behind entering a room means that room.
func TestJSONFilesInTurn(t *testing.T) {
	d := &fakeDepot{}
	playJSON(t, func(o *Options) { d.open(); o.Depot = d }, func(p *program) {
		p.write(`{"do":"join","room":"dev","ref":1}` + "\n" + `{"do":"send","path":"/tmp/cat.png","ref":2}` + "\n" + `{"do":"save","file":"5","dir":"/tmp/x","ref":3}` + "\n")
		p.wantAsked(t, rooms.Join{Room: "dev", Recent: 10})
		d.wants(t)
		p.settle(t, dev(1))
		d.wants(t, "upload dev /tmp/cat.png")
		p.wantAsked(t, rooms.Files{Before: 6})
		p.settle(t, rooms.Shared{Messages: []rooms.Message{shared(5, "old.png").Message}})
		d.wants(t, "download dev id-old.png /tmp/x/")
	})
}

// What a host that is gone has not answered is answered all the same, each request by its ref;
// so is a file that is cancelled.
func TestJSONAnswersEverything(t *testing.T) {
	d := &fakeDepot{}
	playJSON(t, func(o *Options) { d.open(); o.Room, o.Depot = "dev", d }, func(p *program) {
		p.settle(t, dev(1))
		p.write(`{"do":"send","path":"a.png","ref":1}` + "\n" + `{"do":"send","path":"b.png","ref":2}` + "\n")
		p.out.Reset()
		p.write(`{"do":"line","text":"/cancel 2","ref":3}` + "\n")
		p.want(`{"v":1,"type":"error","ref":2,"code":"bad_request","message":"\"b.png\" was cancelled","hint":"asked for again, it goes on from there"}`,
			`{"v":1,"type":"ok","ref":3}`)
		p.write(`{"do":"line","text":"/cancel 1","ref":"c"}` + "\n")
		p.want(`{"v":1,"type":"ok","ref":"c"}`,
			`{"v":1,"type":"transfer","ref":1,"event":"failed","n":1,"file":"","name":"a.png","path":"a.png","done":0,"total":1048576}`,
			`{"v":1,"type":"error","ref":1,"code":"bad_request","message":"\"a.png\" was cancelled","hint":"asked for again, it goes on from there"}`)
		p.tell(rooms.Connection{What: rooms.ConnectionLost})
		p.out.Reset()
		p.write(`{"do":"say","text":"x","ref":"s"}` + "\n" + `{"do":"list","ref":4}` + "\n" + `{"do":"send","path":"c.png","ref":5}` + "\n" + `{"do":"list"}` + "\n")
		_ = p.in.Close()
		synctest.Wait()
		p.pass(DefaultLinger)
		if err := p.ended(); err == nil {
			t.Error("it takes everything for done")
		}
		const rest = `,"code":"unreachable","message":"the host has not answered this","hint":"ask again once the host answers; it may have been done"}`
		for _, ref := range []string{`"s"`, `4`, `5`} {
			if want := `{"v":1,"type":"error","ref":` + ref + rest; strings.Count(p.out.String(), want+"\n") != 1 {
				t.Errorf("no %s in\n%s", want, p.out.String())
			}
		}
	})
}
