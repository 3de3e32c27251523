package history

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"p2pchat/rooms"
)

func openPeopleOf(t testing.TB, m *memory) *People {
	t.Helper()
	p, err := openPeople(m, "/data/people", "/data/hosts/h/me/names")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// knows checks whose key a nick had.
func knows(t *testing.T, p *People, nick string, want rooms.PeerID) {
	t.Helper()
	if got, ok := p.Known(nick); got != want || ok != (want != "") {
		t.Errorf("%s has the key %q, want %q", nick, got, want)
	}
}

func TestPeopleOutliveTheProcess(t *testing.T) {
	m := newMemory()
	p := openPeopleOf(t, m)
	knows(t, p, "bob", "")
	p.Meet("bob", "peer-1")
	p.Meet("Anna", "peer-2")
	p.Meet("bob", "peer-3")
	p.Meet("nobody", "")
	p.Meet("\xff", "peer-4")
	for _, err := range []error{
		p.Verify("peer-1", "bob", true), p.Ignore("peer-1", "rob", true), p.Ignore("peer-2", "anna", true),
		p.Ignore("peer-2", "anna", false), p.Verify("peer-9", "zoe", false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if p.Verify("", "nobody", true) == nil {
		t.Error("nobody is verified")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = openPeopleOf(t, m)
	defer p.Close()
	knows(t, p, "BOB", "peer-3")
	knows(t, p, "anna", "peer-2")
	knows(t, p, "nobody", "")
	want := map[rooms.PeerID]string{"peer-1": "rob"}
	if v, i := p.Verified(), p.Ignored(); !reflect.DeepEqual(v, want) || !reflect.DeepEqual(i, want) {
		t.Errorf("verified %v, ignored %v", v, i)
	}
}

// TestPeopleOfTwoProcesses: neither takes away what the other has noted.
func TestPeopleOfTwoProcesses(t *testing.T) {
	m := newMemory()
	a, b := openPeopleOf(t, m), openPeopleOf(t, m)
	a.Meet("anna", "peer-1")
	b.Meet("bob", "peer-2")
	if a.Ignore("peer-1", "anna", true) != nil || b.Verify("peer-2", "bob", true) != nil || a.Close() != nil || b.Close() != nil {
		t.Fatal("not written")
	}
	p := openPeopleOf(t, m)
	defer p.Close()
	knows(t, p, "anna", "peer-1")
	knows(t, p, "bob", "peer-2")
	if len(p.Ignored()) != 1 || len(p.Verified()) != 1 {
		t.Errorf("ignored %v, verified %v", p.Ignored(), p.Verified())
	}
}

func TestPeopleAreBounded(t *testing.T) {
	m := newMemory()
	p := openPeopleOf(t, m)
	at := time.UnixMilli(1e12).UTC()
	for i := range peopleLimit {
		name := fmt.Sprint("n", i)
		p.known[name] = person{Nick: name, Peer: "peer", Seen: at.Add(time.Duration(i) * time.Second)}
		p.marked[name] = person{Nick: name, Peer: rooms.PeerID(name), Seen: at, Ignored: true}
	}
	if err := p.replace(p.marks, encodePeople(p.marked)); err != nil {
		t.Fatal(err)
	}
	p.Meet("new", "peer-new")
	if p.Ignore("one-more", "one-more", true) == nil {
		t.Error("one more is ignored")
	}
	if err := p.Ignore("n5", "n5", false); err != nil {
		t.Error(err)
	}
	if err := p.Ignore("one-more", "one-more", true); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = openPeopleOf(t, m)
	defer p.Close()
	if len(p.known) != peopleLimit {
		t.Errorf("%d nicks", len(p.known))
	}
	knows(t, p, "n0", "")
	knows(t, p, "n1", "peer")
	knows(t, p, "new", "peer-new")
}

// TestACrowdDrivesNobodyOut: a host may invent any number of nicks, also for a verified
// key, and the nick by which somebody was verified is known still.
func TestACrowdDrivesNobodyOut(t *testing.T) {
	m := newMemory()
	p := openPeopleOf(t, m)
	p.Meet("bob", "peer-bob")
	p.Meet("carol", "peer-carol")
	if err := p.Verify("peer-bob", "bob", true); err != nil {
		t.Fatal(err)
	}
	for _, peer := range []string{"peer", "peer-bob"} {
		for i := range 5000 {
			p.Meet(fmt.Sprint("of-", peer, i), rooms.PeerID(peer))
			if len(p.known) > peopleLimit+knownSlack {
				t.Fatalf("%d nicks", len(p.known))
			}
		}
	}
	knows(t, p, "bob", "peer-bob")
	knows(t, p, "carol", "")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = openPeopleOf(t, m)
	defer p.Close()
	knows(t, p, "bob", "peer-bob")
	if got := p.Verified()["peer-bob"]; got != "of-peer-bob4999" {
		t.Errorf("verified under the nick %q, goes by another now", got)
	}
}

// TestAVerifiedNickOutweighs: a process that does not know who is verified takes no nick
// away from the one who is.
func TestAVerifiedNickOutweighs(t *testing.T) {
	m := newMemory()
	other, p := openPeopleOf(t, m), openPeopleOf(t, m)
	p.Meet("bob", "peer-bob")
	if p.Verify("peer-bob", "bob", true) != nil || p.Close() != nil {
		t.Fatal("not written")
	}
	other.Meet("bob", "peer-eve")
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	p = openPeopleOf(t, m)
	defer p.Close()
	knows(t, p, "bob", "peer-bob")
}

// TestPeopleOfManyProcesses: what two write down at the same time is all there.
func TestPeopleOfManyProcesses(t *testing.T) {
	dir := t.TempDir()
	open := func() *People {
		p, err := OpenPeople(filepath.Join(dir, "people"), filepath.Join(dir, "names"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var all sync.WaitGroup
	for n := range 2 {
		p := open()
		for i := range 50 {
			all.Go(func() {
				name := fmt.Sprint("p", n, "-", i)
				p.Meet(name, rooms.PeerID(name))
				if err := p.Ignore(rooms.PeerID(name), name, true); err != nil {
					t.Error(err)
				}
			})
		}
		defer func() { _ = p.Close() }()
	}
	all.Wait()
	p := open()
	defer p.Close()
	if got := len(p.Ignored()); got != 100 {
		t.Errorf("%d of 100 are kept", got)
	}
}

// BenchmarkMeetACrowd is a roster of 5000 nicks that were not there before.
func BenchmarkMeetACrowd(b *testing.B) {
	for b.Loop() {
		p := openPeopleOf(b, newMemory())
		for i := range 5000 {
			p.Meet(fmt.Sprint("n", i), "peer")
		}
		_ = p.Close()
	}
}

// TestPeopleSurviveAPowerCut: what Verify has answered is there, what it has not may be.
func TestPeopleSurviveAPowerCut(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := newMemory()
		p := openPeopleOf(t, m)
		m.stop = m.calls + 1 + rnd.IntN(60)
		done, tried := 0, 0
		for ; tried < 10; tried++ {
			if p.Verify(rooms.PeerID(fmt.Sprint("peer-", tried)), "somebody", true) != nil {
				tried++
				break
			}
			done = tried + 1
		}
		_ = p.Close()
		m.reboot(true, rnd)
		p = openPeopleOf(t, m)
		if got := len(p.Verified()); got < done || got > tried {
			t.Fatalf("seed %d: %d are verified, %d were answered, %d tried", seed, got, done, tried)
		}
		_ = p.Close()
	}
}

// TestPeopleOnDisk: only their owner can read the files, and a bad line costs no other.
func TestPeopleOnDisk(t *testing.T) {
	dir := t.TempDir()
	marks, names := filepath.Join(dir, "people"), filepath.Join(dir, "hosts", "h", "me", "names")
	open := func() *People {
		p, err := OpenPeople(marks, names)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := open()
	p.Meet("bob", "peer-1")
	if p.Ignore("peer-2", "eve", true) != nil || p.Ignore("peer-3", "mal", true) != nil || p.Close() != nil {
		t.Fatal("not written")
	}
	for _, path := range []string{marks, names} {
		info, err := os.Stat(path)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	b, _ := os.ReadFile(marks)
	first, rest, _ := strings.Cut(string(b), "\n")
	if err := os.WriteFile(marks, []byte(first[:10]+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	p = open()
	defer p.Close()
	if got := p.Ignored(); !reflect.DeepEqual(got, map[rooms.PeerID]string{"peer-3": "mal"}) {
		t.Errorf("ignored: %v", got)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.tmp"))
	if len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// FuzzPeople: whatever is in the file, it is read within the bound, and written again
// it is the same.
func FuzzPeople(f *testing.F) {
	f.Add([]byte(`{"nick":"bob","peer":"peer-1","seen":"2026-01-02T03:04:05Z","verified":true}`+"\n"), true)
	f.Add([]byte(`{"nick":"BOB","peer":"p","seen":"2026-01-02T03:04:05.678+01:00","ignored":true}`+"\n"+`{"nick":"bob"`), false)
	f.Add([]byte("\n{}\nnull\n[]\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, nicks bool) {
		key := byPeer
		if nicks {
			key = byNick
		}
		people := decodePeople(data, key)
		if len(people) > peopleLimit {
			t.Fatalf("%d people", len(people))
		}
		for k, p := range people {
			if !p.valid() || k != key(p) {
				t.Fatalf("%q: %+v", k, p)
			}
		}
		if again := decodePeople(encodePeople(people), key); !reflect.DeepEqual(again, people) {
			t.Fatalf("written again: %v, was %v", again, people)
		}
	})
}
