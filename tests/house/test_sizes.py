"""Nothing grows too large to be read at once: files, functions, lists of parameters."""

from __future__ import annotations

import ast

FILE_LINES, FUNCTION_LINES, PARAMETERS = 250, 60, 7
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(file):
    return [node for node in ast.walk(file.tree) if isinstance(node, FUNCTION)]


def parameters(node):
    given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
    return [each.arg for each in given if each.arg not in ("self", "cls")]


def test_files(sources):
    lengths = {file.name: file.text.count("\n") for file in sources}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_functions(sources):
    lengths = {f"{f.name}:{node.name}": node.end_lineno - node.lineno + 1 for f in sources for node in functions(f)}
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def test_parameters(sources):
    counts = {f"{f.name}:{node.name}": len(parameters(node)) for f in sources for node in functions(f)}
    assert {name: count for name, count in counts.items() if count > PARAMETERS} == {}
