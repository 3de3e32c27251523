package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// member is a p2pchat join --json: all that it says, sees and is answered is evidence.
type member struct {
	*stage
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	ended  chan struct{} // closed when it has ended and all that it wrote was read
	window chan struct{} // a token for every line without an answer
	saying sync.Mutex    // lines are sent in the order in which they are evidence

	// Guarded by the stage's mu.
	peer    string
	visit   *visit
	said    int
	open    int              // lines that wait for an answer
	lost    int              // connections
	addr    string           // the way to the host
	asked   int              // questions
	answers map[string]event // to questions
	latest  []string         // what it wrote last
}

// event is a line of JSON as far as it is evidence.
type event struct {
	Type, Event, Room, Text, Peer, Addr, Code, Message, Ref string

	Seq, Head int
	From      struct{ Peer string }
}

func (e event) entry() entry { return entry{e.Seq, e.From.Peer, e.Text} }

// join starts a member, who is in no room yet. It has at most waiting lines without an
// answer.
func (s *stage) join(name, target string, waiting int) *member {
	s.Helper()
	m := &member{stage: s, name: name, ended: make(chan struct{}), window: make(chan struct{}, waiting), answers: map[string]event{}}
	m.cmd = s.command("join", target, "--json", "--network", "none", "--data", s.dir+"/"+name, "--nick", name)
	m.cmd.Stderr = &warnings{member: m}
	in, err := m.cmd.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	m.in = in
	s.mu.Lock()
	s.members = append(s.members, m)
	s.mu.Unlock()
	go func() {
		defer close(m.ended)
		m.read(json.NewDecoder(out))
		_ = m.cmd.Wait()
	}()
	return m
}

// warnings is what a member writes to its standard error.
type warnings struct{ *member }

func (w *warnings) Write(b []byte) (int, error) {
	w.log.add(w.name+":err >", strings.TrimSuffix(string(b), "\n"))
	return len(b), nil
}

func (m *member) read(lines *json.Decoder) {
	for {
		var raw json.RawMessage
		if err := lines.Decode(&raw); err != nil {
			return
		}
		var e event
		err := json.Unmarshal(raw, &e)
		m.mu.Lock()
		m.note(string(raw))
		if err != nil {
			m.wonder("%v", err)
		}
		m.happened(e)
		m.mu.Unlock()
		m.changed.Broadcast()
	}
}

// note keeps the latest lines for whoever has to find out what went wrong.
func (m *member) note(line string) {
	const kept, widest = 8, 300
	if len(line) > widest {
		line = line[:widest] + "…"
	}
	if len(m.latest) == kept {
		m.latest = append(m.latest[:0], m.latest[1:]...)
	}
	m.latest = append(m.latest, fmt.Sprintf("%6.3f %s", time.Since(m.began).Seconds(), line))
}

func (m *member) wonder(format string, args ...any) {
	m.odd = append(m.odd, m.name+": "+fmt.Sprintf(format, args...))
}

// happened takes an event as evidence.
func (m *member) happened(e event) {
	switch e.Type {
	case "welcome":
		m.peer = e.Peer
	case "message":
		if m.visit == nil || e.Room != m.visit.room {
			m.wonder("a message of %q came from where it is not", e.Room)
			return
		}
		m.visit.seen = append(m.visit.seen, e.entry())
	case "ok", "error":
		m.answered(e)
	case "path":
		m.addr = e.Addr
	case "connection":
		if e.Event == "lost" {
			m.lost++
		}
		if e.Event == "gone" {
			m.wonder("the host sent it away")
		}
	case "room":
		if e.Event == "closed" || e.Event == "left" && m.visit != nil && m.visit.room == e.Room && !m.visit.over {
			m.wonder("it was put out of %q", e.Room)
		}
	case "notice":
		if m.faulty && strings.Contains(e.Text+e.Message, "can only be read") {
			return // the disk failed when the room was opened
		}
		m.wonder("it is told: %s%s", e.Text, e.Message)
	}
}

// answered takes an answer as evidence: to a line, or to a question.
func (m *member) answered(e event) {
	number, isLine := strings.CutPrefix(e.Ref, "line ")
	if !isLine {
		m.answers[e.Ref] = e
		if room, ok := strings.CutPrefix(e.Ref, "enter "); ok && e.Type == "ok" {
			m.visit = m.evidence.enter(m.name, room, e.Head)
		}
		return
	}
	body := m.body(number)
	if e.Type == "ok" {
		m.evidence.ack(time.Since(m.began), body, e.Seq)
	} else {
		m.evidence.refuse(time.Since(m.began), body, e.Code)
	}
	m.open--
	<-m.window
}

// body is a text that nobody else says: mostly short, sometimes several packets long.
func (m *member) body(number string) string {
	r := rand.New(rand.NewPCG(uint64(len(number)), uint64(number[len(number)-1])))
	n := r.IntN(120)
	if strings.HasSuffix(number, "77") {
		n = 3000
	}
	return m.name + "-" + number + " " + strings.Repeat("x", n)
}

// say says lines one after the other, as fast as they are answered. It is false when
// that takes too long.
func (m *member) say(lines int) bool {
	m.saying.Lock()
	defer m.saying.Unlock()
	for range lines {
		select {
		case m.window <- struct{}{}:
		case <-m.ended:
			return false
		case <-m.over:
			return false
		}
		m.mu.Lock()
		m.said++
		number := fmt.Sprint(m.said)
		body := m.body(number)
		m.open++
		m.evidence.invoke(time.Since(m.began), m.peer, m.visit.room, body)
		m.mu.Unlock()
		m.tell(map[string]any{"do": "say", "ref": "line " + number, "text": body})
	}
	return true
}

func (m *member) tell(request map[string]any) {
	line, err := json.Marshal(request)
	if err == nil {
		_, err = m.in.Write(append(line, '\n'))
	}
	if err != nil {
		m.mu.Lock()
		m.wonder("it does not listen: %v", err)
		m.mu.Unlock()
	}
}

// ask asks a question and waits for the answer.
func (m *member) ask(request map[string]any) event {
	m.Helper()
	m.mu.Lock()
	m.asked++
	ref := fmt.Sprint("question ", m.asked)
	m.mu.Unlock()
	request["ref"] = ref
	m.tell(request)
	var e event
	m.await(fmt.Sprint(m.name, " has an answer to ", request), func() (ok bool) { e, ok = m.answers[ref]; return ok })
	return e
}

// enter enters a room, made first if it is to be, and ends the visit before. It is false
// when that fails.
func (m *member) enter(do, room string) bool {
	m.Helper()
	m.mu.Lock()
	if m.visit != nil {
		m.visit.over = true
	}
	delete(m.answers, "enter "+room)
	m.mu.Unlock()
	m.tell(map[string]any{"do": do, "room": room, "ref": "enter " + room})
	var e event
	ok := m.holds(m.name+" is in "+room, func() (ok bool) { e, ok = m.answers["enter "+room]; return ok })
	if e.Type == "error" {
		m.Errorf("%s can't %s %s: %s", m.name, do, room, e.Message)
	}
	return ok && e.Type == "ok"
}

// settle waits until all that it has said is answered.
func (m *member) settle() bool {
	m.Helper()
	return m.holds(m.name+" has its answers", func() bool { return m.open == 0 })
}

// at is the last message that it has seen; the caller holds mu.
func (m *member) at() int {
	if n := len(m.visit.seen); n > 0 {
		return m.visit.seen[n-1].seq
	}
	return m.visit.head
}

func (m *member) state() string {
	if m.visit == nil {
		return "in no room"
	}
	return fmt.Sprintf("at %d in %q, %d said, %d open, %d connections lost", m.at(), m.visit.room, m.said, m.open, m.lost)
}

// leave ends it as a program does: by the end of its input.
func (m *member) leave() {
	m.Helper()
	_ = m.in.Close()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-m.ended:
		if code := m.cmd.ProcessState.ExitCode(); code != 0 {
			m.Errorf("%s ended with exit status %d", m.name, code)
		}
	case <-t.C:
		m.Errorf("%s does not leave", m.name)
	}
}

func (m *member) kill() {
	_ = m.cmd.Process.Kill()
	<-m.ended
}
