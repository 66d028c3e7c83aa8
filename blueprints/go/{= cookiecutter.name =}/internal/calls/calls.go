// Package calls counts and times what the service asks of other services and of stores.
package calls

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"service/internal/metrics"
)

var (
	requests = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "dependency_requests_total",
		Help: "Calls to services and stores.",
	}, []string{"dependency", "result"})
	seconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "dependency_request_duration_seconds",
		Help:    "Seconds that such a call took.",
		Buckets: metrics.Buckets,
	}, []string{"dependency"})
)

// Do counts and times ask as one call to dependency. An error of it counts as one, as a panic does, and comes back.
//
//	err := calls.Do("ledger", func() error {
//		request.Header.Set("traceparent", trace.Parent(ctx))
//		answer, err := client.Do(request)
//		...
//	})
//
// The dependency is a name such as calls in the chart's values has, never an address: each is a time series for ever.
func Do(dependency string, ask func() error) error {
	// both are there before the first error, which would not be a rise otherwise
	ok, failed := requests.WithLabelValues(dependency, "ok"), requests.WithLabelValues(dependency, "error")
	result, began := failed, time.Now()
	defer func() {
		result.Inc()
		seconds.WithLabelValues(dependency).Observe(time.Since(began).Seconds())
	}()
	err := ask()
	if err == nil {
		result = ok
	}
	return err
}
