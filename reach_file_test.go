package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// TestReachFile sends a file of 5 MB through a relay, in both directions, between networks
// that can't be connected directly; once through a relay of our own, and once through one
// that cuts every circuit after 128 KiB.
func TestReachFile(t *testing.T) {
	const size = 5_000_000
	for name, flags := range map[string][]string{"own": nil, "cutting": {"--circuit-data", "128KiB"}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
			l.startRelay(l.Public("relay"), flags...)
			p := l.pair(natlab.Symmetric, natlab.PortRestricted)
			sum := randomFile(t, l.data("photo.bin"), size)
			for _, way := range [][2]*chatter{{p.joe, p.pal}, {p.pal, p.joe}} {
				from, to := way[0], way[1]
				began := time.Now()
				dir := l.data("saved-" + to.name)
				p.asks(from, map[string]any{"do": "send", "path": l.data("photo.bin"), "ref": "sent"})
				p.until(3*time.Minute, "the file is sent", func() bool { return to.has(`"kind":"file"`) != "" && from.has(`"ref":"sent"`) != "" })
				if sent := from.has(`"ref":"sent"`); !strings.Contains(sent, `"type":"ok"`) && !strings.Contains(sent, `"type":"transfer"`) {
					t.Fatal(sent)
				}
				uploaded := time.Since(began)
				id := regexp.MustCompile(`"file":\{"id":"([^"]+)"`).FindStringSubmatch(to.has(`"kind":"file"`))[1]
				p.asks(to, map[string]any{"do": "save", "file": id, "dir": dir, "ref": "saved"})
				p.until(3*time.Minute, "the file is saved", func() bool { return to.has(`"ref":"saved","file"`) != "" })
				if got := hashOf(t, filepath.Join(dir, "photo.bin")); got != sum {
					t.Errorf("%s saved another file than %s sent", to.name, from.name)
				}
				t.Logf("%s to %s: up in %v, down in %v, told of %d lost connections", from.name, to.name,
					uploaded.Round(time.Millisecond), (time.Since(began) - uploaded).Round(time.Millisecond), p.joe.lost())
			}
			if lost := p.joe.lost(); lost > 0 {
				t.Errorf("the chat was lost %d times", lost)
			}
		})
	}
}

// asks sends a request.
func (p *pair) asks(c *chatter, request map[string]any) {
	p.Helper()
	line, err := json.Marshal(request)
	if err == nil {
		_, err = fmt.Fprintf(c.in, "%s\n", line)
	}
	if err != nil && err != io.ErrClosedPipe {
		p.Fatal(err)
	}
}

// has returns the last line so far that holds a text; "" where there is none. It reads each
// line once, or whoever asks again and again would delay the lines that are measured.
func (c *chatter) has(text string) string {
	if c.looked == nil {
		c.looked = map[string]*look{}
	}
	seen := c.looked[text]
	if seen == nil {
		seen = &look{}
		c.looked[text] = seen
	}
	lines, _ := c.out.after(seen.at)
	for _, line := range lines {
		if strings.Contains(line, text) {
			seen.found = line
		}
	}
	seen.at += len(lines)
	return seen.found
}

// look is how far a member's lines were searched, and what was found last.
type look struct {
	at    int
	found string
}
