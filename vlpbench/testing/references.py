"""Classes and functions as another process finds them again: by module, file and name. No pickles."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from typing import Any

from vlpbench.testing.findings import CheckSkipped

__all__ = ["Reference"]


@dataclass(frozen=True)
class Reference:
    """Where something stands."""

    module: str
    """Name of its module."""
    file: str
    """The module's file, for modules that cannot be imported by name."""
    name: str
    """Its qualified name in the module."""

    @classmethod
    def of(cls, thing: Any) -> Reference:
        """The reference of a class or function; CheckSkipped for one that no other process could find."""
        module, name = thing.__module__, thing.__qualname__
        file = getattr(sys.modules.get(module), "__file__", None)
        if module == "__main__" or "<" in name or not file:
            raise CheckSkipped("not-importable", f"{module}.{name}")
        return cls(module, file, name)

    def find(self) -> Any:
        """The thing itself; its module is imported where it is not yet."""
        found: Any = sys.modules.get(self.module) or self._load()
        for part in self.name.split("."):
            found = getattr(found, part)
        return found

    def _load(self) -> Any:
        try:
            return importlib.import_module(self.module)
        except ModuleNotFoundError:  # a test file, which pytest imports by its path
            spec = importlib.util.spec_from_file_location(self.module, self.file)
            if spec is None or spec.loader is None:
                raise
            module = sys.modules[self.module] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
