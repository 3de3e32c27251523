package ui

import (
	"strings"
	"testing"
)

func TestMeasure(t *testing.T) {
	for text, want := range map[string]string{
		"": "", strings.Repeat("x", 3600): "", strings.Repeat("x", 3820): "3,820 of 4,000 characters",
		strings.Repeat("x", 4000): "4,000 of 4,000 characters", strings.Repeat("x\ue00a", 2500): "5,000 of 4,000 characters, 1,000 too many",
		strings.Repeat("你", 2500): "7,500 of 8,192 bytes", strings.Repeat("👋", 2100): "8,400 of 8,192 bytes, 208 too many",
	} {
		if got := measure([]rune(text)).warning(); got != want {
			t.Errorf("%.20q: %q, want %q", text, got, want)
		}
	}
}
