"""What an environment records is read alike however it is written down."""

from __future__ import annotations

import pytest

from generator.errors import ShiplaneError
from gitops import pins
from gitops.model import Entry, Origin, Pin
from tests.gitops.literal import WALLET, A, blob, lane, snapshot

FOLDER = "environments/dev/wallet"
RELEASE = pins.release_yaml(A)
ORIGIN = pins.origin_yaml(Origin("acme/wallet", "0.1.0", 7, True))


def read(release: bytes | Entry, origin: bytes | Entry) -> Pin | None:
    return pins.pin(
        snapshot({f"{FOLDER}/release.yaml": release, f"{FOLDER}/origin.yaml": origin}), lane(), "dev", WALLET.name
    )


def told(release: bytes, origin: bytes) -> object:
    """What is read, or what is said against it."""
    try:
        pin = read(release, origin)
    except ShiplaneError as error:
        return [(each.place, each.rule.partition(", not ")[0]) for each in error.problems]
    return pin and (pin.release, pin.origin)


@pytest.mark.parametrize(
    "origin",
    [
        Origin("acme/wallet", "0.1.0", 7, True),
        Origin("acme/wallet", "v1.2.3-rc.1+build", None, False),
        Origin("a/..b", "1", 0, True),
        Origin("acme/wallet", "0.1.0", pins.NEWEST, True),
    ],
)
def test_what_is_written_is_what_is_read(origin: Origin) -> None:
    pin = read(RELEASE, pins.origin_yaml(origin))

    assert pin is not None
    assert (pin.release, pin.origin) == (A, origin)


@pytest.mark.parametrize(
    "origin",
    [
        ORIGIN,
        ORIGIN.replace(b"0.1.0", b"latest"),
        ORIGIN.replace(b"0.1.0", b"1." + b"0" * 98),
        ORIGIN.replace(b"0.1.0", b"1." + b"0" * 99),
        ORIGIN.replace(b"acme/wallet", b"acme/.."),
        ORIGIN.replace(b"acme/wallet", b"acme/w\\x2e"),
        ORIGIN.replace(b"run: 7", b"run: 07"),
        ORIGIN.replace(b"run: 7", b"run: 9007199254740992"),
        ORIGIN.replace(b"true", b"yes"),
    ],
)
def test_a_comment_changes_nothing_of_what_is_read(origin: bytes) -> None:
    """As it was written nobody needs to read it as YAML; with a comment behind it that is how it is read."""
    assert told(RELEASE, origin) == told(RELEASE + b"# x\n", origin + b"# x\n")


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_only_a_regular_file_is_read(mode: str) -> None:
    with pytest.raises(ShiplaneError, match="is not a regular file"):
        read(Entry(mode, blob(RELEASE).oid, RELEASE), ORIGIN)
