"""Whether a class that a plugin brings keeps the contract: told when it is loaded, not in the middle of a run."""

from __future__ import annotations

import importlib.util
import inspect
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from vlpbench.config.problems import guess
from vlpbench.config.task_name import TASKS
from vlpbench.contract.abilities import ABILITIES, Backbone
from vlpbench.contract.dataset import Dataset
from vlpbench.contract.launcher import Launcher
from vlpbench.contract.metric import Metric
from vlpbench.contract.objective import Objective, is_coupling
from vlpbench.contract.report_table import ReportTable
from vlpbench.contract.wiring import Stem, Trunk
from vlpbench.plugin import API_VERSION
from vlpbench.registry.config_checks import check_config, check_own_keys
from vlpbench.registry.standing import Unfit

__all__ = ["BASES", "Unfit", "check_api", "check_component", "check_file"]

BASES: Mapping[str, tuple[type, ...]] = {
    "objective": (Objective,), "stem": (Stem,), "trunk": (Trunk, Backbone), "data set": (Dataset,),
    "launcher": (Launcher,), "metric": (Metric,), "table": (ReportTable,),
}
"""The class that each kind of component must be a subclass of, and those whose methods it must keep."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TASKS = tuple(dict.fromkeys(task.partition("@")[0] for task in TASKS))
_TRAINS = ("vectors", "similarity", "decode", "match")


def check_component(kind: str, cls: Any) -> None:
    """Raise Unfit with the first thing that is wrong with a class of this kind."""
    base = BASES[kind][0]
    if not isinstance(cls, type):
        if isinstance(cls, base):
            raise Unfit(f"an instance of {type(cls).__name__} was returned", "return the class itself, without ()")
        raise Unfit(f"{cls!r} is no class", f"return subclasses of vlpbench.plugin.{base.__name__}")
    if not issubclass(cls, base):
        where = f"vlpbench.plugin.{base.__name__}"
        raise Unfit(f"{cls.__name__} is no subclass of {base.__name__}", f"derive it from {where}")
    _check_facts(kind, cls)
    _check_requires(cls)
    _check_sentences(cls)
    if kind in ("objective", "trunk", "data set"):
        check_config(cls)
    if kind == "objective":
        _check_words(cls, "needs", ABILITIES)
        _check_words(cls, "welcomes", ABILITIES)
        _check_words(cls, "uses", ("pairs", "texts"))
        _check_words(cls, "trains", _TRAINS)
        _check_words(cls, "wants", None)
        _check_numbers(cls)
    if kind == "data set":
        check_own_keys(cls)
    if kind == "trunk":
        _check_offers(cls)
    if kind == "metric":
        _check_metric(cls)
    _check_methods(cls, BASES[kind])


def check_file(kind: str, name: Any, path: Any) -> None:
    """Raise Unfit unless a grid or a recipe is a TOML file under a name that can be typed."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Unfit(f"a {kind} is called {name!r}", 'a name is lower-case letters, digits and dashes: "my-grid"')
    what, remedy = f"{kind} {name!r}", "return {name: path of a TOML file}: Path(__file__).with_name(\"my.toml\")"
    if not isinstance(path, str | Path) or not Path(path).is_file():
        raise Unfit(f"{what}: there is no file {path}", remedy)
    if not Path(path).is_absolute():
        raise Unfit(f"{what}: {path} is found from one folder alone", remedy)
    try:
        tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as wrong:  # of TOML and of UTF-8
        raise Unfit(f"{what}: {Path(path).name} is no TOML: {wrong}", "correct the file") from wrong


def _check_facts(kind: str, cls: type) -> None:
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        remedy = 'a name is lower-case letters, digits and dashes: "my-objective"'
        raise Unfit(f"{cls.__name__}.name is {name!r}", remedy)
    if kind == "objective" and hasattr(nn.ModuleDict, name):
        raise Unfit(f"{cls.__name__}.name is {name!r}, which torch's modules use themselves", "take another name")
    version = getattr(cls, "version", 1 if kind == "launcher" else None)  # a launcher changes no number
    if isinstance(version, bool) or not isinstance(version, int):
        remedy = "a version is a whole number; raise it when numbers change"
        raise Unfit(f"{cls.__name__}.version is {version!r}", remedy)
    check_api(getattr(cls, "api_version", API_VERSION), cls.__name__)


def check_api(api: Any, who: str) -> None:
    """Raise Unfit unless `who` was written for this contract."""
    if isinstance(api, bool) or not isinstance(api, int):
        raise Unfit(f"{who} says api_version {api!r}", f"it is a whole number, at present {API_VERSION}")
    if api != API_VERSION:
        remedy = "upgrade vlpbench" if api > API_VERSION else "ask for a release of the plugin for this vlpbench"
        raise Unfit(f"{who} was written for plugin contract {api}; this vlpbench has {API_VERSION}", remedy)


def _check_requires(cls: type) -> None:
    needed = getattr(cls, "requires", ())
    if isinstance(needed, str) or not all(isinstance(one, str) for one in needed):
        raise Unfit(f"{cls.__name__}.requires is {needed!r}", 'it is a tuple of import names: ("sentencepiece",)')
    missing = [one for one in needed if not _is_there(one)]
    if missing:
        modules = ", ".join(missing)
        raise Unfit(f"{cls.__name__} needs the missing module {modules}", f"pip install {' '.join(missing)}")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _check_numbers(cls: type[Any]) -> None:
    decay, coupled = cls.teacher, cls.coupled
    if decay is not None and not (isinstance(decay, float) and 0 < decay < 1):
        raise Unfit(f"{cls.__name__}.teacher is {decay!r}", "it is a decay between 0 and 1 such as 0.995, or None")
    if not is_coupling(coupled):
        remedy = 'it is None, "all", how many neighbours see each other, from 2 on, or both: (2, "all")'
        raise Unfit(f"{cls.__name__}.coupled is {coupled!r}", remedy)
    if isinstance(cls.views, bool) or not isinstance(cls.views, int) or cls.views < 1:
        raise Unfit(f"{cls.__name__}.views is {cls.views!r}", "it is a number of pictures made of each, from 1 on")
    for word in ("match", "similarity"):
        if word in cls.trains and getattr(cls, word) is getattr(Objective, word):
            raise Unfit(f"{cls.__name__} trains {word!r} but has no method {word}()", f"write {word}() or drop it")


def _check_metric(cls: type[Any]) -> None:
    if not getattr(cls, "tasks", ()):
        raise Unfit(f"{cls.__name__} names no task", f"say whose predictions it reads: tasks = {{{_TASKS[0]!r}}}")
    _check_words(cls, "tasks", _TASKS)
    if not isinstance(cls.higher_is_better, bool):
        raise Unfit(f"{cls.__name__}.higher_is_better is {cls.higher_is_better!r}", "it is True or False")


def _check_sentences(cls: type) -> None:
    """What goes into print as it is: texts, where a class says anything."""
    cites, about = getattr(cls, "cites", ()), getattr(cls, "description", "")
    if isinstance(cites, str) or not all(isinstance(one, str) for one in cites):
        raise Unfit(f"{cls.__name__}.cites is {cites!r}", "it is a tuple of texts, each a BibTeX entry or a key")
    if not isinstance(about, str):
        raise Unfit(f"{cls.__name__}.description is {about!r}", "it is one sentence")


def _check_words(cls: type, fact: str, known: Iterable[str] | None) -> None:
    words = getattr(cls, fact)
    if isinstance(words, str) or not isinstance(words, set | frozenset | tuple | list):
        example = next(iter(known or ["boxes"]))
        raise Unfit(f"{cls.__name__}.{fact} is {words!r}", f'it is a set of names: {{"{example}"}}')
    for word in words:
        if not isinstance(word, str) or (known is not None and word not in known):
            raise Unfit(f"{cls.__name__}.{fact} names {word!r}", guess(str(word), known or ()))


def _check_offers(cls: type[Any]) -> None:
    _check_words(cls, "offers", ABILITIES)
    for ability in sorted(cls.offers):
        if getattr(cls, ability) is getattr(Backbone, ability):
            cause = f"{cls.__name__} offers {ability!r} but has no method of that name"
            raise Unfit(cause, f"write {ability}() or drop it")


def _check_methods(cls: type, bases: Sequence[type]) -> None:
    """Methods that override the contract's take its parameters, by name: they are called by keyword or in its order."""
    lacking = sorted(getattr(cls, "__abstractmethods__", ()))
    if lacking:
        remedy = f"write these methods; the docstrings of vlpbench.plugin.{bases[0].__name__} say what each does"
        raise Unfit(f"{cls.__name__} lacks {', '.join(lacking)}", remedy)
    seen: set[str] = set()
    for base in bases:
        for name, theirs in vars(base).items():
            public = not name.startswith("_") or name == "__init__"
            if not public or name in seen or not callable(getattr(base, name, None)) or isinstance(theirs, type):
                continue
            seen.add(name)
            ours = inspect.getattr_static(cls, name)
            if ours is not theirs:
                _check_method(cls, base, name, ours, theirs)


def _check_method(cls: type, base: type, name: str, ours: Any, theirs: Any) -> None:
    for wrapper, word in ((staticmethod, "@staticmethod"), (classmethod, "@classmethod")):
        if isinstance(theirs, wrapper) != isinstance(ours, wrapper):
            what = "must be under" if isinstance(theirs, wrapper) else "must not be under"
            raise Unfit(f"{cls.__name__}.{name} {what} {word}", f"{_signature(base, name)} is what is called")
    if not callable(getattr(cls, name)):
        raise Unfit(f"{cls.__name__}.{name} is no method, but {ours!r}", f"write def {_signature(base, name)}")
    wanted, found = _parameters(base, name), _parameters(cls, name)
    if wanted != found:
        raise Unfit(
            f"{cls.__name__}.{name} takes ({', '.join(found)}) instead of ({', '.join(wanted)})",
            f"write def {_signature(base, name)}",
        )


def _parameters(cls: type, name: str) -> list[str]:
    marks: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [marks.get(one.kind, "") + one.name for one in inspect.signature(getattr(cls, name)).parameters.values()]


def _signature(cls: type, name: str) -> str:
    return f"{name}({', '.join(_parameters(cls, name))})"
