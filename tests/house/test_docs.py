"""Everything public says what it is: modules, definitions, settings, hooks and commands."""

from __future__ import annotations

import ast
import inspect

import click

from vlpbench import hookspecs
from vlpbench.cli.main import GROUPS, cli

DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def public(tree):
    """Public classes and functions of a module, and the public methods of those classes."""
    for node in tree.body:
        if isinstance(node, DEFINITION) and not node.name.startswith("_"):
            yield node
            inside = node.body if isinstance(node, ast.ClassDef) else []
            yield from (n for n in inside if isinstance(n, DEFINITION) and not n.name.startswith("_"))


def is_dataclass(node):
    return isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list)


def silent_fields(node):
    """The public fields of a class that no sentence follows; what a class fills in for its base is no field."""
    for item, after in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(item, ast.AnnAssign) or (item.value and "ClassVar" in ast.unparse(item.annotation)):
            continue
        if not ast.unparse(item.target).startswith("_"):
            told = isinstance(after, ast.Expr) and isinstance(getattr(after.value, "value", None), str)
            if not told:
                yield ast.unparse(item.target)


def commands(command, path=("vlpbench",)):
    """Every command with the words that call it, groups included."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def test_modules(sources):
    assert [file.name for file in sources if not ast.get_docstring(file.tree)] == []


def test_public_definitions(sources):
    silent = [f"{f.name}:{n.lineno} {n.name}" for f in sources for n in public(f.tree) if not ast.get_docstring(n)]
    assert silent == []


def test_settings_say_what_they_are(sources):
    silent = [
        f"{file.name}:{node.name}.{field}"
        for file in sources
        for node in ast.walk(file.tree)
        if is_dataclass(node) and (file.name.startswith("vlpbench/config/") or node.name.endswith("Config"))
        for field in silent_fields(node)
    ]
    assert silent == []


def test_hooks():
    functions = dict(inspect.getmembers(hookspecs, inspect.isfunction))
    hooks = {name: hook for name, hook in functions.items() if name.startswith("vlpbench_")}
    assert "vlpbench_objectives" in hooks
    assert [name for name, hook in hooks.items() if not (hook.__doc__ or "").strip()] == []


def test_commands_have_help():
    found = list(commands(cli))
    assert len(found) > len(GROUPS)
    assert [" ".join(path) for path, command in found if not (command.help or "").strip()] == []


def test_options_have_help():
    silent = [
        f"{' '.join(path)} {option.opts[0]}"
        for path, command in commands(cli)
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def test_the_list_of_commands_says_what_each_does():
    assert [name for name, (_, sentence) in GROUPS.items() if not sentence.endswith(".")] == []
