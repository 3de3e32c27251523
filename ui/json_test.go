package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"p2pchat/rooms"
)

// program is a JSON client with a fake host.
type program struct {
	*fakeHost
	*fakeClock
	t    *testing.T
	in   *io.PipeWriter
	out  *bytes.Buffer
	errw *bytes.Buffer
	done chan error
}

// start runs a mode that reads a pipe, in a synctest bubble, and plays with it.
func start(t *testing.T, change func(*Options), serve func(context.Context, Options, *program, io.Reader) error, play func(*program)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		p := &program{fakeHost: newFakeHost(), fakeClock: newFakeClock(), t: t, in: w, out: new(bytes.Buffer), errw: new(bytes.Buffer), done: make(chan error, 1)}
		o := Options{Session: p.fakeHost, Now: p.Now, After: p.After, ParseInvite: parseTestInvite, Recent: 10}
		if change != nil {
			change(&o)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { p.done <- serve(ctx, o, p, r) }()
		synctest.Wait()
		play(p)
		cancel()
		r.Close()
		synctest.Wait()
	})
}

func serveJSON(ctx context.Context, o Options, p *program, in io.Reader) error {
	return JSON(ctx, o, in, p.out)
}

// playJSON is a program that has read its welcome.
func playJSON(t *testing.T, change func(*Options), play func(*program)) {
	t.Helper()
	start(t, change, serveJSON, func(p *program) {
		p.tell(welcome())
		p.want(`{"v":1,"type":"welcome","peer":"` + string(alice) + `","host":"` + string(host) + `","name":"Ada's box","nick":"alice","version":"1.0"}`)
		play(p)
	})
}

func (p *program) write(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, text); err != nil {
		p.t.Fatal(err)
	}
	synctest.Wait()
}

// want compares what was written to the output since the last call.
func (p *program) want(lines ...string) {
	p.t.Helper()
	if got, want := strings.TrimSuffix(p.out.String(), "\n"), strings.Join(lines, "\n"); got != want {
		p.t.Errorf("output:\n%s\nwant:\n%s", got, want)
	}
	p.out.Reset()
}

func (p *program) ended() error {
	p.t.Helper()
	select {
	case err := <-p.done:
		return err
	case <-time.After(time.Hour):
		p.t.Fatalf("it goes on; asked %v", p.asked)
	}
	return nil
}

func TestJSONRequests(t *testing.T) {
	playJSON(t, nil, func(p *program) {
		for _, c := range []struct {
			request string
			cmd     rooms.Command
			answer  rooms.Event
			lines   []string
		}{
			{
				`{"do":"list","ref":1}`,
				rooms.List{},
				rooms.Listing{Rooms: []rooms.RoomInfo{{Room: "dev", Members: 3, Limit: 10, Topic: "t"}}},
				[]string{`{"v":1,"type":"ok","ref":1,"rooms":[{"room":"dev","members":3,"limit":10,"topic":"t"}]}`},
			},
			{`{"do":"list"}`, rooms.List{}, rooms.Listing{}, []string{`{"v":1,"type":"ok","rooms":[]}`}},
			{
				`{"do":"create","room":"dev","limit":3,"private":false,"ref":{"a": [1]},"later":true}`,
				rooms.Create{Room: "dev", Limit: 3},
				rooms.Entered{Room: rooms.RoomInfo{Room: "dev", Members: 1, Limit: 3}, Role: rooms.Operator},
				[]string{
					`{"v":1,"type":"ok","ref":{"a":[1]},"room":"dev","members":1,"limit":3,"topic":"","head":0,"role":"op"}`,
					`{"v":1,"type":"room","event":"entered","room":"dev","members":1,"limit":3,"topic":""}`,
				},
			},
			{
				`{"do":"say","text":"hello\nworld","ref":"s"}`,
				rooms.Say{Kind: rooms.Text, Text: "hello\nworld"},
				rooms.Said{Seq: 7},
				[]string{`{"v":1,"type":"ok","ref":"s","seq":7}`},
			},
			{
				`{"do":"say","text":"waves","kind":"action"}`,
				rooms.Say{Kind: rooms.Action, Text: "waves"},
				rooms.Refuse(rooms.TooLong, "shorter", "too long"),
				[]string{`{"v":1,"type":"error","code":"too_long","message":"too long","hint":"shorter"}`},
			},
			{
				`{"do":"who","ref":null}`,
				rooms.Who{},
				rooms.Roster{Room: "dev", Members: []rooms.Member{{Peer: bob, Nick: "bob", Role: rooms.Operator}}},
				[]string{`{"v":1,"type":"ok","ref":null,"room":"dev","members":[{"nick":"bob","peer":"` + string(bob) + `","role":"op"}]}`},
			},
			{`{"do":"nick","nick":"al"}`, rooms.Rename{Nick: "al"}, rooms.Done{}, []string{`{"v":1,"type":"ok"}`}},
			{
				`{"do":"history","after":0,"limit":100}`,
				rooms.History{Limit: 100},
				rooms.Page{Messages: []rooms.Message{posted(1, bob, "bob", "<hi>\u2028").Message}},
				[]string{`{"v":1,"type":"ok","messages":[{"room":"dev","seq":1,"time":"2000-01-01T00:01:00Z","kind":"text","from":{"nick":"bob","peer":"` + string(bob) + `"},"text":"<hi>\u2028"}]}`},
			},
			{`{"do":"history","limit":5}`, rooms.History{Last: true, Limit: 5}, rooms.Page{}, []string{`{"v":1,"type":"ok","messages":[]}`}},
			{
				`{"do":"invite","uses":1,"expires":"24h"}`,
				rooms.Invite{Uses: 1, Life: 24 * time.Hour},
				rooms.Invited{Invite: rooms.InviteInfo{ID: "k7", Room: "dev", MaxUses: 1, Expires: testNow}, Link: "p2pchat:abc"},
				[]string{`{"v":1,"type":"ok","invite":"p2pchat:abc","id":"k7","room":"dev","uses":1,"expires":"2026-11-22T14:02:11Z"}`},
			},
			{`{"do":"line","text":"/kick bob"}`, rooms.Kick{Nick: "bob"}, rooms.Done{}, []string{`{"v":1,"type":"ok"}`}},
			{`{"do":"line","text":"hi"}`, rooms.Say{Kind: rooms.Text, Text: "hi"}, rooms.Said{Seq: 8}, []string{`{"v":1,"type":"ok","seq":8}`}},
			{`{"do":"line","text":"/whois bob"}`, rooms.Whois{Nick: "bob"}, member(bob, "bob"), []string{`{"v":1,"type":"ok","member":{"nick":"bob","peer":"` + string(bob) + `","role":"member"}}`}},
			{
				`{"do":"line","text":"/invites"}`,
				rooms.Invites{},
				rooms.InviteList{Invites: []rooms.InviteInfo{{ID: "k7", Room: "dev", By: "al", Uses: 1, MaxUses: 2}}},
				[]string{`{"v":1,"type":"ok","invites":[{"id":"k7","room":"dev","by":"al","used":1,"uses":2}]}`},
			},
			{
				`{"do":"line","text":"/bans"}`,
				rooms.Bans{},
				rooms.BanList{Bans: []rooms.BanInfo{{Peer: bob, Nick: "bob", By: "al"}}},
				[]string{`{"v":1,"type":"ok","bans":[{"nick":"bob","peer":"` + string(bob) + `","by":"al","reason":""}]}`},
			},
			{
				`{"do":"line","text":"/status"}`,
				rooms.Status{},
				rooms.HostStatus{Version: "1", Peer: host, Name: "n", Started: testNow, Target: "t", Disk: 5},
				[]string{`{"v":1,"type":"ok","status":{"version":"1","peer":"` + string(host) + `","name":"n","started":"2026-11-22T14:02:11Z","target":"t","addrs":[],"rooms":[],"members":[],"disk":5}}`},
			},
			{
				`{"do":"join","room":"p","invite":"p2pchat:good","ref":2}`,
				rooms.Join{Room: "p", Invite: rooms.Capability{Secret: [16]byte{1}}, Recent: 10},
				rooms.Entered{Room: rooms.RoomInfo{Room: "p~x", Members: 2, Private: true}, Head: 9},
				[]string{
					`{"v":1,"type":"ok","ref":2,"room":"p~x","members":2,"limit":0,"topic":"","private":true,"head":9,"role":"member"}`,
					`{"v":1,"type":"room","event":"left","room":"dev","members":1,"limit":3,"topic":""}`,
					`{"v":1,"type":"room","event":"entered","room":"p~x","members":2,"limit":0,"topic":"","private":true}`,
				},
			},
			{
				`{"do":"leave"}`,
				rooms.Leave{},
				rooms.Done{},
				[]string{`{"v":1,"type":"ok"}`, `{"v":1,"type":"room","event":"left","room":"p~x","members":2,"limit":0,"topic":"","private":true}`},
			},
			{
				`{"do":"join","room":"dev"}`,
				rooms.Join{Room: "dev", Recent: 10},
				&rooms.Refusal{Code: rooms.RateLimited, Message: "m", Hint: "h", Retry: 1500 * time.Millisecond},
				[]string{`{"v":1,"type":"error","code":"rate_limited","message":"m","hint":"h","retry_ms":1500}`},
			},
		} {
			p.write(c.request + "\n")
			p.wantAsked(t, c.cmd)
			p.want()
			p.settle(t, c.answer)
			p.want(c.lines...)
		}
	})
}

func TestJSONRefusesByItself(t *testing.T) {
	for request, want := range map[string]string{
		`nonsense`:                              `"code":"bad_request"`,
		`{"do":"list","limit":"x","ref":4}`:     `"ref":4,"code":"bad_request"`,
		`{"ref":5}`:                             `"ref":5,"code":"bad_request"`,
		"{\"ref\":\"\x80\"}":                    `"code":"bad_request","message":"this is no request: it is not UTF-8"`,
		`[]`:                                    `"code":"bad_request"`,
		`{"do":"fly","ref":6}`:                  `"ref":6,"code":"bad_request","message":"there is no request \"fly\"","hint":"one of: create files history`,
		`{"do":"create","room":"x","limit":-1}`: `negative`,
		`{"do":"invite","expires":"soon"}`:      `is no time`,
		`{"do":"join","invite":"p2pchat:bad"}`:  `"code":"invite_invalid"`,
		`{"do":"say","kind":"song"}`:            `kind \"song\"`,
		`{"do":"send","path":"cat.png"}`:        `"message":"files can't be moved from here"`,
		`{"do":"save","file":"x","dir":"/tmp"}`: `"message":"files can't be moved from here"`,
		`{"do":"line","text":"/lsit"}`:          `did you mean /list?`,
		`{"do":"line","text":"/ignore bob"}`:    `/ignore is for people`,
		`{"do":"line","text":"/topic"}`:         `"code":"not_in_room"`,
		strings.Repeat("x", lineLimit+1):        `"code":"too_long"`,
	} {
		playJSON(t, nil, func(p *program) {
			p.write("\n" + request + "\r\n" + `{"do":"list"}` + "\n")
			got := p.out.String()
			if !strings.HasPrefix(got, `{"v":1,"type":"error",`) || !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
				t.Errorf("%.80s: %s", request, got)
			}
			p.wantAsked(t, rooms.List{}) // it goes on
		})
	}
}

func TestJSONHere(t *testing.T) {
	playJSON(t, nil, func(p *program) {
		p.write(`{"do":"line","text":"/clear","ref":1}` + "\n" + `{"do":"line","text":"/help leave","ref":2}` + "\n")
		p.want(`{"v":1,"type":"ok","ref":1}`,
			`{"v":1,"type":"ok","ref":2,"text":"-- /leave\n   Leave the room.\n   Also: /part"}`)
	})
}

func TestJSONEvents(t *testing.T) {
	playJSON(t, func(o *Options) { o.Room = "dev" }, func(p *program) {
		p.tell(rooms.Notice{Text: "hm"})
		p.want(`{"v":1,"type":"notice","text":"hm"}`)
		p.settle(t, dev(2))
		p.tell(replayed(posted(1, bob, "bob", "old")))
		p.want(`{"v":1,"type":"room","event":"entered","room":"dev","members":2,"limit":10,"topic":"what we build"}`,
			`{"v":1,"type":"message","room":"dev","seq":1,"time":"2000-01-01T00:01:00Z","kind":"text","from":{"nick":"bob","peer":"`+string(bob)+`"},"text":"old","replayed":true}`)
		file := posted(3, bob, "bob", "")
		file.Kind, file.File = rooms.FileUp, &rooms.File{ID: "f1", Name: "cat.png", Size: 9, MIME: "image/png"}
		from := `"from":{"nick":"bob","peer":"` + string(bob) + `"}`
		for _, c := range []struct {
			ev   rooms.Event
			line string
		}{
			{posted(2, alice, "alice", "\x1b[2J"), `{"v":1,"type":"message","room":"dev","seq":2,"time":"2000-01-01T00:02:00Z","kind":"text","from":{"nick":"alice","peer":"` + string(alice) + `"},"text":"\u001b[2J","own":true}`},
			{file, `{"v":1,"type":"message","room":"dev","seq":3,"time":"2000-01-01T00:03:00Z","kind":"file",` + from + `,"text":"","file":{"id":"f1","name":"cat.png","size":9,"mime":"image/png"}}`},
			{rooms.Whispered{From: rooms.Author{Peer: bob, Nick: "bob"}, To: rooms.Author{Peer: alice, Nick: "alice"}, Text: "psst"}, `{"v":1,"type":"whisper",` + from + `,"to":{"nick":"alice","peer":"` + string(alice) + `"},"text":"psst"}`},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(bob, "bob")}, `{"v":1,"type":"member","event":"joined","room":"dev","nick":"bob","peer":"` + string(bob) + `","role":"member"}`},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberAway, Member: rooms.Member{Peer: bob, Nick: "bob", Away: "lunch"}}, `{"v":1,"type":"member","event":"away","room":"dev","nick":"bob","peer":"` + string(bob) + `","role":"member","away":"lunch"}`},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberRenamed, Member: member(alice, "al"), Old: "alice"}, `{"v":1,"type":"member","event":"renamed","room":"dev","nick":"al","peer":"` + string(alice) + `","role":"member","old":"alice","own":true}`},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberKicked, Member: member(bob, "bob"), By: "al", Reason: "loud"}, `{"v":1,"type":"member","event":"kicked","room":"dev","nick":"bob","peer":"` + string(bob) + `","role":"member","by":"al","reason":"loud"}`},
			{rooms.RoomChanged{What: rooms.RoomUpdated, Room: rooms.RoomInfo{Room: "dev", Topic: "t"}}, `{"v":1,"type":"room","event":"changed","room":"dev","members":0,"limit":0,"topic":"t"}`},
			{rooms.Path{Path: "punched", Transport: "quic", Addr: "/ip4/1.2.3.4", RTT: 12345678 * time.Nanosecond, Why: "w"}, `{"v":1,"type":"path","path":"punched","transport":"quic","addr":"/ip4/1.2.3.4","rtt_ms":12.346,"why":"w"}`},
			{rooms.Connection{What: rooms.ConnectionLost, Why: "w"}, `{"v":1,"type":"connection","event":"lost","why":"w"}`},
			{rooms.Connection{What: rooms.ConnectionRestored}, `{"v":1,"type":"connection","event":"restored"}`},
			{rooms.RoomChanged{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: "dev"}, Reason: "kicked by al"}, `{"v":1,"type":"room","event":"left","room":"dev","members":0,"limit":0,"topic":"","reason":"kicked by al"}`},
			{rooms.RoomChanged{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: "dev"}}, ``},
		} {
			p.tell(c.ev)
			if c.line == "" {
				p.want()
			} else {
				p.want(c.line)
			}
		}
	})
}

func TestJSONEnds(t *testing.T) {
	playJSON(t, nil, func(p *program) {
		p.write(`{"do":"say","text":"a","ref":1}` + "\n" + `{"do":"say","text":"b","ref":2}`)
		p.in.Close()
		synctest.Wait()
		if len(p.open) != 2 {
			t.Fatalf("%d requests are open", len(p.open))
		}
		p.open[0], p.open[1] = p.open[1], p.open[0] // answered in another order
		p.settle(t, rooms.Said{Seq: 2})
		p.want(`{"v":1,"type":"ok","ref":2,"seq":2}`)
		p.settle(t, rooms.Said{Seq: 1})
		if err := p.ended(); err != nil {
			t.Error(err)
		}
		p.want(`{"v":1,"type":"ok","ref":1,"seq":1}`)
	})
	playJSON(t, nil, func(p *program) {
		p.write(`{"do":"list","ref":1}` + "\n" + `{"do":"quit","ref":2}` + "\n")
		p.want()
		p.settle(t, rooms.Listing{})
		if err := p.ended(); err != nil {
			t.Error(err)
		}
		p.want(`{"v":1,"type":"ok","ref":1,"rooms":[]}`, `{"v":1,"type":"ok","ref":2}`)
	})
	var no *rooms.Refusal
	playJSON(t, func(o *Options) { o.Room = "dev" }, func(p *program) {
		p.settle(t, rooms.Refuse(rooms.Banned, "h", "you are banned"))
		if err := p.ended(); !errors.As(err, &no) || no.Code != rooms.Banned {
			t.Error(err)
		}
		p.want(`{"v":1,"type":"error","code":"banned","message":"you are banned","hint":"h"}`)
	})
	playJSON(t, nil, func(p *program) {
		p.write(`{"do":"say","text":"a"}` + "\n")
		p.tell(rooms.Connection{What: rooms.ConnectionLost})
		p.in.Close()
		synctest.Wait()
		p.pass(DefaultLinger - 1)
		p.want(`{"v":1,"type":"connection","event":"lost"}`)
		p.pass(1)
		if err := p.ended(); !errors.As(err, &no) || no.Code != rooms.Unreachable {
			t.Error(err)
		}
	})
}

// A page says which messages are one's own, and an invite for nobody is none.
func TestJSONOwnInPages(t *testing.T) {
	playJSON(t, func(o *Options) { o.Room = "dev" }, func(p *program) {
		p.settle(t, dev(2))
		p.out.Reset()
		p.write(`{"do":"history","ref":1}` + "\n")
		p.settle(t, rooms.Page{Messages: []rooms.Message{posted(1, alice, "alice", "mine").Message, posted(2, bob, "bob", "his").Message}})
		if out := p.out.String(); strings.Count(out, `"own":true`) != 1 || strings.Index(out, `"own":true`) > strings.Index(out, `"his"`) {
			t.Error(out)
		}
		p.out.Reset()
		p.write(`{"do":"invite","uses":0,"ref":2}` + "\n")
		p.want(`{"v":1,"type":"error","ref":2,"code":"bad_request","message":"an invite can't be used 0 times","hint":"1 or more; without it, 1"}`)
	})
}

// A host that answers nothing is not flooded: reading stops.
func TestJSONWaitsForAnswers(t *testing.T) {
	playJSON(t, nil, func(p *program) {
		go func() { _, _ = io.WriteString(p.in, strings.Repeat(`{"do":"who"}`+"\n", openAnswers+10)) }()
		synctest.Wait()
		if len(p.asked) != openAnswers {
			t.Fatalf("%d requests are open", len(p.asked))
		}
		p.settle(t, rooms.Done{})
		if len(p.asked) != openAnswers+1 {
			t.Fatalf("%d requests after one answer", len(p.asked))
		}
	})
}
