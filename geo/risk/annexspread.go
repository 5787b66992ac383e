package risk

import (
	"math"
	"time"
)

// generalise makes an annex fit for somebody who sees the tracks of others
// spread over blocks only: their number in fives, kilometres and areas in
// hundreds, days in place of times.
func (x *Annex) generalise() {
	const few, far = 5, 100
	down := func(v float64) float64 { return math.Floor(v/far) * far }
	x.Tracks, x.UntimedTracks, x.Posts = x.Tracks/few*few, x.UntimedTracks/few*few, x.Posts/few*few
	x.SilentLegs, x.JumpLegs, x.Outages, x.OversizedPosts = 0, 0, 0, 0
	x.TrackKM, x.SeenKM2, x.SeenUnmergedKM2, x.NoDataHours = down(x.TrackKM), down(x.SeenKM2), down(x.SeenUnmergedKM2), down(x.NoDataHours)
	for i := range x.Effort {
		x.Effort[i].KM2 = down(x.Effort[i].KM2)
	}
	if x.LatestPresence != nil {
		day := x.LatestPresence.Truncate(24 * time.Hour)
		x.LatestPresence = &day
	}
	for i := range x.Feeds {
		f := &x.Feeds[i]
		f.Records, f.Latest, f.Days, f.UsualDays = f.Records/few*few, f.Latest.Truncate(24*time.Hour), math.Ceil(f.Days), nil
	}
}
