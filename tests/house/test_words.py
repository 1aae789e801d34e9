"""Rooms and sentences have names of their own: no rooms for leftovers, no unfinished work, no path of one machine."""

from __future__ import annotations

import ast
import re

LEFTOVERS = {"utils", "util", "common", "helpers", "helper", "misc"}
# Spelled so that this file does not find itself.
WORDS = "TO_DO|FIX_ME|XX_X|HA_CK|st_ub|for_ now|simpl_ified|NotImpl_ementedError"
UNFINISHED = re.compile(rf"\b({WORDS.replace('_', '')})\b", re.IGNORECASE)
ABSOLUTE = re.compile(r"""["'`\s(=]/(?!dev/|proc/|sys/|etc/|usr/|bin/)[a-z]\w*/\w""")
TEXTS = ("*.md", "*.toml", "*.ini", "*.cff", "plugins/*.md", "plugins/_template/*", "docs/*", "vlpbench/grids/*",
         "vlpbench/recipes/*")


def lines(texts):
    for name, text in texts:
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{name}:{number}", line


def everything(root, files):
    """(name, text) of every Python file and of every other file that people read."""
    texts = [(file.name, file.text) for file in files]
    for pattern in TEXTS:
        paths = [path for path in sorted(root.glob(pattern)) if path.is_file() and path.suffix != ".png"]
        texts += [(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    return texts


def test_no_room_for_leftovers(files):
    parts = {file.name: set(file.name.removesuffix(".py").split("/")) for file in files}
    assert [name for name, words in parts.items() if words & LEFTOVERS] == []


def test_nothing_reads_unfinished(files):
    assert [where for where, line in lines((f.name, f.text) for f in files) if UNFINISHED.search(line)] == []


def test_no_path_of_one_machine(root, files):
    assert [where for where, line in lines(everything(root, files)) if ABSOLUTE.search(line)] == []


def test_no_error_is_swallowed(sources):
    swallowed = [
        f"{file.name}:{node.lineno}"
        for file in sources
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ExceptHandler) and all(isinstance(each, ast.Pass) for each in node.body)
    ]
    assert swallowed == []


def test_every_test_asserts(files):
    idle = [
        f"{file.name}:{node.name}"
        for file in files
        if file.is_test
        for node in ast.walk(file.tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _checks(node)
    ]
    assert idle == []


def _checks(function):
    calls = (ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or any(
        re.search(r"raises|warns|assert|check|approx|allclose|fail", call) for call in calls
    )
