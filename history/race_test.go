//go:build race

package history

// raceDetector makes the long tests short: they run in one goroutine.
const raceDetector = true
