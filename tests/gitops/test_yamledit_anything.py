"""Whatever a document looks like and whatever is written into it: the intended scalars change, and no other byte.

The documents come from a writer of our own that knows where it has put each scalar. What the result says is asked of
PyYAML's reader in Python, of our reading of YAML as Kubernetes has it, and of helm itself: none of them is the parser
that the editor uses.
"""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from generator import helm
from generator.errors import ShiplaneError
from gitops.policy.scalars import plain
from gitops.yamledit import Edit, Plain, parse_path, read, set_scalars
from gitops.yamledit.nodes import Scalar, documents
from gitops.yamledit.path import Match, shown
from gitops.yamledit.path import Path as YamlPath

EXAMPLES = int(os.environ.get("SHIPLANE_EXAMPLES", "200"))
"""How many documents a test makes up: `make audit` asks for 10,000."""
_NASTY = """12e4567 1234567 1e3 .5 1. 1.10 0755 0o14 0x1F 0b11 1_000 +1 -1 y Y n yes No on OFF true False null ~ NULL
2024-01-01 2001-12-14t21:59:43.10-05:00 12:30 190:20:30 .inf -.Inf .NaN nan inf Infinity << = - ? : , [ ] { } # & * !
| > ' " % @ ` -- --- ... a:b a: a#b v1.2.3 1.2.3 1.2.3-rc.1 sha256:abc deadbeef cafe123 *a &a !t {a} [a] registry/a/b
0x1p-2 e1 1e 0 00 08 09 1.2 1.2.3.4 0.0.0 no: /a/b a,b a] a} +x .x _1 1_ _ ${x} {{x}}"""
NASTY = [
    *_NASTY.split(), "", " ", "a b", " a", "a ", "a: b", "a #b", "- a", "? a", "it's", 'say "x"', "\\", "\\n", "a\nb",
    "\n", "\t", "a\tb", "\r\n", "é", "😀", "\x85", "\u2028", "\xa0", "\ufeff", "\x7f", "\0", "\x1b[31m", "\U000e0001",
    "a" * 300, "0" * 40, "1e" + "0" * 38, "abcdef0" * 5,
]  # fmt: skip
_TEXTS = st.sampled_from(NASTY) | st.text(max_size=12)
_KEYS = ["a", "b-c", "image", "tag", "x.y", "name", "on", "1", "ключ", "a b", 'q"q', "p/q", "<x>"]
_OPEN, _CLOSE = "\ue000", "\ue001"  # stand around each scalar until its place is noted


class Writer:
    """Writes a random document, in a random style; `leaves` are the paths of its scalars, by number."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.leaves: list[tuple[YamlPath, str]] = []
        self.maps: list[YamlPath] = []
        self.step = chance.choice((1, 2, 3, 4))
        self.loose = chance.random() < 0.5  # whether lists are indented below their keys

    def scalar(self, path: YamlPath, *, flow: bool) -> tuple[str, Any]:
        chance = self.chance
        text = chance.choice(["abc", "v1.2.3", "12e4567", "é😀", "x y", "7", "true", "~", "", "it", "on"])
        style = chance.choice(("", "'", '"')) if text else chance.choice(("'", '"', "" if not flow else "'"))
        self.leaves.append((path, text))
        return f"{_OPEN}{style}{text}{style}{_CLOSE}", text

    def key(self, name: str) -> str:
        return name if re.fullmatch(r"[\w.</>-]+", name) and self.chance.random() < 0.8 else json.dumps(name)

    def names(self) -> list[str]:
        return self.chance.sample(_KEYS, self.chance.randint(1, 4))

    def remark(self) -> str:
        return self.chance.choice(("", "", "", " # c", "   # é: {", " "))

    def lines(self, indent: int) -> str:
        return self.chance.choice(("", "", "", "\n", f"{' ' * indent}# x: y\n", "# far\n"))

    def flow(self, path: YamlPath, depth: int) -> tuple[str, Any]:
        kind = self.chance.randint(0, 2) if depth < 3 else 0
        pad = self.chance.choice(("", " "))
        if kind == 0:
            return self.scalar(path, flow=True)
        if kind == 1:
            count = self.chance.randint(0, 3)
            found = [self.flow((*path, index), depth + 1) for index in range(count)]
            return f"[{pad}{', '.join(text for text, _ in found)}{pad}]", [value for _, value in found]
        pairs = {name: self.flow((*path, name), depth + 1) for name in self.names()[: self.chance.randint(0, 3)]}
        self.maps.append(path)
        glue = self.chance.choice((", ", " , ", ",\n        "))
        inside = glue.join(f"{self.key(name)}: {text}" for name, (text, _) in pairs.items())
        comma = "," if pairs and self.chance.random() < 0.2 else ""
        return f"{{{pad}{inside}{comma}{pad}}}", {name: value for name, (_, value) in pairs.items()}

    def block(self, path: YamlPath, indent: int, depth: int) -> tuple[str, Any]:
        """A map or a list whose first line is not indented yet."""
        chance, spaces = self.chance, " " * indent
        if path and chance.random() < 0.3:
            parts, values = [], []
            for index in range(chance.randint(1, 3)):
                text, value = self.item((*path, index), indent, depth)
                parts.append(f"- {text}")
                values.append(value)
            return f"{spaces}".join(parts), values
        lines, data = [], {}
        self.maps.append(path)
        for name in self.names():
            text, data[name] = self.entry((*path, name), indent, depth)
            lines.append(f"{self.key(name)}:{text}")
        return spaces.join(lines), data

    def item(self, path: YamlPath, indent: int, depth: int) -> tuple[str, Any]:
        if depth < 4 and self.chance.random() < 0.5:
            return self.block(path, indent + 2, depth + 1)
        text, value = self.flow(path, depth)
        return f"{text}{self.remark()}\n", value

    def entry(self, path: YamlPath, indent: int, depth: int) -> tuple[str, Any]:
        chance = self.chance
        kind = chance.randint(0, 9)
        if kind == 0:
            body = chance.choice(("text\n", "a: b\n\n  more\n", "# no comment\n"))
            spaces = " " * (indent + self.step)
            lines = "".join(f"{spaces}{line}\n" if line else "\n" for line in body.splitlines())
            chomp = chance.choice(("", "-"))
            blank = chance.choice(("", "\n"))
            return f" |{chomp}\n{lines}{blank}", body if chomp == "" else body.rstrip("\n")
        if kind < 4 and depth < 4:
            remark, lines = self.remark(), self.lines(indent)
            deeper = indent + self.step
            text, value = self.block(path, deeper, depth + 1)
            if isinstance(value, list) and not self.loose:
                return f"{remark}\n{lines}{' ' * indent}{_shifted(text, deeper, indent)}", value
            return f"{remark}\n{lines}{' ' * deeper}{text}", value
        text, value = self.flow(path, depth)
        return f"{' ' * chance.randint(1, 3)}{text}{self.remark()}\n{self.lines(indent)}", value


def _shifted(text: str, deeper: int, indent: int) -> str:
    """A list, moved to the column of its key."""
    spaces, less = " " * deeper, " " * indent
    return "\n".join(less + line[deeper:] if line.startswith(spaces) else line for line in text.split("\n"))


class Made:
    """A file: its bytes, the data of each document, the span of each scalar, and where maps are."""

    def __init__(self, chance: random.Random) -> None:
        count = chance.choice((1, 1, 1, 2, 3))
        self.data: list[Any] = []
        self.leaves: list[tuple[int, YamlPath, str]] = []
        self.maps: list[tuple[int, YamlPath]] = []
        texts = []
        for number in range(count):
            writer = Writer(chance)
            text, data = writer.block((), 0, 0)
            self.data.append(data)
            self.leaves += [(number, *leaf) for leaf in writer.leaves]
            self.maps += [(number, path) for path in writer.maps]
            texts.append(text)
        text = chance.choice(("---\n", "", "# é\n")) + "---\n".join(texts)
        short = text.removesuffix("\n")  # which takes a line break from a block scalar at the end
        if chance.random() < 0.3 and _said(re.sub(f"[{_OPEN}{_CLOSE}]", "", short)) == self.data:
            text = short
        text = text.replace("\n", "\r\n") if chance.random() < 0.25 else text
        self.spans: dict[int, tuple[int, int]] = {}
        plain_text = "\ufeff" if chance.random() < 0.2 else ""
        for part in re.split(f"([{_OPEN}{_CLOSE}])", text):
            if part == _OPEN:
                start = len(plain_text)
            elif part == _CLOSE:
                self.spans[len(self.spans)] = (start, len(plain_text))
            else:
                plain_text += part
        self.text = plain_text


def _put(data: Any, path: YamlPath, value: str) -> None:
    for step in path[:-1]:
        data = data[step]
    data[path[-1]] = value


def _said(text: str) -> list[Any]:
    """Every document as text alone, by PyYAML's reader in Python."""
    return list(yaml.load_all(text.removeprefix("\ufeff"), yaml.BaseLoader))


@given(st.integers(0, 2**32), _TEXTS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_scalar_is_set_and_no_other_byte_changes(seed: int, value: str) -> None:
    chance = random.Random(seed)
    made = Made(chance)
    assume(made.leaves)
    number = chance.randrange(len(made.leaves))
    document, path, _ = made.leaves[number]
    start, end = made.spans[number]
    assert _said(made.text) == made.data  # the writer knows what it has written

    after = set_scalars(made.text.encode(), [Edit(path, value, document)], "f.yaml").decode()

    _put(made.data[document], path, value)
    assert _said(after) == made.data
    assert after.startswith(made.text[:start])
    assert after.endswith(made.text[end:])
    if start == end:  # nothing stood there: at most a blank comes with the value
        start += after[start : start + 1] == " "
    written = after[start : len(after) - len(made.text) + end]
    assert yaml.safe_load(written) == value
    if written[:1] not in ("'", '"'):
        assert (written, plain(written)) == (value, value)


@given(st.integers(0, 2**32), _TEXTS, st.sampled_from(["new", "a.b/c", "y", "12", "q q"]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_key_is_added_and_every_byte_stays(seed: int, value: str, key: str) -> None:
    chance = random.Random(seed)
    made = Made(chance)
    document, path = chance.choice(made.maps)

    after = set_scalars(made.text.encode(), [Edit((*path, key), value, document)], "f.yaml").decode()

    _put(made.data[document], (*path, key), value)
    assert _said(after) == made.data
    left = iter(after)
    assert all(character in left for character in made.text)  # every one still there, in its order
    assert len(after) - len(made.text) < len(value) * 10 + 40


@given(st.integers(0, 2**32), st.lists(_TEXTS, min_size=2, max_size=6))
@settings(max_examples=EXAMPLES // 4, deadline=None)
def test_many_edits_say_the_same_as_one_after_another(seed: int, values: list[str]) -> None:
    made = Made(random.Random(seed))
    edits = [Edit(path, value, document) for (document, path, _), value in zip(made.leaves, values, strict=False)]
    data = made.text.encode()

    at_once = set_scalars(data, edits, "f.yaml")

    for edit in reversed(edits):
        data = set_scalars(data, [edit], "f.yaml")
    assert _said(at_once.decode()) == _said(data.decode())
    assert all(read(at_once, [edit.path], "f.yaml", edit.document) == (edit.value,) for edit in edits)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")), _TEXTS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_whatever_the_file_holds_it_is_edited_or_refused(text: str, value: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        said, refused = read(set_scalars(data, [Edit(("a",), value)], "f.yaml"), [("a",)], "f.yaml"), []
    except ShiplaneError as error:
        said, refused = (value,), [problem.place for problem in error.problems]
    assert said == (value,)
    assert all(place.startswith("f.yaml") for place in refused)


@given(
    st.lists(
        st.text(min_size=1, max_size=6)
        | st.integers(0, 999)
        | st.builds(Match, st.sampled_from(["name", "path"]), st.text(min_size=1, max_size=6)),
        min_size=1,
        max_size=5,
    ).map(tuple)
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_path_is_read_as_it_is_shown(path: YamlPath) -> None:
    assert parse_path(shown(path)) == path


_CHART = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: told}
data:
  told: {{ .Values.v | toJson | quote }}
  kinds: {{ range .Values.v }}{{ kindOf . }} {{ end }}
"""


@pytest.mark.parametrize("major", ["helm3", "helm4"])
@pytest.mark.parametrize("style", ["x", "'x'", '"x"'])
@pytest.mark.parametrize("form", ["v:\n{}", "v: [{}]\n"])
def test_helm_reads_each_string_as_that_string(
    major: str, style: str, form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(7)
    made = ["".join(chance.choices("0123456789eExXbo._+-:ynft~#aI", k=chance.randint(1, 8))) for _ in range(600)]
    texts = [text for text in [*NASTY, *made] if "\0" not in text]
    count = len(texts)
    values = form.format("".join(f"- {style}\n" for _ in texts) if "\n" in form[:4] else ", ".join([style] * count))
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: told\nversion: 1.0.0\n")
    (tmp_path / "templates" / "told.yaml").write_text(_CHART)
    edits = [Edit(("v", index), text) for index, text in enumerate(texts)]
    (tmp_path / "values.yaml").write_bytes(set_scalars(values.encode(), edits, "values.yaml"))

    rendered = helm.template(request.getfixturevalue(major), tmp_path, release="told", namespace="told")

    told = yaml.safe_load(rendered)["data"]
    assert json.loads(told["told"]) == texts
    assert set(told["kinds"].split()) == {"string"}


def test_what_is_carried_as_it_stands_is_written_so() -> None:
    for text in ("3", "1.10", "y", "0755", "12e4567", "2024-01-01", "~", ".5", "12:30", "null", ""):
        after = set_scalars(b"a: 'x'\n", [Edit(("a",), Plain(text))], "f.yaml")

        assert after == f"a: {text}\n".encode()
        assert read(after, [("a",)], "f.yaml") == (Plain(text),)
        (document,) = documents(after.decode(), "f.yaml")
        assert not isinstance(document.root, Scalar)
