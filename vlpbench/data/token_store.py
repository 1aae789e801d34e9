"""The tokens of many texts, made once: an array in the cache, filed under a hash of the texts and of the tokenizer.

`KEY.npy` (M, 1 + T int32) holds the length of each text before any cut, then its tokens; `KEY.json`, written last, has
its checksum. Each is written whole or not at all; what is damaged is made anew. Axes: M texts, T tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlpbench.data.cached import checksum, turn
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.files import digest, write_json, written_whole

__all__ = ["Encoded", "encoded"]

VERSION = 1
"""Raised when the same texts and tokenizer give other tokens, or the file another form."""

_WORTH = 1000
"""Texts below which cutting them is as fast as opening files."""

_TOGETHER = 1 << 14
"""Texts that are cut together, so that no more of them are held as lists of numbers."""

_SHORTEST = 2
"""Least T: a piece and the end of the sentence."""


@dataclass(frozen=True)
class Encoded:
    """Texts as tokens: what `Tokenizer.encode` says at T = the longest text, or `length` where that is less."""

    tokens: NDArray[np.int32]
    """M, T: read-only and memory-mapped where it is kept; right-padded."""
    lengths: NDArray[np.int64]
    """M: tokens of each text, end of sentence included, before any cut."""
    said: NDArray[np.bool_] | None = None
    """The mask as the tokenizer says it, where the lengths do not."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """M, T: True on pieces and EOS."""
        if self.said is not None:
            return self.said
        shown: NDArray[np.bool_] = np.arange(self.tokens.shape[1]) < self.lengths[:, None]
        return shown


def encoded(texts: Sequence[str], tokenizer: Tokenizer, length: int, cache: Path | None) -> Encoded:
    """The tokens of these texts (at least one), at most `length` each, from the cache folder if they are there.

    `cache` None keeps nothing, and so does a tokenizer whose digest does not decide its rows. Two processes may call
    this at once: one cuts the texts, the other waits. A cache that cannot be written costs time alone.
    """
    if not tokenizer.is_settled:  # rows and mask as an outside model makes them
        tokens, mask = tokenizer.encode(texts, length)
        return Encoded(tokens.astype(np.int32), tokenizer.lengths(texts), mask)
    if cache is None or len(texts) < _WORTH:
        return _cut(texts, tokenizer, length)
    path = cache / "tokens" / f"{_key(texts, tokenizer, length)}.npy"
    found = _opened(path, len(texts))
    if found is not None:
        return found
    try:
        with turn(path):
            found = _opened(path, len(texts))
            if found is None:
                _keep(path, _cut(texts, tokenizer, length))
                found = _opened(path, len(texts))
    except OSError:  # a full disk, or a folder that is not ours
        found = None
    return _cut(texts, tokenizer, length) if found is None else found


def _key(texts: Sequence[str], tokenizer: Tokenizer, length: int) -> str:
    said = hashlib.sha256()
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        said.update(b"%d:" % len(raw))  # so that no two lists read the same
        said.update(raw)
    library = version("tokenizers")
    how = {"version": VERSION, "library": library, "tokenizer": tokenizer.digest, "length": length}
    return digest({**how, "texts": said.hexdigest()})[:32]


def _cut(texts: Sequence[str], tokenizer: Tokenizer, length: int) -> Encoded:
    lengths, parts = [], []
    for start in range(0, len(texts), _TOGETHER):
        some = texts[start : start + _TOGETHER]
        lengths.append(tokenizer.lengths(some))
        parts.append(tokenizer.encode(some, _widest(lengths[-1], length))[0].astype(np.int32))
    found = np.concatenate(lengths)
    tokens = np.full((len(texts), _widest(found, length)), tokenizer.vocabulary.pad, np.int32)
    for start, part in zip(range(0, len(texts), _TOGETHER), parts, strict=True):
        tokens[start : start + len(part), : part.shape[1]] = part
    return Encoded(tokens, found)


def _widest(lengths: NDArray[np.int64], length: int) -> int:
    return max(_SHORTEST, min(length, int(lengths.max())))


def _keep(path: Path, made: Encoded) -> None:
    with written_whole(path) as temporary:
        np.save(temporary, np.concatenate([made.lengths[:, None].astype(np.int32), made.tokens], axis=1))
        crc = checksum(temporary)
    write_json(path.with_suffix(".json"), {"version": VERSION, "texts": len(made.lengths), "checksum": crc})


def _opened(path: Path, texts: int) -> Encoded | None:
    """What is kept at `path` if it is there and undamaged as far as a quick look can tell."""
    try:
        index = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if index["version"] != VERSION or index["checksum"] != checksum(path):
            return None
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
        if rows.dtype != np.int32 or rows.ndim != 2 or rows.shape[0] != texts or rows.shape[1] <= _SHORTEST:
            return None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    return Encoded(rows.view(np.ndarray)[:, 1:], np.array(rows[:, 0], np.int64))
