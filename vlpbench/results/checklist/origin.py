"""Where numbers, code and data come from, and under which licences: as far as records and installed packages tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

from vlpbench.results.checklist.study import Study, listed

__all__ = ["commands", "data_sources", "files_of_others", "licences", "starting_weights", "versions"]

_LICENSED = ("torch", "torchvision", "timm", "tokenizers", "scikit-learn", "pycocotools", "pycocoevalcap")
_LONGEST = 40


def versions(study: Study) -> Iterator[str]:
    """Versions of software, commits, plugins, and what the records vouch for."""
    found: dict[str, dict[str, None]] = {}
    for one in study.environments:
        for name, version in {"torch": one.get("torch", ""), **one.get("versions", {})}.items():
            found.setdefault(name, {})[str(version)] = None
    known = [f"{name} {' / '.join(said)}" for name, said in found.items() if any(said)]
    if known:
        yield f"software that was used: {', '.join(known)}"
    for what, said in _commits(study).items():
        yield f"commit of {what}: {listed(said)}"
    plugins = [f"{name} {one}" for said in study.environments for name, one in said.get("plugins", {}).items()]
    if plugins:
        yield f"plugins: {listed(plugins)}"
    if any(one.asked.get("code") for one in study.records):
        yield "each record holds hashes of the code of every component that decided its numbers, and of its data"


def _commits(study: Study) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for one in study.environments:
        for what, said in one.get("git", {}).items():
            text = str(said.get("commit", ""))[:12] + (" with changes in no commit" if said.get("dirty") else "")
            found.setdefault({"grid": "the grid file's repository"}.get(what, what), {})[text] = None
    return {what: list(said) for what, said in found.items()}


def commands(study: Study) -> Iterator[str]:
    """What was typed."""
    typed = dict.fromkeys(str(one["command"]) for one in study.environments if one.get("command"))
    if typed:
        yield f"what was typed (folders left out): {' and '.join(f'`{one}`' for one in typed)}"


def data_sources(study: Study) -> Iterator[str]:
    """Each data set: made by the package, or read from files with a fingerprint."""
    for name, source, prints in _sources(study):
        made = _made(study, source)
        where = f"made from its settings, no download ({made})" if made else (
            f"read from files of the user (kind {source.get('kind')})"
        )
        seen = f"; fingerprint {listed(one[:12] for one in prints)}" if prints else ""
        yield f"data set {name}: {where}{seen}"


def files_of_others(study: Study) -> list[str]:
    """The data sets that are read from files."""
    return [name for name, source, _ in _sources(study) if not _made(study, source)]


def starting_weights(study: Study) -> list[str]:
    """Weights from elsewhere that cells started from."""
    asked = (one.asked["settings"].get("init", {}) for one in study.records)
    return list(dict.fromkeys(str(value) for init in asked for value in init.values() if value))


def licences(study: Study) -> Iterator[str]:
    """Licences of vlpbench, of what it is built on as installed here, and of the pictures of built-in worlds."""
    yield "vlpbench: Apache-2.0"
    known = {name: _licence(name) for name in _LICENSED}
    if any(known.values()):
        said = ", ".join(f"{name} {licence}" for name, licence in known.items() if licence)
        yield f"packages, as those that are installed here say: {said}"
    for name, source, _ in _sources(study):
        if made := _made(study, source):
            yield f"data set {name}: {made}"


def _sources(study: Study) -> list[tuple[str, Mapping[str, Any], list[str]]]:
    """Name, settings and fingerprints of each data set that cells used."""
    found: dict[str, tuple[Mapping[str, Any], dict[str, None]]] = {}
    for one in study.records:
        for name, source in one.asked["settings"].get("sources", {}).items():
            prints = found.setdefault(name, (source, {}))[1]
            if said := one.asked.get("fingerprints", {}).get(name):
                prints[str(said)] = None
    return [(name, source, list(prints)) for name, (source, prints) in found.items()]


def _made(study: Study, source: Mapping[str, Any]) -> str:
    """What a data set that is made says of its pictures; empty for one that is read from files."""
    component = study.registry.components.get(("data set", str(source.get("kind", ""))))
    if component is None:
        return ""
    if source.get("kind", "").endswith("-texts"):
        return "texts made by vlpbench"
    said = str(getattr(component.value, "source", ""))
    return {"drawn": "pictures drawn by vlpbench"}.get(said, said)


def _licence(name: str) -> str:
    """What an installed distribution says, if it is short."""
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return ""
    said = str(found["License-Expression"] or found["License"] or "").strip()
    if said and said != "UNKNOWN" and len(said) <= _LONGEST and "\n" not in said:
        return said
    classes = [one.rpartition(" :: ")[2] for one in found.get_all("Classifier") or [] if one.startswith("License")]
    return classes[0] if classes else ""
