from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from vlpbench.plugin import API_VERSION, Dataset, Objective, Stem, Step, Trunk
from vlpbench.registry import load_registry
from vlpbench.registry.checks import Unfit, check_component


class Good(Objective):
    name = "good"

    def encode(self, backbone, batch):
        return {}

    def loss(self, features, batch):
        return Step(features["x"])


def variant(**facts: Any) -> type[Objective]:
    return type("Variant", (Good,), facts)


def complaint(kind: str, cls: Any) -> Unfit:
    with pytest.raises(Unfit) as caught:
        check_component(kind, cls)
    return caught.value


def test_all_of_ours_keep_the_contract():
    registry = load_registry()
    checked = [(kind, one.value) for (kind, _), one in registry.components.items() if kind not in ("grid", "recipe")]
    assert len(checked) > 8
    for kind, cls in checked:
        check_component(kind, cls)


@dataclass(frozen=True)
class Fine:
    rate: float = 1
    names: tuple[str, ...] = ("a",)
    mode: Literal["a", "b"] = "a"
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Melted:
    rate: float = 1.0


@dataclass(frozen=True)
class Odd:
    made: Any = field(default_factory=object)


@dataclass(frozen=True)
class Mismatched:
    rate: int = "three"  # type: ignore[assignment]


@dataclass(frozen=True)
class Unresolved:
    rate: Nowhere = 3  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    "facts",
    [{}, {"config_class": Fine}, {"api_version": API_VERSION}, {"requires": ("json",)}, {"needs": {"decode"}},
     {"welcomes": {"fused_tokens"}}, {"teacher": 0.995}, {"coupled": "all"}, {"coupled": 2},
     {"uses": ("pairs", "texts")}, {"wants": ("boxes",)}, {"trains": {"vectors"}}],
)
def test_what_keeps_the_contract_passes(facts):
    assert check_component("objective", variant(**facts)) is None


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"name": "Bad_Name"}, "name is 'Bad_Name'", "lower-case letters"),
        ({"name": 3}, "name is 3", "lower-case"),
        ({"version": "1"}, "version is '1'", "whole number"),
        ({"version": True}, "version is True", "whole number"),
        ({"api_version": API_VERSION + 1}, "plugin contract 2; this vlpbench has 1", "upgrade vlpbench"),
        ({"api_version": 0}, "plugin contract 0", "ask for a release"),
        ({"requires": "json"}, "requires is 'json'", "a tuple of import names"),
        ({"requires": ("json", "no_such_thing", "no.such")}, "missing module no_such_thing, no.such", "pip install"),
        ({"config_class": dict}, "config_class is <class 'dict'>", "@dataclass(frozen=True)"),
        ({"config_class": Fine()}, "config_class is Fine(", "@dataclass(frozen=True)"),
        ({"config_class": Melted}, "Melted is not frozen", "frozen=True"),
        ({"config_class": Odd}, "the default of Odd.made", "tuples of them"),
        ({"config_class": Mismatched}, "the default of Mismatched.rate must be a whole number", "agree"),
        ({"config_class": Unresolved}, "types of Unresolved cannot be told", "import"),
        ({"needs": "decode"}, "needs is 'decode'", "a set of names"),
        ({"needs": {"decoding"}}, "needs names 'decoding'", "did you mean 'decode'?"),
        ({"welcomes": {"decoding"}}, "welcomes names 'decoding'", "did you mean 'decode'?"),
        ({"teacher": 1}, "teacher is 1", "between 0 and 1"),
        ({"teacher": 1.0}, "teacher is 1.0", "between 0 and 1"),
        ({"teacher": True}, "teacher is True", "or None"),
        ({"coupled": "some"}, "coupled is 'some'", '"all"'),
        ({"coupled": 1}, "coupled is 1", "from 2 on"),
        ({"coupled": True}, "coupled is True", "from 2 on"),
        ({"uses": {"images"}}, "uses names 'images'", "pairs, texts"),
        ({"trains": {"vector"}}, "trains names 'vector'", "'vectors'"),
        ({"loss": lambda self, features: None}, "(self, features) instead of (self, features, batch)", "def loss"),
        ({"loss": lambda self, *args: None}, "takes (self, *args)", "def loss(self, features, batch)"),
        ({"corrupt": lambda batch, rng, config: {}}, "must be under @staticmethod", "corrupt(batch, rng, config)"),
        ({"corrupt": staticmethod(lambda batch, rng: {})}, "takes (batch, rng) instead of", "def corrupt"),
        ({"encode": classmethod(lambda cls, backbone, batch: {})}, "must not be under @classmethod", "encode"),
        ({"__init__": lambda self, spec, config: None}, "__init__ takes (self, spec, config)", "(self, config, spec)"),
    ],
)
def test_what_breaks_the_contract_is_said(facts, cause, remedy):
    wrong = complaint("objective", variant(**facts))
    assert cause in str(wrong)
    assert remedy in wrong.remedy


def test_a_class_that_lacks_methods_is_refused():
    lacking = type("Lacking", (Objective,), {"name": "lacking"})
    assert "lacks encode, loss" in str(complaint("objective", lacking))


@pytest.mark.parametrize(
    ("thing", "cause", "remedy"),
    [(3, "3 is no class", "subclasses of vlpbench.plugin.Objective"), (dict, "no subclass of Objective", "derive"),
     ("good", "'good' is no class", "subclasses")],
)
def test_what_is_no_objective_is_refused(thing, cause, remedy):
    wrong = complaint("objective", thing)
    assert cause in str(wrong)
    assert remedy in wrong.remedy


def test_an_instance_is_not_a_class():
    assert "without ()" in complaint("objective", Good(None, None)).remedy


def test_a_trunk_must_have_the_methods_it_offers():
    ours = load_registry().trunk("dual")
    wrong = type("Liar", (ours,), {"name": "liar", "offers": frozenset({"decode"})})
    assert "offers 'decode' but has no method" in str(complaint("trunk", wrong))
    assert issubclass(ours, Trunk)


def test_a_trunk_says_its_settings_as_an_objective_does():
    ours = load_registry().trunk("dual")
    assert check_component("trunk", type("Set", (ours,), {"name": "set", "config_class": Fine})) is None
    wrong = type("Melting", (ours,), {"name": "melting", "config_class": Melted})
    assert "Melted is not frozen" in str(complaint("trunk", wrong))


@dataclass(frozen=True)
class Shared:
    share: float = 1.0


def test_a_data_set_has_no_setting_that_all_data_sets_have():
    ours = load_registry().dataset("coco")
    wrong = complaint("data set", type("Mine", (ours,), {"name": "mine", "config_class": Shared}))
    assert "has a setting 'share', which every data set has" in str(wrong)


def test_stems_and_data_sets_are_held_to_their_contract():
    stem = type("MyStem", (Stem,), {"name": "mine", "forward": lambda self, x: x})
    assert "takes (self, x) instead of (self, images)" in str(complaint("stem", stem))
    data = type("MyData", (Dataset,), {"name": "mine", "config_class": Fine})
    assert "lacks fingerprint, images, read, splits" in str(complaint("data set", data))
