"""Imports point down: a file imports from its own wing and from lower floors, at its top, by absolute names."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

PLUGIN_PAGE = "vlpbench.plugin"
GROUND = {"vlpbench", "vlpbench.__version__"}
LIKE_A_STRANGER = ("objectives", "backbones")


@pytest.fixture(scope="session")
def floors(root):
    """Room -> (floor, whether rooms of that floor may know each other), as pyproject.toml says it."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    table = {}
    for height, layer in enumerate(reversed(layers)):
        for room in re.split(r"[|:]", layer):
            table[room.strip(" ()")] = (height, ":" in layer)
    return table


def own_imports(tree):
    """(module, line) of every import of vlpbench, `from vlpbench import x` read as vlpbench.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name.split(".")[0] == "vlpbench")
        elif isinstance(node, ast.ImportFrom) and node.module == "vlpbench":
            yield from ((f"vlpbench.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vlpbench."):
            yield node.module, node.lineno


def room(name):
    """The room of a file's path or of a module's name."""
    return re.split(r"[./]", name)[1]


def allowed(here, there, floors):
    (floor, _), (other, siblings) = floors[here], floors[there]
    return here == there or other < floor or (other == floor and siblings)


def test_every_room_has_a_floor(core, floors):
    rooms = {room(file.name) for file in core} - {"__init__", "__main__"}
    assert rooms, "no room found"
    assert rooms <= set(floors)


def test_imports_point_down(core, floors):
    wrong = [
        f"{file.name}:{line} imports {module}"
        for file in core
        if room(file.name) not in ("__init__", "__main__")
        for module, line in own_imports(file.tree)
        if module not in GROUND and not (room(module) in floors and allowed(room(file.name), room(module), floors))
    ]
    assert wrong == []


@pytest.mark.parametrize("wing", LIKE_A_STRANGER)
def test_built_ins_import_what_a_stranger_may(core, wing):
    wrong = [
        f"{file.name}:{line} imports {module}"
        for file in core
        if room(file.name) == wing
        for module, line in own_imports(file.tree)
        if module != PLUGIN_PAGE and room(module) not in (wing, "plugin")
    ]
    assert wrong == []


def test_own_imports_stand_at_the_top(sources):
    hidden = [
        f"{file.name}:{line} imports {module} inside {node.name}"
        for file in sources
        for node in ast.walk(file.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for module, line in own_imports(node)
    ]
    assert hidden == []


def test_imports_are_absolute(files):
    relative = [
        f"{file.name}:{node.lineno}"
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


@pytest.mark.parametrize(
    ("here", "there", "fine"),
    [
        ("tasks", "data", True),
        ("tasks", "tasks", True),
        ("data", "tasks", False),
        ("results", "tasks", False),
        ("files", "errors", True),
        ("types", "plugin", False),
    ],
)
def test_the_rule_itself(floors, here, there, fine):
    assert allowed(here, there, floors) is fine
