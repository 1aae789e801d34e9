"""Layers of settings become the whole settings of a cell: defaults filled in, parts of the backbone put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vlpbench.config.asking import unfit
from vlpbench.config.keys import NAMED, PARTS, SECTIONS, Layer
from vlpbench.config.known import Known, backbone_parts, terms
from vlpbench.config.settings import CellSettings, Portion, Protocol, Tune
from vlpbench.config.sums import Term, format_sum, names_of, parse_sum
from vlpbench.config.typed import WrongValue, fields_of, make, plain

__all__ = ["KeyedError", "canonical_data", "merge", "portion_of", "settings_of"]


class KeyedError(WrongValue):
    """Settings that do not fit together; `key` is where to look."""

    def __init__(self, key: str, wrong: WrongValue) -> None:
        super().__init__(str(wrong), wrong.remedy)
        self.key = key


def merge(layers: Iterable[Layer]) -> dict[str, Any]:
    """One layer that says what all of them say, later ones winning; `stem`, `trunk`, `size` go into `backbone`."""
    whole: dict[str, Any] = {"backbone": CellSettings.backbone}
    for layer in layers:
        for key, value in layer.items():
            if key not in PARTS:
                _put(whole, key, value)
        parts = backbone_parts(whole["backbone"])
        whole["backbone"] = "/".join(layer.get(name, part) for name, part in zip(PARTS, parts, strict=True))
    return whole


def _put(whole: dict[str, Any], key: str, value: Any) -> None:
    """Set one key; a key below a setting that is a table changes one entry of that table."""
    path = key.split(".")
    depth = 3 if path[0] in NAMED else 2
    top, rest = ".".join(path[:depth]), path[depth:]
    if top == "tune.tries" and rest:
        rest = [".".join(rest)]
    for part in reversed(rest):
        value = {part: value}
    whole[top] = _overlaid(whole.get(top), value) if rest else value


def _overlaid(old: Any, new: Any) -> Any:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    return {**old, **{key: _overlaid(old.get(key), value) for key, value in new.items()}}


def settings_of(whole: Layer, seed: int, known: Known) -> CellSettings:
    """The settings of one cell from merged, checked keys. What it does not use is left out, so it cannot matter.

    Raises KeyedError where an objective's or a data set's own settings do not fit together.
    """
    objectives = parse_sum(whole.get("objective", CellSettings.objective), known.objectives)
    data, texts = (canonical_data(whole.get(key, getattr(CellSettings, key))) for key in ("data", "texts"))
    tasks = tuple(whole.get("tasks", CellSettings.tasks))
    protocol = {task: _protocol(whole, task, data, known) for task in tasks}
    spoken = whole.get("text.trained_on", "") or "none"
    said = {"data": data, "texts": texts, "text.trained_on": spoken}
    said |= {f"protocol.{task}.data": one.data for task, one in protocol.items()}
    top = {key: value for key, value in whole.items() if key in fields_of(CellSettings) and "." not in key}
    sections = {name: _made(f"{name}", cls, _under(whole, name)) for name, cls in SECTIONS.items()}
    _, trunk, _ = backbone_parts(whole["backbone"])
    chosen = {
        "objective": format_sum(objectives), "data": data, "texts": texts, "tasks": tasks, "seed": seed,
        "protocol": protocol, "objectives": {name: _objective(whole, name, known) for _, name in objectives},
        "wiring": _filled(whole, f"trunk.{trunk}", known.trunks[trunk]),
        "sources": _sources(whole, said, known),
    }
    settings = CellSettings(**{**top, **sections, **chosen})
    _refuse_unfit(settings)
    return settings if settings.tune.tries else replace(settings, tune=Tune())


def canonical_data(text: str) -> str:
    """Data sets by weight in their one way of writing; a lone one has no weight."""
    terms: tuple[Term, ...] = parse_sum(text, what="data set")
    return format_sum(terms if len(terms) > 1 else [(1.0, terms[0][1])])


def _refuse_unfit(settings: CellSettings) -> None:
    """Raise KeyedError for settings that are each right and together make no sense."""
    if settings.objective != "none" and settings.data == settings.texts == "none":
        wrong = WrongValue(f"data and texts are none, so {settings.objective!r} has nothing to learn from",
                           'name a data set in `data` or `texts`, or write objective = "none"')
        raise KeyedError("data", wrong)
    if settings.texts != "none" and settings.budget.texts == 0:
        wrong = WrongValue(f"is 0, so no text of {settings.texts!r} would ever be read", 'write texts = "none" instead')
        raise KeyedError("budget.texts", wrong)
    budget = settings.budget
    if budget.batch % budget.captions:
        wrong = WrongValue(f"is {budget.captions}, and budget.batch of {budget.batch} is no multiple of it",
                           f"set budget.batch to {-(-budget.batch // budget.captions) * budget.captions}")
        raise KeyedError("budget.captions", wrong)
    if settings.tune.tries and settings.tune.task not in settings.tasks:
        wrong = WrongValue(f"{settings.tune.task!r} decides what is chosen but is not evaluated",
                           f"choose one of tasks: {', '.join(settings.tasks)}")
        raise KeyedError("tune.task", wrong)


def _under(whole: Layer, table: str) -> dict[str, Any]:
    """The keys of one table, without its name."""
    start = f"{table}."
    return {key[len(start) :]: value for key, value in whole.items() if key.startswith(start)}


def _made(key: str, cls: type, values: Mapping[str, Any]) -> Any:
    try:
        return make(cls, values)
    except WrongValue as wrong:
        raise KeyedError(key, wrong) from wrong


def _protocol(whole: Layer, task: str, data: str, known: Known) -> Protocol:
    """A task's readout; what a section says of a task holds for its forms, and of a form for its zero-shot, too."""
    parts = task.split("@")
    names = ["@".join(parts[:many]) for many in range(1, len(parts) + 1)]
    values = {key: value for name in names for key, value in _under(whole, f"protocol.{name}").items()}
    values["data"] = values.get("data") or next(iter(names_of(data, "data set")), "")
    if not values["data"]:
        wrong = WrongValue(f"data is none, so {task} has nothing to be learnt and tested on",
                           f"name a data set in [protocol.{task.partition('@')[0]}] data")
        raise KeyedError(f"protocol.{task}", wrong)
    _refuse_many(f"protocol.{task}.data", values["data"])
    made = _made(f"protocol.{task}", Protocol, values)
    assert isinstance(made, Protocol)
    for key, fault in unfit(made, parts[0], known):
        raise KeyedError(f"protocol.{task}.{key}", fault)
    return made


def _refuse_many(key: str, text: str) -> None:
    """Raise KeyedError unless `text` names one data set: a task is learnt and tested on one alone."""
    try:
        if text != "none" and terms(text, "data set") == ((1.0, text),):
            return
        raise WrongValue(f"must be one data set, not {text!r}", "a task is learnt and tested on one alone")
    except WrongValue as wrong:
        raise KeyedError(key, wrong) from wrong


def _objective(whole: Layer, name: str, known: Known) -> Mapping[str, Any]:
    return _filled(whole, f"objective.{name}", known.objectives[name])


def _filled(whole: Layer, key: str, cls: type) -> Mapping[str, Any]:
    """The table `key`, with the defaults of its config class."""
    filled: Mapping[str, Any] = plain(_made(key, cls, _under(whole, key)))
    return filled


def _sources(whole: Layer, said: Mapping[str, str], known: Known) -> dict[str, Mapping[str, Any]]:
    """The settings of all data sets that these settings name, each in the order of its first naming."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, text in said.items():
        for name in names_of(text, "data set"):
            if name not in found:
                found[name] = _source(whole, name, known, key)
    return found


def _source(whole: Layer, name: str, known: Known, named_by: str) -> Mapping[str, Any]:
    """The settings of one data set, `kind` first; the kind is the name itself where the file does not say it.

    What every data set may say is there only where it differs from its default.
    """
    key = f"data.{name}"
    values = _under(whole, key)
    kind = values.pop("kind", name)
    common = {one: values.pop(one) for one in fields_of(Portion) if one in values}
    try:
        known.one("data set", kind, known.kinds)
    except WrongValue as wrong:
        remedy = f"{wrong.remedy}; or describe it in a table [data.{name}]"
        raise KeyedError(named_by, WrongValue(str(wrong), remedy)) from wrong
    said = _differing(plain(_made(key, Portion, common)), plain(Portion()))
    return {"kind": kind, **plain(_made(key, known.kinds[kind], values)), **said}


def portion_of(source: Mapping[str, Any]) -> Portion:
    """What the settings of a data set say beside the keys of its kind, with defaults."""
    portion = make(Portion, {key: source[key] for key in fields_of(Portion) if key in source})
    assert isinstance(portion, Portion)
    return portion


def _differing(found: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `found` that are not as in `usual`, tables within tables likewise."""
    left = {}
    for key, value in found.items():
        if isinstance(value, Mapping):
            value = _differing(value, usual[key])
            if value:
                left[key] = value
        elif value != usual[key]:
            left[key] = value
    return left
