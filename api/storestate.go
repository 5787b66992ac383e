package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sempadan/sempadan/data"
)

// storeState is what anyone may know of the store: whether it can be written,
// and what a recovery from damage cost. The log has the rest.
type storeState struct {
	ReadOnly  bool            `json:"read_only"`
	Recovered *recoveredState `json:"recovered,omitempty"`
}

type recoveredState struct {
	At          string `json:"at"`
	LostCommits int64  `json:"lost_commits"` // -1: cannot be known
	OlderLayers int    `json:"older_layers"`
	LostLayers  int    `json:"lost_layers"`
}

func (s *Server) storeState() storeState {
	var out storeState
	if store, ok := s.opts.Store.(interface{ ReadOnly() bool }); ok {
		out.ReadOnly = store.ReadOnly()
	}
	if store, ok := s.opts.Store.(interface{ Recovery() *data.Recovery }); ok {
		if r := store.Recovery(); r != nil {
			out.Recovered = &recoveredState{r.At.UTC().Format("2006-01-02T15:04:05Z"), r.LostCommits, len(r.Older), len(r.Lost)}
		}
	}
	return out
}

// storeCollector tells the same as metrics.
type storeCollector struct{ s *Server }

func (c storeCollector) descriptions() (readOnly, recovered, lost *prometheus.Desc) {
	return prometheus.NewDesc("sempadan_store_read_only", "1 while the store can only be read.", nil, nil),
		prometheus.NewDesc("sempadan_store_recovered", "1 when the store was damaged and was recovered when the service started.", nil, nil),
		prometheus.NewDesc("sempadan_store_lost_commits", "Acknowledged changes that were missing when the service started; -1 when that cannot be known.", nil, nil)
}

// Describe implements prometheus.Collector.
func (c storeCollector) Describe(ch chan<- *prometheus.Desc) {
	a, b, d := c.descriptions()
	ch <- a
	ch <- b
	ch <- d
}

// Collect implements prometheus.Collector.
func (c storeCollector) Collect(ch chan<- prometheus.Metric) {
	readOnly, recovered, lost := c.descriptions()
	state := c.s.storeState()
	var is, was, missing float64
	if state.ReadOnly {
		is = 1
	}
	if r := state.Recovered; r != nil {
		was, missing = 1, float64(r.LostCommits)
	}
	ch <- prometheus.MustNewConstMetric(readOnly, prometheus.GaugeValue, is)
	ch <- prometheus.MustNewConstMetric(recovered, prometheus.GaugeValue, was)
	ch <- prometheus.MustNewConstMetric(lost, prometheus.GaugeValue, missing)
}
