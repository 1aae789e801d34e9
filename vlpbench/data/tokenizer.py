"""Words to numbers: byte-level byte pairs learnt from the training split, in which no text can spell a special token.

Special ids come first (pad, bos, eos, unk, mask, 32 sentinels) and the pieces after them. The underlying library knows
the pieces alone, so a caption that says "<mask>" is just seven characters. The `tokenizer.json` of a text encoder
(`vlpbench.data.foreign_pieces`) keeps its own ids, special ones included, and obeys the same rules.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vlpbench.config.settings import TextSettings
from vlpbench.data.errors import DataError
from vlpbench.data.foreign_pieces import foreign_library, foreign_pieces, foreign_vocabulary, is_foreign
from vlpbench.files import digest, write_json
from vlpbench.types import Vocabulary

__all__ = ["SENTINELS", "Tokenizer", "normal"]

SENTINELS = 32
"""How many ids stand for spans."""

_SPECIAL = 5 + SENTINELS
_PAD, _BOS, _EOS, _UNK, _MASK = range(5)
_BYTES = 256
_REMEMBERED = 1 << 20
"""Texts whose pieces are remembered, at most: about a kilobyte each."""
_FORMAT = "vlpbench byte pairs 1"
_FOREIGN = "vlpbench foreign pieces 1"


class Tokenizer:
    """A fixed set of pieces. Equal pieces, equal digest; made by `train` or `load`."""

    is_settled: ClassVar[bool] = True
    """Whether the digest decides every row, so that rows may be kept."""

    def __init__(self, pieces: Sequence[str], merges: Sequence[tuple[str, str]], lowercase: bool) -> None:
        """`pieces` in the order of their ids (in the library's byte alphabet), `merges` in the order of their use."""
        self.pieces, self.merges, self.lowercase = tuple(pieces), tuple(merges), lowercase
        self._cut: dict[str, list[int]] = {}
        self._foreign: Mapping[str, Any] | None = None
        self._before = _SPECIAL  # ids before the first piece
        self.vocabulary = Vocabulary(
            size=_SPECIAL + len(self.pieces), pad=_PAD, bos=_BOS, eos=_EOS, unk=_UNK, mask=_MASK,
            sentinels=tuple(range(5, _SPECIAL)),
        )

    @classmethod
    def foreign(cls, library: Mapping[str, Any]) -> Tokenizer:
        """A BERT-like tokenizer as its `tokenizer.json` says it: it keeps its ids, and EOS is its [SEP].

        `pieces` are all its tokens by id. Raises ValueError if it lacks one of [PAD] [CLS] [SEP] [UNK] [MASK].
        """
        made = cls(foreign_pieces(library), (), lowercase=False)  # its own normaliser lower-cases, if any does
        made._foreign, made._before, made.vocabulary = library, 0, foreign_vocabulary(made.pieces, SENTINELS)
        return made

    @classmethod
    def train(cls, texts: Iterable[str], settings: TextSettings) -> Tokenizer:
        """Learn pieces from texts; equal texts in any order give equal pieces.

        Raises DataError if `settings.vocabulary` has no room for the special ids and the 256 bytes, or if there is no
        text at all. A small corpus may give fewer ids than asked for.
        """
        from tokenizers import models, trainers

        least = _SPECIAL + _BYTES
        if settings.vocabulary < least:
            raise DataError(f"a vocabulary of {settings.vocabulary} ids is too small", "text.vocabulary",
                            f"give at least {least}: {_SPECIAL} special ids and one for each byte")
        written = [normal(text, settings.lowercase) for text in texts]
        if not any(written):
            raise DataError("there is no text to learn a vocabulary from", "the training split", "add captions")
        learner = _library(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=settings.vocabulary - _SPECIAL, show_progress=False, special_tokens=[],
            initial_alphabet=_alphabet(),
        )
        learner.train_from_iterator(written, trainer=trainer)
        model = json.loads(learner.to_str())["model"]
        pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
        pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
        return cls(pieces, [(left, right) for left, right in pairs], settings.lowercase)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of all that decides how a text is cut."""
        return digest(self._written())

    @functools.cached_property
    def _model(self) -> Any:
        from tokenizers import models

        if self._foreign is not None:
            return foreign_library(self._foreign)
        numbers = {piece: number for number, piece in enumerate(self.pieces)}
        return _library(models.BPE(vocab=numbers, merges=list(self.merges)))

    def encode(self, texts: Sequence[str], length: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Tokens N, T and mask N, T (True on pieces and EOS) of texts, right-padded to `length` = T.

        A text of more than T - 1 pieces is cut; EOS ends it all the same. `lengths` tells which were.
        """
        if length < 1:
            raise ValueError(f"a row has room for the end of sentence at least, not {length}")
        tokens = np.full((len(texts), length), self.vocabulary.pad, np.int64)
        mask = np.zeros((len(texts), length), np.bool_)
        for row, pieces in enumerate(self._pieces(texts)):
            kept = pieces[: length - 1]
            tokens[row, : len(kept)] = np.array(kept, np.int64) + self._before
            tokens[row, len(kept)] = self.vocabulary.eos
            mask[row, : len(kept) + 1] = True
        return tokens, mask

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """N: tokens of each text, EOS included, before anything is cut."""
        return np.array([len(pieces) + 1 for pieces in self._pieces(texts)], np.int64)

    def cut(self, texts: Sequence[str], length: int) -> int:
        """How many of the texts `encode` would cut at `length` tokens."""
        return int((self.lengths(texts) > length).sum())

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """The library's numbers for each text. A text is cut once: every task of a cell asks for the same ones."""
        if len(self._cut) + len(texts) > _REMEMBERED:
            self._cut = {}
        known = self._cut  # another thread may begin a new one meanwhile
        new = list(dict.fromkeys(text for text in texts if text not in known))
        written = [normal(text, self.lowercase) for text in new]
        found = self._model.encode_batch(written, add_special_tokens=False)
        known.update(zip(new, (self._written_by_nobody(one.ids) for one in found), strict=True))
        return [known[text] for text in texts]

    def _written_by_nobody(self, numbers: list[int]) -> list[int]:
        """Foreign pieces hold the special ones, too: where a text spells one of them, it is unknown."""
        if self._before:
            return numbers
        special = self.vocabulary.special
        return [self.vocabulary.unk if number in special else number for number in numbers]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of a row of ids: up to EOS, without special ids. ValueError for an id that does not exist."""
        numbers, special = [], self.vocabulary.special
        for number in (int(number) for number in ids):
            if number == self.vocabulary.eos:
                break
            if not 0 <= number < self.vocabulary.size:
                raise ValueError(f"id {number} is outside the vocabulary of {self.vocabulary.size}")
            if number not in special:
                numbers.append(number - self._before)
        text: str = self._model.decode(numbers, skip_special_tokens=False)
        return text.removeprefix(" ")

    def save(self, path: Path) -> None:
        """Write the tokenizer as JSON, whole or not at all."""
        write_json(path, {**self._written(), "digest": self.digest})

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read what `save` wrote, or the `tokenizer.json` of a BERT-like encoder.

        DataError if it is missing, damaged or something else.
        """
        remedy = "delete it; it is made again"
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            if is_foreign(held):
                remedy = "name the tokenizer.json of a BERT-like encoder"
                return cls.foreign(held)
            if held["format"] not in (_FORMAT, _FOREIGN):
                raise ValueError(f"its format is {held['format']!r}, not {_FORMAT!r}")
            made = cls.foreign(held["library"]) if held["format"] == _FOREIGN else cls(
                held["pieces"], [(left, right) for left, right in held["merges"]], held["lowercase"])
            if made.digest != held["digest"]:
                raise ValueError("its contents are not what was written")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path.name} is not a tokenizer: {error}", str(path), remedy) from None
        return made

    def _written(self) -> Mapping[str, Any]:
        if self._foreign is not None:
            return {"format": _FOREIGN, "library": self._foreign}
        return {"format": _FORMAT, "lowercase": self.lowercase, "pieces": self.pieces, "merges": self.merges}


def normal(text: str, lowercase: bool) -> str:
    """A text as it is learnt and cut: white space at both ends gone, lower-cased if wanted, writable as UTF-8."""
    text = text.strip()
    if lowercase:
        text = text.lower()
    return text.encode("utf-8", "replace").decode("utf-8")


def _library(model: Any) -> Any:
    """The library's tokenizer around a model: a space before the first word, so that words have one form everywhere."""
    import tokenizers
    from tokenizers import decoders, pre_tokenizers

    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)
    made.decoder = decoders.ByteLevel()
    return made


def _alphabet() -> list[str]:
    """The library's 256 characters that stand for bytes, in a fixed order."""
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())
