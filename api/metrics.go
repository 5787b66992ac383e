package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what an operator wants to know.
type metrics struct {
	registry   *prometheus.Registry
	content    *prometheus.Registry // what tells of what is stored
	latency    *prometheus.HistogramVec
	imports    *prometheus.CounterVec
	importRows *prometheus.CounterVec
	cache      *prometheus.CounterVec
	assessTook prometheus.Histogram
}

func newMetrics(reg *prometheus.Registry, s *Server) *metrics {
	m := &metrics{
		registry: reg, content: prometheus.NewRegistry(),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sempadan_http_request_duration_seconds", Help: "Time to answer, by route and status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "status"}),
		imports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sempadan_imports_total", Help: "Uploads, by result: accepted, refused or failed.",
		}, []string{"result"}),
		importRows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sempadan_import_rows_total", Help: "Rows of uploads, by result: accepted, quarantined or rejected.",
		}, []string{"result"}),
		cache: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sempadan_tile_cache_total", Help: "Tile requests, by result: hit or miss.",
		}, []string{"result"}),
		assessTook: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sempadan_assessment_duration_seconds", Help: "Time to make an assessment.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
	reg.MustRegister(m.latency, m.cache, m.assessTook,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), storeCollector{s})
	m.content.MustRegister(m.imports, m.importRows, stateCollector{s})
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.latency.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// stateCollector reads the gauges from the server when they are asked for.
type stateCollector struct{ s *Server }

func (c stateCollector) descriptions() (features, age, sections, data *prometheus.Desc) {
	return prometheus.NewDesc("sempadan_layer_features", "Features, by layer.", []string{"layer", "kind"}, nil),
		prometheus.NewDesc("sempadan_assessment_age_seconds", "How long before now the instant lies that the assessment speaks of.", nil, nil),
		prometheus.NewDesc("sempadan_sections", "Border sections, by class.", []string{"class"}, nil),
		prometheus.NewDesc("sempadan_incidents", "Incident records that count.", nil, nil)
}

// Describe implements prometheus.Collector.
func (c stateCollector) Describe(ch chan<- *prometheus.Desc) {
	a, b, d, e := c.descriptions()
	ch <- a
	ch <- b
	ch <- d
	ch <- e
}

// Collect implements prometheus.Collector.
func (c stateCollector) Collect(ch chan<- prometheus.Metric) {
	features, age, sections, incidents := c.descriptions()
	if cat := c.s.catalog.Load(); cat != nil {
		for _, e := range cat.layers {
			ch <- prometheus.MustNewConstMetric(features, prometheus.GaugeValue, float64(e.layer.Len()), e.layer.Info.ID, string(e.layer.Info.Kind))
		}
	}
	if a := c.s.assessment.Load(); a != nil {
		ch <- prometheus.MustNewConstMetric(age, prometheus.GaugeValue, c.s.opts.Now().Sub(a.AsOf).Seconds())
		ch <- prometheus.MustNewConstMetric(incidents, prometheus.GaugeValue, float64(a.Incidents.Len()))
		count := map[string]int{}
		for _, sec := range a.Sections {
			count[string(sec.Class)]++
		}
		for class, n := range count {
			ch <- prometheus.MustNewConstMetric(sections, prometheus.GaugeValue, float64(n), class)
		}
	}
}

func (s *Server) prometheus(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	from := prometheus.Gatherers{s.metrics.registry}
	if asker(r.Context()).Local { // administrators see no data
		from = append(from, s.metrics.content)
	}
	promhttp.HandlerFor(from, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return nil
}
