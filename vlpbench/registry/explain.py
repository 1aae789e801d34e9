"""Why an import failed, in words, and what the user can do about it."""

from __future__ import annotations

from pathlib import Path

from vlpbench.registry.checks import Unfit

__all__ = ["explain_import"]


def explain_import(wrong: BaseException, file: Path | None, distribution: str) -> Unfit:
    """The cause and remedy of an exception (or sys.exit) that came out of importing a plugin."""
    drop = f"or pip uninstall {distribution}" if distribution else "or leave the file out"
    if isinstance(wrong, SystemExit):
        return Unfit(f"it calls sys.exit({wrong.code!r}) when it is imported", f"tell its author, {drop}")
    if isinstance(wrong, ModuleNotFoundError) and wrong.name:
        return _missing_module(wrong.name, file, drop)
    if isinstance(wrong, ImportError) and "relative import" in str(wrong):
        remedy = "a single file has no package around it: import absolutely, or make it a package"
        return Unfit(f"relative import: {wrong}", remedy)
    if isinstance(wrong, SyntaxError):
        place = f"{Path(wrong.filename).name if wrong.filename else '?'}:{wrong.lineno}"
        return Unfit(f"syntax error at {place}: {wrong.msg}", f"correct it, {drop}")
    if isinstance(wrong, FileNotFoundError) and file is not None and not file.exists():
        return Unfit(str(wrong), "check the path; it is relative to the folder you are in, in a grid file to that file")
    return Unfit(f"{type(wrong).__name__} while it is imported: {wrong}", f"tell its author, {drop}")


def _missing_module(name: str, file: Path | None, drop: str) -> Unfit:
    top = name.partition(".")[0]
    beside = file is not None and ((file.parent / f"{top}.py").exists() or (file.parent / top).is_dir())
    if beside:
        return Unfit(f"no module named {name!r}", "a single file cannot import its neighbours: make it a package")
    remedy = f"pip install {top.replace('_', '-')} (or what brings that module), {drop}"
    return Unfit(f"no module named {name!r}", remedy)
