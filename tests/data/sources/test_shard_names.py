"""Patterns of file names: ranges, lists and wild cards, in order, within the folder."""

from __future__ import annotations

import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.sources.shard_names import expanded, shard_names


@pytest.mark.parametrize(("pattern", "names"), [
    ("a.tar", ["a.tar"]),
    ("a-{08..11}.tar", ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]),
    ("a-{8..11}.tar", ["a-8.tar", "a-9.tar", "a-10.tar", "a-11.tar"]),
    ("a-{0..1}.tar", ["a-0.tar", "a-1.tar"]),
    ("{a,b}/{0..1}.tar", ["a/0.tar", "a/1.tar", "b/0.tar", "b/1.tar"]),
    ("a{,b}.tar", ["a.tar", "ab.tar"]),
])
def test_braces(pattern, names):
    assert expanded(pattern, "here") == names


@pytest.mark.parametrize("pattern", ["a{.tar", "a}.tar", "a{}.tar", "a{1}.tar", "{2..1}", "{0..99999999}", "{{a,b},c}",
                                     "{0..999}{0..999}{0..9}", "{-1..3}", "{a..c}", "{1..2..3}"])
def test_braces_that_say_nothing(pattern):
    with pytest.raises(DataError) as caught:
        expanded(pattern, "data kind 'shards': shards.train")
    assert caught.value.place == "data kind 'shards': shards.train"
    assert caught.value.remedy


def test_wild_cards_are_sorted_and_each_file_comes_once(tmp_path):
    for name in ("b.tar", "a.tar", "c.txt", "d/e.tar"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert shard_names(tmp_path, "*.tar", "here") == ["a.tar", "b.tar"]
    assert shard_names(tmp_path, "{b,*}.tar", "here") == ["b.tar", "a.tar"]
    assert shard_names(tmp_path, "**/*.tar", "here") == ["a.tar", "b.tar", "d/e.tar"]
    assert shard_names(tmp_path, "[ab].tar", "here") == ["a.tar", "b.tar"]
    assert shard_names(tmp_path, "gone.tar", "here") == ["gone.tar"]  # whoever opens it says that it is missing


def test_wild_cards_without_files(tmp_path):
    with pytest.raises(DataError, match="no file is called as in"):
        shard_names(tmp_path, "*.tar", "here")
    with pytest.raises(DataError, match="'gone' does not exist"):
        shard_names(tmp_path / "gone", "*.tar", "here")


@pytest.mark.parametrize("pattern", ["{.,a}{.,b}/x.tar", "{/,a}etc/x.tar", "{..,a}/*.tar"])
def test_braces_do_not_lead_out(tmp_path, pattern):
    with pytest.raises(DataError, match="not a name below"):
        shard_names(tmp_path, pattern, "here")
