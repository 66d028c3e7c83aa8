"""What Argo CD does with a tree: one manifest applied by hand, its sources followed, its rights judged.

A model of the parts that a repository's layout depends on, read from Argo CD 2.14.20 and 3.5.1: AppProject permissions,
sync waves, directory sources. It is stricter in one point: an Application whose project does not exist yet is refused,
where the controller reports an error and tries again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import dirname, normpath
from typing import Any

import yaml

Manifest = dict[str, Any]
IN_CLUSTER = "https://kubernetes.default.svc"
CLUSTER_SCOPED = ("Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")
_WAVE = "argocd.argoproj.io/sync-wave"


class Refused(Exception):
    """Argo CD would not sync this, and would say so."""


def bring_up(tree: Mapping[str, bytes], by_hand: str, clusters: Mapping[str, str]) -> list[Manifest]:
    """All that is applied after `by_hand`, in its order; `clusters` are the registered ones, name -> server."""
    applied: list[Manifest] = []
    waiting = list(documents(tree[by_hand]))
    while waiting:
        manifest = waiting.pop(0)
        if manifest in applied:
            continue
        applied.append(manifest)
        if manifest["kind"] == "Application":
            waiting += sorted(_synced(manifest, tree, applied, clusters), key=_order)
    return applied


def documents(data: bytes) -> Iterator[Manifest]:
    """The manifests of a YAML file."""
    return (each for each in yaml.safe_load_all(data) if each)


def project_of(application: Manifest, applied: list[Manifest]) -> Manifest:
    """The AppProject of `application`, which must have been applied before it."""
    name = application["spec"]["project"]
    for manifest in applied:
        if (manifest["kind"], manifest["metadata"]["name"]) == ("AppProject", name):
            return manifest
    raise Refused(f"{application['metadata']['name']} references project {name} which does not exist")


def permits(project: Manifest, manifest: Manifest, destination: Mapping[str, str], namespace: str) -> bool:
    """Whether `project` lets `manifest` into `namespace` of the cluster that `destination` (name, server) means."""
    spec = project["spec"]
    item = {"group": manifest["apiVersion"].rpartition("/")[0], "kind": manifest["kind"]}
    if manifest["kind"] in CLUSTER_SCOPED:
        return item in spec.get("clusterResourceWhitelist", [])
    listed = item in spec["namespaceResourceWhitelist"]
    return listed and destination_permitted(spec, {**destination, "namespace": namespace})


def destination_permitted(spec: Mapping[str, Any], target: Mapping[str, str]) -> bool:
    """As in both versions: a denied namespace counts only where the *server* matches; a matching name is not enough."""
    any_matched = False
    for item in spec["destinations"]:
        name, server, namespace = (_matches(item.get(key, ""), target[key]) for key in ("name", "server", "namespace"))
        if (server or name) and namespace:
            any_matched = True
            continue
        other_cluster = (not name and _denies(item, "name")) or (not server and _denies(item, "server") and namespace)
        if other_cluster or (not namespace and _denies(item, "namespace") and server):
            return False
    return any_matched


def _synced(
    application: Manifest, tree: Mapping[str, bytes], applied: list[Manifest], clusters: Mapping[str, str]
) -> Iterator[Manifest]:
    name, spec = application["metadata"]["name"], application["spec"]
    project = project_of(application, applied)
    destination = _cluster(name, spec["destination"], clusters)
    if not destination_permitted(project["spec"], {**destination, "namespace": spec["destination"]["namespace"]}):
        raise Refused(f"{name}: its destination is not permitted in project {spec['project']}")
    for source in spec.get("sources") or [spec["source"]]:
        if source["repoURL"] not in project["spec"]["sourceRepos"]:
            raise Refused(f"{name}: repository {source['repoURL']} is not permitted in project {spec['project']}")
        for manifest in _manifests(name, source, tree):
            namespace = manifest["metadata"].get("namespace", spec["destination"]["namespace"])
            if not permits(project, manifest, destination, namespace):
                raise Refused(f"{name}: {manifest['kind']} is not permitted in project {spec['project']}")
            yield manifest


def _manifests(name: str, source: Manifest, tree: Mapping[str, bytes]) -> Iterator[Manifest]:
    folder = source["path"]
    if not any(path.startswith(f"{folder}/") for path in tree):
        raise Refused(f"{name}: {folder}: app path does not exist")
    if f"{folder}/Chart.yaml" in tree:
        for values in source["helm"]["valueFiles"]:
            if normpath(f"{folder}/{values}") not in tree:
                raise Refused(f"{name}: {values}: no such file")
        return
    deep = source.get("directory", {}).get("recurse", False)
    for path in sorted(tree):
        inside = path.startswith(f"{folder}/") if deep else dirname(path) == folder
        if inside and re.search(r"\.(yaml|yml|json|jsonnet)$", path):
            yield from documents(tree[path])


def _cluster(name: str, destination: Mapping[str, str], clusters: Mapping[str, str]) -> dict[str, str]:
    known = {"in-cluster": IN_CLUSTER, **clusters}
    for cluster, server in known.items():
        if destination.get("name") == cluster or destination.get("server") == server:
            return {"name": cluster, "server": server}
    raise Refused(f"{name}: there are no clusters with this name: {destination}")


def _order(manifest: Manifest) -> tuple[int, str, str]:
    """By wave; within one wave Argo CD promises nothing between these kinds, so the alphabet is as good as any."""
    metadata = manifest["metadata"]
    return int(metadata.get("annotations", {}).get(_WAVE, "0")), metadata["name"], manifest["kind"]


def _denies(item: Mapping[str, str], key: str) -> bool:
    return item.get(key, "").startswith("!")


def _matches(pattern: str, text: str) -> bool:
    if pattern.startswith("!"):
        return not _matches(pattern[1:], text)
    parts = {"*": ".*", "{": "(?:", "}": ")", ",": "|"}
    return bool(re.fullmatch("".join(parts.get(c) or re.escape(c) for c in pattern), text))
