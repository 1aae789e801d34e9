"""What results used, each with the entries to cite for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlpbench import __version__
from vlpbench.config.known import backbone_parts
from vlpbench.config.recipes import read_recipe
from vlpbench.config.sums import parse_sum
from vlpbench.errors import UserError
from vlpbench.metrics.names import is_suite
from vlpbench.registry import Registry
from vlpbench.results.citations.bibtex import Entry, known_entries, parse
from vlpbench.results.citations.sources import keys_of_metric, keys_of_names
from vlpbench.results.citations.statistics import statistics_used

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Citation", "citations", "every_citation", "framework"]

_ARXIV = re.compile(r"\b\d{4}\.\d{4,5}\b")

_FORMS = ("coco", "vqa", "karpathy", "table", "text", "folders", "shards")
"""Kinds of data sets that are forms of files: whose data these are is not told by them."""


@dataclass(frozen=True)
class Citation:
    """One thing that was used."""

    what: str
    """Kind and name: "objective prefix-lm"."""
    entries: tuple[Entry, ...]
    """What to cite for it."""
    remark: str = ""
    """What is not known, or to be made sure of; empty where all is."""


def framework(version: str = __version__) -> Citation:
    """vlpbench itself, in the version that was used."""
    entry = known_entries()["vlpbench"]
    note = f"Version {version}"  # what BibTeX's own styles print; they know no field for it
    text = f"{entry.text.rstrip('}').rstrip()}\n  note   = {{{note}}},\n}}"
    return Citation("the framework", (Entry(entry.kind, entry.key, {**entry.fields, "note": note}, text),))


def citations(results: Results, registry: Registry) -> list[Citation]:
    """The framework, then all that finished and begun cells of these results used, in the order of the cells."""
    records = results.held
    versions = dict.fromkeys(str(one.asked.get("versions", {}).get("vlpbench", __version__)) for one in records)
    found: dict[str, Citation] = {one.what: one for one in [framework(" and ".join(versions) or __version__)]}
    for settings in (one.asked["settings"] for one in records):
        for citation in _of_settings(settings, registry):
            found.setdefault(citation.what, citation)
    said = [one.scores for one in records if one.scores]
    rest = [
        *_recipes([one.asked["settings"] for one in records], registry), *_metrics(said),
        *_extra_metrics(said, registry), *_published(results),
        *(Citation(what, _entries(keys)) for what, keys in statistics_used(results)), _software(),
    ]
    return [*found.values(), *rest]


def every_citation() -> list[Citation]:
    """All of our own list, under no name but the key."""
    return [framework(), *(Citation(key, (one,)) for key, one in known_entries().items() if key != "vlpbench")]


def _of_settings(settings: Mapping[str, Any], registry: Registry) -> Iterator[Citation]:
    stem, trunk, _ = backbone_parts(settings["backbone"])
    for _, name in parse_sum(settings["objective"]):
        yield _component("objective", name, registry)
    yield _component("stem", stem, registry)
    yield _component("trunk", trunk, registry)
    for name, source in settings.get("sources", {}).items():
        yield _data(name, source, registry)
    init = settings.get("init", {})
    if init.get("text"):
        yield Citation("initial weights of the text tower", _entries(("devlin2019bert",)),
                       f"taken from {init['text']!r}; cite whose they are")
    if init.get("stem") or init.get("checkpoint"):
        where = init.get("stem") or init.get("checkpoint")
        yield Citation("initial weights", (), f"taken from {where!r}: whose they are is not known here, cite that")


def _component(kind: str, name: str, registry: Registry) -> Citation:
    """A class that is installed says itself what to cite."""
    base = name.partition(":")[0]
    component = registry.components.get((kind, base))
    what = f"{kind} {name}"
    if component is None:
        return Citation(what, (), "it is not installed here, so what to cite for it is not known")
    entries, remark = _cited(component.value)
    if ":" in name:
        remark = "cite the model's own paper, too"
    return Citation(what, entries, remark)


def _data(name: str, source: Mapping[str, Any], registry: Registry) -> Citation:
    kind = str(source.get("kind", ""))
    what = f"data {name} (kind {kind})"
    component = registry.components.get(("data set", kind))
    if component is None:
        return Citation(what, (), "its kind is not installed here, so what to cite for it is not known")
    entries, remark = _cited(component.value)
    if kind in _FORMS:
        entries += _entries(keys_of_names(name, source), entries)
        remark = (
            "make sure that these are the papers of the data itself: they are told from the form and names of its files"
            if entries else "whose data these are is not told by the form of its files: cite where they come from"
        )
    return Citation(what, entries, remark)


def _cited(cls: Any) -> tuple[tuple[Entry, ...], str]:
    """The entries of a class's `cites`: keys of our list, or entries of its own; with what is wrong with them."""
    said = getattr(cls, "cites", ())
    if isinstance(said, str) or not all(isinstance(one, str) for one in said):
        return (), "its `cites` is no tuple of texts: tell its author"
    found: list[Entry] = []
    wrong = []
    for one in said:
        if not one.lstrip().startswith("@"):
            found += _entries((one,))
            wrong += [] if one in known_entries() else [f"its `cites` names {one!r}, which is no key that is known"]
            continue
        try:
            own = parse(one)
        except UserError as error:
            wrong.append(f"its `cites` cannot be read: {error.cause}")
            continue
        found += [known_entries().get(entry.key, entry) for entry in own]
        taken = [entry.key for entry in own if entry.key in known_entries()]
        wrong += [f"its own entry {key!r} is left out: vlpbench's list has that key" for key in taken]
    return tuple(found), "; ".join(wrong)


def _entries(keys: Iterable[str], but: Sequence[Entry] = ()) -> tuple[Entry, ...]:
    return tuple(known_entries()[key] for key in keys if key in known_entries() and known_entries()[key] not in but)


def _recipes(settings: Sequence[Mapping[str, Any]], registry: Registry) -> Iterator[Citation]:
    """The recipes whose objective and backbone some cell has: a cell does not remember its recipe."""
    used = {(one["objective"], one["backbone"]) for one in settings}
    for name in registry.names("recipe"):
        recipe = read_recipe(registry.recipe(name))
        if (recipe.settings.get("objective"), recipe.settings.get("backbone")) in used:
            entries = _of_arxiv(recipe.paper)
            said = "" if entries or not recipe.paper else f"its paper: {recipe.paper}"
            yield Citation(f"recipe {name} (or its objective and backbone)", entries, said)


def _metrics(scores: Iterable[Mapping[str, Any]]) -> Iterator[Citation]:
    """The metrics that some cell has a value of, and the tokenizer of captions."""
    used: dict[tuple[str, str], tuple[str, ...]] = {}
    tokenized, coco, folds = False, False, False
    for task, one in ((task, one) for said in scores for task, one in said["tasks"].items()):
        for metric, value in one.get("values", {}).items():
            keys = keys_of_metric(task, metric)
            is_score = keys or not task.startswith("retrieval")  # its other columns count and add
            if value is not None and is_suite(metric) and is_score:
                kind = "retrieval recall" if keys == ("hodosh2013ranking",) else metric.partition("[")[0]
                used.setdefault((task.partition("@")[0], kind), keys)
        coco |= task.startswith("captioning") and "values" in one
        tokenized |= one.get("told", {}).get("tokenizer") == "PTB"
        folds |= one.get("told", {}).get("folds", 1) > 1
    for (task, metric), keys in used.items():
        what = metric if metric == "retrieval recall" else f"{task} {metric}"
        yield Citation(f"metric {what}", _entries(keys))
    extra = ((coco, "caption evaluation as pycocoevalcap's", "chen2015cococaptions"),
             (tokenized, "PTB tokenizer of captions", "manning2014corenlp"),
             (folds, "recalls over folds of the gallery", "faghri2018vsepp"))
    yield from (Citation(what, _entries((key,))) for is_used, what, key in extra if is_used)


def _extra_metrics(scores: Iterable[Mapping[str, Any]], registry: Registry) -> Iterator[Citation]:
    """The metrics of plugins that some cell has a value of; each says itself what to cite."""
    used = dict.fromkeys(
        metric for said in scores for one in said["tasks"].values()
        for metric, value in one.get("values", {}).items() if value is not None and not is_suite(metric)
    )
    yield from (_component("metric", metric, registry) for metric in used)


def _published(results: Results) -> Iterator[Citation]:
    """The papers that a grid's description names, where it gives published numbers."""
    for order in results.orders:
        if order.published:
            entries = _of_arxiv(order.description)
            remark = "" if entries else "cite the paper that they are from; the grid names none that is known here"
            yield Citation(f"published numbers of grid {order.name}", entries, remark)


def _of_arxiv(text: str) -> tuple[Entry, ...]:
    """The entries whose arXiv number a text names."""
    numbers = set(_ARXIV.findall(text))
    return tuple(one for one in known_entries().values() if one.fields.get("eprint") in numbers)


def _software() -> Citation:
    return Citation("PyTorch, and AdamW as the optimiser", _entries(("paszke2019pytorch", "loshchilov2019adamw")))
