"""Scores on terminals of other encodings, and rows that cannot be written."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from vlpbench.cli.main import main


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A score of questions whose types are named in two alphabets and on two lines."""
    names = ("quel é", "何\n色")
    annotations = [{"question_id": at, "question_type": name, "answer_type": "other", "answers": ["yes"] * 10}
                   for at, name in enumerate(names)]
    (tmp_path / "a.json").write_text(json.dumps({"annotations": annotations}))
    (tmp_path / "p.json").write_text(json.dumps([{"question_id": at, "answer": "yes"} for at in range(2)]))
    return ["score", "vqa", "--annotations", str(tmp_path / "a.json"), "--predictions", str(tmp_path / "p.json")]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
def test_any_encoding_of_stdout_gets_the_same_scores(words, monkeypatch, encoding):
    def printed(*more: str) -> str:
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
        assert main([*words, *more]) == 0
        return raw.getvalue().decode(encoding)

    found = json.loads(printed("--json"))
    assert set(found["per_question_type"]) == {"quel é", "何\n色"} and found["overall"]["always"] == 100
    table = printed()
    assert "question type: quel é" in table
    assert ("question type: 何\\n色" if encoding == "utf-8" else r"question type: \u4f55\n\u8272") in table


def test_rows_that_cannot_be_written_are_an_error_of_usage(words, monkeypatch, tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text("before")

    def full(path: Path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vlpbench.scoring.per_example.written_whole", full)
    assert main([*words, "--per-example", str(tmp_path / "rows.jsonl")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "No space left on device" in err and "rows.jsonl" in err
    assert (tmp_path / "rows.jsonl").read_text() == "before"


@pytest.mark.parametrize("folder", ["missing/deeper", "."])
def test_a_missing_folder_is_made(words, tmp_path, folder, capsys):
    target = tmp_path / folder / "rows.jsonl"
    assert main([*words, "--per-example", str(target)]) == 0
    assert len(target.read_text().splitlines()) == 2 and "2 rows" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x" * 300 + ".jsonl", "x" * 300 + "/rows.jsonl"])
def test_names_that_the_system_refuses(words, tmp_path, name, capsys):
    assert main([*words, "--per-example", str(tmp_path / name)]) == 2
    assert "cannot be written: File name too long" in capsys.readouterr().err
