"""Any text for LaTeX: nothing in it is a command, and what pdflatex cannot set is known beforehand."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from vlpbench.results.tables.entry_text import one_line, prose

__all__ = ["escaped", "escaped_prose", "unsettable"]

def _greek(letter: str) -> str:
    """A Greek letter by its Unicode name, which is LaTeX's but for one."""
    name = unicodedata.name(letter).rpartition(" ")[2].replace("LAMDA", "LAMBDA")
    return rf"$\{name.lower() if letter.islower() else name.capitalize()}$"


_WRITTEN: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": r"\`{}", "[": "{[}", "]": "{]}",
    "±": r"$\pm$", "−": "$-$", "×": r"$\times$", "÷": r"$\div$", "·": r"$\cdot$", "•": r"$\bullet$",
    "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "≈": r"$\approx$", "∼": r"$\sim$", "∝": r"$\propto$",
    "∞": r"$\infty$", "∈": r"$\in$", "√": r"$\surd$", "∅": r"$\emptyset$", "¬": r"$\neg$",
    "→": r"$\rightarrow$", "←": r"$\leftarrow$", "↔": r"$\leftrightarrow$", "⇒": r"$\Rightarrow$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "°": r"$^{\circ}$", "²": "$^{2}$", "³": "$^{3}$", "¹": "$^{1}$",
    "†": r"\dag{}", "‡": r"\ddag{}", "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}", "£": r"\pounds{}",
    "–": "--", "—": "---", "…": r"\dots{}", "‘": "`", "’": "'", "“": "``", "”": "''", "‐": "-", "‑": "-",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
    "µ": r"$\mu$", "ϵ": r"$\epsilon$", "ε": r"$\varepsilon$", "φ": r"$\varphi$", "ς": r"$\varsigma$",
    **{letter: _greek(letter) for letter in "αβγδζηθικλμνξπρστυχψωΓΔΘΛΞΠΣΥΦΨΩ"},
}
"""Characters that stand for something else in LaTeX, or that its plainest fonts have under a command only."""

_ACCENTS: Mapping[str, str] = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d", "\u0327": "c", "\u0331": "b",
}
"""Marks over and under a letter, with LaTeX's accent."""


def escaped(text: str) -> str:
    r"""Text as LaTeX sets it without any package, on one line: `a_b ± 1` is `a\_b $\pm$ 1`.

    Straight double quotes become typographic ones. A character of `unsettable` stays as it is.
    """
    plain = unicodedata.normalize("NFC", one_line(text))
    found, before = [], ""
    for letter in plain:
        found.append(_apart(before, letter) + (_quote(before) if letter == '"' else _letter(letter)))
        before = letter
    return "".join(found)


def escaped_prose(text: str) -> str:
    """The same of sentences, in which words between backquotes are set as code."""
    return "".join(rf"\texttt{{{escaped(part)}}}" if is_code else escaped(part) for part, is_code in prose(text))


def unsettable(text: str) -> list[str]:
    """The characters that need XeLaTeX or LuaLaTeX with a font that has them, each once."""
    plain = dict.fromkeys(unicodedata.normalize("NFC", one_line(text)))
    return [letter for letter in plain if not _letter(letter).isascii()]


def _letter(letter: str) -> str:
    """One character, an accented one by its accent; itself where there is no way to write it; no control character."""
    if unicodedata.category(letter) in ("Cc", "Cs"):
        return ""
    if letter in _WRITTEN or letter.isascii():
        return _WRITTEN.get(letter, letter)
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if not base.isascii() or len(marks) != 1 or marks[0] not in _ACCENTS:
        return letter
    return rf"\{_ACCENTS[marks[0]]}{{{base}}}"


def _apart(before: str, letter: str) -> str:
    """What keeps two characters from becoming one: -- would be a dash, '' a quotation mark."""
    return "{}" if before == letter and letter in "-'," else ""


def _quote(before: str) -> str:
    """An opening quotation mark at the beginning of a word, else a closing one."""
    return "``" if not before or before.isspace() or before in "([{" else "''"
