//go:build unix

package main

import (
	"math/rand/v2"
	"syscall"
	"testing"
)

// A host that is killed again and again, at any moment, loses nothing that it has
// acknowledged and doubles nothing: everybody reads the same, in the same order, also
// who was frozen meanwhile.
func TestKill9(t *testing.T) {
	kills, each := 100, 10
	if !atFullLength() {
		kills = 5
	}
	s := newStage(t)
	s.start()
	rooms := []string{"lobby", "one", "two", "three"}
	s.people(20, rooms, []string{s.target("tcp"), s.target("udp")}, 8)
	frozen := map[*member]int{}
	for kill := range kills {
		for _, m := range s.members {
			go m.say(each)
		}
		s.awaitAcks(1 + rand.IntN(each*len(s.members)*3/4))
		s.kill9()
		for m, until := range frozen {
			if kill >= until {
				s.signal(m, syscall.SIGCONT)
				delete(frozen, m)
			}
		}
		if kill%10 == 5 {
			s.export(rooms...)
		}
		for len(frozen) < 3 && kill < kills-2 {
			m := s.members[rand.IntN(len(s.members))]
			if _, ok := frozen[m]; !ok {
				s.signal(m, syscall.SIGSTOP)
				frozen[m] = kill + 1 + rand.IntN(4)
			}
		}
		s.start()
	}
	for m := range frozen {
		s.signal(m, syscall.SIGCONT)
	}
	s.await("everything is said", func() bool { return len(s.evidence.lines) == kills*each*len(s.members) })
	s.finish(rooms...)
}

func (s *stage) signal(m *member, sig syscall.Signal) {
	s.Helper()
	if err := m.cmd.Process.Signal(sig); err != nil {
		s.Fatal(err)
	}
}
