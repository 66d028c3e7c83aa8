"""Start a program as a container's runtime would: process 1, in a file system of its own that it cannot write to.

    launch.py ROOT WORKDIR UID:GID -- ARGUMENTS...

runs with the environment that it was given, under `unshare --mount --pid`. /tmp is empty and can be written to, as the
chart has it. CONTAINER_MEMORY, which the program does not get, is what its control group says it may have, in bytes. A
signal sent to this process reaches the program, whose exit code becomes its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Mount, start, pass signals on, wait."""
    root, folder, user, _, *arguments = sys.argv[1:]
    child = os.fork()
    if child == 0:
        _become(Path(root), folder, *map(int, user.split(":")))
        os.execvp(arguments[0], arguments)  # PATH is the image's
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(child, number))
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF
        except InterruptedError:
            continue


def _become(root: Path, folder: str, user: int, group: int) -> None:
    limit = os.environ.pop("CONTAINER_MEMORY", None)
    for name in "proc", "tmp", "dev", "sys":
        (root / name).mkdir(exist_ok=True)
    for mount in (
        ("--bind", root, root),
        ("-t", "proc", "proc", root / "proc"),
        ("-t", "tmpfs", "tmpfs", root / "tmp"),
        ("-t", "tmpfs", "tmpfs", root / "sys"),
        ("--rbind", "/dev", root / "dev"),
        ("-o", "remount,bind,ro", root),
    ):
        subprocess.run(["/usr/bin/mount", *map(str, mount)], check=True)
    group_files = root / "sys" / "fs" / "cgroup"
    group_files.mkdir(parents=True)
    (group_files / "memory.max").write_text(f"{limit or 'max'}\n")
    os.chroot(root)
    os.chdir(folder or "/")
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


if __name__ == "__main__":
    raise SystemExit(main())
