"""Where the files of a repository pin something: an image's tag, or a chart's version; and what looks like a pin only.

Nothing is resolved: what stands behind an alias or in a text of its own is told as not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from generator.errors import ShiplaneError
from gitops.yamledit.nodes import Alias, Document, List, Map, Node, Scalar, documents
from gitops.yamledit.path import Match, Path, shown

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_RANGES = frozenset("*x^~><|, ")
_NAMES = ("name", "service", "app")  # what the items of a list are told apart by


@dataclass(frozen=True, slots=True)
class Site:
    """One pin in a file: the key of its tag, and what stands there; of its digest, where it has one.

    `image` is the image's repository as far as the file tells, `name` another name of what is pinned (an Application's,
    a chart's), `document` selects the document where there are several, `cluster` is where an Application goes. `named`
    is the key with the items of lists by their names, not their order, and `application` the name of the Application
    that it stands in. A `bare` tag has no image beside it.
    """

    file: str
    key: str
    tag: str
    digest: str = ""
    image: str = ""
    name: str = ""
    document: str = ""
    cluster: str = ""
    named: str = ""
    application: str = ""
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that is not understood: where it is, and why."""

    file: str
    why: str


def by_reason(unread: Iterable[Unread]) -> list[str]:
    """A line for each reason, with the first file and the number of the others."""
    reasons: dict[str, list[str]] = {}
    for each in unread:
        reasons.setdefault(each.why, []).append(each.file)
    more = {why: f" (and {len(files) - 1} more)" if len(files) > 1 else "" for why, files in reasons.items()}
    return [f"{files[0]}{more[why]}: {why}" for why, files in reasons.items()]


def found(file: str, data: bytes) -> Iterator[Site | Unread]:
    """All pins in a file of YAML, and what could be one and cannot be read."""
    try:
        text = data.decode("utf-8-sig")
        every = documents(text, file)
    except UnicodeDecodeError:
        yield Unread(file, "is not UTF-8")
        return
    except ShiplaneError as error:
        template = b"{{" in data
        yield Unread(file, "is a template, not YAML" if template else f"{error.problems[0].rule}")
        return
    roots = [each for each in every if isinstance(each.root, Map)]
    for each in roots:
        yield from _document(file, each, roots)


def _document(file: str, document: Document, all_of: list[Document]) -> Iterator[Site | Unread]:
    root = document.root
    kind, version = _text(root, "kind"), _text(root, "apiVersion")
    if file.rpartition("/")[2] in _KUSTOMIZATIONS:
        yield from _kustomization(file, root)
    elif kind == "ApplicationSet" and version.startswith("argoproj.io/"):
        yield Unread(file, "an ApplicationSet: what its generators make is not read")
    elif kind == "Application" and version.startswith("argoproj.io/"):
        several = sum(_text(each.root, "kind") == kind for each in all_of) > 1
        name = _text(_at(root, "metadata"), "name")
        select = f"kind=Application,metadata.name={name}" if several else "kind=Application"
        yield from _application(file, root, select if len(all_of) > 1 else "")
    elif kind and version:
        if any(_tagged(image) for image in _images_in_one(root)):
            yield Unread(file, f"a {kind} with image and tag in one text: no key holds the tag alone")
        for each in _values(file, root, ()):
            if isinstance(each, Site) and not each.bare:
                yield Unread(file, by_hand(f"a {kind} with an image's tag", each.tag, each.key))
    elif len(all_of) > 1:
        yield Unread(file, "settings in several documents: which one counts cannot be told")
    else:
        yield from _values(file, root, ())


def _kustomization(file: str, root: Node) -> Iterator[Site | Unread]:
    images = _at(root, "images")
    for item in images.items if isinstance(images, List) else ():
        name, tag, digest = _text(item, "name"), _text(item, "newTag"), _text(item, "digest")
        at: Path = ("images", Match("name", name))
        if tag:
            image = _text(item, "newName") or name
            yield Site(file, shown((*at, "newTag")), tag, shown((*at, "digest")) if digest else "", image)
        elif isinstance(_at(item, "newTag"), Alias):
            yield Unread(file, f"{shown((*at, 'newTag'))} stands behind an alias")
        elif digest:
            yield Unread(file, f"pins {name} by its digest alone: no tag says which release that is")
    charts = _at(root, "helmCharts")
    for item in charts.items if isinstance(charts, List) else ():
        name, version = _text(item, "name"), _text(item, "version")
        yield Unread(file, by_hand(f"chart {name}", version, shown(("helmCharts", Match("name", name), "version"))))


def _application(file: str, root: Node, document: str) -> Iterator[Site | Unread]:
    name = _text(_at(root, "metadata"), "name")
    cluster = _text(_at(root, "spec", "destination"), "name")
    sources: list[tuple[Path, Node | None]] = [(("spec", "source"), _at(root, "spec", "source"))]
    many = _at(root, "spec", "sources")
    for index, each in enumerate(many.items if isinstance(many, List) else ()):
        chart = _text(each, "chart")
        sources.append((("spec", "sources", Match("chart", chart) if chart else index), each))
    some = False
    for path, source in sources:
        for site in _source(file, path, source):
            some = some or isinstance(site, Unread) or not site.bare or any(unproposed(site))
            if isinstance(site, Site):
                known = site.name or name
                site = replace(site, name=known, document=document, cluster=cluster, application=name)
            yield site
    if not some:
        yield Unread(file, "an Application that pins no image and no chart by itself")


def _source(file: str, path: Path, source: Node | None) -> Iterator[Site | Unread]:
    helm = _at(source, "helm")
    parameters = _at(helm, "parameters")
    items = parameters.items if isinstance(parameters, List) else []
    said = {_text(item, "name"): _text(item, "value") for item in items}
    for name, value in said.items():
        if name.rpartition(".")[2] == "tag" and value:
            image = said.get(f"{name.rpartition('.')[0]}.repository", "")
            yield Site(file, shown((*path, "helm", "parameters", Match("name", name), "value")), value, image=image)
    if isinstance(values := _at(helm, "valuesObject"), Map):
        yield from _values(file, values, (*path, "helm", "valuesObject"))
    if _text(helm, "values"):
        yield Unread(file, "helm.values is one text: what stands in it is no key (valuesObject would be)")
    images = _at(source, "kustomize", "images")
    if isinstance(images, List) and any(isinstance(each, Scalar) and _tagged(each.text) for each in images.items):
        yield Unread(file, "kustomize.images has image and tag in one text: no key holds the tag alone")
    chart, revision = _text(source, "chart"), _text(source, "targetRevision")
    if chart and revision:
        if ranged(revision):
            yield Unread(file, f"chart {chart} by a range, {revision}: that pins nothing")
        else:
            yield Site(file, shown((*path, "targetRevision")), revision, name=chart)


def _values(file: str, node: Node, path: Path, named: Path | None = None) -> Iterator[Site | Unread]:
    """The tags in settings: beside a repository, or below a key that says image; and those that have neither."""
    named = path if named is None else named
    if isinstance(node, List):
        for index, item in enumerate(node.items):
            match = next((Match(key, name) for key in _NAMES if (name := _text(item, key))), index)
            yield from _values(file, item, (*path, index), (*named, match))
    if not isinstance(node, Map):
        return
    tag, repository = _text(node, "tag"), _text(node, "repository")
    last = path[-1] if path else ""
    if isinstance(_at(node, "tag"), Alias):
        yield Unread(file, f"{shown((*path, 'tag'))} stands behind an alias")
    if tag:
        digest = shown((*path, "digest")) if _text(node, "digest") else ""
        host = _text(node, "registry")
        image = f"{host}/{repository}" if host else repository
        bare = not repository and not (isinstance(last, str) and last.lower().endswith("image"))
        keys = [shown((*each, "tag")) for each in (path, named)]
        yield Site(file, keys[0], tag, digest, image, named=keys[1], bare=bare)
    for key, value in node.items:
        if isinstance(key, Scalar):
            if isinstance(value, Scalar) and key.text.lower().endswith("image") and _tagged(value.text):
                yield Unread(
                    file, f"{shown((*path, key.text))} has image and tag in one text: no key holds the tag alone"
                )
            if isinstance(value, Scalar) and value.text and re.fullmatch("(?i).*image[-_]?tag", key.text):
                keys = [shown((*each, key.text)) for each in (path, named)]
                yield Site(file, keys[0], value.text, named=keys[1], bare=True)
            yield from _values(file, value, (*path, key.text), (*named, key.text))


def unproposed(site: Site) -> Iterator[Unread]:
    """What is said of a bare tag that no layout carries: nothing where it is a mere word."""
    if not re.search(r"(^|\.)tag$", site.key) or any(each.isdigit() for each in site.tag):
        yield Unread(site.file, by_hand("a tag with no image beside it", site.tag, site.key))


def ranged(version: str) -> bool:
    """Whether a chart's version leaves open which one it is."""
    return bool(_RANGES & {*version})


def by_hand(what: str, version: str, key: str) -> str:
    """Why something is not proposed that a layout could carry."""
    return f"{what}, {version or 'no version'}: not proposed; where that is a release, name its key: {key}"


def _images_in_one(node: Node) -> Iterator[str]:
    if isinstance(node, List):
        for item in node.items:
            yield from _images_in_one(item)
    elif isinstance(node, Map):
        for key, value in node.items:
            if isinstance(key, Scalar) and key.text == "image" and isinstance(value, Scalar):
                yield value.text
            yield from _images_in_one(value)


def _tagged(image: str) -> bool:
    return ":" in image.rpartition("/")[2]


def _at(node: Node | None, *keys: str) -> Node | None:
    for wanted in keys:
        items = node.items if isinstance(node, Map) else []
        node = next((value for key, value in items if isinstance(key, Scalar) and key.text == wanted), None)
    return node


def _text(node: Node | None, key: str) -> str:
    found = _at(node, key)
    return found.text if isinstance(found, Scalar) else ""
