"""A BERT encoder's weights (arXiv 1810.04805) under the names of our post-norm text tower, which computes the same.

What BERT has and the tower has not, and why no number changes:
- A bias of the keys adds q.b to all logits of a query alike, and the softmax over them does not see a constant.
- The token type of a single segment is 0 at all places: its vector is added to each row of the position table.
- Pooler and language-model head belong to BERT's own losses.

BERT's rows begin with [CLS]; those of a data set here do not, so a word stands one place earlier than BERT had it. The
table is not shifted for that: a row with [CLS] before it gives BERT's numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.errors import UserError
from vlpbench.parts.attention import Attention
from vlpbench.parts.post_norm import BERT_EPS
from vlpbench.parts.resize import resized_words
from vlpbench.training.fitted import Fitted, initial_weights, listed, other_shapes

__all__ = ["fit_text"]

_TOWER = "text_tower."
_LAYER = {
    "attention.self.query": "attention.query", "attention.self.key": "attention.key",
    "attention.self.value": "attention.value", "attention.output.dense": "attention.out",
    "attention.output.LayerNorm": "attention_norm", "intermediate.dense": "mlp.0", "output.dense": "mlp.2",
    "output.LayerNorm": "mlp_norm",
}
"""Modules of one layer: BERT's name -> ours."""
_OUTSIDE = ("pooler.", "cls.", "embeddings.position_ids")
_OTHER = "init.text takes encoders of model_type \"bert\" alone"


def fit_text(backbone: Backbone, folder: Path) -> Fitted:
    """The word table and the text tower from a folder of `model.safetensors` and `config.json`.

    Needs a trunk with `text_norm = "post"` and the encoder's width, heads and layers; whatever differs is a UserError
    that says so. Where nobody asked for the text tower, the word table alone is taken.
    """
    config = _config(folder / "config.json")
    weights = _plain_names(initial_weights(folder / "model.safetensors"))
    tower = _tower(backbone)
    if tower is not None:
        _must_agree(backbone, tower, config, folder)
    found, used = _embeddings(weights, backbone, tower, folder)
    if tower is not None:
        for number in range(config["num_hidden_layers"]):
            for theirs, ours in _LAYER.items():
                for kind in ("weight", "bias"):
                    name = f"encoder.layer.{number}.{theirs}.{kind}"
                    used.add(name)
                    if name != f"encoder.layer.{number}.attention.self.key.bias":
                        found[f"{_TOWER}blocks.{number}.{ours}.{kind}"] = _get(weights, name, folder)
    rest = sorted(weights.keys() - used)
    strange = [name for name in rest if not name.startswith(_OUTSIDE)]
    if tower is not None and strange:
        raise UserError(f"the file has weights that BERT has not: {listed(strange)}", str(folder), _OTHER)
    mine = backbone.state_dict()
    if wrong := other_shapes(found, mine):
        raise UserError(f"the weights do not have the shapes that config.json says: {listed(wrong)}", str(folder),
                        "take model.safetensors and config.json from one model")
    places = len(weights["embeddings.position_embeddings.weight"])
    now = len(mine[f"{_TOWER}positions.weight"]) if tower is not None else places
    resized = (f"{_TOWER}positions.weight {places} -> {now}",) if now != places else ()
    return Fitted(found, tuple(rest), resized)


def _config(path: Path) -> dict[str, Any]:
    """What config.json says of a BERT; any other kind of model is a UserError."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind = config.get("model_type")
        read = {name: int(config[name]) for name in
                ("hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"cannot read the configuration of a text encoder: {error!r}", str(path), _OTHER) from error
    if kind != "bert":
        offset = "; it counts positions from 2, BERT from 0" if "roberta" in str(kind) else ""
        raise UserError(f"the text encoder is of model_type {kind!r}{offset}", str(path), _OTHER)
    expected = {"hidden_act": "gelu", "layer_norm_eps": BERT_EPS, "position_embedding_type": "absolute",
                "intermediate_size": 4 * read["hidden_size"]}
    for name, value in expected.items():
        if config.get(name, value) != value:
            raise UserError(f"{name} is {config[name]!r}, and the text tower computes {value!r}", str(path), _OTHER)
    return read


def _plain_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the prefix "bert.", in fp32; norms of the first releases are called gamma and beta."""
    found = {}
    for name, value in weights.items():
        plain = name.removeprefix("bert.")
        for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
            plain = plain.removesuffix(old) + new if plain.endswith(old) else plain
        found[plain] = value.float() if value.is_floating_point() else value
    return found


def _tower(backbone: Backbone) -> nn.Module | None:
    """The post-norm text tower; None where its trunk has one that nobody asked for. UserError for other trunks."""
    kind = getattr(getattr(backbone, "config", None), "text_norm", None)
    if kind is None:
        raise UserError(
            f"the trunk {backbone.name!r} has no text tower that a BERT could be loaded into", "init.text",
            'take the trunk dual or dual-fusion, with text_norm = "post" in its [trunk.NAME]',
        )
    if kind != "post":
        raise UserError(
            "the text tower is pre-norm, and BERT is post-norm", "init.text",
            f'set [trunk.{backbone.name}] text_norm = "post"',
        )
    return getattr(backbone, "text_tower", None)


def _must_agree(backbone: Backbone, tower: nn.Module, config: Mapping[str, int], folder: Path) -> None:
    """UserError that says which of width, heads and layers differ, and what to set."""
    heads = {module.heads for module in tower.modules() if isinstance(module, Attention)}
    mine = {"hidden_size": backbone.spec.width, "num_attention_heads": next(iter(heads), 0),
            "num_hidden_layers": len(tower.blocks)}  # type: ignore[arg-type]
    wrong = [f"{name} is {config[name]}, here {value}" for name, value in mine.items() if config[name] != value]
    if wrong:
        raise UserError(
            f"the text encoder is of another size: {'; '.join(wrong)}", str(folder),
            f"take a backbone whose text tower is {config['hidden_size']} wide and has {config['num_attention_heads']} "
            f"heads and {config['num_hidden_layers']} layers (BERT-base fits the trunk dual of size base)",
        )


def _embeddings(
    weights: Mapping[str, Tensor], backbone: Backbone, tower: nn.Module | None, folder: Path
) -> tuple[dict[str, Tensor], set[str]]:
    """Word table, positions and their norm, and BERT's names of what was taken."""
    names = [f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")]
    words, positions, types = (_get(weights, name, folder) for name in names)
    size = backbone.spec.vocabulary.size
    if len(words) < size:
        raise UserError(
            f"the word table has {len(words)} rows, and the tokenizer {size} ids", str(folder),
            "take model.safetensors and tokenizer.json from one model",
        )
    if words.shape[1] != backbone.spec.width:
        raise UserError(f"hidden_size is {words.shape[1]}, here {backbone.spec.width}", str(folder),
                        f"take a size (the last part of `backbone`) that is {words.shape[1]} wide")
    found = {"words.weight": words[:size]}  # some files have more rows than words, for speed
    if tower is None:
        return found, set(names)
    length = len(tower.positions.weight)  # type: ignore[arg-type, union-attr]
    found[f"{_TOWER}positions.weight"] = resized_words(positions + types[0], length)
    norm = "embeddings.LayerNorm"
    for kind in ("weight", "bias"):
        found[f"{_TOWER}embedding_norm.{kind}"] = _get(weights, f"{norm}.{kind}", folder)
    return found, {*names, f"{norm}.weight", f"{norm}.bias"}


def _get(weights: Mapping[str, Tensor], name: str, folder: Path) -> Tensor:
    try:
        return weights[name]
    except KeyError:
        raise UserError(f"the text encoder has no {name!r}", str(folder), _OTHER) from None
