"""What a file beside a record says, as far as it can be read: of time, a lost file is no error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["json_object"]


def json_object(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
