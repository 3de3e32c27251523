package node

import (
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"p2pchat/node/wire"
)

// Bounds on connections that have not said hello yet, and on those without a
// session.
const (
	strangersAtOnce  = 1024
	strangersInGroup = 128              // behind one address
	strangersOfPeer  = 4                // of one key
	idleTime         = 30 * time.Second // for a connection to have a session
)

// strangers counts the connections that have not said hello, so that they can
// neither pile up nor take all places from one address.
type strangers struct {
	mu     sync.Mutex // guards the fields below
	all    int
	groups map[string]int
	peers  map[peer.ID]int
}

// enter counts a connection in, if there is a place for it.
func (s *strangers) enter(group string, id peer.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= strangersAtOnce || group != "" && s.groups[group] >= strangersInGroup || s.peers[id] >= strangersOfPeer {
		return false
	}
	if s.groups == nil {
		s.groups, s.peers = map[string]int{}, map[peer.ID]int{}
	}
	s.all++
	s.groups[group]++
	s.peers[id]++
	return true
}

// leave is called once for each connection that was counted in.
func (s *strangers) leave(group string, id peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.groups[group]--; s.groups[group] == 0 {
		delete(s.groups, group)
	}
	if s.peers[id]--; s.peers[id] == 0 {
		delete(s.peers, id)
	}
}

// expectSession closes a connection that has no session after a while: it would be
// kept for ever. Those to relays and the like are for other things.
func (h *Host) expectSession(c network.Conn) {
	time.AfterFunc(idleTime, func() {
		if h.closing() || c.IsClosed() || h.net.Helps(c.RemotePeer()) {
			return
		}
		if !slices.ContainsFunc(c.GetStreams(), func(s network.Stream) bool {
			return s.Protocol() == protocol.ID(wire.Protocol) || s.Protocol() == protocol.ID(wire.FileProtocol)
		}) {
			_ = c.Close()
		}
	})
}
