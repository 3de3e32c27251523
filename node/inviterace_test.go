package node

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	golog "github.com/ipfs/go-log/v2"

	"p2pchat/rooms"
)

// cellar is a private room, and an invite to it.
type cellar struct {
	*house
	boss   *player // made both
	guests []*player
	room   rooms.RoomID
	invite rooms.Invited
}

func (h *house) cellar(uses, guests int) *cellar {
	h.Helper()
	b := &table{house: h}
	c := &cellar{house: h, boss: b.seat("boss")}
	c.boss.come("")
	c.room = c.boss.must(rooms.Create{Room: "cellar", Private: true}).(rooms.Entered).Room.Room
	c.invite = c.boss.must(rooms.Invite{Uses: uses}).(rooms.Invited)
	for i := range guests {
		p := b.seat(rooms.PeerID(fmt.Sprint("guest-", i)))
		p.come("")
		c.guests = append(c.guests, p)
	}
	return c
}

// all has all guests ask the same, at the same time.
func (c *cellar) all(cmd rooms.Command) []rooms.Event {
	answers := make([]rooms.Event, len(c.guests))
	var asking sync.WaitGroup
	start := make(chan struct{})
	for i, p := range c.guests {
		asking.Go(func() {
			<-start
			answers[i] = p.line.ask(cmd)
		})
	}
	close(start)
	asking.Wait()
	return answers
}

func (c *cellar) redeem() []rooms.Event {
	return c.all(rooms.Join{Invite: c.invite.Capability})
}

// admitted is which guests may enter without the invite.
func (c *cellar) admitted() []int {
	return c.in(c.all(rooms.Join{Room: string(c.room)}), rooms.NoSuchRoom)
}

// in is which guests got in; the others have to be refused with the code.
func (c *cellar) in(answers []rooms.Event, code rooms.Code) (in []int) {
	c.Helper()
	for i, e := range answers {
		if _, ok := e.(rooms.Entered); ok {
			in = append(in, i)
		} else if r, ok := e.(*rooms.Refusal); !ok || r.Code != code {
			c.Errorf("guest %d was answered %v, want %s", i, e, code)
		}
	}
	return in
}

// uses is how often the invite was used; it is not listed when it is used up.
func (c *cellar) uses() int {
	c.Helper()
	listed := c.boss.must(rooms.Invites{Room: string(c.room)}).(rooms.InviteList).Invites
	if len(listed) == 0 {
		return c.invite.Invite.MaxUses
	}
	return listed[0].Uses
}

func (c *cellar) leave() {
	for _, p := range append(c.guests, c.boss) {
		p.quit()
	}
}

// Of 200 peers who use an invite for one at the same moment, one gets in.
func TestInviteRace(t *testing.T) {
	c := newHouse(t).cellar(1, 200)
	in := c.in(c.redeem(), rooms.InviteInvalid)
	if len(in) != 1 {
		t.Fatalf("guests %v got in", in)
	}
	if again := c.in(c.redeem(), rooms.InviteInvalid); !slices.Equal(again, in) {
		t.Errorf("guests %v got in again, want %v", again, in)
	}
	if got := c.admitted(); !slices.Equal(got, in) {
		t.Errorf("guests %v may enter, want %v", got, in)
	}
	if inside := c.boss.must(rooms.Who{}).(rooms.Roster).Members; len(inside) != 2 {
		t.Errorf("inside are %+v", inside)
	}
	c.leave()
}

// fate is what becomes of the write during which the power fails.
type fate int

const (
	written fate = iota // it is on disk, and nobody is told
	torn                // a part of it is
	lost
)

var errPower = errors.New("the power failed")

// failing is a store whose power fails when an invite is used for the n-th time from
// now. What is on the disk in that moment is copied.
type failing struct {
	Store
	n        int
	fate     fate
	dir, to  string
	rand     *rand.Rand
	copied   error
	poweroff bool
}

func (f *failing) Record(changes ...rooms.Change) error {
	if f.poweroff {
		return errPower
	}
	used := slices.ContainsFunc(changes, func(c rooms.Change) bool { return c.Kind == rooms.InviteUsed })
	if used {
		f.n--
	}
	if !used || f.n > 0 {
		return f.Store.Record(changes...)
	}
	f.poweroff = true
	f.copied = f.fail(changes)
	return errPower
}

func (f *failing) fail(changes []rooms.Change) error {
	before, err := f.size()
	if err == nil && f.fate != lost {
		err = f.Store.Record(changes...)
	}
	if err == nil {
		err = os.CopyFS(f.to, os.DirFS(f.dir))
	}
	if err != nil || f.fate != torn {
		return err
	}
	after, err := f.size()
	if err != nil {
		return err
	}
	name, err := f.state(f.to)
	if err != nil {
		return err
	}
	return os.Truncate(name, before+1+f.rand.Int64N(after-before-1))
}

// state is the file with the changes.
func (f *failing) state(dir string) (string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "state", "state-*.log"))
	if err != nil || len(all) == 0 {
		return "", errors.Join(err, fs.ErrNotExist)
	}
	return slices.Max(all), nil
}

func (f *failing) size() (int64, error) {
	name, err := f.state(f.dir)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// After a crash while an invite is used, there are as many uses as members who may
// enter; whoever was let in before is among them; and no more can be than it says.
func TestInviteCrash(t *testing.T) {
	_ = golog.SetLogLevel("p2pchat", "fatal") // a host without power complains
	defer golog.SetLogLevel("p2pchat", "error")
	rounds := 50
	if testing.Short() {
		rounds = 6
	}
	seeds := make(chan int, rounds)
	for seed := range rounds {
		seeds <- seed
	}
	close(seeds)
	var running sync.WaitGroup
	for range 6 {
		running.Go(func() {
			for seed := range seeds {
				crash(t, seed)
			}
		})
	}
	running.Wait()
}

func crash(t *testing.T, seed int) {
	const guests = 12
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	uses := 1 + r.IntN(6)
	h := &house{TB: t, key: newKey(t), dir: t.TempDir()}
	f := &failing{n: 1 + r.IntN(uses), fate: fate(seed % 3), dir: h.dir, to: filepath.Join(t.TempDir(), "copy"), rand: r}
	before := f.n - 1
	h.start(func(s Store) Store { f.Store = s; return f })
	c := h.cellar(uses, guests)
	var early []int
	for i, e := range c.redeem() {
		if _, ok := e.(rooms.Entered); ok {
			early = append(early, i)
		}
	}
	h.stop()
	if f.copied != nil || !f.poweroff || len(early) != before {
		t.Errorf("seed %d: guests %v of %d got in before the power failed: %v", seed, early, before, f.copied)
	}
	want := before
	if f.fate == written {
		want++
	}

	h.dir = f.to
	h.start(func(s Store) Store { return s })
	defer h.stop()
	defer c.leave()
	for _, p := range append(c.guests, c.boss) {
		p.hangUp()
		p.come("")
	}
	in := c.admitted()
	if n := c.uses(); n != want || len(in) != want {
		t.Errorf("seed %d: %d uses and %d members, want %d", seed, n, len(in), want)
	}
	for _, i := range early {
		if !slices.Contains(in, i) {
			t.Errorf("seed %d: guest %d was let in, and is forgotten", seed, i)
		}
	}
	in = c.in(c.redeem(), rooms.InviteInvalid)
	if got := c.admitted(); len(in) != uses || !slices.Equal(got, in) {
		t.Errorf("seed %d: by %d uses guests %v got in, and %v may enter", seed, uses, in, got)
	}
}
