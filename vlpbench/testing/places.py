"""Where in the author's own file a failed check looks: the line that raised, or that of the method it blames."""

from __future__ import annotations

import ast
import inspect
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["BLAMED", "author_of", "place_in", "place_of"]

BLAMED: Mapping[str, str] = {
    "count": "corrupt", "chance-by-seed": "corrupt", "pure-corruption": "corrupt", "static-shapes": "corrupt",
    "same-figures-each-step": "loss", "finite-loss": "loss", "batch-of-one": "loss", "one-word-texts": "loss",
    "ragged-texts": "loss", "end-of-sentence-only": "loss", "autocast": "loss", "not-pad-sensitive": "loss",
    "order-of-samples": "loss", "learns-by-heart": "loss", "micro-batches": "loss", "two-processes": "loss",
    "no-future-leak": "encode", "no-label-leak": "encode", "samples-apart": "encode", "seed-axis": "encode",
    "memory": "encode", "speed": "encode", "static-graph": "loss", "views": "encode", "sums": "loss",
    "trains": "trains", "visible": "visible_with", "each-backbone": "encode",
    "no-undeclared-ability": "needs", "no-unused-ability": "needs", "no-dead-head": "__init__",
    "no-gradient-through-teacher": "encode", "state-round-trip": "__init__", "similarity": "similarity",
    "match": "match", "config-round-trip": "config_class", "wanted-fields": "wants",
    "decode-is-causal": "decode", "context-sees": "context", "visible-obeyed": "context", "nothing-to-see": "context",
    "cache-equals-no-cache": "step", "select": "begin", "fused-sees-both": "fused_tokens", "unit-vectors": "offers",
    "splits": "splits", "ids": "read", "pictures": "read", "texts": "read", "order": "read", "fields": "read",
    "splits-apart": "read", "fingerprint": "fingerprint",
    "stem-grid": "forward", "stem-repeats": "forward", "stem-samples-apart": "forward", "stem-gradients": "__init__",
    "stem-sizes": "forward", "stem-argument": "__init__",
}
"""What each check blames where neither a traceback nor its own sentence says more: a method, or a declared fact."""


def place_of(check: str, subject: Any, cause: str, wrong: BaseException) -> str:
    """ "file.py:12 (loss)": the deepest line of the author's own code that raised, else what the check blames."""
    cls = author_of(subject)
    if cls is None:
        return ""
    return _raised(cls, wrong) or _blamed(check, cls, cause)


def place_in(cls: type, lines: Iterable[tuple[str, str, str]]) -> str:
    """The place of the last line (file, number, function) of a printed traceback that is the author's own."""
    home = _file(cls)
    own = [one for one in lines if home is not None and Path(one[0]).name == home.name]  # folders may be left out
    return _place(str(home), int(own[-1][1]), own[-1][2]) if own else ""


def author_of(subject: Any) -> type | None:
    """The class that is checked; None where there is none, as for a function that makes one."""
    found = getattr(subject, "author", subject)
    if isinstance(found, type):
        return found
    return None if callable(found) else type(found)


def _raised(cls: type, wrong: BaseException) -> str:
    """The deepest own line of the first cause that has any."""
    found, seen, error = "", set[int](), wrong
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        own = [one for one in traceback.extract_tb(error.__traceback__) if _is_own(cls, one.filename)]
        if own:
            found = _place(own[-1].filename, own[-1].lineno or 0, own[-1].name)
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return found


def _is_own(cls: type, file: str) -> bool:
    """Whether a file is the author's: the class's own, or another of its package (of ours, its own alone)."""
    home = _file(cls)
    if home is None or not file.endswith(".py"):
        return False
    depth = cls.__module__.count(".")
    top = cls.__module__.partition(".")[0]
    if (depth == 0 and home.name != "__init__.py") or top == "vlpbench":
        return Path(file) == home
    folder = home.parents[depth if home.name == "__init__.py" else depth - 1]
    return folder in Path(file).parents


def _blamed(check: str, cls: type, cause: str) -> str:
    """The method or fact that the sentence names first and the author wrote, else the table's, else the class."""
    named = [one or other for one, other in re.findall(r"\b([a-z_]\w*)\(\)|`(\w+)`", cause)]
    for word in (*named, BLAMED.get(check, "")):
        for owner in cls.__mro__:
            file = _file(owner)
            if word and file is not None and _is_own(cls, str(file)) and word in _members(owner):
                return _place(str(file), _members(owner)[word], word)
    members = _members(cls)
    return _place(str(_file(cls)), members[""], cls.__name__) if members else ""


def _file(cls: type) -> Path | None:
    try:
        named = inspect.getsourcefile(cls)
    except TypeError:  # a class that is built in, or whose module is gone
        return None
    return Path(named) if named else None


@lru_cache(maxsize=64)
def _members(cls: type) -> Mapping[str, int]:
    """Each method and fact of a class's body -> its line; "" -> the class's own."""
    file = _file(cls)
    if file is None:
        return {}
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {}
    found = [one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == cls.__name__]
    if not found:
        return {}
    lines = {"": found[-1].lineno}
    for node in found[-1].body:
        lines.update((name, node.lineno) for name in _names(node))
    return lines


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    for target in targets:
        for one in ast.walk(target):
            if isinstance(one, ast.Name):
                yield one.id


def _place(file: str, line: int, what: str) -> str:
    path = Path(file)
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return f"{path}:{line} ({what})"
