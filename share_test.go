package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestShareSurvives sends a large file through the host and fetches it, while the
// connections of both members are cut again and again, the host is killed in the middle
// of either, and so is each member once. Everything goes on from where it was: the hashes
// are equal, nothing partial is to be seen, and nobody's memory grows with the file.
func TestShareSurvives(t *testing.T) {
	size := 40 << 20
	if atFullLength() {
		size = 1 << 30
	}
	for _, limit := range []string{"FILE_LIMIT", "MEMBER_QUOTA", "ROOM_QUOTA", "DISK_QUOTA"} {
		t.Setenv("P2PCHAT_"+limit, "0")
	}
	s := newScreens(t)
	way := newCuttingWay(t, s.target("tcp"), int64(size/8))
	content, sum := filepath.Join(s.dir, "clip.bin"), randomFile(t, filepath.Join(s.dir, "clip.bin"), size)

	ann := s.carrier("ann", way.target)
	ask := func(p *process, request map[string]any) {
		line, err := json.Marshal(request)
		if err == nil {
			err = p.tell(string(line))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	send := map[string]any{"do": "send", "path": content, "caption": "the clip", "ref": "sent"}
	ask(ann, send)
	s.progress(ann, size/5)
	s.kill9()
	s.start()
	s.progress(ann, size/3)
	ann.kill()
	ann = s.carrier("ann", way.target)
	ask(ann, send)
	if first := s.progress(ann, 1); first < size/8 {
		t.Errorf("the new sender begins at %d of %d bytes", first, size)
	}
	s.progress(ann, size/2)
	s.kill9()
	s.start()
	s.hears(ann, `"ref":"sent","seq"`)

	bob := s.carrier("bob", way.target)
	id := regexp.MustCompile(`"file":\{"id":"([^"]+)"`).FindStringSubmatch(s.heard(bob, `"kind":"file"`))[1]
	dir := filepath.Join(s.dir, "saved")
	save := map[string]any{"do": "save", "file": id, "dir": dir, "ref": "saved"}
	ask(bob, save)
	s.progress(bob, size/4)
	s.kill9()
	s.start()
	s.progress(bob, size/3)
	s.nothingPartial(dir)
	bob.kill()
	bob = s.carrier("bob", way.target)
	s.heard(bob, `"kind":"file"`)
	ask(bob, save)
	if first := s.progress(bob, 1); first < size/8 {
		t.Errorf("the new member begins at %d of %d bytes", first, size)
	}
	s.hears(bob, `"ref":"saved","file"`)

	if got := hashOf(t, filepath.Join(dir, "clip.bin")); got != sum {
		t.Errorf("what was saved has hash %s, not %s", got, sum)
	}
	if names := names(t, dir); len(names) != 1 {
		t.Errorf("in the folder: %v", names)
	}
	for name, p := range map[string]*process{"host": s.host, "ann": ann, "bob": bob} {
		if peak := peakMemory(p); peak > 160<<20 {
			t.Errorf("%s took %d MiB", name, peak>>20)
		} else if peak > 0 {
			t.Logf("%s took %d MiB for a file of %d MiB", name, peak>>20, size>>20)
		}
	}
	t.Logf("%d connections, %d cut", way.connections.Load(), way.cuts.Load())
	if way.cuts.Load() < 6 {
		t.Errorf("only %d connections were cut", way.cuts.Load())
	}
}

// carrier starts a member of the lobby who moves files.
func (s *screens) carrier(name, target string) *process {
	s.Helper()
	p, err := begin(name, s.command("join", target, "--json", "--room", "lobby", "--nick", name, "--data", filepath.Join(s.dir, name)), s.log)
	if err != nil {
		s.Fatal(err)
	}
	s.readers[name] = p
	s.hears(p, `"event":"entered"`)
	return p
}

// heard is hears, and returns the line.
func (s *screens) heard(p *process, text string) string {
	s.Helper()
	line, err := p.out.await(func(line string) bool { return strings.Contains(line, text) }, true)
	if err != nil {
		s.Fatal(err)
	}
	return line
}

// progress waits until so many bytes have been moved, and returns how many those are.
func (s *screens) progress(p *process, least int) (done int) {
	s.Helper()
	_, err := p.out.await(func(line string) bool {
		var e struct {
			Type, Event string
			Done        int
		}
		if json.Unmarshal([]byte(line), &e) == nil && e.Type == "transfer" && e.Event != "failed" {
			done = e.Done
		}
		return done >= least
	}, true)
	if err != nil {
		s.Fatal(err)
	}
	return done
}

// nothingPartial looks that no file is visible.
func (s *screens) nothingPartial(dir string) {
	s.Helper()
	for _, name := range names(s.T, dir) {
		if !strings.HasPrefix(name, ".") {
			s.Errorf("a part is visible as %s", name)
		}
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// randomFile writes a file that nothing can shorten, and returns its hash.
func randomFile(t *testing.T, path string, size int) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	random := rand.NewChaCha8([32]byte{1})
	if _, err := io.CopyN(io.MultiWriter(f, sum), random, int64(size)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// peakMemory is the most memory that a process took, in bytes; 0: the system does not tell.
func peakMemory(p *process) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(data)
	if found == nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return n << 10
}

// cuttingWay is a way to the host on which every connection is cut after some bytes.
type cuttingWay struct {
	target string // the host's, with the way's port in place of the host's
	bytes  int64  // that a connection carries, about; it takes half a second for them

	connections, cuts atomic.Int64
	work              sync.WaitGroup
	over              context.Context // ends with the test
}

func newCuttingWay(t *testing.T, target string, bytes int64) *cuttingWay {
	parts := strings.Split(target, "/") // /ip4/ADDRESS/tcp/PORT/…
	host := net.JoinHostPort(parts[2], parts[4])
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over, end := context.WithCancel(context.Background())
	w := &cuttingWay{bytes: bytes, over: over}
	_, parts[4], _ = net.SplitHostPort(l.Addr().String())
	w.target = strings.Join(parts, "/")
	w.work.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			w.work.Go(func() { w.carry(near, host) })
		}
	})
	t.Cleanup(func() { end(); _ = l.Close(); w.work.Wait() })
	return w
}

// slowReader reads so many bytes a second, about: what is under way can be seen then.
type slowReader struct {
	io.Reader
	rate int64
}

func (r slowReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b[:min(len(b), 64<<10)])
	time.Sleep(time.Duration(n) * time.Second / time.Duration(r.rate))
	return n, err
}

// carry carries one connection until it has carried what it may, or one side ends it.
func (w *cuttingWay) carry(near net.Conn, host string) {
	defer near.Close()
	far, err := net.Dial("tcp4", host)
	if err != nil {
		return
	}
	defer far.Close()
	defer context.AfterFunc(w.over, func() { _ = near.Close(); _ = far.Close() })()
	w.connections.Add(1)
	most := w.bytes/2 + rand.Int64N(w.bytes)
	var both sync.WaitGroup
	for _, d := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			n, _ := io.CopyN(d[1], slowReader{d[0], 2 * w.bytes}, most)
			if n == most {
				w.cuts.Add(1)
				_ = d[0].(*net.TCPConn).SetLinger(0)
				_ = d[1].(*net.TCPConn).SetLinger(0)
			}
			_ = near.Close()
			_ = far.Close()
		})
	}
	both.Wait()
}
