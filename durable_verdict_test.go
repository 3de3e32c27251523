package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// export takes the logs of these rooms as evidence.
func (s *stage) export(rooms ...string) {
	s.Helper()
	for _, room := range rooms {
		out, err := s.command("history", "export", room, "--format", "jsonl", "--data", s.data).Output()
		if err != nil {
			s.Fatalf("history export %s: %v: %s", room, err, stderrOf(err))
		}
		var log []entry
		for line := range strings.Lines(string(out)) {
			var e event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				s.Fatal(err)
			}
			log = append(log, e.entry())
		}
		s.mu.Lock()
		s.evidence.stored(room, log)
		s.mu.Unlock()
	}
}

// verify: every room on the disk is whole.
func (s *stage) verify() {
	s.Helper()
	out, err := s.command("history", "verify", "--data", s.data).CombinedOutput()
	if err != nil || strings.Contains(string(out), "DAMAGED") {
		s.Errorf("history verify: %v\n%s", err, out)
	}
}

// finish lets everybody catch up and leave, stops the host and judges the whole run.
func (s *stage) finish(rooms ...string) {
	s.Helper()
	s.await("all lines are answered", func() bool { return s.open() == 0 })
	last := map[string]int{}
	s.mu.Lock()
	for _, u := range s.evidence.lines {
		last[u.room] = max(last[u.room], u.seq)
	}
	s.mu.Unlock()
	s.await("everybody has caught up", func() bool {
		return !slices.ContainsFunc(s.members, func(m *member) bool { return m.visit != nil && m.at() < last[m.visit.room] })
	})
	for _, m := range s.members {
		m.leave()
	}
	s.stop()
	s.ended()
	s.verify()
	s.export(rooms...)
	s.judge()
}

// judge fails the test for everything that is not as promised.
func (s *stage) judge() {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong := append(s.evidence.check(), s.odd...)
	const most = 25
	for i, w := range wrong {
		if i == most {
			s.Errorf("… and %d more", len(wrong)-most)
			break
		}
		s.Error(w)
	}
	s.Logf("%d lines, %d acknowledged, %d violations in %v", len(s.evidence.lines), s.evidence.acks, len(wrong), time.Since(s.began).Round(time.Millisecond))
}

// open is how many lines wait for an answer; the caller holds mu.
func (s *stage) open() int {
	n := 0
	for _, m := range s.members {
		n += m.open
	}
	return n
}

func stderrOf(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return string(e.Stderr)
	}
	return ""
}
