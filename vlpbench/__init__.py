"""Compare vision-language pretraining objectives and backbones: the public names, loaded on first use."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {"Outside": "vlpbench.contract.outside", "evaluate": "vlpbench.runner.outside",
          "load_cell": "vlpbench.runner.export", "load_registry": "vlpbench.registry", "results": "vlpbench.results"}

__all__ = ["Outside", "__version__", "evaluate", "load_cell", "load_registry", "results"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import vlpbench` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vlpbench' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    return home if _HOMES[name].rpartition(".")[2] == name else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
