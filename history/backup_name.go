package history

import (
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"

	"p2pchat/rooms"
)

// limitOf returns how many bytes the file of a backup may have. It is false for a name
// that no backup has: all others are those of Backup, letter by letter, and so stay
// below the directory.
func limitOf(name string) (bytes int64, ok bool) {
	switch parts := strings.Split(name, "/"); {
	case name == sumsName:
		return maxSums, true
	case name == manifestName:
		return maxExtra, true
	case len(parts) == 2 && parts[0] == "state":
		_, ok := numberIn(parts[1], "state-")
		return maxBackupFile, ok
	case isBlobName(parts):
		return maxBlob, true
	case len(parts) == 3 && parts[0] == "files" && parts[1] == "claims":
		return maxExtra, isFileID(parts[2])
	case len(parts) == 4 && parts[0] == "rooms" && parts[2] == "files":
		_, ok := parseAttachment(parts[3])
		return 0, ok && isRoom(parts[1])
	case len(parts) == 3 && parts[0] == "rooms":
		_, ok := numberIn(parts[2], "seg-")
		return maxBackupFile, ok && isRoom(parts[1])
	}
	return 0, false
}

// isRoom tells whether a name is a room's: its key.
func isRoom(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == len(rooms.RoomKey{}) && hex.EncodeToString(b) == name
}

// isExtra tells whether a name can be that of a file beside the history.
func isExtra(name string) bool {
	return filepath.IsLocal(name) && filepath.Base(name) == name && len(name) <= 64 &&
		!slices.Contains([]string{".", "LOCK", "state", "rooms", "files", markerName, manifestName, sumsName}, name)
}
