"""Citations as a BibTeX file: each entry once, under what it is for."""

from __future__ import annotations

from collections.abc import Iterable

from vlpbench.results.citations.bibtex import Entry
from vlpbench.results.citations.collected import Citation

__all__ = ["citations_text"]


def citations_text(found: Iterable[Citation]) -> str:
    """Entries in the order of their first use, each under lines that say what for; what has none is in a comment.

    A key that two different entries have is said: BibTeX would take neither.
    """
    uses: dict[str, list[str]] = {}
    entries: dict[str, Entry] = {}
    remarks: list[str] = []
    silent: dict[str, None] = {}
    for one in found:
        if one.remark:
            remarks.append(_comment(f"{one.what}: {one.remark}"))
        elif not one.entries:
            silent[one.what] = None
        for entry in one.entries:
            if entries.setdefault(entry.key, entry).text != entry.text:
                remarks.append(_comment(f"{one.what}: its entry {entry.key!r} is left out: another has that key"))
            elif one.what not in uses.setdefault(entry.key, []):
                uses[entry.key].append(one.what)
    if silent:
        remarks.append(_comment(f"nothing of their own to cite is known of: {', '.join(silent)}"))
    blocks = ["\n".join([*map(_comment, uses[key]), entry.text]) for key, entry in entries.items()]
    return "\n\n".join([*blocks, *(["\n".join(remarks)] if remarks else [])])


def _comment(text: str) -> str:
    """One line outside of entries, where BibTeX skips all but an @."""
    return f"% {' '.join(text.split()).replace('@', '(at)')}"
