"""Weights of a timm model for a stem `timm:NAME`, under the names that timm gives them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.errors import UserError
from vlpbench.training.fitted import Fitted, initial_weights, listed, other_shapes

__all__ = ["NET", "fit_stem", "resize_net"]

NET = "stem.net."
"""How the names of a timm model's weights begin in a backbone."""


def fit_stem(backbone: Backbone, path: Path) -> Fitted:
    """The net of the backbone's stem from a file; the projection behind it stays as it was drawn.

    Weights of the classifier are left out. Position tables are resized by timm's own function where the model has one;
    any other difference of names or shapes is a UserError.
    """
    stem = getattr(backbone, "stem", None)
    net = getattr(stem, "net", None)
    if getattr(stem, "name", "") != "timm" or not isinstance(net, nn.Module):
        raise UserError(
            f"init.stem holds weights of a timm model, and this backbone's stem is {getattr(stem, 'name', 'none')!r}",
            "init.stem", "take a stem timm:NAME in `backbone`, or leave init.stem out",
        )
    held, mine = initial_weights(path), net.state_dict()
    dropped = [name for name in held if _below(name, _classifier(net))]
    given = {name: value for name, value in held.items() if name not in dropped}
    remedy = "set image.size to the size that the weights were trained at"
    resized = resize_net(net, given, str(path), remedy)
    wrong = other_shapes(given, mine)
    wrong += [f"{name} is not in the file" for name in sorted(mine.keys() - given.keys())]
    wrong += [f"{name} is only in the file" for name in sorted(given.keys() - mine.keys())]
    if wrong:
        raise UserError(f"the weights are not those of this stem: {listed(wrong)}", str(path),
                        "name the file of the very timm model that `backbone` names, at any picture size")
    return Fitted({NET + name: value for name, value in given.items()}, tuple(sorted(dropped)), resized)


def _classifier(net: nn.Module) -> tuple[str, ...]:
    """Names of the modules that a model classifies with."""
    config: Any = getattr(net, "pretrained_cfg", None) or {}
    names = config.get("classifier") or ()
    return (names,) if isinstance(names, str) else tuple(names)


def _below(name: str, modules: Iterable[str]) -> bool:
    return any(name.startswith(module + ".") for module in modules)


def resize_net(net: nn.Module, given: dict[str, Tensor], place: str, remedy: str) -> tuple[str, ...]:
    """Bring position tables of other sizes to the net's, in place, as timm does when it loads; returns their names.

    timm's function may change more (it resamples the patches of a model with other patches, too): only tables of
    positions are taken from it. Where it cannot, that is a UserError, in which `place` and `remedy` are told.
    """
    mine = net.state_dict()
    tables = [
        name for name in given
        if "pos" in name.rpartition(".")[2] and name in mine and given[name].shape != mine[name].shape
    ]
    resize = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    if not tables or resize is None:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch's, of how timm indexes: nothing a user could mend
            found = resize(dict(given), net)
    except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"timm cannot resize the position tables: {error}", place, remedy) from error
    given.update({name: found[name] for name in tables if name in found})
    return tuple(f"{NET}{name}" for name in tables)
