package files

// Windows has neither: its pipes and devices do not stand among files, and a link can
// only be made by who may do everything.
const (
	noFollow = 0
	noWait   = 0
)
