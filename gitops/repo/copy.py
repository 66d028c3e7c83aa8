"""The bare, shallow, partial copy of a repository that a command works in, made by a git that nobody waits for yet."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.errors import Problem, ShiplaneError
from gitops.repo.access import ANYBODY, Access, address, admitted
from gitops.repo.git import GitFailed, Running, begun, redact

# A push of a commit that copies a tree by its id must not fetch that tree's blobs (pack.useSparse), nor one to make a
# delta from (pack.window: over HTTP --no-thin is not heard); a temporary copy needs no housekeeping, no hooks, nor to
# outlive a power cut (fsync was half of a promotion's time); a merge guesses no moved folder, runs no merge driver.
_SETTINGS = (
    "pack.useSparse=false", "pack.window=0", "gc.auto=0", "maintenance.auto=false", "core.hooksPath=/dev/null",
    "core.fsync=none", "core.attributesFile=/dev/null", "merge.renames=false", "merge.directoryRenames=false",
)  # fmt: skip


@dataclass(frozen=True)
class Copy:
    """The copy in `folder` of the repository at `url` (without a password): there once `finish` has returned."""

    url: str
    folder: str
    access: Access
    _clone: Running

    def finish(self) -> None:
        """Wait for all of it; raises ShiplaneError where the repository cannot be read."""
        try:
            self._clone.finish()
        except GitFailed as failure:
            mend = f"check the address, and that you may read it: git ls-remote {self.url}"
            raise ShiplaneError(Problem(self.url, f"cannot be read: {failure.reason}", mend)) from None


Where = str | Copy
"""An address or a path; or a copy of what is there, under way."""


@contextlib.contextmanager
def copying(url: str, access: Access = ANYBODY) -> Iterator[Copy]:
    """Begin to copy the tip of the repository at `url` (an address, or a path): its trees, no contents of files.

    Left before it is finished, it is given up; nothing stays behind.
    """
    plain, access = admitted(address(url), access)
    settings = [argument for setting in _SETTINGS for argument in ("-c", setting)]
    clone = (
        "clone", "--quiet", "--bare", "--depth=1", "--filter=blob:none", "--no-tags", "--template=",
        *settings, "--", plain, "copy.git",
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory(prefix="shiplane-", ignore_cleanup_errors=True) as folder,
        begun(folder, *clone, environment=access.environment) as running,
    ):
        yield Copy(redact(url), str(Path(folder) / "copy.git"), access, running)
