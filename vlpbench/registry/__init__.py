"""Find what plugins bring, keep the broken ones apart, and look things up by name.

Names are loaded on first use: what reads the metadata of plugins alone (`find`) needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlpbench.registry.catalogue import Component, Registry
    from vlpbench.registry.load import load_registry
    from vlpbench.registry.standing import Failure, LeftOut, Origin, Plugin, PluginError

__all__ = [
    "Component", "Failure", "LeftOut", "Origin", "Plugin", "PluginError", "Registry", "load_registry",
]

_HOMES = {
    "Component": "catalogue", "Registry": "catalogue", "load_registry": "load",
    **dict.fromkeys(("Failure", "LeftOut", "Origin", "Plugin", "PluginError"), "standing"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vlpbench.registry' has no attribute {name!r}")
    return getattr(importlib.import_module(f"vlpbench.registry.{_HOMES[name]}"), name)
