// Package plan says where patrol effort should go: an assessment and patrol units
// in, sorties and what they leave out.
//
// Pieces cuts the border of an assessment into short pieces with their expected
// undetected incidents by hour. Make plans for them: who goes where and when, what is
// left before and after, and an upper bound on what any plan of the same units could
// meet. Track gives the way of a sortie, Draw schedules that cannot be learned,
// Respond what an adversary who learns makes of a plan. Allocate is the continuous
// optimum on its own, Orienteering asks for tours between single places.
//
// # What a sortie meets
//
// A sortie leaves the base on a full hour, goes to a beat (a run of pieces), patrols
// it up and down, perhaps goes on to other beats, and returns. Of incidents that begin
// at a piece of a beat in an hour and are there for τ hours it meets 1-e^(-C), where C
// is sweep width · speed · (time on the beat while they are there) / area of the beat:
// METHODS section 6's interception of transient events, hour by hour. Coverages of
// sorties add up. The sweep width is that of the night or the day, by the sun at the
// section, and of the weather in the middle of the time that an incident lasts.
//
// # What is not in it
//
// The upper bound is one on plans of the sorties that were tried: every beat at every
// full hour in the lengths tried, and the routes over several beats that were found.
// Bounds.AnyRoute holds for all routes, and is far from tight: it moves units between
// beats in no time. Ways to the border and between beats are geodesics times a factor,
// not roads. A bracket of the sweep width widens the interval of what is left, not the
// plan.
package plan
