package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/node"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// note is what happened to one member of a crowd.
type note struct {
	Who  string        `json:"who"`
	What string        `json:"what"` // entered, path, lost, restored, gone, silent, wrong, refused, count
	Text string        `json:"text,omitempty"`
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took,omitempty"` // to enter, or of a silence that ends here

	Heard int `json:"heard,omitempty"` // in a count: lines of everybody
	Said  int `json:"said,omitempty"`
}

// silent is how long nothing is heard in a chat that goes on before it is noted.
const silent = 600 * time.Millisecond

// atOnce is how many members of one crowd come at the same time.
const atOnce = 4

// crowd is a program that is many members in one process, to keep a lab small:
//
//	crowd TARGET NAME COUNT NETWORK
//
// They are called NAME0, NAME1, … and enter the lobby. It reads "talk TIME": each says a
// numbered line so often; "quiet"; and "count". It writes notes, one a line.
func crowd() {
	target, err := node.ParseTarget(os.Args[1])
	count, wrong := strconv.Atoi(os.Args[3])
	if err != nil || wrong != nil {
		fmt.Fprintln(os.Stderr, err, wrong)
		os.Exit(2)
	}
	c := &people{target: target, network: relay.Network(os.Args[4]), out: json.NewEncoder(os.Stdout)}
	for i := range count {
		c.all = append(c.all, &person{name: fmt.Sprint(os.Args[2], i), people: c, heard: map[string]int{}})
	}
	places := make(chan struct{}, atOnce)
	for _, p := range c.all {
		go func() {
			places <- struct{}{}
			entered := p.come()
			<-places
			if entered {
				p.listen()
			}
		}()
	}
	c.obey(bufio.NewScanner(os.Stdin))
}

// people are the members in one process.
type people struct {
	target  node.Target
	network relay.Network
	all     []*person

	mu  sync.Mutex // guards out
	out *json.Encoder
}

func (c *people) tell(n note) {
	n.At = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.out.Encode(n)
}

// obey does what is asked until the input ends.
func (c *people) obey(asked *bufio.Scanner) {
	stop := func() {}
	for asked.Scan() {
		what, arg, _ := strings.Cut(asked.Text(), " ")
		switch what {
		case "talk":
			every, err := time.ParseDuration(arg)
			if err != nil {
				panic(err)
			}
			stop = c.talk(every)
		case "quiet":
			stop()
		case "count":
			for _, p := range c.all {
				p.count()
			}
		}
	}
}

// talk lets everybody say a line every so often, one after the other, until quiet.
func (c *people) talk(every time.Duration) (quiet func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every / time.Duration(len(c.all)))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				c.all[i%len(c.all)].say()
			case <-stop:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(stop); <-done })
}

// person is one of a crowd.
type person struct {
	*people
	name   string
	client *node.Client

	mu    sync.Mutex     // guards the fields below
	heard map[string]int // the last number of each who said something
	total int
	said  int
	last  time.Time // something was heard
}

func (p *person) tell(n note) {
	n.Who = p.name
	p.people.tell(n)
}

// come connects to the host and asks to enter the lobby.
func (p *person) come() bool {
	began := time.Now()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		panic(err)
	}
	c := relay.Config{Key: key, Network: p.network}
	if p.network != relay.None { // as p2pchat join does
		for _, a := range []string{"/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1"} {
			c.Listen = append(c.Listen, ma.StringCast(a))
		}
	}
	net, err := relay.New(c)
	if err != nil {
		panic(err)
	}
	client, err := node.Dial(context.Background(), node.ClientConfig{Net: net, Target: p.target, Nick: p.name, NickFixed: true, Version: "test"})
	if err != nil {
		p.tell(note{What: "refused", Text: err.Error(), Took: time.Since(began)})
		return false
	}
	p.mu.Lock()
	p.client = client
	p.mu.Unlock()
	client.Send(rooms.Join{Room: "lobby"})
	for e := range client.Events() {
		if a, ok := e.(rooms.Answered); ok {
			p.answered(a, time.Since(began))
			return true
		}
		p.happened(e)
	}
	p.tell(note{What: "gone"})
	return false
}

// listen takes what happens as long as the member lives.
func (p *person) listen() {
	for e := range p.client.Events() {
		if a, ok := e.(rooms.Answered); ok {
			p.answered(a, 0)
			continue
		}
		p.happened(e)
	}
	p.tell(note{What: "gone"})
}

func (p *person) answered(a rooms.Answered, took time.Duration) {
	switch a := a.Answer.(type) {
	case rooms.Entered:
		p.tell(note{What: "entered", Took: took})
	case *rooms.Refusal:
		p.tell(note{What: "refused", Text: a.Error()})
	}
}

func (p *person) happened(e rooms.Event) {
	switch e := e.(type) {
	case rooms.Posted:
		p.hear(e.Text)
	case rooms.Path:
		p.tell(note{What: "path", Text: e.Path, Took: e.RTT})
	case rooms.Connection:
		p.tell(note{What: e.What.String(), Text: e.Why})
	case rooms.Notice:
		p.tell(note{What: "wrong", Text: e.Text})
	}
}

// hear holds that the lines of everybody come once and in order.
func (p *person) hear(text string) {
	who, number, _ := strings.Cut(text, "-")
	n, err := strconv.Atoi(number)
	if err != nil {
		p.tell(note{What: "wrong", Text: "heard " + text})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := p.heard[who]; n != last+1 {
		p.tell(note{What: "wrong", Text: fmt.Sprintf("heard %s behind number %d", text, last)})
	}
	p.heard[who] = n
	p.total++
	now := time.Now()
	if gap := now.Sub(p.last); gap > silent && !p.last.IsZero() {
		p.tell(note{What: "silent", Took: gap})
	}
	p.last = now
}

func (p *person) say() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil {
		p.said++
		p.client.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprintf("%s-%d", p.name, p.said)})
	}
}

func (p *person) count() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(note{What: "count", Heard: p.total, Said: p.said})
}
