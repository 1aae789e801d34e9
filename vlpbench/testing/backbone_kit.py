"""All checks of backbones by name, and how to run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vlpbench.contract.wiring import Stem, Trunk
from vlpbench.testing.backbone_decoding import check_cache, check_one_picture_many_captions, check_select
from vlpbench.testing.backbone_grid import check_backbone_smoke_grid
from vlpbench.testing.backbone_laws import (
    check_backbone_padding,
    check_backbone_samples_apart,
    check_context_sees,
    check_decode_is_causal,
    check_fused_sees_both,
    check_nothing_to_see,
    check_pictures_see_no_text,
    check_visible,
)
from vlpbench.testing.backbone_shapes import (
    check_backbone_metadata,
    check_backbone_state,
    check_only_asked_weights,
    check_rows,
    check_same_seed_same_weights,
    check_shapes,
    check_unit_vectors,
    check_words,
)
from vlpbench.testing.backbone_subject import BackboneSubject, backbone_subject_of
from vlpbench.testing.findings import Check, Finding, ask, find
from vlpbench.testing.foundations import standing_on
from vlpbench.testing.pytest_support import parametrized
from vlpbench.testing.seed_axis import check_seed_axis
from vlpbench.testing.stem_laws import (
    check_stem_argument,
    check_stem_gradients,
    check_stem_grid,
    check_stem_repeats,
    check_stem_samples_apart,
    check_stem_sizes,
)

if TYPE_CHECKING:
    import pytest

__all__ = ["backbone_checks", "check_backbone", "parametrize_backbone_checks", "trunk_checks"]

_FOUNDATIONS = ("metadata", "shapes")

_CHECKS: Mapping[str, Check] = MappingProxyType(standing_on(_FOUNDATIONS, {
    "metadata": check_backbone_metadata,
    "shapes": check_shapes,
    "unit-vectors": check_unit_vectors,
    "words": check_words,
    "rows": check_rows,
    "only-asked-weights": check_only_asked_weights,
    "same-seed-same-weights": check_same_seed_same_weights,
    "state-round-trip": check_backbone_state,
    "pictures-see-no-text": check_pictures_see_no_text,
    "not-pad-sensitive": check_backbone_padding,
    "samples-apart": check_backbone_samples_apart,
    "fused-sees-both": check_fused_sees_both,
    "decode-is-causal": check_decode_is_causal,
    "context-sees": check_context_sees,
    "visible-obeyed": check_visible,
    "nothing-to-see": check_nothing_to_see,
    "cache-equals-no-cache": check_cache,
    "select": check_select,
    "one-picture-many-captions": check_one_picture_many_captions,
    "seed-axis": check_seed_axis,
    "stem-grid": check_stem_grid,
    "stem-repeats": check_stem_repeats,
    "stem-samples-apart": check_stem_samples_apart,
    "stem-gradients": check_stem_gradients,
    "stem-sizes": check_stem_sizes,
    "stem-argument": check_stem_argument,
    "smoke-grid": check_backbone_smoke_grid,
}))


def backbone_checks() -> dict[str, Check]:
    """name -> a function that takes a trunk or stem class (or a BackboneSubject) and raises CheckFailed."""
    return {name: partial(_on, name, check) for name, check in _CHECKS.items()}


def trunk_checks() -> dict[str, Check]:
    """The same without those of a stem by itself, which a trunk that is checked behind linear patches need not pass."""
    return {name: check for name, check in backbone_checks().items() if not name.startswith("stem-")}


def _on(name: str, check: Check, backbone: Any) -> str | None:
    return ask(name, check, backbone_subject_of(backbone))


def check_backbone(
    trunk: type[Trunk], stem: type[Stem] | None = None, config: Any = None, *, only: Iterable[str] = ()
) -> list[Finding]:
    """The findings of all checks (or of those named in `only`) on a trunk behind a stem (linear patches) at nano size.

    `config` is an instance of the trunk's settings, None for its defaults.
    """
    subject = BackboneSubject(trunk, config=config) if stem is None else BackboneSubject(trunk, stem, config)
    return find(_CHECKS, subject, only)


def parametrize_backbone_checks(
    backbones: Sequence[Any], expected_failures: Mapping[str, str] | None = None, only: Iterable[str] = ()
) -> pytest.MarkDecorator:
    """A decorator that gives `test(backbone, check)` each of these backbones with each check; call check(backbone).

    `backbones` are trunk classes, stem classes or BackboneSubjects; `expected_failures` and `only` as for objectives.
    """
    named = [(one.name, one) for one in map(backbone_subject_of, backbones)]
    return parametrized("backbone", named, backbone_checks(), expected_failures or {}, only)
