package plan

import (
	"fmt"
	"math"
	"slices"
)

// Because is something that was asked for and could not be done: Count of Of units or
// hours.
type Because struct {
	Code  string  `json:"code"`
	Count float64 `json:"count"`
	Of    float64 `json:"of"`
	Text  string  `json:"text"`
}

// The codes.
const (
	UnitsUnused      = "units_unused"
	HoursTooMany     = "hours_too_many"
	ExplorationShort = "exploration_short"
	NothingExpected  = "nothing_expected"
)

// admit says what could not be done.
func (p *Plan) admit() {
	say := func(code string, count, of float64, format string, args ...any) {
		p.Because = append(p.Because, Because{code, count, of, fmt.Sprintf(format, args...)})
	}
	if k := len(p.Unused); k > 0 {
		say(UnitsUnused, float64(k), float64(len(p.network.Units)), "%d of %d units could not be used", k, len(p.network.Units))
	}
	if beyond, units := p.network.beyond(); units > 0 {
		say(HoursTooMany, float64(units), beyond, "%d units have more hours, %.0f in all, than sorties of their endurance with rest between fit into the window: give fewer hours, less rest or more days", units, beyond)
	}
	if x := p.Exploration; x.Hours < math.Ceil(x.WantedH-1e-9) {
		say(ExplorationShort, x.Hours, x.WantedH, "%.0f hours explore, %.0f were asked for: the units cannot reach more of what is least known", x.Hours, x.WantedH)
	}
	if p.network.total == 0 {
		say(NothingExpected, 0, 0, "no incidents are expected on any piece of border: check the assessment")
	}
	p.Partial = len(p.Because) > 0
}

// beyond adds up the hours that no schedule could spend.
func (n *network) beyond() (hours float64, units int) {
	for i := range n.teams {
		u := n.Units[n.teams[i].unit]
		full := n.teams[i].longest(u)
		most := n.hours / (full + n.restH) * full
		most += min(full, n.hours%(full+n.restH))
		if more := math.Floor(u.Hours) - float64(most); more >= 1 {
			hours += more
			units++
		}
	}
	return hours, units
}

// explored lists the sections to explore, and those that sorties do.
func (p *Plan) explored() {
	n := p.network
	p.Exploration = Exploration{WantedH: p.Exploration.WantedH, Hours: float64(p.roster.exploreH), Sections: []string{}, Visited: []Explored{}}
	why := map[string]string{}
	for i, b := range n.Pieces {
		if !n.explore[i] {
			continue
		}
		if why[b.Section] == "" {
			p.Exploration.Sections = append(p.Exploration.Sections, b.Section)
			why[b.Section] = "least_known"
		}
		if b.Blind {
			why[b.Section] = "blind_spot"
		}
	}
	for _, s := range p.Sorties {
		if !s.Explores {
			continue
		}
		for _, v := range s.Visits {
			for _, h := range v.Sections {
				if why[h.Section] == "" {
					continue
				}
				list := p.Exploration.Visited
				k := slices.IndexFunc(list, func(x Explored) bool { return x.Section == h.Section })
				if k < 0 {
					k, list = len(list), append(list, Explored{h.Section, why[h.Section], 0})
				}
				list[k].Hours += h.Hours
				p.Exploration.Visited = list
			}
		}
	}
}
