"""The frame of a page: our own style and script, what may run in it, and data as data.

Whatever comes from a data set or a grid gets into the page in two ways only: escaped by the template, or as JSON in a
block that no browser runs. A policy lets only our own blocks run, by their hashes, and lets nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["asset", "embedded", "filled", "policy"]

_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def asset(name: str) -> str:
    """The text of one of our files beside this one (`page.css`)."""
    return files("vlpbench.results.page").joinpath("assets", name).read_text(encoding="utf-8")


def embedded(value: Any) -> Markup:
    """A value as JSON for a `<script type="application/json">`: nothing in it can end the block or begin another.

    ValueError for NaN and infinity, which JSON has not.
    """
    from markupsafe import Markup

    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_ESCAPES))


def policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """The page's Content-Security-Policy: these very blocks, pictures that the page carries itself, nothing else."""
    return "; ".join((
        "default-src 'none'", "img-src data:", f"style-src {' '.join(map(_hashed, styles))}",
        f"script-src {' '.join(map(_hashed, scripts))}", "base-uri 'none'", "form-action 'none'",
    ))


def filled(styles: Sequence[str], scripts: Sequence[str], parts: dict[str, Any]) -> str:
    """The whole page: `assets/page.html` with its parts, all escaped but what is marked as our own."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    shell = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    ours = {"styles": list(map(Markup, styles)), "scripts": list(map(Markup, scripts))}
    return shell.from_string(asset("page.html")).render(**parts, **ours, policy=policy(styles, scripts))


def _hashed(block: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"
