package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	mrand "math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// countingConn counts writes.
type countingConn struct {
	net.Conn
	writes atomic.Int64
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// tlsPair is a connection over loopback, and what counts its writes below TLS.
func tlsPair(t *testing.T) (one, other sec.SecureConn, below *countingConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	end := func() (*gatheringTLS, peer.ID) {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id, _ := peer.IDFromPrivateKey(key)
		tr, err := newTLS(tls.ID, key, nil)
		if err != nil {
			t.Fatal(err)
		}
		return tr, id
	}
	client, _ := end()
	server, id := end()
	served := make(chan sec.SecureConn, 1)
	go func() {
		c, err := server.SecureInbound(context.Background(), accepted, "")
		if err != nil {
			t.Error(err)
		}
		served <- c
	}()
	below = &countingConn{Conn: dialled}
	one, err = client.SecureOutbound(context.Background(), below, id)
	if err != nil {
		t.Fatal(err)
	}
	other = <-served
	t.Cleanup(func() { one.Close(); other.Close() })
	return one, other, below
}

// TestGather: what is written at once is one write below, small or large, both ways at the
// same time, and arrives as it was.
func TestGather(t *testing.T) {
	one, other, below := tlsPair(t)
	sizes := []int{1, 100, tlsRecord - 1, tlsRecord, tlsRecord + 1, 64 << 10, 200_000}
	for range 200 {
		sizes = append(sizes, 1+mrand.IntN(70_000))
	}
	total := 0
	for _, n := range sizes {
		total += n
	}
	content := make([]byte, total)
	_, _ = rand.Read(content)
	send := func(c sec.SecureConn, each func()) {
		for at, i := 0, 0; i < len(sizes); i++ {
			if n, err := c.Write(content[at : at+sizes[i]]); n != sizes[i] || err != nil {
				t.Errorf("wrote %d of %d: %v", n, sizes[i], err)
				return
			}
			at += sizes[i]
			each()
		}
	}
	_, _ = one.Write(make([]byte, 256<<10)) // the first records are smaller
	_, _ = io.CopyN(io.Discard, other, 256<<10)
	go send(other, func() {})
	before := below.writes.Load()
	go send(one, func() {
		if n := below.writes.Load(); n != before+1 {
			t.Errorf("%d writes below", n-before)
		}
		before = below.writes.Load()
	})
	for _, c := range []sec.SecureConn{one, other} {
		got := make([]byte, total)
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("something else came: %v", err)
		}
	}
}

// TestGatherFails: a write to a connection that is closed below, or in the middle, fails.
func TestGatherFails(t *testing.T) {
	one, other, below := tlsPair(t)
	go func() {
		_, _ = io.CopyN(io.Discard, other, 1<<20)
		below.Close()
	}()
	var err error
	for i := 0; i < 10_000 && err == nil; i++ {
		_, err = one.Write(make([]byte, 64<<10))
	}
	if err == nil {
		t.Fatal("600 MB went into a closed connection")
	}
	if n, err := one.Write(make([]byte, 64<<10)); n != 0 || err == nil {
		t.Fatalf("wrote %d: %v", n, err)
	}
}

// TestGatherCloses: closing does not wait for a write to an end that does not read.
func TestGatherCloses(t *testing.T) {
	one, _, below := tlsPair(t)
	failed := make(chan error)
	go func() {
		for {
			if _, err := one.Write(make([]byte, 64<<10)); err != nil {
				failed <- err
				return
			}
		}
	}()
	for before := int64(-1); before != below.writes.Load(); time.Sleep(200 * time.Millisecond) { // until it blocks
		before = below.writes.Load()
	}
	began := time.Now()
	_ = one.Close()
	if took := time.Since(began); took > 3*time.Second { // TLS would wait 5 s
		t.Errorf("it took %v", took)
	}
	<-failed
}
