// Package risk turns surfaces into hazard, residual risk, border sections and
// gaps. Assess is the main path: one line a stage.
package risk
