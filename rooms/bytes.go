package rooms

import (
	"fmt"
	"strings"
)

var byteUnits = []string{"KiB", "MiB", "GiB", "TiB"}

// ByteCount writes a number of bytes for people: 256 MiB, 1.5 GiB, 900 bytes.
func ByteCount(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	f, unit := float64(n)/(1<<10), 0
	for f >= 1023.95 && unit < len(byteUnits)-1 {
		f /= 1 << 10
		unit++
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + " " + byteUnits[unit]
}
