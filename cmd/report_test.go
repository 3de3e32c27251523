package cmd

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"p2pchat/rooms"
)

// A host goes on although nobody reads its reports, and says afterwards how many
// are missing.
func TestReportsDoNotWaitForTheirReader(t *testing.T) {
	var out lockedBuffer
	r := newReporter(true, &out, &out)
	const happened = 3 * reportedEvents
	for i := range happened {
		r.event(rooms.MemberChanged{Room: "lobby", What: rooms.MemberJoined, Member: rooms.Member{Nick: fmt.Sprint("m", i)}})
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.run(ctx, nil) })
	missing := fmt.Sprintf("%d reports are missing", happened-reportedEvents)
	limit := time.Now().Add(20 * time.Second)
	for !strings.Contains(out.String(), missing) || strings.Count(out.String(), `"type":"member"`) < reportedEvents {
		if time.Now().After(limit) {
			t.Errorf("%d bytes of reports, without %q", len(out.String()), missing)
			break
		}
	}
	stop()
	running.Wait()
}

// lockedBuffer is a buffer that two goroutines may use.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
