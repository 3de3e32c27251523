package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"p2pchat/node"
	"p2pchat/relay/natlab"
)

// memory searches the memory of a process for secrets. It returns which were found, and
// how many bytes were searched.
func memory(pid int, secrets map[string][]byte) (found []string, size int, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, 0, err
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, 0, err
	}
	defer mem.Close()
	const part, overlap = 1 << 20, 256
	buf := make([]byte, part+overlap)
	for _, line := range strings.Split(string(maps), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(fields[1], "rw") {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		at, _ := strconv.ParseInt(from, 16, 64)
		end, _ := strconv.ParseInt(to, 16, 64)
		for ; at < end; at += part {
			n, _ := mem.ReadAt(buf[:min(part+overlap, end-at)], at) // some of it may be gone meanwhile
			found, size = append(found, among(buf[:n], secrets)...), size+n
		}
	}
	return found, size, nil
}

// among tells which secrets are in a text.
func among(text []byte, secrets map[string][]byte) (found []string) {
	for name, secret := range secrets {
		if bytes.Contains(text, secret) {
			found = append(found, name)
		}
	}
	return found
}

// capture keeps all frames of a link.
type capture struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (c *capture) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(b)
}

// secretRoom is a private room whose name, members and lines hold a secret.
type secretRoom struct {
	*lab
	secret     string // in the room's name, the nicks and each line
	host, anna *process
	bob        *process // came by an invite
	invite     string
}

func (l *lab) secretRoom() *secretRoom {
	l.Helper()
	r := &secretRoom{lab: l, secret: strings.ToLower(rand.Text()[:16])}
	var target string
	r.host, target = l.startHost(l.Home("a", natlab.Symmetric).Machine("host"), "--rate", "0")
	r.anna = l.run(l.Home("b", natlab.PortRestricted).Machine("joiner"), "anna", "join", target,
		"--nick", "a"+r.secret, "--create", "--private", "--room", "r"+r.secret)
	l.await(r.anna, `"event":"entered"`)
	if err := r.anna.tell(`{"do":"invite","ref":1}`); err != nil {
		l.Fatal(err)
	}
	r.invite = l.field(l.await(r.anna, `"invite":"p2pchat:`), "invite")
	r.bob = l.run(l.Home("c", natlab.Symmetric).Machine("joiner"), "bob", "join", r.invite, "--nick", "b"+r.secret)
	l.await(r.bob, `"event":"entered"`)
	return r
}

// secrets are what nobody in between may learn: the secret itself, as it is in every
// line and name, and the invite.
func (r *secretRoom) secrets() map[string][]byte {
	r.Helper()
	link, err := node.ParseInvite(r.invite)
	if err != nil {
		r.Fatal(err)
	}
	return map[string][]byte{
		"the secret": []byte(r.secret), "the SECRET": []byte(strings.ToUpper(r.secret)),
		"the invite":            []byte(r.invite[len(r.invite)/2:]),
		"the invite's room":     link.Capability.Room[:],
		"the invite's password": link.Capability.Secret[:],
	}
}

// TestRelayReadsNothing says a thousand secrets through a relay, and looks for them on
// its link and in its memory.
func TestRelayReadsNothing(t *testing.T) {
	const lines = 1000
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	machine := l.Public("relay")
	relay := l.startRelay(machine)
	link := &capture{}
	stop := machine.Capture(link)
	r := l.secretRoom()
	secrets := r.secrets()
	said := make(chan error, 1)
	go func() {
		for i := range lines {
			if err := r.anna.tell(fmt.Sprintf(`{"do":"say","text":"%s number %d %s"}`, r.secret, i, rand.Text())); err != nil {
				said <- err
				return
			}
			time.Sleep(10 * time.Millisecond) // for the searches to see it under way
		}
		said <- nil
	}()
	heard := func() int { return strings.Count(strings.Join(r.bob.out.soFar(), "\n"), `"text":"`+r.secret) }
	searches, size := 0, 0
	for end := time.Now().Add(time.Minute); heard() < lines; searches++ {
		found, n, err := memory(relay.cmd.Process.Pid, secrets)
		if err != nil || len(found) > 0 {
			t.Fatalf("the relay's memory holds %v, %v", found, err)
		}
		if size += n; time.Now().After(end) {
			t.Fatalf("%d of %d lines were heard", heard(), lines)
		}
	}
	if err := <-said; err != nil {
		t.Fatal(err)
	}
	stop()
	if found := among(link.buf.Bytes(), secrets); len(found) > 0 {
		t.Errorf("%v can be read on the relay's link", found)
	}
	t.Logf("%d lines; %d searches of %d MB each; %d KB on the link", lines, searches, size/searches>>20, link.buf.Len()>>10)
	r.proveSearch(relay, link, secrets)
	r.readFiles(secrets)
}

// proveSearch finds by the same search what is there: in the relay's memory its own and
// the host's key, on its link the beginning of each connection, and in the host's
// memory the secret.
func (r *secretRoom) proveSearch(relay *process, link *capture, secrets map[string][]byte) {
	r.Helper()
	keys := map[string][]byte{}
	for name, p := range map[string]*process{"the relay's key": relay, "the host's key": r.host} {
		id, err := peer.Decode(r.field(p.out.soFar()[0], "peer"))
		if err != nil {
			r.Fatal(err)
		}
		keys[name] = []byte(id)
	}
	for name, key := range keys {
		if found, _, err := memory(relay.cmd.Process.Pid, map[string][]byte{name: key}); len(found) == 0 {
			r.Errorf("%s is not found in the relay's memory, %v: the search is no good", name, err)
		}
	}
	if found, _, err := memory(r.host.cmd.Process.Pid, secrets); len(found) == 0 {
		r.Errorf("the host's memory holds no secret, %v: the search is no good", err)
	}
	const least = 1000 * 100 * 2 // in from one home, out to the other
	if begins := bytes.Count(link.buf.Bytes(), []byte("/multistream/1.0.0")); begins < 3 || link.buf.Len() < least {
		r.Errorf("the capture shows %d beginnings of connections and %d bytes: it is no good", begins, link.buf.Len())
	}
}

// readFiles looks for the secrets in what the relay has written.
func (r *secretRoom) readFiles(secrets map[string][]byte) {
	r.Helper()
	files := []string{filepath.Join(r.logs, "relay.log")}
	more, err := filepath.Glob(filepath.Join(r.data("relay"), "*"))
	if err != nil || len(more) == 0 {
		r.Fatalf("the relay has no data: %v", err)
	}
	for _, name := range append(files, more...) {
		b, err := os.ReadFile(name)
		if err != nil {
			r.Fatal(err)
		}
		if found := among(b, secrets); len(found) > 0 || len(b) == 0 {
			r.Errorf("%s holds %v, %d bytes", filepath.Base(name), found, len(b))
		}
	}
}
