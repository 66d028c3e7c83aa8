// Package metrics has what the metrics of a service have in common.
package metrics

// Buckets are the bounds of every histogram, in seconds: one set for services in all languages.
var Buckets = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
