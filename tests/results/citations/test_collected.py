"""What results used is cited, what a plugin brings too, and what is not known is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.plugin import Metric, Objective
from vlpbench.registry import Component, Origin, Registry, load_registry
from vlpbench.results import load
from vlpbench.results.citations import Citation, citations, citations_text, known_entries, parse


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def keys(found: list[Citation], what: str) -> list[str]:
    (one,) = [one for one in found if one.what == what]
    return [entry.key for entry in one.entries]


def with_objective(registry: Registry, name: str, cites: Any) -> Registry:
    """The same with one more objective."""
    cls = type("Mine", (Objective,), {"name": name, "cites": cites})
    component = Component("objective", name, cls, Origin("mine", "mine", "1"))
    return replace(registry, components={**registry.components, ("objective", name): component})


def test_all_that_our_classes_cite_is_known(registry: Registry) -> None:
    cited = {key for one in registry.components.values() for key in getattr(one.value, "cites", ())}
    assert cited <= set(known_entries())
    silent = {name for (kind, name), one in registry.components.items()
              if kind in ("objective", "stem", "trunk") and not one.value.cites}
    assert silent == {"none"}


def test_what_has_nothing_to_cite_is_named(registry: Registry, grid: Any) -> None:
    """Nothing that was used is passed over in silence."""
    grid.done("a", 0, {"accuracy": 1.0, "exact": 2.0},
              settings={"objective": "none", "sources": {"shapes": {"kind": "shapes"}}})
    said = citations_text(citations(load(grid.folder), registry)).splitlines()[-1]
    assert said.startswith("% nothing of their own to cite is known of: objective none")
    assert "data shapes (kind shapes)" in said and "metric vqa exact" in said and "accuracy" not in said


def test_every_recipe_of_ours_has_a_known_paper(registry: Registry, grid: Any) -> None:
    for name in registry.names("recipe"):
        assert name.startswith("simvlm")
    backbone = "conv3/encoder-decoder/small"
    grid.done("a", 0, {"accuracy": 1.0}, settings={"backbone": backbone})
    found = citations(load(grid.folder), registry)
    assert keys(found, "recipe simvlm-small (or its objective and backbone)") == ["wang2022simvlm"]


def test_parts_and_metrics_that_were_used(registry: Registry, grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0, "CIDEr": 1.0, "SPICE": None},
              settings={"objective": "contrastive + 2*prefix-lm", "sources": {"digits": {"kind": "digits"}}})
    found = citations(load(grid.folder), registry)
    assert keys(found, "objective contrastive") == ["radford2021clip"]
    assert keys(found, "objective prefix-lm") == ["wang2022simvlm"]
    assert keys(found, "stem conv3") == ["he2016resnet", "wightman2019timm"]
    assert keys(found, "data digits (kind digits)") == ["alpaydin1998digits", "pedregosa2011sklearn"]
    assert keys(found, "metric vqa accuracy") == ["antol2015vqa", "goyal2017vqa2"]
    assert keys(found, "metric captioning CIDEr") == ["vedantam2015cider"]
    assert not [one for one in found if "SPICE" in one.what], "no cell has a value of it"
    assert not [one for one in found if "Holm" in one.what], "one seed is never tested"


def test_tests_are_cited_where_seeds_allow_them_and_papers_where_numbers_are_published(
    registry: Registry, grid: Any
) -> None:
    grid.published = {"a": {"vqa.accuracy": 60.0}}
    for row in ("a", "b"):
        for seed in range(2):
            grid.done(row, seed, {"accuracy": 50.0 + seed})
    found = citations(load(grid.folder), registry)
    assert any(one.entries[0].key == "holm1979" for one in found if one.entries)
    (said,) = [one for one in found if one.what.startswith("published numbers")]
    assert "the grid names none" in said.remark


def test_form_files_are_told_by_their_names(registry: Registry, grid: Any) -> None:
    sources = {
        "web": {"kind": "table", "folder": "cc3m", "tables": {"train": "pairs.tsv"}},
        "own": {"kind": "table", "folder": "ours"},
        "pairs": {"kind": "karpathy", "file": "dataset_flickr30k.json"},
        "far": {"kind": "satellites"},
    }
    grid.done("a", 0, {"accuracy": 1.0}, settings={"sources": sources})
    found = citations(load(grid.folder), registry)
    assert keys(found, "data web (kind table)") == ["sharma2018cc3m"]
    assert keys(found, "data pairs (kind karpathy)") == ["karpathy2015splits", "young2014flickr30k"]
    text = citations_text(found)
    assert "% data own (kind table): whose data these are is not told" in text
    assert "% data far (kind satellites): its kind is not installed here" in text


def test_a_plugin_brings_its_own_entry(registry: Registry, grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, settings={"objective": "mine"})
    entry = "@misc{me2030mine,\n  author = {Me},\n  title = {Mine},\n  year = {2030},\n}"
    text = citations_text(citations(load(grid.folder), with_objective(registry, "mine", (entry, "devlin2019bert"))))
    assert f"% objective mine\n{entry}" in text
    assert {"me2030mine", "devlin2019bert"} <= {one.key for one in parse(text)}


def test_a_plugins_metric_says_itself_what_to_cite(registry: Registry, grid: Any) -> None:
    values = {"CIDEr": 0.5, "caption-length": 8.0, "unmeasured": None}
    grid.done("a", 0, {"CIDEr": 0.5}, task={"values": values})

    class Length(Metric):
        name, tasks, cites = "caption-length", frozenset({"captioning"}), ("devlin2019bert",)

        def values(self, rows: Any) -> Any:
            return [1.0 for _ in rows]

    brought = Component("metric", Length.name, Length, Origin("length", "", ""))
    known = replace(registry, components={**registry.components, ("metric", Length.name): brought})
    found = {one.what: one for one in citations(load(grid.folder), known)}
    assert keys(list(found.values()), "metric caption-length") == ["devlin2019bert"]
    assert "metric captioning caption-length" not in found and "metric unmeasured" not in found
    assert "not installed here" in {
        one.what: one for one in citations(load(grid.folder), registry)
    }["metric caption-length"].remark


@pytest.mark.parametrize(("cites", "said"), [
    ("radford2021clip", "is no tuple of texts"),
    (("nobody1999",), "names 'nobody1999'"),
    (("@misc{x, year = {1}",), "cannot be read: the braces"),
    (("@misc{wang2022simvlm, year = 1}",), "its own entry 'wang2022simvlm' is left out"),
])
def test_what_is_wrong_with_cites_is_a_comment(registry: Registry, grid: Any, cites: Any, said: str) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, settings={"objective": "mine"})
    text = citations_text(citations(load(grid.folder), with_objective(registry, "mine", cites)))
    (line,) = [line for line in text.splitlines() if line.startswith("% objective mine: ")]
    assert said in line


def test_a_plugin_that_is_gone_is_said_and_comments_hold_no_at(registry: Registry, grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, settings={"objective": "gone", "init": {"stem": "me@home"}})
    text = citations_text(citations(load(grid.folder), registry))
    assert "% objective gone: it is not installed here" in text
    assert "me(at)home" in text
    assert all("@" not in line for line in text.splitlines() if line.startswith("%"))
    assert len(parse(text)) == len({one.key for one in parse(text)})


def test_of_two_plugins_with_one_key_the_second_is_left_out(registry: Registry, grid: Any) -> None:
    both = with_objective(registry, "one", ("@misc{same, year = 1}",))
    both = with_objective(both, "two", ("@misc{same, year = 2}",))
    grid.done("a", 0, {"accuracy": 1.0}, settings={"objective": "one + two"})
    text = citations_text(citations(load(grid.folder), both))
    assert "% objective two: its entry 'same' is left out" in text
    assert [one.fields["year"] for one in parse(text) if one.key == "same"] == ["1"]


def test_cite_as_it_is_typed(grid: Any, capsys: pytest.CaptureFixture[str]) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    assert main(["cite"]) == 0
    alone = capsys.readouterr()
    assert [one.key for one in parse(alone.out)] == ["vlpbench"]
    assert "--all" in alone.err
    assert main(["cite", str(grid.folder)]) == 0
    assert "wang2022simvlm" in {one.key for one in parse(capsys.readouterr().out)}
    assert main(["cite", "--all"]) == 0
    assert {one.key for one in parse(capsys.readouterr().out)} == set(known_entries())
    assert main(["cite", str(grid.folder / "nothing")]) == 2
