"""Whether the settings that a component declares can stand in a grid file, and come back from a record as they were."""

from __future__ import annotations

import dataclasses
from typing import Any

from vlpbench.config.settings import Portion
from vlpbench.config.typed import WrongValue, described, fields_of, plain, required, typed
from vlpbench.registry.explain import said
from vlpbench.registry.standing import Unfit

__all__ = ["check_config", "check_own_keys"]

_PLAIN = "use bool, int, float, str, tuples of them, Literal"


def check_config(cls: type) -> None:
    """Raise Unfit unless the config class of a component can be written in a grid file and kept in a record."""
    config = getattr(cls, "config_class", None)
    if not isinstance(config, type) or not dataclasses.is_dataclass(config):
        raise Unfit(f"{cls.__name__}.config_class is {config!r}", "it is a class under @dataclass(frozen=True)")
    if not getattr(config, "__dataclass_params__").frozen:  # noqa: B009 (unknown to mypy)
        raise Unfit(f"{config.__name__} is not frozen", "write @dataclass(frozen=True)")
    try:
        kinds = fields_of(config)
    except (NameError, TypeError, AttributeError) as wrong:
        cause = f"the types of {config.__name__} cannot be told: {wrong}"
        raise Unfit(cause, "import them at the top of the file") from wrong
    for one in dataclasses.fields(config):
        if one.init:
            _check_default(config, one, kinds[one.name])
    if not required(config):
        _check_all_defaults(config)


def _check_default(config: type, one: dataclasses.Field[Any], kind: Any) -> None:
    """A default goes into JSON and comes back as it was; otherwise a record could not tell what was run."""
    if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
        return
    try:
        value = one.default_factory() if one.default_factory is not dataclasses.MISSING else one.default
    except Exception as wrong:
        cause = f"the default of {config.__name__}.{one.name} cannot be made: {said(wrong)}"
        raise Unfit(cause, "let its default_factory need nothing") from wrong
    try:
        same = typed(kind, plain(value)) == value
    except WrongValue as wrong:
        raise Unfit(f"the default of {config.__name__}.{one.name} {wrong}", "let type and default agree") from wrong
    except Exception as wrong:
        cause = f"{config.__name__}.{one.name} has a type that no file can say: {described(kind)}"
        raise Unfit(cause, _PLAIN) from wrong
    if not same:
        raise Unfit(f"the default of {config.__name__}.{one.name}, {value!r}, cannot be written as JSON", _PLAIN)


def _check_all_defaults(config: type) -> None:
    """A class that refuses its own defaults could not be used without settings."""
    try:
        config()
    except Exception as wrong:
        raise Unfit(f"{config.__name__} refuses its own defaults: {said(wrong)}", "let them agree") from wrong


def check_own_keys(cls: type) -> None:
    """The keys that every data set has are not those of its kind."""
    taken = sorted(set(fields_of(getattr(cls, "config_class"))) & {*fields_of(Portion), "kind"})  # noqa: B009
    if taken:
        raise Unfit(f"{cls.__name__} has a setting {taken[0]!r}, which every data set has", "call it otherwise")
