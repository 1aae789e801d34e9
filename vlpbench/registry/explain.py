"""Why an import failed, in words, and what the user can do about it."""

from __future__ import annotations

import sys
from pathlib import Path

from vlpbench.errors import nearest
from vlpbench.registry.standing import Unfit

__all__ = ["explain_import", "said"]

_PAGE = "vlpbench.plugin"


def said(wrong: BaseException) -> str:
    """The type of an exception and its message, as far as it has one that can be read."""
    try:
        message = str(wrong)
    except Exception:  # noqa: BLE001 (a stranger's __str__)
        message = "(its message cannot be read)"
    return f"{type(wrong).__name__}: {message}" if message else type(wrong).__name__


def explain_import(wrong: BaseException, file: Path | None, distribution: str) -> Unfit:
    """The cause and remedy of an exception (or sys.exit) that came out of importing a plugin."""
    if isinstance(wrong, Unfit):
        return wrong
    drop = f"or pip uninstall {distribution}" if distribution else "or leave the file out"
    if isinstance(wrong, SystemExit):
        return Unfit(f"it calls sys.exit({wrong.code!r}) when it is imported", f"tell its author, {drop}")
    if isinstance(wrong, ModuleNotFoundError) and wrong.name:
        return _missing_module(wrong.name, file, drop)
    if isinstance(wrong, ImportError) and "relative import" in str(wrong):
        remedy = "a single file has no package around it: import absolutely, or make it a package"
        return Unfit(f"relative import: {wrong}", remedy)
    if isinstance(wrong, ImportError) and wrong.name and wrong.name.partition(".")[0] == "vlpbench":
        return _missing_name(wrong, drop)
    if isinstance(wrong, SyntaxError):
        place = f"{Path(wrong.filename).name if wrong.filename else '?'}:{wrong.lineno}"
        return Unfit(f"syntax error at {place}: {wrong.msg}", f"correct it, {drop}")
    kind, _, message = said(wrong).partition(": ")
    return Unfit(f"{kind} while it is imported" + (f": {message}" if message else ""), f"tell its author, {drop}")


def _missing_module(name: str, file: Path | None, drop: str) -> Unfit:
    top = name.partition(".")[0]
    beside = file is not None and ((file.parent / f"{top}.py").exists() or (file.parent / top).is_dir())
    if beside:
        return Unfit(f"no module named {name!r}", "a single file cannot import its neighbours: make it a package")
    if top == "vlpbench":
        remedy = f"a plugin imports from {_PAGE} alone; it may be meant for another vlpbench: upgrade one of the two"
        return Unfit(f"no module named {name!r}", remedy)
    remedy = f"pip install {top.replace('_', '-')} (or what brings that module), {drop}"
    return Unfit(f"no module named {name!r}", remedy)


def _missing_name(wrong: ImportError, drop: str) -> Unfit:
    """A name that vlpbench does not have: misspelt, or of another release."""
    name = getattr(wrong, "name_from", None)  # from Python 3.12 on
    name = name or (str(wrong).split("'")[1] if str(wrong).count("'") > 1 else "")
    page = sys.modules.get(wrong.name or "")
    near = nearest(name, getattr(page, "__all__", ())) if name else None
    guess = f"did you mean {near!r}? else " if near else ""
    return Unfit(f"cannot import name {name!r} from {wrong.name}", f"{guess}upgrade vlpbench, or the plugin, {drop}")
