"""Find what plugins bring, keep the broken ones apart, and look things up by name."""

from __future__ import annotations

from vlpbench.registry.catalogue import Component, Failure, Origin, PluginError, Registry
from vlpbench.registry.load import load_registry

__all__ = ["Component", "Failure", "Origin", "PluginError", "Registry", "load_registry"]
