"""The toolchain of the node blueprint: packages as its lock says, fetched once, and the compiler among them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
BLUEPRINT = _ROOT / "blueprints" / "node"
FETCHED = _ROOT / ".tools" / "node"
NODE = shutil.which("node") or "node"
NPM = shutil.which("npm") or "npm"
SECONDS = 300
_UNREACHED = (
    r"npm error code (E(NOTFOUND|CONNREFUSED|CONNRESET|NETUNREACH|HOSTUNREACH|TIMEDOUT|AI_AGAIN)|ERR_SOCKET_TIMEOUT)"
)


def build(root: Path) -> None:
    """Compile the service in `root` as its Dockerfile does; a skip where there is no Node.js, or no way to packages.

    Only the declarations within packages are not checked again: its own tests do that, and it is most of the time.
    """
    furnish(root)
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    command = [NPM, "run", "build", "--", "--skipLibCheck"]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr


def furnish(root: Path) -> None:
    """Give the service in `root` its packages, which is all that its linter needs; skips as `build` does."""
    modules = root / "node_modules"
    if not modules.exists():
        modules.symlink_to(_packages(root))


def _packages(root: Path) -> Path:
    """The folder of packages that this lock names, with what npm has checked by hash."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("no node and npm on PATH: services in TypeScript are not built")
    lock = re.sub(rb'"name": "@[^"]*"', b"", (root / "package-lock.json").read_bytes())
    found = FETCHED / hashlib.sha256(lock).hexdigest()[:16]
    if not found.exists():
        FETCHED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FETCHED) as folder:
            fetched = Path(folder, "service")
            _fetch(root, fetched)
            try:
                fetched.rename(found)
            except OSError:
                assert found.exists()  # somebody else was quicker
    return found / "node_modules"  # packages look for each other in a folder of this name


def _fetch(root: Path, folder: Path) -> None:
    folder.mkdir()
    for name in "package.json", "package-lock.json":
        shutil.copy(root / name, folder)
    command = [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    # a cache beside what is fetched: a test's HOME is empty
    environment = {**os.environ, "NPM_CONFIG_CACHE": str(FETCHED / "cache"), "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if unreached := re.search(_UNREACHED, done.stderr):
        pytest.skip(f"npm has no way to its registry: {unreached[1]}")
    assert done.returncode == 0, done.stdout + done.stderr


_CONNECT = "/** The source of this service's messages."
_LISTED = """
import { appendFileSync } from "node:fs";

interface Told {
  readonly traceparent?: string;
  readonly breaks?: boolean;
  readonly hangs?: boolean;
  readonly dies?: boolean;
}

const MESSAGES = JSON.parse(process.env["MESSAGES"] ?? "[]") as Told[];

export async function note(text: string): Promise<void> {
  appendFileSync(process.env["NOTES"] ?? "", `${text}\\n`);
  await Promise.resolve();
}

export function connect(_settings: Settings): Source {
  let number = -1;
  return {
    async take() {
      number += 1;
      const [here, told] = [number, MESSAGES[number]];
      if (told === undefined) {
        await sleep(50);
        return undefined;
      }
      if (told.breaks) {
        throw new Error("no route to the queue");
      }
      if (told.hangs) {
        await sleep(600_000);
      }
      return {
        body: Buffer.from(JSON.stringify(told)),
        properties: { traceparent: told.traceparent ?? "", ...(told.dies ? { dies: "now" } : {}) },
        ack: () => note(`ack ${here}`),
        nack: () => note(`nack ${here}`),
      };
    },
    close: () => Promise.resolve(),
  };
}
"""
_LISTED_APP = """
import { setTimeout as sleep } from "node:timers/promises";
import { call, traceparent } from "./calls.ts";
import { type Message, note } from "./source.ts";

interface Told {
  readonly seconds?: number;
  readonly calls?: string[];
  readonly refused?: string;
  readonly fails?: boolean;
}

export async function handle(message: Message): Promise<void> {
  const told = JSON.parse(Buffer.from(message.body).toString()) as Told;
  await sleep((told.seconds ?? 0) * 1000);
  for (const dependency of told.calls ?? []) {
    await call(dependency, async () => {
      await note(`call ${traceparent()}`);
      if (dependency === told.refused) {
        throw new Error("refused");
      }
    });
  }
  if (told.fails) {
    throw new Error("no such account");
  }
}
"""
_DIES = 'if (message?.properties["dies"]) throw new Error("the loop ends");\n      '
_SAMPLE = "(request) => {\n    const { text } = request.body;\n    return { text };\n  }"
_CALLING = """\
(request) =>
    call("ledger", async () => {
      await Promise.resolve();
      if (request.body.text === "refused") {
        throw new Error("refused");
      }
      return { text: traceparent() };
    })"""


def calling(root: Path) -> None:
    """The sample endpoint calls another service."""
    app = root / "src" / "app.ts"
    _replace(app, _SAMPLE, _CALLING)
    _replace(app, "import { traceOf", 'import { call, traceparent } from "./calls.ts";\nimport { traceOf')
    build(root)


def listed(root: Path, hang_seconds: float) -> None:
    """The worker takes listed messages. Its loop, which no mistake of a source ends, has one of its own for `dies`."""
    source, consume = root / "src" / "source.ts", root / "src" / "consume.ts"
    source.write_text(source.read_text()[: source.read_text().index(_CONNECT)] + _LISTED)
    (root / "src" / "app.ts").write_text(_LISTED_APP)
    _replace(consume, "const HANG_SECONDS = 60;", f"const HANG_SECONDS = {hang_seconds};")
    _replace(
        consume, "if (message !== undefined) {\n        pulse", f"{_DIES}if (message !== undefined) {{\n        pulse"
    )
    build(root)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path}: {old}"
    path.write_text(text.replace(old, new))
