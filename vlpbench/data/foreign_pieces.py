"""The `tokenizer.json` of a BERT-like encoder (Hugging Face's format), read so that texts cannot spell special tokens.

Its own template, truncation and padding are left out: rows here are words, then EOS, then padding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vlpbench.types import Vocabulary

__all__ = ["foreign_library", "foreign_pieces", "foreign_vocabulary", "is_foreign"]

_NAMES = {"pad": "[PAD]", "bos": "[CLS]", "eos": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"}
_NOBODYS = "[no piece {}]"
_UNUSED = re.compile(r"\[unused(\d+)\]")


def is_foreign(held: Any) -> bool:
    """Whether this is what a `tokenizer.json` holds, and not one of ours."""
    return isinstance(held, dict) and "model" in held and "format" not in held


def foreign_pieces(held: Mapping[str, Any]) -> list[str]:
    """All pieces by id; an id that no piece has gets a name that no text can spell. ValueError if it is damaged."""
    numbers = dict(foreign_library(held).get_vocab(with_added_tokens=False))
    for token in held.get("added_tokens") or ():
        numbers.setdefault(token["content"], int(token["id"]))
    size = 1 + max(numbers.values(), default=-1)
    if len(set(numbers.values())) != len(numbers) or min(numbers.values(), default=0) < 0 or size > 2 * len(numbers):
        raise ValueError("its ids do not number its pieces")
    pieces = [_NOBODYS.format(number) for number in range(size)]
    for piece, number in numbers.items():
        pieces[number] = piece
    return pieces


def foreign_vocabulary(pieces: Sequence[str], sentinels: int) -> Vocabulary:
    """Its special ids: [PAD], [CLS] as BOS, [SEP] as EOS, [UNK], [MASK]; the first of [unused0] ... are `sentinels`."""
    number_of = {piece: number for number, piece in enumerate(pieces)}
    missing = [name for name in _NAMES.values() if name not in number_of]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}; only tokenizers with BERT's special tokens can be used")
    unused = sorted((int(found[1]), number) for piece, number in number_of.items()
                    if (found := _UNUSED.fullmatch(piece)))
    return Vocabulary(
        size=len(pieces), **{name: number_of[piece] for name, piece in _NAMES.items()},
        sentinels=tuple(number for _, number in unused[:sentinels]),
    )


def foreign_library(held: Mapping[str, Any]) -> Any:
    """The library's tokenizer: normaliser, cutting, pieces and decoder as the file says, and nothing else of it.

    Added tokens are left out as well: they would be found in texts. ValueError if the library cannot read the file.
    """
    import tokenizers
    from tokenizers import decoders

    bare = dict(held) | {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
    try:
        made = tokenizers.Tokenizer.from_str(json.dumps(bare))
    except Exception as error:  # noqa: BLE001 the library raises nothing more special
        raise ValueError(f"the library cannot read it: {error}") from None
    if made.decoder is None and held["model"].get("type") == "WordPiece":
        made.decoder = decoders.WordPiece()
    return made
