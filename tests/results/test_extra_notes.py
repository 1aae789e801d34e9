"""What is said of a plugin's metric under a table."""

from __future__ import annotations

from typing import Any

from vlpbench.results.extra_notes import extra_notes
from vlpbench.results.rescorable import version_notes


def scores(left_out: int, version: int = 1, **changes: Any) -> dict[str, Any]:
    told = {
        "version": version, "better": "lower", "left_out": left_out, "plugin": "honest.py", "distribution": "",
        "release": "", **changes,
    }
    return {"tasks": {"captioning": {"examples": 1_200, "values": {}, "extras": {"length": told}}, "vqa": {}}}


def test_direction_origin_and_what_is_left_out() -> None:
    line = "captioning length: lower is better; a plugin's metric, version 1 of honest.py"
    assert extra_notes([scores(0)]) == [line]
    assert extra_notes([scores(3), scores(3)]) == [f"{line}; 3 of 1,200 predictions left out"]
    assert extra_notes([scores(0), scores(7)]) == [f"{line}; 0 to 7 of 1,200 predictions left out"]


def test_an_installed_plugin_is_named_with_its_release() -> None:
    (line,) = extra_notes([scores(0, distribution="vlpbench-honest", release="0.2")])
    assert line.endswith("version 1 of vlpbench-honest 0.2")


def test_without_extra_metrics_nothing_is_said() -> None:
    assert extra_notes([{"tasks": {"vqa": {"values": {}}, "retrieval": {"reason": "n/a"}}}]) == []


def test_versions_that_differ_are_told_with_the_command(tmp_path: Any) -> None:
    found = [("a", tmp_path, {**scores(0), "metrics": 2}), ("b", tmp_path, {**scores(0, version=2), "metrics": 2})]
    (line,) = version_notes(found)
    assert "length was measured by different versions" in line and "version 1: a; version 2: b" in line
    assert f"vlpbench run score {tmp_path}" in line
    assert version_notes(found[:1]) == []
