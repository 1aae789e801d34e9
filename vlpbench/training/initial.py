"""What a backbone starts from instead of chance: weights and tokenizer that `[init]` names.

A checkpoint of ours comes first, the net of a timm stem and a text encoder stand above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlpbench.config.settings import Init
from vlpbench.contract.abilities import Backbone
from vlpbench.data.initial_files import initial_files
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.errors import UserError
from vlpbench.training.bert_weights import fit_text
from vlpbench.training.fitted import Fitted
from vlpbench.training.own_weights import fit_checkpoint
from vlpbench.training.timm_weights import fit_stem

__all__ = ["Started", "initial_tokenizer", "start_from"]


@dataclass(frozen=True)
class Started:
    """What a backbone took from the files of `[init]`, by the names of its weights."""

    loaded: tuple[str, ...] = ()
    """What came from a file."""
    drawn: tuple[str, ...] = ()
    """What no file had: as it was drawn from the seed."""
    unused: Mapping[str, tuple[str, ...]] | None = None
    """"checkpoint", "stem" or "text" -> names in that file that this backbone has no use for."""
    resized: tuple[str, ...] = ()
    """Position tables of another size, each with both sizes."""

    def told(self) -> dict[str, Any]:
        """For the record: how many weights were loaded, what was resized, and the parts drawn and unused."""
        return {
            "loaded": len(self.loaded),
            "drawn": _parts(self.drawn),
            "unused": {kind: _parts(names) for kind, names in (self.unused or {}).items() if names},
            "resized": list(self.resized),
        }


def start_from(backbone: Backbone, init: Init, vocabulary: str = "") -> Started:
    """Load what `init` names into a backbone that was just built; with nothing named, nothing changes.

    `vocabulary` is the digest of the tokenizer in use: a checkpoint of another one is refused. Every file is read and
    compared before a weight is changed. Raises UserError: a file that cannot be read or holds code, weights of other
    shapes or of another model, settings that do not fit them.
    """
    _one_tokenizer(init)
    files = initial_files(init)
    fitted: dict[str, Fitted] = {}
    if "checkpoint" in files:
        fitted["checkpoint"] = fit_checkpoint(backbone, files["checkpoint"][0], vocabulary)
    if "stem" in files:
        fitted["stem"] = fit_stem(backbone, files["stem"][0])
    if "text" in files:
        fitted["text"] = fit_text(backbone, files["text"][0].parent)
    if not fitted:
        return Started(drawn=tuple(sorted(backbone.state_dict())))
    weights = {name: value for one in fitted.values() for name, value in one.weights.items()}
    backbone.load_state_dict(weights, strict=False)
    return Started(
        loaded=tuple(sorted(weights)),
        drawn=tuple(sorted(backbone.state_dict().keys() - weights.keys())),
        unused={kind: one.unused for kind, one in fitted.items()},
        resized=tuple(said for one in fitted.values() for said in one.resized),
    )


def initial_tokenizer(init: Init) -> Tokenizer | None:
    """The tokenizer that the words of `init` were learnt with; None where the cell trains its own.

    That of the text encoder, or the `tokenizer.json` beside a checkpoint's weights; a UserError if it cannot be read.
    """
    _one_tokenizer(init)
    files = initial_files(init)
    for kind in ("checkpoint", "text"):
        if kind in files:
            return Tokenizer.load(files[kind][-1])
    return None


def _one_tokenizer(init: Init) -> None:
    if init.checkpoint and init.text:
        raise UserError("init.checkpoint and init.text both bring a tokenizer, and a word table has one", "init",
                        "name one of the two")


def _parts(names: tuple[str, ...]) -> list[str]:
    """First words of names, below "backbone." the second: what a reader wants to know of hundreds of weights."""
    return sorted({name.removeprefix("backbone.").partition(".")[0] for name in names})
