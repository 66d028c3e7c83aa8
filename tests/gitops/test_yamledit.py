"""The span editor: exactly the bytes of the scalars that are to be set, or a refusal with line and reason."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
import yaml

from generator.errors import ShiplaneError
from gitops.yamledit import Edit, Plain, Value, parse_path, parse_selector, read, set_scalars
from gitops.yamledit.path import Match, shown

SHA = "12e4567" + "0" * 33


def edited(text: str, edits: Mapping[str, Value], document: str = "") -> str:
    select = parse_selector(document) if document else None
    made = [Edit(parse_path(path), value, select) for path, value in edits.items()]
    return set_scalars(text.encode(), made, "values.yaml").decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("image:\n  tag: {}\n", id="block"),
        pytest.param("image:\n  tag: {} # the build's\n", id="comment"),
        pytest.param("image:\n    # above\n    tag:   {}   # far off\n\n\nother: 1\n", id="deep-indent"),
        pytest.param("image:\r\n  tag: {} # c\r\nother: 1\r\n", id="crlf"),
        pytest.param("image:\n  tag: {}", id="no-final-newline"),
        pytest.param("\ufeffimage:\n  tag: {}\n", id="byte-order-mark"),
        pytest.param("größe: 😀 é\nimage: {{tag: {}}}\n", id="flow-behind-non-ascii"),
        pytest.param("image: {{ repository: a/b, tag: {} , pullPolicy: Always }} # c\n", id="flow-between"),
        pytest.param("image: {{\n  tag: {}, # c\n  x: 1 }}\n", id="flow-over-lines"),
        pytest.param('{{"image": {{"x": 1, "tag": {}}}}}\n', id="json"),
        pytest.param('{{\n\t"image": {{"tag": {}}}\n}}', id="json-with-tabs"),
        pytest.param("a: |\n  tag: x\n\n\nimage:\n  tag: {}\nb: >-\n  y\n", id="between-block-scalars"),
        pytest.param("%YAML 1.1\n---\nimage:\n  tag: {}\n...\n", id="directive-and-end"),
        pytest.param('"image":\n  "tag" : {}\n', id="quoted-keys"),
        pytest.param("base: &base {{x: 1}}\nmore: *base\nimage: &unused\n  tag: {}\n", id="anchors-elsewhere"),
    ],
)
@pytest.mark.parametrize(("old", "new"), [('"abc"', f'"{SHA}"'), ("'abc'", f"'{SHA}'")])
def test_only_the_value_changes(text: str, old: str, new: str) -> None:
    assert edited(text.format(old), {"image.tag": SHA}) == text.format(new)


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        pytest.param("tag: abc\n", "tag", "v1.2.3", "tag: v1.2.3\n", id="plain-stays-plain"),
        pytest.param("tag: abc\n", "tag", SHA, f'tag: "{SHA}"\n', id="a-sha-never"),
        pytest.param("tag: 7\n", "tag", "v7", "tag: v7\n", id="a-number-becomes-text"),
        pytest.param("tag: 1234567\n", "tag", "1234567", 'tag: "1234567"\n', id="what-is-misread-is-quoted"),
        pytest.param("tag: abc\n", "tag", "abc", "tag: abc\n", id="equal-is-left"),
        pytest.param("tag: 'it''s'\n", "tag", "it's more", "tag: 'it''s more'\n", id="single-quotes"),
        pytest.param("tag: 'x'\n", "tag", "a\tb\nc", 'tag: "a\\tb\\nc"\n', id="what-single-quotes-cannot-hold"),
        pytest.param('tag: "x"\n', "tag", 'say "é"\\', 'tag: "say \\"é\\"\\\\"\n', id="double-quotes"),
        pytest.param("a: 'x'\ntag: b\n", "tag", "on", "a: 'x'\ntag: 'on'\n", id="quotes-as-beside-it"),
        pytest.param("n: 3\n", "n", Plain("4"), "n: 4\n", id="a-number"),
        pytest.param('n: "3"\n', "n", Plain("true"), "n: true\n", id="a-truth-for-a-text"),
        pytest.param("tag:\n", "tag", "abc", "tag: abc\n", id="nothing"),
        pytest.param("tag: # later\nx: 1\n", "tag", "abc", "tag: abc # later\nx: 1\n", id="nothing-and-a-comment"),
        pytest.param("tag: ~\n", "tag", "abc", "tag: abc\n", id="null"),
        pytest.param("{tag: }\n", "tag", "abc", "{tag: abc}\n", id="nothing-in-braces"),
        pytest.param("- \n- b\n", "[0]", "a", "- a\n- b\n", id="nothing-in-a-list"),
        pytest.param("tag: one\n  two # c\n", "tag", "abc", "tag: abc # c\n", id="over-two-lines"),
        pytest.param('{"n": 3}', "n", "abc", '{"n": "abc"}', id="json-stays-json"),
        pytest.param('{"n": "x"}', "n", "\0\x07", '{"n": "\\u0000\\u0007"}', id="json-of-control-characters"),
        pytest.param("[a, b, [c, d]]\n", "[2][1]", "x", '[a, b, [c, x]]\n', id="lists-of-lists"),
        pytest.param("- - a\n  - b\n-\n  - c\n", "[0][1]", "x", "- - a\n  - x\n-\n  - c\n", id="compact-lists"),
        pytest.param(
            "images:\n- name: a\n  newTag: x\n- newTag: y\n  name: b\n",
            "images[name=b].newTag", "z", "images:\n- name: a\n  newTag: x\n- newTag: z\n  name: b\n", id="by-name",
        ),
        pytest.param(
            "p:\n  - {name: image.tag, value: a}\n",
            "p[name=image.tag].value", "b", "p:\n  - {name: image.tag, value: b}\n", id="by-a-name-with-dots",
        ),
        pytest.param(
            "- op: replace\n  path: /spec/x\n  value: a\n",
            "[path=/spec/x].value", "b", "- op: replace\n  path: /spec/x\n  value: b\n", id="a-list-at-the-top",
        ),
        pytest.param("m:\n  a.b/c: x\n", 'm["a.b/c"]', "y1", "m:\n  a.b/c: y1\n", id="a-key-with-dots"),
        pytest.param("m:\n  'a\"b': x\n", 'm["a\\"b"]', "y1", "m:\n  'a\"b': y1\n", id="a-key-with-a-quote"),
        pytest.param("? a\n: b\n", "a", "c", "? a\n: c\n", id="a-key-with-a-mark"),
        pytest.param("a: x\n", "a", "", 'a: ""\n', id="empty"),
        pytest.param("a: x\r\nb: y", "b", "z", "a: x\r\nb: z", id="last-without-newline"),
    ],
)  # fmt: skip
def test_a_scalar_is_set(before: str, path: str, value: Value, after: str) -> None:
    assert edited(before, {path: value}) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        pytest.param("image:\n  a: 1\n# c\nb: 2\n", "image.tag", "image:\n  a: 1\n  tag: v1\n# c\nb: 2\n", id="block"),
        pytest.param("a: 1 # c\r\nb: 2", "tag", "a: 1 # c\r\nb: 2\r\ntag: v1", id="crlf-without-final-newline"),
        pytest.param("a: x", "tag", "a: x\ntag: v1", id="one-line-without-newline"),
        pytest.param("a: 'x'\n", "tag", "a: 'x'\ntag: 'v1'\n", id="quoted-as-those-beside-it"),
        pytest.param("a:\n  b:\n    c: 1\n", "a.tag", "a:\n  b:\n    c: 1\n  tag: v1\n", id="behind-a-deeper-map"),
        pytest.param("a:\n- b\n- c: 1\n", "tag", "a:\n- b\n- c: 1\ntag: v1\n", id="behind-a-list"),
        pytest.param("a:\n- b\n- c: 1\n", "a[1].tag", "a:\n- b\n- c: 1\n  tag: v1\n", id="in-an-item"),
        pytest.param("x: |\n  a\n\n# c\ny: 1\n", "tag", "x: |\n  a\n\n# c\ny: 1\ntag: v1\n", id="past-a-block-scalar"),
        pytest.param("m:\n  x: |\n    a\n\n\ny: 1\n", "m.tag", "m:\n  x: |\n    a\n\n\n  tag: v1\ny: 1\n", id="block"),
        pytest.param("m:\n  x: |+\n    a\n\n", "m.tag", "m:\n  x: |+\n    a\n\n  tag: v1\n", id="block-scalar-kept"),
        pytest.param("m:\r\n x: |\r\n  a\r\ny: 1", "m.tag", "m:\r\n x: |\r\n  a\r\n tag: v1\r\ny: 1", id="block-crlf"),
        pytest.param("x: |\r\n  a\r\n", "tag", "x: |\r\n  a\r\ntag: v1\r\n", id="block-crlf-at-the-end"),
        pytest.param("m:\n  x: one\n    two\n", "m.tag", "m:\n  x: one\n    two\n  tag: v1\n", id="behind-two-lines"),
        pytest.param("m: {a: 1}\n", "m.tag", "m: {a: 1, tag: v1}\n", id="flow"),
        pytest.param("m: { a: 1 } # c\n", "m.tag", "m: { a: 1, tag: v1 } # c\n", id="flow-with-blanks"),
        pytest.param("m: {a: 1,}\n", "m.tag", "m: {a: 1, tag: v1,}\n", id="flow-with-a-comma"),
        pytest.param('{"a": 1}', "tag", '{"a": 1, "tag": "v1"}', id="json"),
        pytest.param(
            '{\n  "a": 1,\n  "b": 2\n}\n', "tag", '{\n  "a": 1,\n  "b": 2,\n  "tag": "v1"\n}\n', id="json-lines"
        ),
        pytest.param("{\n  a: 1 # c\n}\n", "tag", "{\n  a: 1, # c\n  tag: v1\n}\n", id="flow-lines-with-a-comment"),
        pytest.param("{\n  a: 1, # c\n}\n", "tag", "{\n  a: 1, # c\n  tag: v1,\n}\n", id="flow-lines-with-a-comma"),
        pytest.param("m: {}\n", "m.tag", "m: {tag: v1}\n", id="empty-map"),
        pytest.param("m: &x {} # c\n", "m.tag", "m: &x {tag: v1} # c\n", id="empty-map-with-an-anchor"),
        pytest.param("{}\n", "tag", '{"tag": "v1"}\n', id="empty-document"),
        pytest.param("m:\n# c\nb:\n   c: 1\n", "m.tag", "m:\n   tag: v1\n# c\nb:\n   c: 1\n", id="null-own-step"),
        pytest.param("m: # c\nb: 1\n", "m.tag", "m: # c\n  tag: v1\nb: 1\n", id="null-with-a-comment"),
        pytest.param("m: null # c\n", "m.tag", "m: {tag: v1} # c\n", id="null-in-words"),
        pytest.param("{m: }\n", "m.tag", "{m: {tag: v1}}\n", id="null-in-braces"),
        pytest.param("a: x\n...\n", "tag", "a: x\ntag: v1\n...\n", id="before-the-end-mark"),
    ],
)  # fmt: skip
def test_a_missing_key_is_added_in_the_style_of_the_file(before: str, path: str, after: str) -> None:
    assert edited(before, {path: "v1"}) == after


def test_several_edits_are_made_at_once() -> None:
    text = "a: {b: 1}\nc:\n  d: x\n"

    after = edited(text, {"c.d": "y1", "a.x": "p", "c.new": "q", "a.z": SHA, "e": "r"})

    assert after == f'a: {{b: 1, x: p, z: "{SHA}"}}\nc:\n  d: y1\n  new: q\ne: r\n'


STREAM = "kind: A\nmetadata: {name: x}\ntag: a\n---\nkind: B\nmetadata: {name: y}\ntag: b\n---\n# nothing\n"


@pytest.mark.parametrize(
    ("select", "old", "new"),
    [("kind=A", "a", "z"), ("metadata.name=y,kind=B", "b", "z"), ("1", "b", "z"), ('kind="A"', "a", "z")],
)
def test_one_of_several_documents_is_selected(select: str, old: str, new: str) -> None:
    assert edited(STREAM, {"tag": "z"}, select) == STREAM.replace(f"tag: {old}", f"tag: {new}")


def test_the_only_document_with_something_in_it_needs_no_selector() -> None:
    assert edited("---\n# nothing\n---\ntag: a\n", {"tag": "b"}) == "---\n# nothing\n---\ntag: b\n"


@pytest.mark.parametrize(
    ("text", "path", "value", "told"),
    [
        ("a: &x b\nc: *x\n", "a", "v1", "values.yaml:1: a: has an anchor, x, which an edit would lose"),
        ("a: &x b\nc: *x\n", "c", "v1", "values.yaml:2: c: is an alias, not a single value"),
        ("a: &x\nb: 1\n", "a.c", "v1", "values.yaml:1: a.c: has an anchor, x, which an edit would lose"),
        ("b: 1\na: &x ~\n", "a.c", "v1", "values.yaml:2: a.c: has an anchor, x, which an edit would lose"),
        ("a: !!str b\n", "a", "v1", "values.yaml:1: a: has a tag, tag:yaml.org,2002:str, which an edit would lose"),
        ("a: ! b\n", "a", "v1", "values.yaml:1: a: has a tag, !, which an edit would lose"),
        ("x: 1\na: |\n  b\n", "a", "v1", "values.yaml:2: a: is a block scalar"),
        ("a: >-\n  b\n", "a", "v1", "values.yaml:1: a: is a block scalar"),
        ("x: &x {b: 1}\na:\n  <<: *x\n  c: 1\n", "a.c", "v1", "values.yaml:3: a.c: << merges another map"),
        ("x: &x {b: 1}\na:\n  <<: *x\n  c: 1\n", "a.new", "v1", "values.yaml:3: a.new: << merges another map"),
        ("x: &x {b: 1}\na: *x\n", "x.b", "v1", "values.yaml:1: x.b: is below &x, which is used elsewhere"),
        ("x: &x {b: 1}\na: *x\n", "a.b", "v1", "values.yaml:2: a.b: *x stands for what is elsewhere"),
        ("x: &x {name: b}\na:\n- *x\n", "a[name=b].c", "v1", "values.yaml:3: a[name=b].c: the item *x stands for"),
        ("a: !vault {b: 1}\n", "a.b", "v1", "values.yaml:1: a.b: is below the tag !vault"),
        ("a: 1\nb: 1\na: 2\n", "a", "v1", "values.yaml:3: a: a stands here twice, first in line 1: readers differ"),
        ("a: 1\nb: 1\na: 2\n", "b", "v1", "values.yaml:3: b: a stands here twice, first in line 1: readers differ"),
        ("1: a\n'1': b\nc: d\n", "c", "v1", "values.yaml:2: c: 1 stands here twice, first in line 1"),
        ("i:\n- name: a\n- name: a\n", "i[name=a].t", "v1", "values.yaml:3: i[name=a].t: i[name=a] stands here twice"),
        ("i:\n- {name: a, name: a}\n", "i[name=a].t", "v1", "values.yaml:2: i[name=a].t: name stands here twice"),
        ("? [a]\n: b\nc: d\n", "c", "v1", "values.yaml:1: c: a key beside it is no plain word"),
        ("a:\n  b: 1\n", "a", "v1", "values.yaml:2: a: is a map, not a single value"),
        ("a: [1]\n", "a", "v1", "values.yaml:1: a: is a list, not a single value"),
        ("x: 1\na: b\n", "a.c", "v1", "values.yaml:2: a.c: a is a value, not a map"),
        ("a: {}\n", "a.c.d", "v1", "values.yaml:1: a.c.d: there is no a.c"),
        ("a: {}\n", "b.c", "v1", "values.yaml:1: b.c: there is no b"),
        ("a: []\n", "a[0]", "v1", "values.yaml:1: a[0]: there is no a[0]"),
        ("a: []\n", "a[name=b].c", "v1", "values.yaml:1: a[name=b].c: there is no a[name=b]"),
        ("a: []\n", "a.b", "v1", "values.yaml:1: a.b: a is a list, not a map"),
        ("", "a", "v1", "values.yaml: a: has no document, where one is meant"),
        ("# nothing\n", "a", "v1", "values.yaml: a: has no document, where one is meant"),
        ("a: 1\n---\na: 1\n", "a", "v1", "values.yaml:3: a: has 2 documents, where one is meant"),
        ("a: [\n", "a", "v1", "values.yaml:2: is not YAML"),
        ("a: \x00\n", "a", "v1", "values.yaml:1: holds the control character #x0000"),
        ("%TAG !a! x\n" * 101 + "---\na: b\n", "a", "v1", "values.yaml: has more than 100 %TAG directives"),
        ("%TAG !a! x\r" * 101 + "---\ra: b\r", "a", "v1", "values.yaml: has more than 100 %TAG directives"),
        ("a: " + "[" * 101 + "]" * 101, "a", "v1", "values.yaml:1: is nested deeper than 100 levels"),
        ("a: |\n  x", "b", "v1", "values.yaml:1: the edit would change more than was asked for"),
        ("? a\n: b\n", "c", "v1", "values.yaml:3: after the edit it is not YAML"),
        ("{a}\n", "a", "v1", "values.yaml:1: the edit would change more than was asked for"),
        ("a: 1\n", "a", Plain("x y"), "values.yaml: a: x y cannot stand without quotes"),
        ("a: 1\n", "a", Plain("v1"), "values.yaml: a: v1 cannot stand without quotes"),
    ],
)  # fmt: skip
def test_what_cannot_be_edited_surely_is_refused_with_its_line(text: str, path: str, value: Value, told: str) -> None:
    with pytest.raises(ShiplaneError) as caught:
        edited(text, {path: value})

    assert str(caught.value.problems[0]).startswith(told)


@pytest.mark.parametrize("text", ["\ufeff\ufeffa: 1\n", "# c\n\ufeffa: 1\n", "b: 1\r\n---\r\n\ufeffa: 1\r\n"])
def test_a_byte_order_mark_anywhere_but_at_the_front_is_refused(text: str) -> None:
    line = text.count("\n", 0, text.rfind("\ufeff")) + 1

    with pytest.raises(ShiplaneError, match=rf"values\.yaml:{line}: begins with a byte order mark"):
        edited(text, {"a": "v1"}, "a=1")


def test_what_takes_libyaml_minutes_is_refused_at_once() -> None:
    text = "".join(f"%TAG !a{number}! x\n" for number in range(100_000)) + "---\na: b\n"
    start = time.process_time()

    with pytest.raises(ShiplaneError, match="%TAG directives"):
        edited(text, {"a": "v1"})

    assert time.process_time() - start < 5  # 0.1 s in place of a minute: it compares each with all before it


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ShiplaneError, match=r"values\.yaml: is not UTF-8 at byte 3"):
        set_scalars(b"a: \xff\n", [Edit(("a",), "b")], "values.yaml")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ShiplaneError) as caught:
        edited("a: &x 1\nb: [*x]\n", {"a": "v1", "b": "v1", "c": "v1"})

    assert [problem.place for problem in caught.value.problems] == ["values.yaml:1: a", "values.yaml:2: b"]


@pytest.mark.parametrize("key", ["newTag", "other"])
def test_two_edits_of_one_place_are_refused(key: str) -> None:
    text = "images:\n- name: a\n  newTag: x\n"

    with pytest.raises(ShiplaneError, match=rf"images\[name=a\]\.{key}: is to be set twice, as images\[0\]\.{key} too"):
        edited(text, {f"images[0].{key}": "p", f"images[name=a].{key}": "q"})


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b[3].c", ("a", "b", 3, "c")),
        ("[0]", (0,)),
        ("a[name=image.tag].value", ("a", Match("name", "image.tag"), "value")),
        ('a[name="x]y"].b', ("a", Match("name", "x]y"), "b")),
        ('a["b.c"]["\\""]', ("a", "b.c", '"')),
        ("kebab-case.under_score.x/y", ("kebab-case", "under_score", "x/y")),
        ("a[path=/spec/x]", ("a", Match("path", "/spec/x"))),
    ],
)
def test_a_path_is_read_and_written(text: str, path: tuple[object, ...]) -> None:
    assert parse_path(text) == path
    assert shown(parse_path(text)) == text


@pytest.mark.parametrize(
    "text", ["", ".", "a.", "a..b", ".a", "a[", "a[]", "a[x", "a]b", "a b", 'a["\\x"]', "a[b=]", "a[-1]"]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ShiplaneError, match="is no path to a value"):
        parse_path(text)


@pytest.mark.parametrize("text", ["", "kind", "kind=", "kind=A,", "=A", "kind=A,,x=y", "²"])
def test_what_selects_no_document_is_refused(text: str) -> None:
    with pytest.raises(ShiplaneError, match="selects no document"):
        parse_selector(text)


def test_reading_gives_what_every_reader_would() -> None:
    text = "a: 1.10\nb: '1.10'\nc: v1\nd:\ne: |\n  x\nf: [y]\n"
    paths = [parse_path(path) for path in ("a", "b", "c", "d", "e", "f[0]", "f[1]", "g.h")]

    found = read(text.encode(), paths, "values.yaml")

    assert found == (Plain("1.10"), "1.10", "v1", Plain(""), "x\n", Plain("y"), None, None)


@pytest.mark.parametrize("text", ["a: *x\nb: &x 1\n", "b: &x 1\na: *x\n", "a: !!int 3\n", "a: {}\n"])
def test_reading_refuses_what_readers_differ_on(text: str) -> None:
    with pytest.raises(ShiplaneError, match=r"values\.yaml"):
        read(text.encode(), [("a",)], "values.yaml")


def test_a_long_file_is_edited_before_python_has_read_it() -> None:
    service = "svc{0}:\n  image:\n    repository: registry.acme.example/svc{0}\n    tag: 'abc'  # ci\n  hosts: [a, b]\n"
    text = "".join(service.format(number) for number in range(4400))
    start = time.process_time()

    after = edited(text, {"svc4000.image.tag": SHA})

    edit, start = time.process_time() - start, time.process_time()
    read_in_python = yaml.safe_load(after)
    assert edit < time.process_time() - start  # a third of it: 0.4 s beside 1.5 s
    assert [line for line in after.splitlines() if SHA in line] == [f"    tag: '{SHA}'  # ci"]
    assert len(read_in_python) == 4400


def test_many_keys_are_added_to_a_long_file_at_the_cost_of_one() -> None:
    text = "".join(f"svc{number}:\n  image: {{tag: abc}}\n  hosts:\n  - a\n" for number in range(1000))
    start = time.process_time()
    edited(text, {"svc0.image.digest": SHA})
    one, start = time.process_time() - start, time.process_time()

    after = edited(text, {f"svc{number}.image.digest": SHA for number in range(0, 1000, 10)})

    assert time.process_time() - start < one * 10  # about as much as one; each by itself took a hundred times that
    assert after.count(f'{{tag: abc, digest: "{SHA}"}}') == 100


def test_keys_are_added_to_maps_inside_each_other() -> None:
    text = "a: {b: {c: }}\nd:\n  e:\n    f:\n"

    after = edited(
        text, {"a.b.c.x": "p", "a.x": "q", "a.b.x": "r", "d.x": "s", "d.e.x": "t", "d.e.f.x": "u", "d.z": "v"}
    )

    assert after == "a: {b: {c: {x: p}, x: r}, x: q}\nd:\n  e:\n    f:\n      x: u\n    x: t\n  x: s\n  z: v\n"
