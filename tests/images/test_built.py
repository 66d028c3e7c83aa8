"""Images built for real by buildah on stand-ins for their bases; the service in each is started, asked and stopped."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.blueprints.load import Load
from tests.blueprints.rendered import MADE, Made, service
from tests.blueprints.running import PATIENCE, Running, until
from tests.images.bases import BASES
from tests.images.buildah import about, buildah, layers, mounted
from tests.images.building import build
from tests.images.test_context import SECRETS, lister

__all__ = ["lister"]  # a fixture that is used here
ASKED = os.environ.get("SHIPLANE_BUILD_IMAGES") == "1"
MISSING = [name for name in ("buildah", "debootstrap", "unshare") if shutil.which(name) is None]
LAUNCH = Path(__file__).with_name("launch.py")
MARK = "not-for-an-image-1f2e3d4c"
REVISION = "1f" * 20
GROWN = {"go": 15, "node": 25, "python": 25}
"""MB that a service may add to its base; web services add 10, 17 and 18."""

pytestmark = [
    pytest.mark.skipif(not ASKED, reason="images take minutes to build: make audit builds them"),
    pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}"),
    pytest.mark.skipif(os.getuid() != 0, reason="buildah --isolation chroot needs root here"),
]


@dataclass(frozen=True)
class Image:
    """An image that was built, its file system, and the Docker configuration that a runtime reads."""

    made: Made
    name: str
    root: Path

    @contextmanager
    def run(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """Its program with `arguments`, as its user, as process 1, in a root that cannot be written to."""
        config = about(self.name)
        environment = dict(each.split("=", 1) for each in config["Env"] or ()) | variables
        isolated = ["/usr/bin/unshare", "--mount", "--propagation", "private", "--pid", sys.executable, "-I", LAUNCH]
        command = [*isolated, self.root, config["WorkingDir"] or "/", config["User"], "--", *arguments]
        with subprocess.Popen(
            list(map(str, command)), env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def started(self, **variables: str) -> Iterator[Running]:
        """The service, from when it listens."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        where = {"HOST": "127.0.0.1", "PORT": str(port)}
        with self.run(*about(self.name)["Entrypoint"], **where, **variables) as process:
            running = Running(process, port)

            def listens() -> bool:
                assert process.poll() is None, "it ended"
                return running.listens()

            until(listens)
            yield running

    def healthy(self, port: int) -> bool:
        """What the image's HEALTHCHECK says."""
        how, *command = about(self.name)["Healthcheck"]["Test"]
        assert how == "CMD"
        with self.run(*command, PORT=str(port)) as process:
            return process.wait(PATIENCE) == 0


@pytest.fixture(scope="module", params=MADE, ids=str)
def image(request: pytest.FixtureRequest, lister: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image of a service, whose own tests have passed in the build; secrets lie beside what it is built from."""
    made: Made = request.param
    source = service(tmp_path_factory.mktemp("image"), made, "trading-engine")
    for path in ("", "src/", ".git/", "internal/app/", "tests/"):
        for name in (*SECRETS, "config"):
            (source / path / name).parent.mkdir(parents=True, exist_ok=True)
            (source / path / name).write_text(f"{MARK}\n")
    build(lister, source, made.blueprint, f"localhost/built/{made}-test:1", "test")
    name = build(lister, source, made.blueprint, f"localhost/built/{made}:1", "service", REVISION)
    with mounted(name) as root:
        yield Image(made, name, root)


def test_every_blueprint_has_a_stand_in() -> None:
    assert {made.blueprint for made in MADE} == BASES.keys()


def test_its_configuration_says_who_and_what_it_is(image: Image) -> None:
    config = about(image.name)
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert config["ExposedPorts"] == {"8080/tcp": {}}
    labels = {name: text for name, text in config["Labels"].items() if name.startswith("org.opencontainers.")}
    assert labels == {
        "org.opencontainers.image.title": "trading-engine",
        "org.opencontainers.image.source": "https://github.com/acme/trading-engine",
        "org.opencontainers.image.revision": REVISION,
    }
    assert {f"VERSION={REVISION}", "PORT=8080"} <= set(config["Env"])


def test_no_secret_lies_in_a_layer(image: Image, tmp_path: Path) -> None:
    found = layers(image.name, tmp_path / "layers")
    names = []
    for path in found:
        assert MARK.encode() not in path.read_bytes()  # the archives are not compressed
        with tarfile.open(path) as layer:
            names += layer.getnames()
    assert MARK not in buildah("inspect", "--type", "image", image.name)
    assert len(names) > 3
    kept = [name for name in names if re.search(r"(^|/)(\.npmrc|\.netrc|\.pypirc|\.env.*|\.git|id_rsa)$", name)]
    assert kept == []
    assert not [name for name in names if name.startswith("var/.cache/") and name != "var/.cache/"]


def test_it_adds_little_to_its_base(image: Image, tmp_path: Path) -> None:
    """Bytes as they lie on a disk, of all layers above the stand-in; Go's has none below."""
    own = layers(image.name, tmp_path / "layers")[BASES[image.made.blueprint].below :]
    assert sum(path.stat().st_size for path in own) < GROWN[image.made.blueprint] * 10**6


def test_it_can_write_to_none_of_its_files(image: Image) -> None:
    mine = [
        path
        for top in ("app", "venv", "service")
        for path in [image.root / top, *(image.root / top).rglob("*")]
        if path.exists() and not path.is_symlink()
    ]
    assert mine
    assert [path for path in mine if path.stat().st_uid != 0 or path.stat().st_mode & 0o022] == []


def test_it_answers_and_its_health_check_knows(image: Image) -> None:
    with image.started() as running:
        until(lambda: running.ask("/health/ready")[0] == 200)
        assert image.healthy(running.port)
        status, text = running.ask("/metrics")
        assert (status, "process_cpu_seconds_total" in text) == (200, True)
        running.send()
        code, lines = running.ended()
    assert code == 0
    assert {line["version"] for line in lines} == {REVISION}
    assert not image.healthy(running.port)


def test_it_drains_as_process_1(image: Image) -> None:
    """A signal that process 1 does not handle would do nothing. Under load no request fails.

    Nobody asks a worker, and one without a message in hand leaves at once.
    """
    with image.started(DRAIN_SECONDS="2", FINISH_SECONDS="20", LOG_LEVEL="WARNING") as running:
        load = Load(running.port)
        threads = load.start() if image.made.kind == "http" else []
        until(lambda: not threads or len(load.answered) > 200)
        before = len(load.answered)
        running.send()
        if threads:
            until(lambda: running.ask("/health/ready")[0] == 503, seconds=1.5)
        for thread in threads:
            thread.join(PATIENCE)
        code, lines = running.ended()
    assert (load.failed, code, lines) == ([], 0, [])
    assert not threads or len(load.answered) > before + 50


def test_the_heap_leaves_room_in_the_container_s_memory(image: Image) -> None:
    """Node.js knows what it may have by itself; a service in Go reads it when it starts."""
    if image.made.blueprint == "python":
        pytest.skip("Python bounds no heap of its own")
    if image.made.blueprint == "node":
        told = "v8.getHeapStatistics().heap_size_limit / (process.constrainedMemory() || os.totalmem())"
        with image.run("node", "--print", told) as process:
            share = float(process.communicate(timeout=PATIENCE)[0])
        assert 0.5 < share < 0.85
    else:
        with image.started(CONTAINER_MEMORY="268435450") as running:
            limit = running.sample("go_gc_gomemlimit_bytes")
            running.send()
            assert running.ended()[0] == 0
        assert limit == 241_591_905


def test_it_starts_as_its_own_user_in_a_root_of_its_own(image: Image) -> None:
    with image.started() as running:
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
        told = Path(f"/proc/{children[0]}/status").read_text()
        running.send()
        assert running.ended()[0] == 0
    for name in "Uid", "Gid":
        assert re.search(rf"^{name}:(\s+10001){{4}}$", told, re.M), told
    assert re.search(r"^NSpid:\s+\d+\s+1$", told, re.M)  # as process 1
