package rooms_test

import (
	"encoding/json"
	"strings"
	"testing"

	"p2pchat/rooms"
)

var cat = rooms.File{ID: "f1", Name: "cat.png", Size: 9, MIME: "image/png", Hash: rooms.Hash{1}}

func shares(id string, count uint64) rooms.Say {
	return rooms.Say{Kind: rooms.FileUp, Text: "look", File: id, Origin: rooms.Origin{Client: 7, Count: count}}
}

// TestShare: an upload is posted once, by whoever uploaded it, within its time.
func TestShare(t *testing.T) {
	c := newConversation(t)
	c.silenced(aliceIn, shares("f1", 1), rooms.NoSuchFile)
	c.room.Offer(rooms.Claim{Peer: "peer-alice", File: cat, Made: c.now})
	c.silenced(bobIn, shares("f1", 1), rooms.NoSuchFile)
	c.silenced(aliceIn, shares("f2", 1), rooms.NoSuchFile)
	m := c.say(aliceIn, shares("f1", 1))
	if m.Kind != rooms.FileUp || m.File == nil || m.File.Name != "cat.png" || m.Text != "look" {
		t.Errorf("%+v", m)
	}
	c.repeat(aliceIn, shares("f1", 1), m.Seq)
	c.silenced(aliceIn, shares("f1", 2), rooms.NoSuchFile)

	c.room.Offer(rooms.Claim{Peer: "peer-alice", File: cat, Made: c.now})
	c.now = c.now.Add(rooms.ClaimLife + 1)
	c.silenced(aliceIn, shares("f1", 3), rooms.NoSuchFile)
}

// TestShareAgain: an upload whose message was not stored can be posted again.
func TestShareAgain(t *testing.T) {
	c := newConversation(t)
	c.room.Offer(rooms.Claim{Peer: "peer-alice", File: cat, Made: c.now})
	c.say(aliceIn, line("1", 1))
	c.say(aliceIn, shares("f1", 2))
	c.room.Fail(1)
	c.room.Recover()
	if m := c.say(aliceIn, shares("f1", 2)); m.Seq != 2 {
		t.Errorf("it got %d", m.Seq)
	}
}

// TestShareWithoutCaption: a file needs no text, and a text no file.
func TestShareWithoutCaption(t *testing.T) {
	c := newConversation(t)
	c.room.Offer(rooms.Claim{Peer: "peer-alice", File: cat, Made: c.now})
	c.silenced(aliceIn, rooms.Say{Kind: rooms.Text, Text: "x", File: "f1"}, rooms.BadRequest)
	c.silenced(aliceIn, rooms.Say{Kind: rooms.FileUp, Text: strings.Repeat("x", 4001), File: "f1"}, rooms.TooLong)
	c.say(aliceIn, rooms.Say{Kind: rooms.FileUp, File: "f1"})
}

func TestCheckFile(t *testing.T) {
	limits := rooms.DefaultLimits()
	if r := limits.CheckFile(cat); r != nil {
		t.Error(r)
	}
	for _, tt := range []struct {
		what   string
		change func(*rooms.File)
		want   rooms.Code
	}{
		{"the largest", func(f *rooms.File) { f.Size = 256 << 20 }, ""},
		{"a byte more", func(f *rooms.File) { f.Size = 256<<20 + 1 }, rooms.TooLarge},
		{"less than nothing", func(f *rooms.File) { f.Size = -1 }, rooms.BadRequest},
		{"no hash", func(f *rooms.File) { f.Hash = rooms.Hash{} }, rooms.BadRequest},
		{"no name", func(f *rooms.File) { f.Name = "" }, rooms.BadName},
		{"a path", func(f *rooms.File) { f.Name = "a/b" }, rooms.BadName},
		{"another path", func(f *rooms.File) { f.Name = `a\b` }, rooms.BadName},
		{"a directory", func(f *rooms.File) { f.Name = ".." }, rooms.BadName},
		{"an escape", func(f *rooms.File) { f.Name = "a\x1b[2J" }, rooms.BadName},
		{"no text", func(f *rooms.File) { f.Name = "a\xff" }, rooms.BadName},
		{"the longest name", func(f *rooms.File) { f.Name = strings.Repeat("x", 255) }, ""},
		{"a byte more of it", func(f *rooms.File) { f.Name = strings.Repeat("x", 256) }, rooms.BadName},
		{"the largest preview", func(f *rooms.File) { f.Preview = make([]byte, rooms.PreviewBytes) }, ""},
		{"a byte more of it", func(f *rooms.File) { f.Preview = make([]byte, rooms.PreviewBytes+1) }, rooms.TooLarge},
		{"a long type", func(f *rooms.File) { f.MIME = strings.Repeat("x", 256) }, rooms.BadRequest},
		{"too wide", func(f *rooms.File) { f.Width = rooms.FilePixels + 1 }, rooms.BadRequest},
		{"too long", func(f *rooms.File) { f.Duration = rooms.FileDuration + 1 }, rooms.BadRequest},
	} {
		f := cat
		tt.change(&f)
		r := limits.CheckFile(f)
		if code := codeOf(r); code != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, code, tt.want)
		}
		if r != nil {
			wellSaid(t, r)
		}
	}
}

func codeOf(r *rooms.Refusal) rooms.Code {
	if r == nil {
		return ""
	}
	return r.Code
}

// TestCheckUpload: each quota one below, at, and one above; 0 sets none.
func TestCheckUpload(t *testing.T) {
	l := rooms.Limits{MemberBytes: 100, RoomBytes: 200, DiskBytes: 300, FreeBytes: 50}
	for _, tt := range []struct {
		u    rooms.Usage
		size int64
		want rooms.Code
	}{
		{rooms.Usage{Free: -1}, 100, ""},
		{rooms.Usage{Free: -1}, 101, rooms.Quota},
		{rooms.Usage{Member: 99, Free: -1}, 1, ""},
		{rooms.Usage{Member: 99, Free: -1}, 2, rooms.Quota},
		{rooms.Usage{Room: 150, Free: -1}, 50, ""},
		{rooms.Usage{Room: 150, Free: -1}, 51, rooms.Quota},
		{rooms.Usage{Disk: 290, Free: -1}, 10, ""},
		{rooms.Usage{Disk: 290, Free: -1}, 11, rooms.Quota},
		{rooms.Usage{Free: -1, Waiting: rooms.MaxClaims - 1}, 1, ""},
		{rooms.Usage{Free: -1, Waiting: rooms.MaxClaims}, 0, rooms.Quota},
		{rooms.Usage{Free: 60}, 10, ""},
		{rooms.Usage{Free: 60}, 11, rooms.Storage},
	} {
		r := l.CheckUpload(tt.u, tt.size)
		if code := codeOf(r); code != tt.want {
			t.Errorf("%+v and %d: %q, want %q", tt.u, tt.size, code, tt.want)
		}
		if r != nil {
			wellSaid(t, r)
		}
	}
	if r := (rooms.Limits{}).CheckUpload(rooms.Usage{Member: 1 << 40, Room: 1 << 40, Disk: 1 << 40, Free: 1}, 1); r != nil {
		t.Error(r)
	}
	if d := rooms.DefaultLimits(); d.MemberBytes < d.FileBytes || d.RoomBytes < d.FileBytes || d.DiskBytes < d.FileBytes {
		t.Errorf("a legal file does not fit: %+v", d)
	}
}

// TestShares: who is not in a room is told the same, whatever there is.
func TestShares(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	private := alice.create(rooms.Create{Room: "secret", Private: true})
	h.connect("carol").create(rooms.Create{Room: "open"})
	key, refusal := h.reg.Shares(alice.peer, private)
	if refusal != nil || h.reg.MayUpload(alice.peer, key) != nil {
		t.Error(refusal)
	}
	for _, id := range []rooms.RoomID{private, "open", "none", ""} {
		if _, r := h.reg.Shares(bob.peer, id); r == nil || *r != *rooms.NoSuchUpload() {
			t.Errorf("%q: %v", id, r)
		}
	}
	passing := alice.create(rooms.Create{Room: "passing", NoHistory: true})
	key, _ = h.reg.Shares(alice.peer, passing)
	if r := h.reg.MayUpload(alice.peer, key); codeOf(r) != rooms.Denied {
		t.Errorf("a room without history: %v", r)
	}
	if _, r := h.reg.Shares(alice.peer, private); r == nil {
		t.Error("who has left has the files still")
	}
}

func TestByteCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 1023: "1023 bytes", 1024: "1 KiB", 1536: "1.5 KiB", 256 << 20: "256 MiB", 1<<30 - 1: "1 GiB", 3 << 40: "3 TiB", 5000 << 40: "5000 TiB",
	} {
		if got := rooms.ByteCount(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestHashText(t *testing.T) {
	for _, h := range []rooms.Hash{{}, {1, 2, 31: 255}} {
		b, err := json.Marshal(h)
		var got rooms.Hash
		if err != nil || json.Unmarshal(b, &got) != nil || got != h {
			t.Errorf("%s: %v, %v", b, got, err)
		}
	}
	for _, text := range []string{"1", "xx", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("g", 64)} {
		var h rooms.Hash
		if h.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
