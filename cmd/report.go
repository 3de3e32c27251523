package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// reporter tells the operator of a host what happens: people's text on standard
// error, or JSON lines on standard output.
type reporter struct {
	json        bool
	out, people io.Writer
	events      chan rooms.Event
	told        string        // the target that people were told last; owned by run
	missed      atomic.Int64  // events that nobody read in time
	news        chan struct{} // the addresses have changed

	mu       sync.Mutex // guards the fields below
	terminal ui.Terminal
}

// reportedEvents is how far behind a reader of the reports may be. The host does
// not wait for it.
const reportedEvents = 1024

func newReporter(json bool, out, people io.Writer) *reporter {
	return &reporter{json: json, out: out, people: people, events: make(chan rooms.Event, reportedEvents), news: make(chan struct{}, 1)}
}

// run reports events until ctx ends.
func (r *reporter) run(ctx context.Context, h *node.Host) {
	for {
		select {
		case <-r.news:
			r.reachability(h)
		case e := <-r.events:
			r.show(e)
			if n := r.missed.Swap(0); n > 0 {
				r.notice(fmt.Sprintf("%d reports are missing here: they were not read in time", n))
			}
		case <-ctx.Done():
			return
		}
	}
}

// console makes the terminal the place for notices.
func (r *reporter) console(t ui.Terminal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.terminal = t
}

// listening tells that the host can be reached, and how.
func (r *reporter) listening(h *node.Host, chat bool) {
	target, addrs := h.Target(), texts(h.Addrs())
	if r.json {
		r.line(map[string]any{"type": "listening", "peer": h.Peer(), "addrs": addrs, "join": joinWords + target})
		r.reachability(h)
		return
	}
	r.told = target
	reach, why := h.Reach()
	r.say("this host is " + string(h.Peer()))
	fmt.Fprintf(r.people, "its addresses:\n  %s\n", strings.Join(addrs, "\n  "))
	r.say("it can be reached " + why)
	r.say("all that is said on it is stored here; the owner of this machine can read it")
	if chat {
		r.say("leaving the chat (Ctrl-D) stops the host; --headless runs one without a chat")
	}
	from := "another machine"
	if reach == "none" {
		from = "another terminal of this machine"
	}
	r.say("to chat from " + from + ", paste this there:")
	fmt.Fprintln(r.out, joinWords+target)
}

// moved notes that the host's addresses have changed.
func (r *reporter) moved() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// reachability tells where the host can be reached now: programs each change, people
// only another command to paste.
func (r *reporter) reachability(h *node.Host) {
	target := h.Target()
	reach, why := h.Reach()
	if r.json {
		r.line(map[string]any{"type": "reachability", "reach": reach, "addrs": texts(h.Addrs()), "join": joinWords + target, "why": why})
		return
	}
	if target != r.told {
		r.told = target
		r.notice("this host can now be reached " + why + "; the command to paste elsewhere is now: " + joinWords + target)
	}
}

// lineWidth is how wide a line for people may be: a terminal of 80 columns would
// cut a longer one in the middle of a word.
const lineWidth = 78

// say tells people something, in lines that fit a terminal.
func (r *reporter) say(text string) {
	width := 0
	var b strings.Builder
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			width = n
		case width+1+n > lineWidth:
			b.WriteString("\n  ")
			width = n + 2
		default:
			b.WriteByte(' ')
			width += 1 + n
		}
		b.WriteString(word)
	}
	fmt.Fprintln(r.people, b.String())
}

// event is told what happens on the host. It does not wait for a reader.
func (r *reporter) event(e rooms.Event) {
	select {
	case r.events <- e:
	default:
		r.missed.Add(1)
	}
}

func (r *reporter) show(e rooms.Event) {
	switch e := e.(type) {
	case rooms.MemberChanged:
		if r.json {
			r.line(map[string]any{
				"type": "member", "event": e.What.String(), "room": e.Room, "nick": e.Member.Nick,
				"peer": e.Member.Peer, "reason": e.Reason, "away": e.Member.Away,
			})
		}
	case rooms.Notice:
		r.notice(e.Text)
	}
}

func (r *reporter) notice(text string) {
	r.mu.Lock()
	terminal := r.terminal
	r.mu.Unlock()
	switch {
	case r.json:
		r.line(map[string]any{"type": "notice", "text": text})
	case terminal != nil:
		terminal.Print("-- " + ui.Sanitize(text))
	default:
		fmt.Fprintln(r.people, ui.Sanitize(text))
	}
}

// warn tells people, and a program as well, what must not be overlooked at the start.
func (r *reporter) warn(text string) {
	r.say("WARNING: " + ui.Sanitize(text))
	if r.json {
		r.notice(text)
	}
}

// line writes one JSON object.
func (r *reporter) line(fields map[string]any) {
	fields["v"] = 1
	b, err := json.Marshal(fields)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.out.Write(append(b, '\n'))
}

func texts(addrs []ma.Multiaddr) []string {
	s := make([]string, 0, len(addrs))
	for _, a := range addrs {
		s = append(s, a.String())
	}
	return s
}

// plural counts things.
func plural[N ~int | ~int64 | ~uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
