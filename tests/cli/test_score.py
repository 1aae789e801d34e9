"""`vlpbench score` as it is typed: tables, JSON, rows in files, what it says to mistakes, and that it is light."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vlpbench.cli.main import main
from vlpbench.cli.score import score
from vlpbench.metrics import VERSION
from vlpbench.metrics.captions import caption_scores
from vlpbench.records.predictions import read_predictions

LIGHT = """
import sys
from vlpbench.cli.main import main
code = main(sys.argv[1:])
heavy = {"torch", "pandas", "timm", "sklearn", "scipy", "transformers"} & set(sys.modules)
sys.exit(code or (f"imported {heavy}" if heavy else 0))
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A small file of every kind, by name."""
    scores = np.random.default_rng(0).normal(size=(6, 12)).astype(np.float32)
    made = {
        "vqa.json": {"annotations": [
            {"question_id": q, "question_type": "what", "answer_type": "other", "answers": [{"answer": "two"}] * 10}
            for q in (5, 3)
        ]},
        "answers.json": [{"question_id": 3, "answer": "2"}, {"question_id": 5, "answer": "two"}],
        "captions.json": {"annotations": [
            {"image_id": i, "caption": text} for i, text in ((8, "A dog runs."), (2, "A cat."), (2, "The cat sits."))
        ]},
        "said.json": [{"image_id": 2, "caption": "a cat"}, {"image_id": 8, "caption": "a dog runs"}],
    }
    for name, value in made.items():
        (tmp_path / name).write_text(json.dumps(value))
    np.save(tmp_path / "s.npy", scores)
    np.save(tmp_path / "m.npy", scores * 2)
    np.save(tmp_path / "t.npy", np.repeat(np.arange(6), 2))
    return {path.name: str(path) for path in tmp_path.iterdir()}


@pytest.fixture
def words(files) -> dict[str, list[str]]:
    """Command -> how it is typed."""
    return {
        "vqa": ["score", "vqa", "--annotations", files["vqa.json"], "--predictions", files["answers.json"]],
        "captioning": ["score", "captioning", "--annotations", files["captions.json"], "--predictions",
                       files["said.json"], "--metrics", "Bleu_1,CIDEr"],
        "retrieval": ["score", "retrieval", "--scores", files["s.npy"], "--txt2img", files["t.npy"]],
    }


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("vqa", {"overall", "per_answer_type", "per_question_type", "questions", "unit"}),
        ("captioning", {"Bleu_1", "CIDEr", "images", "reasons", "unit"}),
        ("retrieval", {"TR@1", "TR@5", "TR@10", "IR@1", "IR@5", "IR@10", "rsum", "TR_median", "IR_median", "TR_mean",
                       "IR_mean", "TR_tied", "IR_tied", "images", "texts", "ties", "folds", "rerank", "unit"}),
    ],
)
def test_json_is_one_object_with_its_unit_and_the_version_of_the_metrics(words, capsys, command, keys):
    assert main([*words[command], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert keys <= set(found)
    assert found["metric_set"] == VERSION


def test_vqa_scores_are_nested_by_rule_and_unrounded(words, capsys, files):
    rows = json.loads(Path(files["vqa.json"]).read_text())
    rows["annotations"].append({**rows["annotations"][0], "question_id": 7})
    Path(files["vqa.json"]).write_text(json.dumps(rows))
    said = json.loads(Path(files["answers.json"]).read_text())
    Path(files["answers.json"]).write_text(json.dumps([*said, {"question_id": 7, "answer": "no"}]))
    assert main([*words["vqa"], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["overall"] == {"always": pytest.approx(200 / 3, abs=1e-12), "2016": 0, "2021": pytest.approx(100 / 3)}
    assert found["per_answer_type"]["other"] == found["per_question_type"]["what"] == found["overall"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("vqa", ["VQA accuracy, percent", "always", "2016", "2021", "questions", "100.00"]),
        ("captioning", ["Bleu_1", "CIDEr is pycocoevalcap's, which is CIDEr-D", "scale: pycocoevalcap's"]),
        ("retrieval", ["R@k in percent", "TR (image to text)", "gallery: 6 images and 12 texts", "ties: expected"]),
    ],
)
def test_people_see_a_table_with_units_and_rules(words, capsys, command, said):
    assert main(words[command]) == 0
    shown = capsys.readouterr().out
    assert [one for one in said if one not in shown] == []


@pytest.mark.parametrize(("command", "count"), [("vqa", 2), ("captioning", 2), ("retrieval", 18)])
@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_rows_are_written_beside_the_scores(words, capsys, tmp_path, command, count, suffix):
    path = tmp_path / f"rows{suffix}"
    assert main([*words[command], "--json", "--per-example", str(path)]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) and f"{count} rows written to" in shown.err
    lines = path.read_text().splitlines() if suffix == ".jsonl" else []
    rows = [json.loads(line) for line in lines] if lines else read_predictions(path)
    assert len(rows) == count
    if command == "vqa":
        assert [(row["question_id"], row["always"], row["2021"]) for row in rows] == [(5, 1, 1), (3, 1, 0)]


def test_a_wrong_suffix_is_found_out_before_scoring(words, capsys, tmp_path):
    words["vqa"][3] = str(tmp_path / "not there.json")
    assert main([*words["vqa"], "--per-example", str(tmp_path / "rows.csv")]) == 2
    assert "did you mean 'rows.jsonl'?" in capsys.readouterr().err


def test_rows_never_take_the_place_of_a_file_that_is_read(words, capsys, files):
    before = Path(files["answers.json"]).read_text()
    assert main([*words["vqa"], "--per-example", files["answers.json"]]) == 2
    assert "would overwrite answers.json, which is read as --predictions" in capsys.readouterr().err
    assert Path(files["answers.json"]).read_text() == before


def test_reranking_names_k_and_rule(words, capsys, files):
    assert main([*words["retrieval"], "--rerank", files["m.npy"], "--k", "3", "--rule", "match+vector"]) == 0
    assert "top 3 of each query, in each direction its own, re-ranked by match + vector" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "change", "said"),
    [
        ("vqa", ("answers.json", "vqa.json"), "vqa.json holds VQA annotations, not VQA predictions"),
        ("vqa", ("answers.json", "said.json"), "said.json holds caption predictions, not VQA predictions"),
        ("captioning", ("captions.json", "vqa.json"), "vqa.json holds VQA annotations, not caption annotations"),
        ("retrieval", ("s.npy", "t.npy"), "not images x texts"),
        ("retrieval", ("s.npy", "said.json"), "is not .npy"),
    ],
)
def test_mistakes_are_said_with_place_and_remedy(words, capsys, files, command, change, said):
    old, new = (files[name] for name in change)
    assert main([new if word == old else word for word in words[command]]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and said in shown.err and "where: --" in shown.err and "Traceback" not in shown.err


@pytest.mark.parametrize("command", ["vqa", "captioning"])
def test_a_swapped_pair_is_recognised(words, capsys, command):
    typed = words[command]
    typed[3], typed[5] = typed[5], typed[3]
    assert main(typed) == 2
    shown = capsys.readouterr().err
    assert "--annotations and --predictions are swapped" in shown and f"give --annotations {typed[5]}" in shown


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("vqa", ["VizWiz", "TextVQA", "GQA", "percent", "vlpbench score vqa --annotations", "--vocabulary"]),
        ("captioning", ["0 to 1", "CIDEr-D", "--subset", "METEOR", "vlpbench score captioning --annotations"]),
        ("retrieval", ["percent", "--rerank", "--ties", "vlpbench score retrieval --scores"]),
    ],
)
def test_help_teaches(capsys, command, said):
    assert main(["score", command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert [one for one in said if one not in shown] == []


def test_no_average_of_batches_can_be_asked_for(capsys):
    """CIDEr of batches is another number: there is no way to ask for it, and one score comes from one pair of files."""
    names = {option.name for option in score.commands["captioning"].params}
    assert names == {"annotations", "predictions", "metrics", "tokenizer", "spice", "subset", "as_json", "per_example"}
    assert not any(option.multiple for option in score.commands["captioning"].params)
    assert list(inspect.signature(caption_scores).parameters) == [
        "predictions", "references", "metrics", "tokenizer", "spice"
    ]
    assert main(["score", "captioning", "--help"]) == 0
    assert "do not average" in " ".join(capsys.readouterr().out.split())


def test_a_misspelt_command_is_guessed(capsys):
    assert main(["score", "captoning"]) == 2
    assert "captioning" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["vqa", "captioning", "retrieval"])
def test_commands_are_light(words, tmp_path, command):
    typed = [*words[command], "--json", "--per-example", str(tmp_path / "rows.parquet")]
    done = subprocess.run([sys.executable, "-c", LIGHT, *typed], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
