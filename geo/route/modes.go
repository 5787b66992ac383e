package route

import (
	"fmt"
	"slices"
	"strings"
)

// Ground is what a node of a graph lies on.
type Ground uint8

// The grounds. A node is a path when a way or a settlement is near, and a river
// when one runs through it; the rest of the land is open.
const (
	Closed Ground = iota // barred to all
	Sea
	Open
	Path
	River
	grounds
)

func (g Ground) String() string { return [...]string{"closed", "sea", "open", "path", "river"}[g] }

// Mode is a way of travelling.
type Mode struct {
	Name string `json:"name"`
	// Boat: it goes on water and is boarded and left at landings.
	Boat bool `json:"boat"`
	// SeaKMH to RiverKMH are speeds by ground; 0: a barrier.
	SeaKMH   float64 `json:"sea_kmh"`
	OpenKMH  float64 `json:"open_kmh"`
	PathKMH  float64 `json:"path_kmh"`
	RiverKMH float64 `json:"river_kmh"`
	// Source says where the speeds come from.
	Source string `json:"source"`
}

func (m Mode) kmh(g Ground) float64 {
	return [grounds]float64{Sea: m.SeaKMH, Open: m.OpenKMH, Path: m.PathKMH, River: m.RiverKMH}[g]
}

// DefaultModes are the modes with their speeds, which are model data: only those
// of a walker have a source.
func DefaultModes() []Mode {
	const placeholder = "placeholder: no source at hand, replace it"
	return []Mode{
		{Name: "foot", OpenKMH: 3, PathKMH: 5, RiverKMH: 2,
			Source: "path and open: W. Tobler, NCGIA 93-1 (1993), level ground, 5.0 km/h and 0.6 of it off paths; river (fording): placeholder"},
		{Name: "motorcycle", OpenKMH: 5, PathKMH: 30, RiverKMH: 3, Source: placeholder},
		{Name: "river_boat", Boat: true, SeaKMH: 12, RiverKMH: 15, Source: placeholder},
		{Name: "sea_boat", Boat: true, SeaKMH: 30, RiverKMH: 10, Source: placeholder},
	}
}

// pickModes finds modes by their names.
func pickModes(all []Mode, names []string) ([]Mode, error) {
	var out []Mode
	for _, name := range names {
		i := slices.IndexFunc(all, func(m Mode) bool { return m.Name == name })
		if i < 0 {
			known := make([]string, len(all))
			for k, m := range all {
				known[k] = m.Name
			}
			return nil, fmt.Errorf("unknown mode %q: use %s", name, strings.Join(known, ", "))
		}
		out = append(out, all[i])
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no mode is given: name one or more")
	}
	return out, nil
}

// aboard says how a traveller of some modes is in a node.
type aboard uint8

const (
	nowhere aboard = iota
	ashore
	onRiver
	atSea
)

// gait is how fast some modes together go on a ground, and on what.
type gait struct {
	hoursPerM float64 // 0: a barrier
	on        aboard
}

// gaits take the fastest of the modes on each ground.
func gaits(modes []Mode) (out [grounds]gait) {
	for g := Sea; g < grounds; g++ {
		for _, m := range modes {
			kmh := m.kmh(g)
			if kmh <= 0 || out[g].hoursPerM != 0 && 1/(kmh*1000) >= out[g].hoursPerM {
				continue
			}
			on := ashore
			switch {
			case m.Boat && g == Sea:
				on = atSea
			case m.Boat:
				on = onRiver
			}
			out[g] = gait{1 / (kmh * 1000), on}
		}
	}
	return out
}
