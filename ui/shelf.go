package ui

import (
	"fmt"
	"strconv"
	"strings"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// shelf numbers the files that are shown, so that a person can name them. A file keeps
// its number as long as the program runs.
type shelf struct {
	last  int
	files map[int]*shelved
	of    map[string]int // the number of an ID
}

// shelved is a file that has been shown.
type shelved struct {
	room  rooms.RoomID
	file  rooms.File
	saved string // where it is on this machine; "": it was not fetched
}

// mostShelved is how many files keep their numbers; the oldest lose them.
const mostShelved = 4096

func newShelf() *shelf { return &shelf{files: map[int]*shelved{}, of: map[string]int{}} }

// number returns the number of a file.
func (s *shelf) number(room rooms.RoomID, f rooms.File) int {
	if n, ok := s.of[f.ID]; ok {
		return n
	}
	s.last++
	s.files[s.last], s.of[f.ID] = &shelved{room: room, file: f}, s.last
	if old := s.files[s.last-mostShelved]; old != nil {
		delete(s.of, old.file.ID)
		delete(s.files, s.last-mostShelved)
	}
	return s.last
}

// find returns the file that a person calls by its number.
func (s *shelf) find(word string) (*shelved, int) {
	n, err := strconv.Atoi(strings.Trim(word, "[]#"))
	if err != nil {
		return nil, 0
	}
	return s.files[n], n
}

// fileFacts describes a file in a few words: "png 640×320 · 182 KiB".
func fileFacts(f rooms.File) string {
	var parts []string
	kind := picture.Kind(f.MIME)
	if f.Width > 0 && f.Height > 0 {
		kind += fmt.Sprintf(" %d×%d", f.Width, f.Height)
	}
	parts = append(parts, kind)
	if f.Duration > 0 {
		parts = append(parts, lasting(f.Duration))
	}
	parts = append(parts, byteSize(f.Size))
	if lie := picture.Claims(f.Name, f.MIME); lie != "" {
		parts = append(parts, lie)
	}
	return Sanitize(strings.Join(parts, " · "))
}

// fileName is what a file is called, on the screen.
func fileName(f rooms.File) string {
	const most = 60
	name := []rune(Sanitize(f.Name))
	if len(name) > most { // its end tells the kind
		name = append(append(name[:most-16:most-16], '…'), name[len(name)-15:]...)
	}
	return string(name)
}
