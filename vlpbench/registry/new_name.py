"""What a new component may be called, and what its class, module and package are called then."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from torch import nn

from vlpbench.errors import UserError
from vlpbench.registry.catalogue import Registry

__all__ = ["NEW_KINDS", "check_free", "check_name", "class_of", "file_module_of"]

NEW_KINDS: Mapping[str, str] = {"objective": "objective", "stem": "stem", "trunk": "trunk", "dataset": "data set"}
"""What can be written anew, as the command line says it, and the registry's word for it."""


def check_name(name: str) -> None:
    """Raise UserError, with the nearest right name, unless it is lower-case letters, digits and single dashes."""
    right = _nearest_right(name)
    if name and name == right:
        return
    rule = "a name is lower-case letters, digits and dashes, and begins with a letter"
    if right and name == f"vlpbench-{right}":
        rule = "say what a grid will say; the package is called vlpbench-NAME by itself"
    guess = f"did you mean {right!r}?" if right else 'such as "half-said"'
    raise UserError(f"{name!r} cannot be the name of a plugin", "", f"{rule}; {guess}")


def _nearest_right(name: str) -> str:
    """The right name most like `name`: itself if it is one, empty if none of it can stay."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    words = re.findall(r"[a-z0-9]+", apart.lower())
    right = re.sub(r"^[0-9-]+", "", "-".join(words))
    return re.sub(r"^vlpbench(-|$)", "", right)


def check_free(kind: str, name: str, registry: Registry) -> None:
    """Raise UserError if something else of this kind, or what torch's modules have, is called so already."""
    said = NEW_KINDS[kind]
    remedy = f'take another name, such as "my-{name}"'
    if (said, name) in registry.components:
        owner = registry.origin(said, name)
        raise UserError(f"there is {_a(said)} {name!r} already: it comes with {owner}", "", remedy)
    if kind == "objective" and hasattr(nn.ModuleDict, name):
        raise UserError(f"no objective can be called {name!r}: torch's modules use this name themselves", "", remedy)


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def class_of(kind: str, name: str, used: Collection[str]) -> str:
    """The class of a component: "HalfSaid" for "half-said"; with the kind behind it where that is `used` otherwise."""
    plain = "".join(word.capitalize() for word in name.split("-"))
    return plain + kind.capitalize() if plain in used or keyword.iskeyword(plain) else plain


def file_module_of(name: str) -> str:
    """The module that a single file of this component is, "half_said"; UserError where Python would find another."""
    module = name.replace("-", "_")
    taken = ""
    if keyword.iskeyword(module):
        taken = "a word of Python's own"
    elif module in sys.stdlib_module_names:
        taken = "a module of Python's own"
    elif _is_installed(module):
        taken = "a module that is installed"
    if taken:
        raise UserError(f"a file {module}.py could not be imported: {module!r} is {taken}", "",
                        f'take another name, such as "my-{name}", or write a whole package, without --single-file')
    return module


def _is_installed(module: str) -> bool:
    """Whether Python finds a module of this name, where what lies in the working folder does not count."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return spec is not None and Path(spec.origin or "x").resolve().parent != Path.cwd()
