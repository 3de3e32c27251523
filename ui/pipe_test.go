package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"p2pchat/rooms"
)

func servePipe(ctx context.Context, o Options, p *program, in io.Reader) error {
	return Pipe(ctx, o, in, p.out, p.errw)
}

// playPipe is a pipeline that has entered the room dev.
func playPipe(t *testing.T, change func(*Options), play func(*program)) {
	t.Helper()
	help := ""
	start(t, func(o *Options) {
		o.Room = "dev"
		if change != nil {
			change(o)
		}
		if o.Commands {
			help = " · /help"
		}
	}, servePipe, func(p *program) {
		p.tell(welcome())
		p.settle(t, dev(2))
		p.wantAsked(t, rooms.Join{Room: "dev", Recent: 10})
		p.wantNotices("-- you are in #dev as alice · 1 here"+help, "-- topic: what we build")
		play(p)
	})
}

func (p *program) wantNotices(lines ...string) {
	p.t.Helper()
	if got, want := strings.TrimSuffix(p.errw.String(), "\n"), strings.Join(lines, "\n"); got != want {
		p.t.Errorf("notices:\n%s\nwant:\n%s", got, want)
	}
	p.errw.Reset()
}

func said(text string) rooms.Command { return rooms.Say{Kind: rooms.Text, Text: text} }

func TestPipeSaysLines(t *testing.T) {
	playPipe(t, nil, func(p *program) {
		go func() {
			_, _ = io.WriteString(p.in, "one\n/list\r\n\nlast, without a line end")
			p.in.Close()
		}()
		synctest.Wait()
		p.wantAsked(t, said("one"))
		// The host asks for patience: nothing overtakes the line.
		p.settle(t, &rooms.Refusal{Code: rooms.RateLimited, Message: "m", Retry: 3 * time.Second})
		p.pass(3*time.Second - 1)
		p.wantAsked(t)
		p.pass(1)
		p.wantAsked(t, said("one"))
		p.settle(t, &rooms.Refusal{Code: rooms.RateLimited, Message: "m"})
		p.pass(patience)
		p.wantAsked(t, said("one"))
		p.settle(t, rooms.Said{Seq: 1})
		p.wantAsked(t, said("/list"))
		p.settle(t, rooms.Said{Seq: 2})
		p.wantAsked(t, said("last, without a line end"))
		p.wantNotices()
		p.settle(t, rooms.Said{Seq: 3})
		if err := p.ended(); err != nil {
			t.Error(err)
		}
	})
}

func TestPipeWritesMessages(t *testing.T) {
	playPipe(t, nil, func(p *program) {
		file := posted(4, bob, "bob", "look")
		file.Kind, file.File = rooms.FileUp, &rooms.File{Name: "cat\n.png", Size: 2048, MIME: "image/png"}
		action := posted(5, bob, "bob", "waves")
		action.Kind = rooms.Action
		p.tell(posted(3, bob, "b\tob", "a\tb\nc\x1b[2J"), file, action, rooms.Notice{Text: "hm"},
			rooms.Connection{What: rooms.ConnectionLost}, rooms.Connection{What: rooms.ConnectionRestored})
		p.want("2000-01-01T00:03:00Z\t#dev\tb\\tob\ta\\tb\\nc^[[2J",
			"2000-01-01T00:04:00Z\t#dev\tbob\t[file] cat .png · png · 2 KiB: look",
			"2000-01-01T00:05:00Z\t#dev\tbob\t* waves")
		p.wantNotices("-- the host says: hm", "-- connection lost", "-- connection restored")
	})
}

func TestPipeCommands(t *testing.T) {
	playPipe(t, func(o *Options) { o.Commands = true }, func(p *program) {
		p.write("/who\n")
		p.settle(t, rooms.Roster{Room: "dev", Members: []rooms.Member{member(bob, "bob")}})
		p.write("/nonsense\n//x\n")
		p.settle(t, rooms.Said{Seq: 1})
		p.wantAsked(t, rooms.Who{}, said("/x"))
		p.wantNotices("-- 1 member in #dev", "   bob  …BobB0002", "!! there is no command /nonsense; /help lists the commands; //nonsense says it")
		p.write("/topic\n/clear\n/help leave\n/ignore bob\n/leave\n")
		p.settle(t, rooms.Done{})
		p.wantNotices("-- topic: what we build", "-- /leave", "   Leave the room.", "   Also: /part",
			"!! a pipe ignores nobody; filter the output by its third field")
		p.write("/quit\n")
		var no *rooms.Refusal
		if err := p.ended(); !errors.As(err, &no) || no.Code != rooms.BadRequest {
			t.Errorf("ended with %v", err)
		}
		p.wantNotices()
	})
}

func TestPipeRefused(t *testing.T) {
	var no *rooms.Refusal
	playPipe(t, nil, func(p *program) {
		p.write("too long\n")
		p.settle(t, rooms.Refuse(rooms.TooLong, "shorter", "too long"))
		p.in.Close()
		if err := p.ended(); !errors.As(err, &no) || no.Code != rooms.TooLong {
			t.Errorf("ended with %v", err)
		}
		p.wantNotices("!! too long; shorter")
	})
	playPipe(t, nil, func(p *program) {
		p.tell(rooms.RoomChanged{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: "dev"}, Reason: "kicked by bob"})
		if err := p.ended(); !errors.As(err, &no) || no.Code != rooms.NotInRoom {
			t.Errorf("ended with %v", err)
		}
		p.wantNotices(`!! room "dev" is closed to you: kicked by bob; join again, or another room`)
	})
	start(t, nil, servePipe, func(p *program) {
		p.tell(welcome())
		if err := p.ended(); !errors.As(err, &no) || no.Code != rooms.NotInRoom {
			t.Errorf("ended with %v", err)
		}
		p.wantNotices("!! there is no room to speak in; name one with --room")
	})
	start(t, func(o *Options) { o.Room = "dev" }, servePipe, func(p *program) {
		p.tell(welcome())
		p.settle(t, rooms.Refuse(rooms.RoomFull, "h", "full"))
		if err := p.ended(); !errors.As(err, &no) || no.Code != rooms.RoomFull {
			t.Errorf("ended with %v", err)
		}
		p.wantNotices("!! full; h")
	})
}

func TestPipeStopsWithItsReader(t *testing.T) {
	broken := errors.New("broken pipe")
	start(t, func(o *Options) { o.Room = "dev" }, func(ctx context.Context, o Options, p *program, in io.Reader) error {
		return Pipe(ctx, o, in, failingWriter{broken}, p.errw)
	}, func(p *program) {
		p.tell(welcome())
		p.settle(t, dev(1))
		p.tell(posted(3, bob, "bob", "hi"))
		if err := p.ended(); !errors.Is(err, broken) {
			t.Errorf("ended with %v", err)
		}
	})
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestFollow(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		start(t, func(o *Options) { o.Room = "dev" }, func(_ context.Context, o Options, p *program, in io.Reader) error {
			return Follow(ctx, o, p.out, p.errw, asJSON)
		}, func(p *program) {
			p.tell(welcome())
			p.settle(t, dev(1))
			p.out.Reset()
			p.tell(posted(3, bob, "bob", "hi"))
			if asJSON {
				p.want(`{"v":1,"type":"message","room":"dev","seq":3,"time":"2000-01-01T00:03:00Z","kind":"text","from":{"nick":"bob","peer":"` + string(bob) + `"},"text":"hi"}`)
			} else {
				p.want("2000-01-01T00:03:00Z\t#dev\tbob\thi")
			}
			cancel()
			if err := p.ended(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLineReader(t *testing.T) {
	long := strings.Repeat("x", lineLimit)
	next := lineReader(strings.NewReader("a\n\nb\r\n" + long + "\r\n" + long + "y\n" + long + long + "\nend"))
	for _, want := range []string{"a", "", "b", long} {
		if got, err := next(); got != want || err != nil {
			t.Fatalf("%.20q, %v; want %.20q", got, err, want)
		}
	}
	for range 2 {
		if got, err := next(); got != "" || !errors.Is(err, errLineTooLong) {
			t.Fatalf("%.20q, %v", got, err)
		}
	}
	if got, err := next(); got != "end" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}
