// Package route tells what risk a line through an assessment carries, and which
// ways lead through it.
//
//   - ScoreLine integrates hazard and detection along a line; ScoreAll does many.
//
// The field that is integrated is that of risk.Rates: on each analysis cell (a
// pixel of level surface.CellLevel, about 1.2 km) the hazard, its interval and
// the sweeps an hour that the assessment gives for the cell's middle. Lines are
// geodesics between their vertices, and where they pass from cell to cell is
// found on the ellipsoid, so that a sum over pieces is the exact integral of that
// field.
package route
