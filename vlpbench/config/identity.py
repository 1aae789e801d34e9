"""A cell's id: the hash of the settings that decide its numbers, of versions and of data, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlpbench.config.measured import without_extras
from vlpbench.config.settings import CellSettings
from vlpbench.config.typed import plain, typed
from vlpbench.files import digest

__all__ = ["cell_id", "settings_from_plain", "settings_to_plain"]

_PLACES = frozenset({"folder"})
"""Keys of a data set that say where its files are; what is in them is in the fingerprint. So it is for `[init]`."""


_LATER: Mapping[tuple[str, str], Any] = {
    ("budget", "captions"): 1,  # one caption of a picture a step, as in all cells before it could be more
    ("text", "lengths"): "one",  # all texts padded to one length, as before
}
"""Settings that came after the first records, with the value that is as if there were none."""


def settings_to_plain(settings: CellSettings) -> dict[str, Any]:
    """The settings as JSON has them in records and in all that is hashed.

    A later setting is left out where it changes nothing: ids, stages and records stay those of before.
    """
    whole: dict[str, Any] = plain(settings)
    for (table, name), usual in _LATER.items():
        if whole[table][name] == usual:
            del whole[table][name]
    for protocol in whole["protocol"].values():
        if protocol["size"] in (0, whole["image"]["size"]):  # pictures of pretraining's size, as before
            del protocol["size"]
    return whole


def settings_from_plain(whole: Mapping[str, Any]) -> CellSettings:
    """The settings that `settings_to_plain` wrote; WrongValue if these are none."""
    settings = typed(CellSettings, dict(whole))
    assert isinstance(settings, CellSettings)
    return settings


def cell_id(settings: CellSettings, versions: Mapping[str, Any], fingerprints: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits that are equal for equal numbers to come.

    `versions` are those of objectives, stem, trunk, kinds of data sets and the metric set, `fingerprints` those of the
    data sets by name, and of the files of `[init]`. Extra metrics are left out: they decide no number of the suite.
    """
    whole = settings_to_plain(without_extras(settings))
    del whole["init"]
    sources = whole["sources"]
    whole["sources"] = {
        name: {key: value for key, value in source.items() if key not in _PLACES} for name, source in sources.items()
    }
    return digest({"settings": whole, "versions": plain(versions), "data": dict(fingerprints)})[:12]
