// Package memory keeps the garbage collector within what the container may have.
package memory

import (
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// Bound has the garbage collector work harder before nine tenths of the container's memory are used: at all of it, the
// kernel would end the process. GOMEMLIMIT, where it is set, says it instead.
func Bound() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(within(os.DirFS("/sys/fs/cgroup")))
	}
}

// within returns nine tenths of what the control group at root may have, as version 2 or 1 of them says; without a
// limit as much as there can be.
func within(root fs.FS) int64 {
	for _, name := range []string{"memory.max", "memory/memory.limit_in_bytes"} {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return limit / 10 * 9
		}
	}
	return math.MaxInt64
}
