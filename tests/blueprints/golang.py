"""Services in Go: built with the go of this machine, from modules that are fetched once into .tools/go/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import TOOLS

CACHES = {
    "GOMODCACHE": str(TOOLS / "go" / "modules"),
    "GOCACHE": str(TOOLS / "go" / "build"),
    # below a test's own HOME it is empty: the standard library would be judged anew for each service
    "STATICCHECK_CACHE": str(TOOLS / "go" / "staticcheck"),
}
# Fetched once by what go.sum holds; from then on no service asks the network for anything.
VARIABLES = {**CACHES, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "GOENV": "off"}
_OUTSIDE = dict(os.environ)  # where modules come from is the machine's business; a test's own HOME would hide it
PATH = _OUTSIDE["PATH"]
# -modcacherw: make clean could not remove what go has made read-only
_REACHING = {**{name: _OUTSIDE.get(name, "") for name in ("GOPROXY", "GOENV")}, "GOFLAGS": "-modcacherw"}
_NOT_HERE = re.compile(
    r"go\.mod requires go >= |dial tcp|proxyconnect|i/o timeout|TLS handshake|: [45]\d\d |lookup disabled"
)


def build(root: Path, package: str = "./cmd/service") -> None:
    """The program of the service at `root`, built as in its image; a skip without a go, or its modules."""
    missing = _missing((root / "go.mod").read_text(), (root / "go.sum").read_text())
    if missing:
        pytest.skip(missing)
    done = _go("build", "-trimpath", "-ldflags=-s -w", "-o", "service", package, folder=root, CGO_ENABLED="0")
    assert done.returncode == 0, done.stderr


def run(*arguments: str, folder: Path) -> str:
    """What go says, with the modules that are here; fails with it where go does."""
    done = _go(*arguments, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def tidy(root: Path) -> str:
    """How go.mod and go.sum differ from what the sources need; a skip where that cannot be known here."""
    done = _go("mod", "tidy", "-diff", folder=root, **_REACHING)
    if done.returncode != 0 and _NOT_HERE.search(done.stderr):
        pytest.skip(f"go mod tidy: {done.stderr.splitlines()[-1]}")
    return done.stdout


def calling(root: Path) -> None:
    """See `Language.calling`."""
    path = root / "internal" / "app" / "app.go"
    text = path.read_text()
    assert _SAMPLE in text
    text = text.replace(_SAMPLE, _CALLING)
    path.write_text(text.replace('import (\n\t"encoding/json"\n', f"import (\n{_CALLING_IMPORTS}", 1))
    build(root)


def listed(root: Path, hang_seconds: float) -> None:
    """See `Language.listed`."""
    app = root / "internal" / "app"
    for name, old, new in (
        ("source", "return everySecond{}, nil", "return newListed(), nil"),
        ("pulse", "const hang = time.Minute", f"const hang = {hang_seconds:g} * time.Second"),
    ):
        path = app / f"{name}.go"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
    (app / "app.go").write_text(_LISTED)
    build(root)


def _go(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("go")
    if program is None:
        pytest.skip("no go")
    environment = {**_OUTSIDE, **VARIABLES, **variables}
    return subprocess.run(
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@cache
def _missing(mod: str, lock: str) -> str:
    """Fetches what go.sum locks, once; why that cannot be done here, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "go.mod").write_text(mod)
        Path(folder, "go.sum").write_text(lock)
        done = _go("mod", "download", folder=Path(folder), **_REACHING)
    if done.returncode != 0 and _NOT_HERE.search(done.stderr):
        return f"go mod download: {done.stderr.splitlines()[0]}"
    assert done.returncode == 0, done.stderr
    return ""


_SAMPLE = "\treturn say(w, http.StatusOK, given)\n"
_CALLING = """\
	err = calls.Do("ledger", func() error {
		if *given.Text == "refused" {
			return errors.New("connection refused")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return say(w, http.StatusOK, map[string]string{"text": trace.Parent(r.Context())})
"""
_CALLING_IMPORTS = """\
	"encoding/json"
	"errors"
	"service/internal/calls"
	"service/internal/trace"
"""
_LISTED = """\
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"service/internal/calls"
	"service/internal/trace"
)

type told struct {
	Traceparent                  string
	Seconds                      float64
	Calls                        []string
	Refused                      string
	Fails, Breaks, Hangs, Dies   bool
}

func jot(text string) {
	file, err := os.OpenFile(os.Getenv("NOTES"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(file, text)
	file.Close()
}

type item struct {
	told
	number int
}

func (i item) Body() []byte                  { body, _ := json.Marshal(i.told); return body }
func (i item) Properties() map[string]string { return map[string]string{"traceparent": i.Traceparent} }
func (i item) Ack() error                    { jot(fmt.Sprint("ack ", i.number)); return nil }
func (i item) Nack() error                   { jot(fmt.Sprint("nack ", i.number)); return nil }

type inOrder struct {
	items []told
	next  int
}

func newListed() *inOrder {
	source := &inOrder{}
	if err := json.Unmarshal([]byte(os.Getenv("MESSAGES")), &source.items); err != nil {
		panic(err)
	}
	return source
}

func (s *inOrder) Close() error { return nil }

func (s *inOrder) Take(ctx context.Context) (Message, error) {
	if s.next == len(s.items) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	found := item{s.items[s.next], s.next}
	s.next++
	switch {
	case found.Breaks:
		return nil, errors.New("no route to the queue")
	case found.Dies:
		panic("the loop ends")
	case found.Hangs:
		time.Sleep(10 * time.Minute)
	}
	return found, nil
}

func handle(ctx context.Context, message Message) error {
	var told told
	if err := json.Unmarshal(message.Body(), &told); err != nil {
		return err
	}
	time.Sleep(time.Duration(told.Seconds * float64(time.Second)))
	for _, dependency := range told.Calls {
		err := calls.Do(dependency, func() error {
			jot("call " + trace.Parent(ctx))
			if dependency == told.Refused {
				return errors.New("connection refused")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if told.Fails {
		return errors.New("no such account")
	}
	return nil
}
"""
