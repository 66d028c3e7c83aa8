package memory

import (
	"io/fs"
	"math"
	"testing"
	"testing/fstest"
)

func TestTheLimitIsNineTenthsOfTheControlGroups(t *testing.T) {
	for name, given := range map[string]struct {
		root fs.FS
		want int64
	}{
		"version 2":           {fstest.MapFS{"memory.max": {Data: []byte("1000\n")}}, 900},
		"version 1":           {fstest.MapFS{"memory/memory.limit_in_bytes": {Data: []byte("1000\n")}}, 900},
		"version 2, no limit": {fstest.MapFS{"memory.max": {Data: []byte("max\n")}}, math.MaxInt64},
		"none":                {fstest.MapFS{}, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			if got := within(given.root); got != given.want {
				t.Errorf("%d, want %d", got, given.want)
			}
		})
	}
}
