"""Names of claims and their files, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.records.claim_files import content_at, file_of, generations, stem_of, stems, temporaries


def test_a_name_that_can_be_a_file_name_stays_itself() -> None:
    assert stem_of("pretrain-0f3a") == "pretrain-0f3a"
    assert file_of("pretrain-0f3a", 12) == "pretrain-0f3a-000012.json"


@pytest.mark.parametrize(
    ("one", "other"), [("a/b", "a-b"), ("a b", "a/b"), ("x" * 300, "x" * 301), ("", "x"), ("-a", "a")]
)
def test_names_that_read_alike_are_told_apart(one: str, other: str) -> None:
    assert stem_of(one) != stem_of(other)
    assert len(file_of(stem_of(one), 10**9)) + 18 < 255, "with room for the name of its temporary"


def test_files_are_those_of_the_name_alone(tmp_path: Path) -> None:
    for name in ("a-000001.json", "a-000003.json", "a-1000000.json", "a-000001-000002.json", "ab-000001.json"):
        (tmp_path / name).write_text(name)
    for name in ("a-1.json", "a-000009.txt", ".a-000004.json", "-000001.json", "a-000005.json.x", "000006.json"):
        (tmp_path / name).write_text("no claim")
    assert {one: content.decode() for one, content in generations(tmp_path, "a").items()} == {
        1: "a-000001.json", 3: "a-000003.json", 1_000_000: "a-1000000.json"
    }
    assert list(generations(tmp_path, "a-000001")) == [2]
    assert stems(tmp_path) == ["a", "a-000001", "ab"]
    assert generations(tmp_path / "nowhere", "a") == {} and stems(tmp_path / "nowhere") == []


def test_a_file_that_the_listing_misses_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a listing may that is taken while a file is replaced."""
    for generation in (1, 2):
        (tmp_path / file_of("a", generation)).write_text("held")
    monkeypatch.setattr(Path, "iterdir", lambda path: iter([path / file_of("a", 1)]))
    assert list(generations(tmp_path, "a")) == [1, 2]


def test_what_cannot_be_read_is_there_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a-000001.json").mkdir()
    assert content_at(tmp_path / "a-000001.json") == b"" and content_at(tmp_path / "b") is None
    assert generations(tmp_path, "a") == {1: b""}


def test_half_written_files_tell_whose_they_are(tmp_path: Path) -> None:
    half = tmp_path / ".a-000001.json.0f"
    for path in (half, tmp_path / "a-000001.json", tmp_path / ".a-000001.json.tmp", tmp_path / ".notes.0f"):
        path.touch()
    assert list(temporaries(tmp_path)) == [(half, tmp_path / "a-000001.json", "0f")]
