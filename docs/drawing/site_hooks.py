"""The site is whole: a page that would load anything from another host breaks the build."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

LOADS = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?![^>]*\brel=[\"']?canonical)[^>]*\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)",
    re.IGNORECASE,
)
STYLES = re.compile(r"@import\s+[\"']((?:https?:)?//[^\"']+)|url\([\"']?((?:https?:)?//[^\"')]+)", re.IGNORECASE)


def on_post_build(config: Any, **_: Any) -> None:
    """Look through all that was built; PluginError with every page and address that is not ours."""
    site = Path(config["site_dir"])
    found = [
        f"{path.relative_to(site).as_posix()} loads {next(filter(None, match.groups()))}"
        for ending, rule in ((".html", LOADS), (".css", STYLES))
        for path in sorted(site.rglob(f"*{ending}"))
        for match in rule.finditer(path.read_text(encoding="utf-8"))
    ]
    if found:
        raise PluginError("the site must work without a network, but " + "; ".join(found))
