package node

import (
	"context"
	"maps"
	"sync"
	"time"

	"p2pchat/rooms"
)

// transfers counts the files under way, and knows the uploads among them.
type transfers struct {
	pace     pace     // of what the host sends
	courtesy courtesy // of what it sends and takes

	mu    sync.Mutex // guards the fields below
	all   int
	peers map[rooms.PeerID]int
	puts  map[putKey]*put
	flows map[rooms.PeerID]*flow // of streams that were cut off a moment ago
}

// putKey names an upload: a member sends the same content to the same room once at a time.
type putKey struct {
	peer rooms.PeerID
	room rooms.RoomKey
	hash rooms.Hash
}

// put is an upload that is under way.
type put struct {
	conn conn
	done chan struct{} // closed when the store has let go of it
}

// enter counts a transfer in, if there is a place for it.
func (t *transfers) enter(peer rooms.PeerID, l rooms.Limits) *rooms.Refusal {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.peers == nil {
		t.peers, t.puts, t.flows = map[rooms.PeerID]int{}, map[putKey]*put{}, map[rooms.PeerID]*flow{}
	}
	if l.Transfers > 0 && t.peers[peer] >= l.Transfers || l.AllTransfers > 0 && t.all >= l.AllTransfers {
		r := rooms.Refuse(rooms.Busy, "wait for one of them", "too many files are under way")
		r.Retry = time.Second
		return r
	}
	t.all++
	t.peers[peer]++
	return nil
}

func (t *transfers) leave(peer rooms.PeerID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.peers[peer]--; t.peers[peer] == 0 {
		delete(t.peers, peer)
	}
}

// begin makes an upload the one that is under way. An older one lost its connection, even
// if the host has not seen that yet: it is ended.
func (t *transfers) begin(key putKey, c conn) *put {
	mine := &put{conn: c, done: make(chan struct{})}
	for {
		t.mu.Lock()
		old := t.puts[key]
		if old == nil {
			t.puts[key] = mine
			t.mu.Unlock()
			return mine
		}
		t.mu.Unlock()
		cutOff(old.conn)
		<-old.done
	}
}

func (t *transfers) end(key putKey, p *put) {
	t.mu.Lock()
	delete(t.puts, key)
	t.mu.Unlock()
	close(p.done)
}

// yield lets a transfer, which has a pace of its own, wait before n bytes if people talk; it
// is false when ctx ends first.
func (t *transfers) yield(ctx context.Context, own *pace, n int64) bool {
	if !t.courtesy.asked() {
		return true
	}
	t.mu.Lock()
	own.rate = max(t.courtesy.rate/int64(max(t.all, 1)), t.courtesy.least)
	t.mu.Unlock()
	return own.wait(ctx, n)
}

// syncEvery is after how many bytes an upload is synced.
func (t *transfers) syncEvery() int64 { return t.courtesy.syncEvery() }

// flow is one for a stream to a member; it begins with what the last one had learned.
func (t *transfers) flow(peer rooms.PeerID, offset int64) *flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.flows[peer]
	delete(t.flows, peer)
	return f.again(time.Now(), offset)
}

// cut keeps what a stream had learned that was cut off.
func (t *transfers) cut(peer rooms.PeerID, f *flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.flows, func(_ rooms.PeerID, f *flow) bool { return time.Since(f.ackedAt) > rttLife })
	f.pieces = nil
	t.flows[peer] = f
}
