package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stage is the built program: a host that ends in many ways and is started again on the
// same data and ports, and members who stay. All that happens is evidence.
type stage struct {
	*testing.T
	program string
	dir     string // of the members
	data    string // of the host
	log     *transcript
	began   time.Time
	host    *process
	peer    string   // the host's
	listen  []string // where the host listens, TCP and QUIC

	over chan struct{} // closed when it has taken too long

	mu       sync.Mutex // guards the fields below, and all members'
	changed  *sync.Cond // something happened
	evidence *evidence
	odd      []string // what should not happen to anybody
	faulty   bool     // the host's disk fails at any moment
	members  []*member
}

// atFullLength tells whether a test is to take as long as make durable lets it.
func atFullLength() bool { return os.Getenv("P2PCHAT_DURABLE") != "" }

// enough is how long a stage waits for what has to come about, in all.
const enough = 3 * time.Minute

func newStage(t *testing.T) *stage {
	program, err := exec.LookPath("p2pchat")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, program: program, dir: t.TempDir(), log: newTranscript(), began: time.Now(), over: make(chan struct{}), evidence: newEvidence()}
	s.data = filepath.Join(s.dir, "host")
	s.changed = sync.NewCond(&s.mu)
	late := time.AfterFunc(enough, func() { close(s.over); s.wake() })
	t.Cleanup(func() { late.Stop(); s.end() })
	return s
}

// end kills what still runs, and tells what was said if the test has failed.
func (s *stage) end() {
	if s.host != nil {
		s.host.kill()
	}
	for _, m := range s.members {
		m.kill()
	}
	said := s.log.String()
	for _, alarm := range []string{"DATA RACE", "panic: ", "fatal error: ", "goroutine 1 ["} {
		if strings.Contains(said, alarm) {
			s.Errorf("a process says %q", alarm)
		}
	}
	if s.Failed() {
		const most = 20_000
		s.Logf("transcript:\n%s", said[max(0, len(said)-most):])
		for _, m := range s.members {
			s.Logf("%s:\n%s", m.name, strings.Join(m.latest, "\n"))
		}
	}
}

// command is the program, with nothing of this machine's own in its surroundings.
func (s *stage) command(args ...string) *exec.Cmd {
	c := exec.CommandContext(context.Background(), s.program, args...)
	c.Env = append(os.Environ(), "P2PCHAT_NETWORK=none", "HOME="+s.dir, "XDG_DATA_HOME="+s.dir, "TERM=dumb", "NO_COLOR=1", "TZ=UTC",
		"QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING=true", "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	return c
}

// launch starts the host, below the words that are put in front of it, and does not wait.
func (s *stage) launch(below ...string) {
	s.Helper()
	listen := s.listen
	if listen == nil {
		listen = []string{"127.0.0.1:0"}
	}
	args := []string{"host", "--json", "--network", "none", "--rate", "0", "--data", s.data}
	for _, l := range listen {
		args = append(args, "--listen", l)
	}
	c := s.command(args...)
	if len(below) > 0 {
		over := exec.CommandContext(context.Background(), below[0], append(below[1:], c.Args...)...)
		over.Env, c = c.Env, over
	}
	if s.host != nil {
		s.ended()
	}
	host, err := begin("host", c, s.log)
	if err != nil {
		s.Fatal(err)
	}
	s.host = host
	go func() { <-host.ended; s.wake() }()
}

// ended takes as evidence which rooms the host has told of as well again.
func (s *stage) ended() {
	<-s.host.ended
	var revived []string
	for _, line := range s.host.out.soFar() {
		var e event
		if strings.Contains(line, "can be written to again") && json.Unmarshal([]byte(line), &e) == nil {
			_, room, _ := strings.Cut(e.Text+e.Message, `room "`)
			room, _, _ = strings.Cut(room, `"`)
			revived = append(revived, room)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.evidence.ended(revived...)
}

// wake lets everybody look again at what is waited for.
func (s *stage) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// listening waits until members can come. It is false when the host ends instead.
func (s *stage) listening() bool {
	s.Helper()
	line, err := s.host.out.await(func(line string) bool { return strings.Contains(line, `"type":"listening"`) }, true)
	if err != nil {
		if !s.host.hasEnded() {
			s.Fatal(err)
		}
		return false
	}
	var said struct {
		Peer  string
		Addrs []string
	}
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		s.Fatal(err)
	}
	s.peer, s.listen = said.Peer, nil
	for _, a := range said.Addrs {
		if strings.HasPrefix(a, "/ip4/127.0.0.1/") {
			s.listen = append(s.listen, strings.TrimSuffix(a, "/p2p/"+s.peer))
		}
	}
	return true
}

// start starts the host and waits until members can come.
func (s *stage) start(below ...string) {
	s.Helper()
	s.launch(below...)
	if !s.listening() {
		s.Fatalf("the host did not start: %s", strings.Join(s.host.err.soFar(), "\n"))
	}
}

// stop stops the host as an operator does.
func (s *stage) stop() {
	s.Helper()
	if err := s.host.cmd.Process.Signal(os.Interrupt); err != nil {
		s.Fatal(err)
	}
	if code, err := s.host.wait(); err != nil || code != 0 {
		s.Fatalf("the host ended with exit status %d: %v", code, err)
	}
}

// kill9 ends the host at once.
func (s *stage) kill9() { s.host.kill() }

// target is how to join the host by one transport: "tcp" or "udp".
func (s *stage) target(transport string) string {
	i := slices.IndexFunc(s.listen, func(a string) bool { return strings.Contains(a, "/"+transport+"/") })
	if i < 0 {
		s.Fatalf("the host listens on %v, and not on %s", s.listen, transport)
	}
	return s.listen[i] + "/p2p/" + s.peer
}

// await waits until something holds, which is looked at whenever something has happened.
func (s *stage) await(what string, holds func() bool) {
	s.Helper()
	if !s.holds(what, holds) {
		s.FailNow()
	}
}

// holds is await for other goroutines than the test's: it is false when that was in vain.
func (s *stage) holds(what string, holds func() bool) bool {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !holds() {
		if s.isOver() {
			s.Errorf("waited in vain until %s: %s", what, s.state())
			return false
		}
		s.changed.Wait()
	}
	return true
}

func (s *stage) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// when tells whether something holds now.
func (s *stage) when(holds func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return holds()
}

// everybody lets all members do something at the same time, which is false when it
// failed; that ends the test.
func (s *stage) everybody(does func(*member) bool) {
	s.Helper()
	if !s.all(does) {
		s.FailNow()
	}
}

// all is everybody for other goroutines than the test's.
func (s *stage) all(does func(*member) bool) bool {
	var all sync.WaitGroup
	var failed atomic.Bool
	for _, m := range s.members {
		all.Go(func() {
			if !does(m) {
				failed.Store(true)
			}
		})
	}
	all.Wait()
	return !failed.Load()
}

// everybodySays lets everybody say lines and waits for the answers.
func (s *stage) everybodySays(lines int) {
	s.Helper()
	s.everybody(func(m *member) bool { return m.say(lines) && m.settle() })
}

// awaitAcks waits for so many more acknowledgements.
func (s *stage) awaitAcks(n int) {
	s.Helper()
	s.mu.Lock()
	n += s.evidence.acks
	s.mu.Unlock()
	s.await(fmt.Sprint(n, " lines are acknowledged"), func() bool { return s.evidence.acks >= n })
}

// state is where everybody is; the caller holds mu.
func (s *stage) state() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d said, %d acknowledged", len(s.evidence.lines), s.evidence.acks)
	for _, m := range s.members {
		fmt.Fprintf(&b, "\n%s: %s", m.name, m.state())
	}
	return b.String()
}

// people lets n members come to the rooms by turns; the first of each makes it, but for
// the lobby.
func (s *stage) people(n int, rooms []string, targets []string, waiting int) {
	s.Helper()
	for i := range n {
		m := s.join(fmt.Sprint("m", i), targets[i*len(targets)/n], waiting)
		do := "join"
		if i > 0 && i < len(rooms) {
			do = "create"
		}
		if !m.enter(do, rooms[i%len(rooms)]) {
			s.FailNow()
		}
	}
}
