// Package settings reads what the service is told from outside: environment variables, once.
package settings

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
)

// Settings are all settings of the service.
type Settings struct {
	Service  string
	Version  string
	Host     string
	Port     int
	LogLevel slog.Level
	Drain    time.Duration
	Finish   time.Duration
}

var levels = map[string]slog.Level{
	"DEBUG":   slog.LevelDebug,
	"INFO":    slog.LevelInfo,
	"WARNING": slog.LevelWarn,
	"ERROR":   slog.LevelError,
}

// Default returns what holds when the environment is silent.
func Default() Settings {
	return Settings{
		Service:  "wallet",
		Version:  "unknown",
		Host:     "0.0.0.0",
		Port:     8080,
		LogLevel: slog.LevelInfo,
		Finish:   30 * time.Second,
	}
}

// Read returns the settings that the environment gives, and a sentence for each variable that says what cannot be.
func Read(environment func(string) string) (Settings, []string) {
	given := Default()
	var problems []string

	number := func(name string, otherwise, least, most float64) float64 {
		text, value := strings.TrimSpace(environment(name)), otherwise
		if text != "" {
			var err error
			if value, err = strconv.ParseFloat(text, 64); err != nil {
				value = math.NaN()
			}
		}
		if !(value >= least && value <= most) {
			problems = append(problems, fmt.Sprintf("%s: must be a number from %g to %g, not %q", name, least, most, text))
			return otherwise
		}
		return value
	}
	seconds := func(name string, otherwise time.Duration) time.Duration {
		return time.Duration(number(name, otherwise.Seconds(), 0, 3600) * float64(time.Second))
	}

	if value := environment("SERVICE"); value != "" {
		given.Service = value
	}
	if value := environment("VERSION"); value != "" {
		given.Version = value
	}
	if value := environment("HOST"); value != "" {
		given.Host = value
	}
	port := number("PORT", float64(given.Port), 1, 65535)
	if port != math.Trunc(port) {
		problems = append(problems, fmt.Sprintf("PORT: must be a whole number, not %g", port))
	}
	given.Port = int(port)
	if value := strings.ToUpper(environment("LOG_LEVEL")); value != "" {
		level, known := levels[value]
		if !known {
			problems = append(problems, fmt.Sprintf("LOG_LEVEL: must be one of DEBUG, INFO, WARNING, ERROR, not %q", value))
		}
		given.LogLevel = level
	}
	given.Drain = seconds("DRAIN_SECONDS", given.Drain)
	given.Finish = seconds("FINISH_SECONDS", given.Finish)
	return given, problems
}
