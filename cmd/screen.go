package cmd

import (
	"os"

	"github.com/spf13/pflag"

	"p2pchat/ui"
)

// screenFlags say how a chat shows itself to a person.
type screenFlags struct {
	bell, notify, images string
	files                carryFlags
}

func (f *screenFlags) flags(fl *pflag.FlagSet) {
	choose(fl, &f.bell, "bell", "WHEN", "when the bell rings", string(ui.BellMention), string(ui.BellAll), string(ui.BellOff))
	choose(fl, &f.images, "images", "HOW", "pictures", "auto", "kitty", "iterm", "sixel", "blocks", "none")
	f.files.flags(fl)
	choose(fl, &f.notify, "notify", "HOW", "desktop notification with the bell", string(ui.NotifyNone), string(ui.NotifyOSC9), string(ui.NotifyOSC777))
}

// apply fills in what a chat at a terminal needs to know.
func (f *screenFlags) apply(o *ui.Options) {
	o.Bell, o.Notify = ui.Bell(f.bell), ui.Notify(f.notify)
	o.Links = o.Color > 0 && ui.Hyperlinks(os.Getenv, isTerminal(os.Stdout))
}
