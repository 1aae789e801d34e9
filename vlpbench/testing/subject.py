"""What an objective is checked on: the class, its settings, the trunk, and where its batches come from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vlpbench.backbones import vlpbench_trunks
from vlpbench.contract.abilities import Backbone
from vlpbench.contract.objective import Objective, group_of
from vlpbench.contract.teacher import Teacher
from vlpbench.contract.wiring import Trunk
from vlpbench.parts.init import seeded
from vlpbench.streams import seed_of
from vlpbench.testing.fields import field_batches
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.tiny import LENGTH, tiny_backbone, tiny_batches
from vlpbench.types import Batch

__all__ = ["BackboneMaker", "Subject", "subject_of"]

BackboneMaker = Callable[[frozenset[str], int], Backbone]
"""(abilities, seed) -> a backbone with them."""

_PREFERRED = ("encoder-decoder", "dual-fusion", "dual", "decoder-only")
"""The order in which built-in trunks are tried."""


@dataclass(frozen=True)
class Subject:
    """An objective, ready to be checked."""

    cls: type[Objective]
    """The class."""
    config: Any
    """Its settings."""
    trunks: Sequence[type[Trunk]] = ()
    """Trunks to try, in this order; the first that offers all that is needed is taken. Empty for the built-in ones."""
    make: BackboneMaker | None = None
    """An author's own backbone; None for a nano one."""
    given: Mapping[str, Batch] | None = None
    """An author's own batches by kind, before `corrupt`, `images` as arrays; None for tiny ones."""

    @property
    def author(self) -> type[Objective]:
        """The class that is to be mended where a check fails."""
        return self.cls

    @property
    def coupled(self) -> Any:
        """None, a number of samples, "all", or both."""
        return self.cls.coupled_with(self.config)

    @property
    def group(self) -> int:
        """The smallest number of neighbouring samples that may stand alone in a batch."""
        return group_of(self.coupled)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of batches it uses; CheckSkipped where there are none."""
        if not self.cls.uses:
            raise CheckSkipped("trains-nothing")
        return tuple(sorted(self.cls.uses))

    @property
    def trunk(self) -> type[Trunk]:
        """The first trunk that offers all that is needed."""
        ours = sorted(vlpbench_trunks(), key=lambda one: _PREFERRED.index(one.name) if one.name in _PREFERRED else 9)
        needs = self.cls.needs_with(self.config)
        for trunk in self.trunks or ours:
            if needs <= trunk.offers_with(trunk.config_class()):
                return trunk
        tried = ", ".join(trunk.name for trunk in self.trunks or ours)
        raise CheckFailed(f"no trunk offers {', '.join(sorted(needs))} (tried: {tried})", "say trunks=(YourTrunk,)")

    @property
    def offers(self) -> frozenset[str]:
        """What its backbone can be built with."""
        if self.make is not None:
            return self.make(self.cls.needs_with(self.config), 0).offers
        trunk = self.trunk
        return trunk.offers_with(trunk.config_class())

    def backbone(self, seed: int = 0, more: frozenset[str] = frozenset(), taught: bool = True) -> Backbone:
        """A backbone with the abilities that are needed and `more`, in evaluation mode; with a teacher if `taught`.

        It has a teacher even where none is declared: one check says so, and not each of them.
        """
        abilities = frozenset(self.cls.needs_with(self.config)) | more
        backbone = self._made(abilities, seed)
        if taught:
            self.teach(backbone, seed + 100)
        return backbone.eval()

    def teach(self, backbone: Backbone, seed: int) -> None:
        """Give a backbone a teacher with weights of another seed, frozen as the loop's are."""
        average = self._made(backbone.abilities, seed)
        backbone.taught_by(Teacher(average.eval().requires_grad_(False), "teacher"))

    def _made(self, abilities: frozenset[str], seed: int) -> Backbone:
        if self.make is not None:
            return self.make(abilities, seed)
        return copy.deepcopy(_tiny(self.trunk, abilities, seed))

    def objective(self, backbone: Backbone, seed: int = 0) -> Objective:
        """The objective with weights drawn as a cell draws them, in evaluation mode."""
        with seeded(seed_of(seed, f"init/objective/{self.cls.name}")):
            return self.cls(self.config, backbone.spec).eval()

    @property
    def samples(self) -> int:
        """B: at least six, and two, four or more whole groups."""
        pair = 2 * self.group
        return pair * -(-6 // pair)

    def hosts(
        self, seed: int = 0, samples: int | None = None, length: int = LENGTH, words: Sequence[int] | None = None
    ) -> dict[str, Batch]:
        """The batches of the kinds it uses, before `corrupt`; of an author's own, the first rows."""
        return self.hosts_of(self.kinds, seed, samples, length, words)

    def hosts_of(
        self, kinds: Sequence[str], seed: int = 0, samples: int | None = None, length: int = LENGTH,
        words: Sequence[int] | None = None,
    ) -> dict[str, Batch]:
        """The same, of any kinds: who learns from texts alone may be evaluated with pictures."""
        many = self.samples if samples is None else samples
        if self.given is not None:
            lacking = [kind for kind in kinds if kind not in self.given]
            if any(kind in self.cls.uses for kind in lacking):
                raise CheckFailed(f"the batches given have no {', '.join(lacking)}", "give one of each kind in `uses`")
            if lacking:
                raise CheckSkipped("own-batches", f"they have no {', '.join(lacking)}")
            return {kind: self.given[kind].rows(slice(0, many)) for kind in kinds}
        if self.cls.wants:
            made = field_batches(tuple(self.cls.wants), many, length, words, seed, self.cls.views)
        else:
            made = tiny_batches(many, length, words, seed, views=self.cls.views)
        return {kind: made[kind] for kind in kinds}


@lru_cache(maxsize=16)
def _tiny(trunk: type[Trunk], abilities: frozenset[str], seed: int) -> Backbone:
    """Built once, as the checks of one objective ask for the same few backbones again and again; always copied."""
    return tiny_backbone(abilities, trunk, seed=seed)


def subject_of(given: Any) -> Subject:
    """A Subject as it is; an objective class with its default settings; an objective with its own."""
    if isinstance(given, Subject):
        return given
    if isinstance(given, Objective):
        return Subject(type(given), given.config)
    if isinstance(given, type) and issubclass(given, Objective):
        return Subject(given, given.config_class())
    raise TypeError(f"an objective class is checked, not {given!r}")
