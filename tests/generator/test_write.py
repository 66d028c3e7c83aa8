"""Placing: all or nothing, whatever is in the way and whatever ends it early."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from generator.tree import PLAIN, PROGRAM, File, Tree
from generator.write import in_the_way, place

FILES: Tree = {"b/c/run.sh": File(PROGRAM, b"#!/bin/sh\n"), "a.txt": File(PLAIN, b"text\n")}


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_and_folders_have_the_same_modes_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        place(FILES, tmp_path / "wallet")
    finally:
        os.umask(before)

    modes = {path: stat.S_IMODE((tmp_path / path).stat().st_mode) for path in below(tmp_path)}
    assert modes == {
        "wallet": 0o755,
        "wallet/a.txt": 0o644,
        "wallet/b": 0o755,
        "wallet/b/c": 0o755,
        "wallet/b/c/run.sh": 0o755,
    }


def test_what_is_in_the_way_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    for name in "dcba":
        (tmp_path / "full" / name).write_text(name)
    (tmp_path / "dangling").symlink_to("nowhere")
    before = below(tmp_path)

    told = {}
    for name in ("file", "empty", "full", "dangling"):
        with pytest.raises(ShiplaneError) as caught:
            place(FILES, tmp_path / name)
        told[name] = caught.value.problems[0].rule

    assert told == {
        "file": "is there already: a file",
        "empty": "is there already: an empty folder",
        "full": "is there already: a folder with a, b, c and 1 more",
        "dangling": "is there already: a symbolic link to nowhere",
    }
    assert below(tmp_path) == before


def test_the_folder_for_it_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for parent in ("absent", "file"):
        (problem,) = in_the_way(tmp_path / parent / "wallet")
        assert problem.rule == "is not a folder"


def test_no_right_to_write_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    parent = Path("/proc")  # where even root may not create anything
    if not parent.is_dir():
        pytest.skip("no /proc here, and root may write everywhere else")

    with pytest.raises(ShiplaneError, match="/proc/wallet: cannot be written: "):
        place(FILES, parent / "wallet")


def test_a_full_disk_is_told_and_leaves_nothing(small: Path) -> None:
    files = {f"{number}.bin": File(PLAIN, bytes(10_000)) for number in range(20)}

    with pytest.raises(ShiplaneError, match="cannot be written: No space left on device"):
        place(files, small / "wallet")

    assert below(small) == []


def test_an_interruption_at_any_file_leaves_nothing_or_all(tmp_path: Path) -> None:
    """^C while the n-th file is taken from the plan, for every n."""

    class Interrupted(dict[str, File]):
        left = 0

        def items(self):  # type: ignore[no-untyped-def] # as dict's
            for number, item in enumerate(super().items()):
                if number == self.left:
                    raise KeyboardInterrupt
                yield item

    for left in range(len(FILES)):
        files = Interrupted(FILES)
        files.left = left
        with pytest.raises(KeyboardInterrupt):
            place(files, tmp_path / "wallet")
        assert below(tmp_path) == []
