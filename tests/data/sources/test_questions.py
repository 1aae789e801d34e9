"""Joining questions with annotations: compared with a slow join by search."""

from __future__ import annotations

import json

from vlpbench.data.sources.questions import read_questions


def test_join_agrees_with_a_search(tmp_path):
    asked = [{"question_id": n, "image_id": n * 7 % 5, "question": f"q{n}?"} for n in range(40)]
    answered = [{"question_id": n * 11 % 50, "answers": [{"answer": f"a{n * 11 % 50}"}]} for n in range(50)]
    answered = [row for row in answered if row["question_id"] % 9]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"annotations": answered}))
    found = read_questions({"questions": asked}, tmp_path / "q.json", path)

    expected = {}
    for question in asked:
        match = [row for row in answered if row["question_id"] == question["question_id"]]
        if match:
            expected.setdefault(question["image_id"], []).append((question["question_id"], match[0]["answers"][0]))
    assert {
        image: [(q.id, {"answer": q.answers[0]}) for q in given] for image, given in found.by_image.items()
    } == expected
    assert found.images == {q.id: image for image, given in found.by_image.items() for q in given}
    lost = [row for row in asked if row["question_id"] % 9 == 0]
    orphans = [row for row in answered if row["question_id"] >= 40]
    assert len(found.problems) == len(lost) + len(orphans)
    assert found.right == {}
