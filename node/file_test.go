package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// content makes a content that is like no other.
func content(seed uint64, size int) []byte {
	b := make([]byte, size)
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

func fileOf(name string, b []byte) rooms.File {
	return rooms.File{Name: name, Size: int64(len(b)), MIME: "image/png", Hash: sha256.Sum256(b), Preview: []byte("tiny"), Width: 4, Height: 3}
}

// buffer is a Sink in memory.
type buffer struct {
	mu sync.Mutex
	b  []byte
}

func (b *buffer) WriteAt(p []byte, off int64) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if need := int(off) + len(p); need > len(b.b) {
		b.b = append(b.b, make([]byte, need-len(b.b))...)
	}
	return copy(b.b[off:], p), nil
}

func (b *buffer) ReadAt(p []byte, off int64) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.NewReader(b.b).ReadAt(p, off)
}

// patient is a context for a transfer that has to come to its end.
func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// upload uploads a file that has to be accepted.
func (f *friend) upload(room rooms.RoomID, file rooms.File, b []byte) rooms.File {
	f.Helper()
	got, err := f.Upload(patient(f.TB), Outgoing{Room: room, File: file, Content: bytes.NewReader(b)}, nil)
	if err != nil {
		f.Fatalf("%s: uploading %s: %v", f.nick, file.Name, err)
	}
	return got
}

// share uploads a file and posts it.
func (f *friend) share(room rooms.RoomID, file rooms.File, b []byte) rooms.Seq {
	f.Helper()
	up := f.upload(room, file, b)
	return f.must(rooms.Say{Kind: rooms.FileUp, File: up.ID, Text: "look"}).(rooms.Said).Seq
}

// sees waits for a shared file.
func (f *friend) sees(name string) rooms.File {
	f.Helper()
	return *f.await(func(e rooms.Event) bool {
		p, ok := e.(rooms.Posted)
		return ok && p.File != nil && p.File.Name == name
	}).(rooms.Posted).File
}

// fetch downloads a file that has to be there.
func (f *friend) fetch(room rooms.RoomID, file rooms.File) []byte {
	f.Helper()
	var to buffer
	if err := f.Download(patient(f.TB), room, file, &to, 0, nil); err != nil {
		f.Fatalf("%s: fetching %s: %v", f.nick, file.Name, err)
	}
	return to.b
}

// TestFiles: a file goes from one member to the others, with all that is said of it.
func TestFiles(t *testing.T) {
	w := newWorld(t)
	anna, bob := w.join("anna", "lobby"), w.join("bob", "lobby")
	for i, size := range []int{0, 1, 100 << 10, 5<<20 + 7} {
		b := content(uint64(i), size)
		want := fileOf("cat"+string(rune('0'+i))+".png", b)
		anna.share("lobby", want, b)
		got := bob.sees(want.Name)
		want.ID = got.ID
		if got.ID == "" || got.Hash != want.Hash || got.Size != want.Size || !bytes.Equal(got.Preview, want.Preview) || got.Width != 4 || got.MIME != want.MIME {
			t.Errorf("%+v", got)
		}
		if !bytes.Equal(bob.fetch("lobby", got), b) {
			t.Errorf("a file of %d bytes has another content", size)
		}
	}
	found := bob.must(rooms.Files{Limit: 3}).(rooms.Shared)
	if len(found.Messages) != 3 || found.Messages[2].File.Size != 5<<20+7 || found.Next == 0 {
		t.Errorf("%+v", found)
	}
	if found = bob.must(rooms.Files{Before: found.Next}).(rooms.Shared); len(found.Messages) != 1 || found.Next != 0 {
		t.Errorf("%+v", found)
	}
}

// TestConsoleFiles: the owner's console sends and fetches, too.
func TestConsoleFiles(t *testing.T) {
	w := newWorld(t)
	c, err := w.host.Console(ClientConfig{Nick: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	owner := &friend{TB: t, Client: c, nick: "owner"}
	defer c.Close()
	owner.must(rooms.Join{Room: "lobby"})
	anna := w.join("anna", "lobby")
	b := content(1, 3<<20)
	owner.share("lobby", fileOf("a", b), b)
	if !bytes.Equal(anna.fetch("lobby", anna.sees("a")), b) {
		t.Error("another content")
	}
	b = content(2, 3<<20)
	anna.share("lobby", fileOf("b", b), b)
	if !bytes.Equal(owner.fetch("lobby", owner.sees("b")), b) {
		t.Error("another content")
	}
}

// TestFileOutlivesTheHost: what was uploaded can be posted, and what was posted fetched,
// after a restart; what was redacted can't.
func TestFileOutlivesTheHost(t *testing.T) {
	w := newWorld(t)
	anna, bob := w.join("anna", "lobby"), w.join("bob", "lobby")
	b := content(1, 300<<10)
	up := anna.upload("lobby", fileOf("cat", b), b)
	w.stop()
	w.start()
	anna.connection(rooms.ConnectionRestored)
	seq := anna.must(rooms.Say{Kind: rooms.FileUp, File: up.ID}).(rooms.Said).Seq
	f := bob.sees("cat")
	w.stop()
	w.start()
	if !bytes.Equal(bob.fetch("lobby", f), b) {
		t.Error("another content")
	}
	anna.refused(rooms.NoSuchFile, rooms.Say{Kind: rooms.FileUp, File: up.ID}) // once only
	anna.must(rooms.Redact{Seq: seq})
	var to buffer
	var refusal *rooms.Refusal
	if err := bob.Download(patient(t), "lobby", f, &to, 0, nil); !errors.As(err, &refusal) || refusal.Code != rooms.NoSuchFile {
		t.Errorf("a redacted file: %v", err)
	}
	w.noContents()
}

// noContents checks that the host keeps no file any more.
func (w *world) noContents() {
	w.Helper()
	left, err := filepath.Glob(filepath.Join(w.dir, "files", "blobs", "*", "*"))
	if err != nil || len(left) != 0 {
		w.Errorf("%q are left, %v", left, err)
	}
}

// TestSameContent: in two rooms it is stored once, and is there until both have let go of
// it. Nobody can tell from an upload that others have it.
func TestSameContent(t *testing.T) {
	w := newWorld(t)
	anna, bob := w.join("anna", "lobby"), w.join("bob", "")
	bob.must(rooms.Create{Room: "dev"})
	b := content(1, 1<<20)
	seqA := anna.share("lobby", fileOf("a", b), b)
	if first := bob.firstProgress("dev", fileOf("b", b), b); first != 0 {
		t.Errorf("bob was told that %d bytes of another room's file are there", first)
	}
	seqB := bob.share("dev", fileOf("b", b), b)
	left, _ := filepath.Glob(filepath.Join(w.dir, "files", "blobs", "*", "*"))
	if len(left) != 1 {
		t.Errorf("%q", left)
	}
	anna.must(rooms.Redact{Seq: seqA})
	bob.fetch("dev", bob.sees("b"))
	bob.must(rooms.Redact{Seq: seqB})
	// One claim is still waiting to be posted: the upload whose progress was looked at.
	if err := w.store.TendFiles(time.Now().Add(48 * time.Hour)); err != nil {
		t.Error(err)
	}
	w.noContents()
}

// firstProgress uploads, and returns how much the host says to have at the beginning.
func (f *friend) firstProgress(room rooms.RoomID, file rooms.File, b []byte) int64 {
	f.Helper()
	s := f.openFile()
	defer s.conn.Close()
	ready, err := s.begin(wire.Put{Room: room, File: file})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.conn.Write(b[ready.Offset:]); err != nil {
		f.Fatal(err)
	}
	for {
		v, err := s.answer()
		if err != nil {
			f.Fatal(err)
		}
		if _, ok := v.(wire.Stored); ok {
			return ready.Offset
		}
	}
}

// openFile opens a stream for a file as a program of another kind would.
func (f *friend) openFile() *fileStream {
	f.Helper()
	conns := f.net.Host.Network().ConnsToPeer(f.config.Target.ID)
	if len(conns) == 0 {
		f.Fatal("there is no connection")
	}
	s, err := f.net.Stream(patient(f.TB), conns[0], protocol.ID(wire.FileProtocol))
	if err != nil {
		f.Fatal(err)
	}
	return &fileStream{s, wire.NewReader(s), func() bool { return true }}
}

// raw sends bytes on a stream for a file, and returns all that the host answers.
func (f *friend) raw(b []byte) []byte {
	f.Helper()
	s := f.openFile()
	defer s.conn.Close()
	if _, err := s.conn.Write(b); err != nil {
		f.Fatal(err)
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(s.conn)
	if err != nil {
		f.Fatalf("after %q: %v", got, err)
	}
	return got
}

// TestFileOracle: who is not in a room is answered with the same bytes, whatever there is.
func TestFileOracle(t *testing.T) {
	w := newWorld(t)
	anna, eve := w.join("anna", ""), w.join("eve", "lobby")
	private := anna.must(rooms.Create{Room: "secret", Private: true}).(rooms.Entered).Room.Room
	b := content(1, 1000)
	anna.share(private, fileOf("a", b), b)
	f := anna.sees("a")
	want := eve.raw(wire.AppendFileRequest(nil, wire.Get{Room: "nowhere", ID: "0123456789abcdef"}))
	if len(want) == 0 {
		t.Fatal("no answer")
	}
	for what, request := range map[string]any{
		"a file of a private room":  wire.Get{Room: private, ID: f.ID},
		"no file of a private room": wire.Get{Room: private, ID: "0123456789abcdef"},
		"a file of another room":    wire.Get{Room: "lobby", ID: f.ID},
		"no file":                   wire.Get{Room: "lobby", ID: "x"},
		"into a private room":       wire.Put{Room: private, File: fileOf("a", b)},
		"into no room":              wire.Put{Room: "nowhere", File: fileOf("a", b)},
		"too much into no room":     wire.Put{Room: "nowhere", File: rooms.File{Name: "x", Size: 1 << 40, Hash: f.Hash}},
	} {
		if got := eve.raw(wire.AppendFileRequest(nil, request)); !bytes.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	stranger := w.connect("stranger", newKey(t))
	if got := stranger.raw(wire.AppendFileRequest(nil, wire.Get{Room: "lobby", ID: f.ID})); !bytes.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestHostileFileRequests: nothing that a client sends instead of a request hurts.
func TestHostileFileRequests(t *testing.T) {
	w := newWorld(t)
	eve := w.join("eve", "lobby")
	for _, b := range [][]byte{
		{0}, {0xff, 0xff, 0x7f}, {5, 1, 2, 3, 4, 5}, bytes.Repeat([]byte{0xff}, 1000),
		wire.AppendFileRequest(nil, wire.Ack{Offset: 1}),
		wire.AppendFileRequest(nil, wire.Put{Room: "lobby", File: rooms.File{Name: "../x", Hash: rooms.Hash{1}}}),
		wire.AppendFileRequest(nil, wire.Put{Room: "lobby", File: rooms.File{Name: "x", Size: 1 << 60, Hash: rooms.Hash{1}}}),
	} {
		r := wire.NewReader(bytes.NewReader(eve.raw(b)))
		if v, err := r.FileAnswer(); err != nil {
			t.Errorf("%.20q: %v, %v", b, v, err)
		} else if _, ok := v.(*rooms.Refusal); !ok {
			t.Errorf("%.20q: %v", b, v)
		}
	}
	eve.say("still here")
}

// TestWrongFiles: a content that is not what was announced is refused, and nothing of it
// is left.
func TestWrongFiles(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.FileBytes = 1 << 20 })
	anna := w.join("anna", "lobby")
	b := content(1, 1<<20)
	wrong := fileOf("a", b)
	wrong.Hash[0]++
	var refusal *rooms.Refusal
	_, err := anna.Upload(patient(t), Outgoing{Room: "lobby", File: wrong, Content: bytes.NewReader(b)}, nil)
	if !errors.As(err, &refusal) || refusal.Code != rooms.BadRequest {
		t.Errorf("a wrong hash: %v", err)
	}
	large := fileOf("a", b)
	large.Size++
	_, err = anna.Upload(patient(t), Outgoing{Room: "lobby", File: large, Content: bytes.NewReader(append(b, 1))}, nil)
	if !errors.As(err, &refusal) || refusal.Code != rooms.TooLarge {
		t.Errorf("a byte too much: %v", err)
	}
	if _, err = anna.Upload(patient(t), Outgoing{Room: "lobby", File: fileOf("a", b), Content: bytes.NewReader(b[:1<<19])}, nil); !errors.Is(err, errShrunk) {
		t.Errorf("a content that has shrunk: %v", err)
	}
	if _, err = anna.Upload(patient(t), Outgoing{Room: "dev", File: fileOf("a", b), Content: bytes.NewReader(b)}, nil); !errors.As(err, &refusal) || refusal.Code != rooms.NotInRoom {
		t.Errorf("another room: %v", err)
	}
	w.noContents()
	anna.must(rooms.Create{Room: "passing", NoHistory: true})
	if _, err = anna.Upload(patient(t), Outgoing{Room: "passing", File: fileOf("a", b), Content: bytes.NewReader(b)}, nil); !errors.As(err, &refusal) || refusal.Code != rooms.Denied {
		t.Errorf("a room without history: %v", err)
	}
}

// TestQuotas: 50 uploads at the same time never take more than the quota, and what is
// refused leaves nothing.
func TestQuotas(t *testing.T) {
	const size = 256 << 10
	w := newWorld(t, func(w *world) { w.limits.DiskBytes, w.limits.Transfers = 20*size, 0 })
	anna, bob := w.join("anna", "lobby"), w.join("bob", "lobby")
	var all sync.WaitGroup
	var mu sync.Mutex
	stored := 0
	for i := range 50 {
		who := []*friend{anna, bob}[i%2]
		all.Go(func() {
			b := content(uint64(i), size)
			_, err := who.Upload(patient(t), Outgoing{Room: "lobby", File: fileOf("a", b), Content: bytes.NewReader(b)}, nil)
			var refusal *rooms.Refusal
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				stored++
			case !errors.As(err, &refusal) || refusal.Code != rooms.Quota:
				t.Errorf("upload %d: %v", i, err)
			}
		})
	}
	all.Wait()
	left, _ := filepath.Glob(filepath.Join(w.dir, "files", "blobs", "*", "*"))
	if stored != 20 || len(left) != 20 {
		t.Errorf("%d were stored, %d are there", stored, len(left))
	}
}

// cutter cuts the streams of a transfer at random places.
type cutter struct {
	*friend
	rnd  *rand.Rand
	left int
	next int64
	act  func(n int)
}

func (c *cutter) progress(done, total int64) {
	if c.left > 0 && done >= c.next && done < total {
		c.left--
		c.next = done + c.rnd.Int64N(total/12) + 1
		c.act(c.left)
	}
}

// TestInterrupted: a file that is interrupted ten times, on each of its two ways, arrives
// whole, and what had arrived is not sent again.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	anna, bob := w.join("anna", "lobby"), w.join("bob", "lobby")
	restarts := make(chan struct{}, 100)
	var restarting sync.WaitGroup
	restarting.Go(func() {
		for range restarts {
			w.stop()
			w.start()
		}
	})
	b := content(1, 24<<20)
	for _, f := range []*friend{anna, bob} {
		stop := make(chan struct{})
		restarting.Go(func() { // a client whose events nobody reads stands still
			for {
				select {
				case e := <-f.Events():
					_ = e
				case <-stop:
					return
				}
			}
		})
		defer close(stop)
	}
	cut := func(f *friend) *cutter {
		c := &cutter{friend: f, rnd: rand.New(rand.NewPCG(1, uint64(len(f.nick)))), left: 10}
		c.act = func(n int) {
			if n%4 == 1 {
				restarts <- struct{}{}
				return
			}
			for _, conn := range f.net.Host.Network().Conns() {
				for _, s := range conn.GetStreams() {
					if s.Protocol() == protocol.ID(wire.FileProtocol) || n%4 == 2 {
						_ = s.Reset()
					}
				}
				if n%4 == 3 {
					_ = conn.Close()
				}
			}
		}
		return c
	}
	up := cut(anna)
	file, err := anna.Upload(patient(t), Outgoing{Room: "lobby", File: fileOf("a", b), Content: bytes.NewReader(b)}, up.progress)
	if err != nil || up.left > 0 {
		t.Fatalf("%v, %d cuts left", err, up.left)
	}
	anna.Send(rooms.Say{Kind: rooms.FileUp, File: file.ID})
	down := cut(bob)
	out, err := os.Create(filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for err = errors.New("not yet"); err != nil; { // until it was posted
		var refusal *rooms.Refusal
		err = bob.Download(patient(t), "lobby", file, out, 0, down.progress)
		if err != nil && (!errors.As(err, &refusal) || refusal.Code != rooms.NoSuchFile) {
			t.Fatal(err)
		}
	}
	if h, err := HashOf(patient(t), out, int64(len(b))); err != nil || h != file.Hash || down.left > 0 {
		t.Errorf("%v, %v, %d cuts left", h, err, down.left)
	}
	close(restarts)
	t.Cleanup(restarting.Wait)
}

// TestFlatMemory: a large file takes no memory on its way.
func TestFlatMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 64 MiB")
	}
	w := newWorld(t)
	anna, bob := w.join("anna", "lobby"), w.join("bob", "lobby")
	const size = 64 << 20
	from := zeros{}
	h, err := HashOf(patient(t), from, size)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file := rooms.File{Name: "zeros", Size: size, Hash: h}
	up, err := anna.Upload(patient(t), Outgoing{Room: "lobby", File: file, Content: from}, nil)
	if err != nil {
		t.Fatal(err)
	}
	anna.must(rooms.Say{Kind: rooms.FileUp, File: up.ID})
	if err := bob.Download(patient(t), "lobby", bob.sees("zeros"), zeros{}, 0, nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	// Both ends and the host are in this process, and what libp2p does counts, too.
	if n := int64(after.HeapSys) - int64(before.HeapSys); n > 64<<20 {
		t.Errorf("the heap grew by %d MiB", n>>20)
	}
	t.Logf("heap +%d KiB, allocated %d MiB for %d MiB twice", (int64(after.HeapSys)-int64(before.HeapSys))>>10, (after.TotalAlloc-before.TotalAlloc)>>20, size>>20)
}

// zeros is a content without end, and a place where everything is dropped.
type zeros struct{}

func (zeros) ReadAt(b []byte, off int64) (int, error)  { clear(b); return len(b), nil }
func (zeros) WriteAt(b []byte, off int64) (int, error) { return len(b), nil }

// TestFullDisk: an upload to a full disk is refused, the room goes on, and when there is
// space again the upload goes on, too.
func TestFullDisk(t *testing.T) {
	w := newWorld(t)
	anna := w.join("anna", "lobby")
	b := content(1, 3<<20)
	w.fullDisk.Store(true)
	o := Outgoing{Room: "lobby", File: fileOf("a", b), Content: bytes.NewReader(b)}
	_, err := anna.Upload(patient(t), o, nil)
	var refusal *rooms.Refusal
	if !errors.As(err, &refusal) || refusal.Code != rooms.Storage {
		t.Fatalf("a full disk: %v", err)
	}
	anna.say("the room goes on")
	w.fullDisk.Store(false)
	from := int64(-1)
	_, err = anna.Upload(patient(t), o, func(done, _ int64) {
		if from < 0 {
			from = done
		}
	})
	if err != nil || from <= 0 {
		t.Errorf("%v, from %d on", err, from)
	}
}

// TestKickedInTheMiddle: who is put out of a room gets no more of its files.
func TestKickedInTheMiddle(t *testing.T) {
	w := newWorld(t, func(w *world) { w.uploadLimit = 8 << 20 })
	anna, bob := w.join("anna", ""), w.join("bob", "")
	anna.must(rooms.Create{Room: "dev"})
	bob.must(rooms.Join{Room: "dev"})
	b := content(1, 100<<20)
	anna.share("dev", fileOf("a", b), b)
	f := bob.sees("a")
	// A program that does not care that it was put out.
	s := bob.openFile()
	defer s.conn.Close()
	if _, err := s.begin(wire.Get{Room: "dev", ID: f.ID}); err != nil {
		t.Fatal(err)
	}
	anna.must(rooms.Kick{Nick: "bob"})
	in := newReceiver(s.conn, s.reader, 0, wire.AppendFileRequest, func([]byte) error { return nil })
	if err := in.run(f.Size, func() error { return nil }); err == nil {
		t.Error("bob got the whole file")
	}
}

// TestCourtesy: files give way to people who talk, in both directions; not to the line that
// posts a file, nor to lines that are refused.
func TestCourtesy(t *testing.T) {
	w := newWorld(t)
	c := &w.host.files.courtesy
	c.rate, c.least = 1<<20, 0
	anna, bob := w.join("anna", "lobby"), w.join("bob", "lobby")
	b := content(1, 1<<20)
	anna.share("lobby", fileOf("one", b), b)
	bob.must(rooms.Leave{})
	if _, ok := bob.answer(rooms.Say{Text: "to nobody"}).(*rooms.Refusal); !ok {
		t.Fatal("bob talks in no room")
	}
	if c.asked() {
		t.Error("files give way, and nobody talks")
	}
	anna.say("look")
	if c.said.Load() == nil {
		t.Fatal("a line does not count")
	}
	c.said.Store(nil)
	bob.must(rooms.Whisper{Nick: "anna", Text: "look"})
	if !c.asked() {
		t.Fatal("a whisper does not count")
	}
	long := time.Now().Add(time.Hour)
	c.said.Store(&long)
	bob.must(rooms.Join{Room: "lobby"})
	// Four pieces of 256 KiB; the first one goes at once.
	for name, move := range map[string]func(){
		"upload":   func() { other := content(2, 1<<20); anna.upload("lobby", fileOf("two", other), other) },
		"download": func() { bob.fetch("lobby", bob.sees("one")) },
	} {
		began := time.Now()
		if move(); time.Since(began) < 700*time.Millisecond {
			t.Errorf("an %s did not give way", name)
		}
	}
}

// TestUploadLimit: the host sends files no faster than it may, all together.
func TestUploadLimit(t *testing.T) {
	var p pace
	p.rate = 1 << 20
	began := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 4 {
				p.wait(context.Background(), 16<<10)
			}
		})
	}
	all.Wait()
	// 16 pieces of 16 KiB are a quarter of a second; the first one goes at once, and some
	// may be a little early.
	if took := time.Since(began); took < 220*time.Millisecond {
		t.Errorf("256 KiB took %v at 1 MiB a second", took)
	}
	for _, p.rate = range []int64{10 << 10, 1 << 20, 100 << 20} {
		if p.most() > p.rate/20+1<<10 || p.most() > max(p.rate/1000, leastSend) {
			t.Errorf("pieces of %d at %d bytes a second", p.most(), p.rate)
		}
	}
}
