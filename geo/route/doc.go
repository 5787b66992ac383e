// Package route tells what risk a line through an assessment carries, and which
// ways lead through it.
//
//   - ScoreLine integrates hazard and detection along a line; ScoreAll does many.
//   - NewGraph lays a grid over land, sea and rivers, which callers may keep. Its
//     Find, Front, Alternatives, Corridor and Matrix answer which way a traveller
//     may take who would rather not be met.
//   - Interdiction says which crossings or segments to protect, Displace where
//     travellers go then, and WhatIf compares the border with what it would be.
//
// The field that is integrated is that of risk.Rates: on each analysis cell (a
// pixel of level surface.CellLevel, about 1.2 km) the hazard, its interval and
// the sweeps an hour that the assessment gives for the cell's middle. Lines are
// geodesics between their vertices, and where they pass from cell to cell is
// found on the ellipsoid, so that a sum over pieces is the exact integral of that
// field.
//
// Ways are a manual for offenders: only ScoreLine is for everybody who may see the
// surfaces (METHODS section 12, release rule).
package route
