package node

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"go.uber.org/goleak"

	"p2pchat/history"
	"p2pchat/relay"
	"p2pchat/rooms"
)

func TestMain(m *testing.M) {
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	if kind := os.Getenv(benchHost); kind != "" {
		runBenchHost(kind)
		return
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println("goroutines are left:", err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// patience is how long a test waits for something that has to happen.
const patience = 30 * time.Second

// world is a host in this process, on loopback, with its data in a directory.
type world struct {
	testing.TB
	host   *Host
	key    crypto.PrivKey
	dir    string
	limits rooms.Limits

	uploadLimit int64        // of the host, bytes a second
	addr        ma.Multiaddr // where it listens, the same after a restart
	store       *history.Store
	wrap        func(Log) Log // puts something between the host and its logs
	refuse      atomic.Bool   // no log can be opened

	fullDisk     atomic.Bool  // no byte of a file can be written
	refuseRecord *atomic.Bool // nothing can be recorded
}

// logs makes a Store of a history.Store.
type logs struct {
	*history.Store
	world *world
}

func (l logs) Log(key rooms.RoomKey) (Log, error) {
	if l.world.refuse.Load() {
		return nil, errors.New("too many open files")
	}
	inner, err := l.Store.Room(key)
	if err != nil || l.world.wrap == nil {
		return inner, err
	}
	return l.world.wrap(inner), nil
}

func (l logs) Upload(room rooms.RoomKey, peer rooms.PeerID, f rooms.File, allow func(rooms.Usage, int64) *rooms.Refusal) (Upload, error) {
	u, err := l.Store.Upload(room, peer, f, allow)
	if err != nil {
		return nil, err
	}
	return fullUpload{u, l.world}, nil
}

// fullUpload is an upload to a disk that may be full.
type fullUpload struct {
	Upload
	world *world
}

func (u fullUpload) Write(b []byte) (int, error) {
	if u.world.fullDisk.Load() && u.Offset() > 0 {
		return 0, syscall.ENOSPC
	}
	return u.Upload.Write(b)
}

func (l logs) Content(room rooms.RoomKey, id string) (Content, error) {
	c, err := l.Store.Content(room, id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (l logs) Record(changes ...rooms.Change) error {
	if r := l.world.refuseRecord; r != nil && r.Load() {
		return errSick
	}
	return l.Store.Record(changes...)
}

func newKey(t testing.TB) crypto.PrivKey {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newWorld(t testing.TB, change ...func(*world)) *world {
	w := &world{TB: t, key: newKey(t), dir: t.TempDir(), limits: rooms.DefaultLimits()}
	w.limits.Rate = 0
	w.addr = ma.StringCast("/ip4/127.0.0.1/tcp/0")
	for _, c := range change {
		c(w)
	}
	w.start()
	t.Cleanup(w.stop)
	return w
}

// start starts the host, or starts it again.
func (w *world) start() {
	w.Helper()
	var err error
	if w.store, err = history.Open(w.dir); err != nil {
		w.Fatal(err)
	}
	w.host, err = NewHost(HostConfig{
		Key: w.key, Name: "test", Version: "1", Listen: []ma.Multiaddr{w.addr}, Lobby: "lobby",
		Limits: w.limits, Store: logs{w.store, w}, UploadLimit: w.uploadLimit,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.addr = w.host.Addrs()[0]
}

func (w *world) stop() {
	if w.host == nil {
		return
	}
	if err := w.host.Close(); err != nil {
		w.Error(err)
	}
	if err := w.store.Close(); err != nil {
		w.Error(err)
	}
	w.host = nil
}

func (w *world) target() Target {
	id, err := peer.IDFromPrivateKey(w.key)
	if err != nil {
		w.Fatal(err)
	}
	return Target{AddrInfo: peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{w.addr}}}
}

// friend is a member: a client, and everything that happened to it.
type friend struct {
	testing.TB
	*Client
	nick string
	net  *relay.Net
	seen []rooms.Event // taken from Events by the test's own goroutine
}

// join connects a new identity and enters a room, if one is named.
func (w *world) join(nick, room string) *friend {
	w.Helper()
	f := w.connect(nick, newKey(w.TB))
	if room != "" {
		f.must(rooms.Join{Room: room})
	}
	return f
}

func (w *world) connect(nick string, key crypto.PrivKey) *friend {
	w.Helper()
	net, err := relay.New(relay.Config{Key: key})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := Dial(ctx, ClientConfig{Net: net, Target: w.target(), Nick: nick, NickFixed: true, Version: "1"})
	if err != nil {
		w.Fatalf("%s can't connect: %v", nick, err)
	}
	f := &friend{TB: w.TB, Client: c, nick: nick, net: net}
	w.Cleanup(f.leave)
	return f
}

func (f *friend) leave() {
	_ = f.Close()
	_ = f.net.Close()
}

// answer waits for the answer to a command.
func (f *friend) answer(cmd rooms.Command) rooms.Event {
	f.Helper()
	return f.wait(f.Send(cmd))
}

// wait waits for the answer to the command with this ref, and keeps what happens
// meanwhile.
func (f *friend) wait(ref uint64) rooms.Event {
	f.Helper()
	for i, e := range f.seen {
		if a, ok := e.(rooms.Answered); ok && a.Ref == ref {
			f.seen = append(f.seen[:i:i], f.seen[i+1:]...)
			return a.Answer
		}
	}
	deadline := time.After(patience)
	for {
		select {
		case e, ok := <-f.Events():
			if !ok {
				f.Fatalf("%s: the session ended", f.nick)
			}
			if a, ok := e.(rooms.Answered); ok && a.Ref == ref {
				return a.Answer
			}
			f.seen = append(f.seen, e)
		case <-deadline:
			f.Fatalf("%s got no answer", f.nick)
		}
	}
}

// must sends a command that has to be accepted.
func (f *friend) must(cmd rooms.Command) rooms.Event {
	f.Helper()
	e := f.answer(cmd)
	if refusal, ok := e.(*rooms.Refusal); ok {
		f.Fatalf("%s: %T refused: %v", f.nick, cmd, refusal)
	}
	return e
}

// refused sends a command that has to be refused with a code.
func (f *friend) refused(code rooms.Code, cmd rooms.Command) *rooms.Refusal {
	f.Helper()
	refusal, ok := f.answer(cmd).(*rooms.Refusal)
	if !ok || refusal.Code != code {
		f.Fatalf("%s: %T: got %v, want %s", f.nick, cmd, refusal, code)
	}
	return refusal
}

func (f *friend) say(text string) rooms.Seq {
	f.Helper()
	return f.must(rooms.Say{Kind: rooms.Text, Text: text}).(rooms.Said).Seq
}

// await waits for an event; those before it are gone, but for answers.
func (f *friend) await(found func(rooms.Event) bool) rooms.Event {
	f.Helper()
	var kept []rooms.Event
	for i, e := range f.seen {
		if found(e) {
			f.seen = append(kept, f.seen[i+1:]...)
			return e
		}
		if _, ok := e.(rooms.Answered); ok {
			kept = append(kept, e)
		}
	}
	f.seen = kept
	deadline := time.After(patience)
	for {
		select {
		case e, ok := <-f.Events():
			if !ok {
				f.Fatalf("%s: the session ended", f.nick)
			}
			if found(e) {
				return e
			}
			if _, ok := e.(rooms.Answered); ok {
				f.seen = append(f.seen, e)
			}
		case <-deadline:
			f.Fatalf("%s waited in vain", f.nick)
		}
	}
}

// hears waits for a message with this text.
func (f *friend) hears(text string) rooms.Posted {
	f.Helper()
	return f.await(func(e rooms.Event) bool {
		p, ok := e.(rooms.Posted)
		return ok && p.Text == text
	}).(rooms.Posted)
}

// connection waits for a change of the connection.
func (f *friend) connection(what rooms.ConnectionChange) {
	f.Helper()
	f.await(func(e rooms.Event) bool { c, ok := e.(rooms.Connection); return ok && c.What == what })
}
