"""Trees read from disk, paths that may not be written, and a digest that depends on content alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from generator.tree import PLAIN, PROGRAM, File, digest, read, unsafe
from tests.generator.trees import build


def test_a_tree_is_read_with_two_modes_and_without_what_pip_compiled(tmp_path: Path) -> None:
    build(tmp_path, {"b/x.txt": "x", "a.sh": "#!", "b/__pycache__/x.pyc": "compiled"})
    (tmp_path / "a.sh").chmod(0o700)
    (tmp_path / "b/x.txt").chmod(0o666)

    assert read(tmp_path) == {"a.sh": File(PROGRAM, b"#!"), "b/x.txt": File(PLAIN, b"x")}


def test_links_and_pipes_are_refused_all_at_once(tmp_path: Path) -> None:
    build(tmp_path, {"a": "a", "folder/b": "b"})
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "out").symlink_to("/")
    os.mkfifo(tmp_path / "folder/pipe")

    with pytest.raises(ShiplaneError) as caught:
        read(tmp_path, "own")

    assert [(problem.place, problem.rule.split(",")[0]) for problem in caught.value.problems] == [
        ("own/folder/pipe", "is neither a file nor a folder"),
        ("own/link", "is a symbolic link"),
        ("own/out", "is a symbolic link"),
    ]


def test_a_folder_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    with pytest.raises(ShiplaneError, match="is a symbolic link"):
        read(tmp_path / "link")


@pytest.mark.parametrize(
    ("paths", "rule"),
    [
        (["../x"], "leads out"),
        (["a/../../x"], "leads out"),
        (["/etc/x"], "leads out"),
        (["a//b"], "leads out"),
        (["a\\b"], "leads out"),
        ([".git/hooks/pre-commit"], "git's own"),
        (["sub/.GIT/config"], "git's own"),
        (["a\nb"], "printable"),
        (["README.md", "readme.MD"], "same as README.md"),
        (["a", "a/b"], "lies below a, which is a file"),
    ],
)
def test_unsafe_paths(paths: list[str], rule: str) -> None:
    ((_, told),) = unsafe(paths)

    assert rule in told


def test_paths_as_services_have_them_are_safe() -> None:
    assert list(unsafe([".github/workflows/x.yaml", ".gitignore", "a/b", "a/c", "src/{x}.py"])) == []


def test_a_digest_is_of_names_paths_modes_and_bytes() -> None:
    file = File(PLAIN, b"x")
    one = digest({"l": {"a": file, "b": file}})

    assert one == digest({"l": {"b": file, "a": file}})
    others = [{"m": {"a": file, "b": file}}, {"l": {"a": file}}, {"l": {"a": file, "b": File(PROGRAM, b"x")}}]
    assert len({one, *map(digest, others)}) == 4
