"""Files as users have them: JSON and .npy, written into the folder of the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlpbench.scoring.documents import Document


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """(name, value) -> path: text as it is, arrays as .npy, all else as JSON."""

    def written(name: str, value: Any) -> Path:
        path = tmp_path / name
        if isinstance(value, np.ndarray):
            np.save(path, value, allow_pickle=True)
        else:
            path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return path

    return written


@pytest.fixture
def document() -> Callable[..., Document]:
    """A decoded file that was given as --predictions, or as another option."""

    def made(value: Any, option: str = "--predictions", name: str = "p.json") -> Document:
        return Document(option, Path(name), value)

    return made
