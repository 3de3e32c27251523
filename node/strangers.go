package node

import (
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"p2pchat/node/wire"
)

// Bounds on connections that have not said hello yet, and on those without a
// session.
const (
	strangersAtOnce  = 1024
	strangersInGroup = 128              // behind one address
	idleTime         = 30 * time.Second // for a connection to have a session
)

// strangers counts the connections that have not said hello, so that they can
// neither pile up nor take all places from one address.
type strangers struct {
	mu     sync.Mutex // guards the fields below
	all    int
	groups map[string]int
}

// enter counts a connection in, if there is a place for it.
func (s *strangers) enter(group string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= strangersAtOnce || group != "" && s.groups[group] >= strangersInGroup {
		return false
	}
	if s.groups == nil {
		s.groups = map[string]int{}
	}
	s.all++
	s.groups[group]++
	return true
}

// leave is called once for each connection that was counted in.
func (s *strangers) leave(group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.groups[group]--; s.groups[group] == 0 {
		delete(s.groups, group)
	}
}

// expectSession closes a connection that came from outside and has no session
// after a while: it would be kept for ever, and the places for connections are
// counted.
func (h *Host) expectSession(c network.Conn) {
	if c.Stat().Direction != network.DirInbound {
		return
	}
	time.AfterFunc(idleTime, func() {
		if h.closing() || c.IsClosed() {
			return
		}
		if !slices.ContainsFunc(c.GetStreams(), func(s network.Stream) bool { return s.Protocol() == protocol.ID(wire.Protocol) }) {
			_ = c.Close()
		}
	})
}
