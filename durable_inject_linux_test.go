package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// injectedFaults lets system calls of the host fail one after the other, in the midst of
// everything: strace answers in place of the kernel. A write that is answered with 0 is
// the shortest short write there is. strace counts the calls of every thread for itself.
func injectedFaults(t *testing.T) {
	needs(t, "strace")
	faults := []string{"fdatasync:error=EIO", "pwrite64:error=ENOSPC", "pwrite64:retval=0", "fdatasync:signal=KILL", "fsync:error=EIO"}
	calls := []int{1, 2, 3, 5}
	if !atFullLength() {
		faults, calls = []string{faults[0], faults[1], faults[3]}, calls[2:3]
	}
	s, rooms := onDisk(t, t.TempDir())
	s.stop()
	for _, call := range calls {
		for _, fault := range faults {
			s.suffers(fmt.Sprintf("%s:when=%d", fault, call))
			s.start()
			s.everybodySays(3)
			s.stop()
			s.verify()
			s.export(rooms...)
		}
	}
	s.start()
	s.finish(rooms...)
}

// suffers runs the host below a fault until that has come about, and kills it.
func (s *stage) suffers(fault string) {
	s.Helper()
	trace := filepath.Join(s.dir, "trace")
	kills := strings.Contains(fault, "KILL")
	below := []string{"strace", "-D", "-f", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync,pwrite64", "-e", "inject=" + fault}
	if !kills { // which a filter in the kernel can't pass on
		below = append(below, "--seccomp-bpf")
	}
	s.setFaulty(true)
	defer s.setFaulty(false)
	s.launch(below...)
	here := s.listening()
	happened := func() bool {
		b, err := os.ReadFile(trace)
		return err == nil && strings.Contains(string(b), "INJECTED") || s.host.hasEnded()
	}
	if here {
		s.sayThrough(happened)
	}
	switch {
	case !happened():
		s.Errorf("%s did not come about", fault)
	case kills:
		if code, err := s.host.wait(); err != nil || code != -1 {
			s.Errorf("%s: the host ended with exit status %d (%v)", fault, code, err)
		}
	case !here:
		s.gaveUp()
	case s.host.hasEnded():
		s.Errorf("%s ended the host", fault)
	case strings.HasPrefix(fault, "fsync:"): // of what can be done without
	case s.when(func() bool { return len(s.evidence.failed) == 0 }):
		s.Errorf("%s: nothing was refused", fault)
	}
	s.kill9()
}

func (s *stage) setFaulty(faulty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faulty = faulty
}

// sayThrough lets everybody say lines until something has happened, and a few more.
func (s *stage) sayThrough(happened func() bool) {
	s.Helper()
	host := s.host
	s.everybody(func(m *member) bool {
		settled := func() bool {
			return m.holds("its lines are answered", func() bool { return m.open == 0 || host.hasEnded() })
		}
		const most, more = 100, 3
		for range most {
			if !m.say(1) || !settled() {
				return false
			}
			if happened() {
				break
			}
		}
		return m.say(more) && settled()
	})
}
