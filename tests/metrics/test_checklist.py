"""Mistakes that scoring code has made elsewhere, 28 of them, and which tests show that ours does not: none may vanish.

The tests stand beside what they test; this is their list. It reads their files and looks whether each is still there,
still asserts something, and is never skipped whatever the machine has (those marked "java" or "slow" run where they
can, so no row hangs on such tests alone).
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
VQA, CAPTIONS = "metrics/test_vqa_checklist.py", "metrics/test_captions.py"
RETRIEVAL = "metrics/test_retrieval_checklist.py"
JAVA, METEOR, SPICE = (f"metrics/external/test_{name}.py" for name in ("java", "meteor", "spice"))
SCORE = "cli/test_score.py"
PROBE = "tasks/test_classification.py"

ROWS: dict[int, tuple[str, dict[str, list[str]]]] = {
    1: ("min(n/3, 1) in the place of leave-one-out", {VQA: ["test_row_01_leave_one_out_and_not_a_third_a_match"]}),
    2: ("leave-one-out by value", {VQA: ["test_row_02_leave_one_out_by_position_and_not_by_value"]}),
    3: ("unanimous answers never normalised", {
        VQA: ["test_row_03_unanimous_answers_under_each_rule"],
        "scoring/test_vqa.py": ["test_rules_differ_as_they_do_in_the_field"],
    }),
    4: ("given answers normalised less", {VQA: ["test_row_04_given_answers_are_normalised_like_the_prediction"]}),
    5: ("normalised twice, raw answers lost", {VQA: ["test_row_05_normalising_once_and_keeping_raw_answers"]}),
    6: ("none becomes 0, on purpose", {VQA: ["test_row_06_none_is_zero"]}),
    7: ("the evaluator changes its input", {
        VQA: ["test_row_07_scoring_changes_nothing_it_was_given"],
        "scoring/test_vqa.py": ["test_scoring_twice_is_scoring_once_and_files_stay_as_they_are"],
    }),
    8: ("questions dropped that a vocabulary lacks", {
        VQA: ["test_row_08_questions_that_the_vocabulary_cannot_answer_count"],
        "scoring/test_vqa.py": ["test_a_vocabulary_counts_what_it_cannot_answer"],
    }),
    9: ("CIDEr of one image, or averaged over batches", {
        CAPTIONS: ["test_checklist_9_cider_of_one_image_is_none_and_says_why",
                   "test_checklist_9_cider_of_batches_is_another_number"],
        "scoring/test_captions.py": ["test_cider_of_one_image_is_null_with_its_reason"],
        SCORE: ["test_no_average_of_batches_can_be_asked_for"],
    }),
    10: ("references and predictions swapped", {
        CAPTIONS: ["test_checklist_10_predictions_and_references_are_not_symmetric",
                   "test_checklist_10_swapped_arguments_are_refused"],
        SCORE: ["test_a_swapped_pair_is_recognised"],
    }),
    11: ("no tokens, or on one side", {CAPTIONS: ["test_checklist_11_both_sides_are_tokenised"]}),
    12: ("sentence BLEU averaged", {CAPTIONS: ["test_checklist_12_bleu_of_the_set_is_not_the_mean_of_the_images"]}),
    13: ("CIDEr and CIDEr-D taken for each other", {
        CAPTIONS: ["test_checklist_13_cider_is_cider_d_and_plain_cider_has_its_own_name"],
    }),
    14: ("0 to 1 and percent taken for each other", {
        CAPTIONS: ["test_checklist_14_scales_are_pycocoevalcaps"],
        SCORE: ["test_json_is_one_object_with_its_unit_and_the_version_of_the_metrics",
                "test_people_see_a_table_with_units_and_rules", "test_help_teaches"],
    }),
    15: ("scores given to wrong images", {
        CAPTIONS: ["test_checklist_15_scores_stay_with_their_image_in_any_order",
                   "test_checklist_15_permuted_ids_carry_their_scores_along"],
        SPICE: ["test_scores_go_to_their_captions_whatever_the_order_of_the_answers"],
    }),
    16: ("a line break moves all later captions", {
        CAPTIONS: ["test_checklist_16_line_breaks_and_empty_captions_move_no_score"],
        "scoring/test_captions.py": ["test_line_breaks_and_empty_captions_are_said_and_move_nothing"],
    }),
    17: ("METEOR hangs, speaks with decimal commas, stumbles over a space", {
        METEOR: ["test_the_time_limit_leaves_no_java_behind", "test_a_java_that_stops_working_is_unavailable",
                 "test_neither_a_decimal_comma_nor_a_space_in_the_path_matters"],
        JAVA: ["test_the_time_limit_kills_the_program_and_what_it_started", "test_no_pipe_fills_up",
               "test_the_locale_is_fixed_whatever_the_environment_says",
               "test_an_error_in_the_block_kills_the_program"],
    }),
    18: ("SPICE downloads when it is built", {SPICE: ["test_nothing_is_fetched_and_all_else_scores_offline"]}),
    19: ("share of right captions for R@k, five captions as five pairs", {
        RETRIEVAL: ["test_row_19_recall_is_a_hit_rate_and_five_captions_are_not_five_pairs"],
    }),
    20: ("ties found by the value of a score", {
        RETRIEVAL: ["test_row_20_ties_are_counted_by_query_not_by_score_value"],
    }),
    21: ("a constant or NaN scorer is perfect", {
        RETRIEVAL: ["test_row_21_a_constant_scorer_is_at_chance",
                    "test_row_21_scores_that_are_not_numbers_are_refused"],
    }),
    22: ("directions swapped", {RETRIEVAL: ["test_row_22_directions_are_not_swapped"]}),
    23: ("another gallery than is said", {RETRIEVAL: ["test_row_23_gallery_sizes_are_part_of_every_result"]}),
    24: ("the first fold alone", {RETRIEVAL: ["test_row_24_folds_are_averaged_and_closed"]}),
    25: ("how it was re-ranked is not said", {
        RETRIEVAL: ["test_row_25_rule_and_k_are_said_and_have_no_default"],
        SCORE: ["test_reranking_names_k_and_rule"],
    }),
    26: ("what pads the last batch is counted (one process evaluates: ids are unique in whatever is merged)", {
        "metrics/test_ids.py": ["test_a_doubled_id_is_named"],
        "scoring/test_ids.py": ["test_an_odd_set_padded_for_two_processes_is_refused"],
    }),
    27: ("C chosen on the test split, features normalised", {
        PROBE: ["test_nothing_of_the_test_split_can_choose_c",
                "test_the_result_names_its_splits_and_all_that_was_tried"],
        "tasks/test_probe.py": ["test_features_are_not_normalised"],
    }),
    28: ("prompts averaged without the second normalisation", {
        "tasks/test_class_prompts.py": ["test_each_class_is_a_unit_vector_and_the_first_normalisation_matters"],
    }),
}
"""Row -> the mistake, and file -> the tests of it."""
SKIPPING = ("skip", "skipif", "xfail")
ONLY_SOMEWHERE = ("java", "slow", "gpu", "needs_java")


@cache
def written(file: str) -> dict[str, ast.FunctionDef]:
    """The tests of a file by name."""
    body = ast.parse((TESTS / file).read_text(encoding="utf-8")).body
    return {one.name: one for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def marks(test: ast.FunctionDef) -> set[str]:
    """The last words of its decorators: "parametrize", "java"."""
    called = [one.func if isinstance(one, ast.Call) else one for one in test.decorator_list]
    return {ast.unparse(one).rsplit(".", 1)[-1] for one in called}


def can_fail(test: ast.FunctionDef) -> bool:
    """Whether something in it can fail."""
    inside = [one for part in test.body for one in ast.walk(part)]
    return any(isinstance(one, ast.Assert) or (isinstance(one, ast.withitem) and "raises(" in ast.unparse(one))
               for one in inside)


def test_there_are_28_rows() -> None:
    assert list(ROWS) == list(range(1, 29))
    assert len({what for what, _ in ROWS.values()}) == 28


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_its_tests(row: int) -> None:
    what, files = ROWS[row]
    found = {f"{file}::{name}": written(file).get(name) for file, names in files.items() for name in names}
    assert found, what
    assert [name for name, test in found.items() if test is None] == [], f"tests of row {row} are gone: {what}"
    there = {name: test for name, test in found.items() if test is not None}
    assert [name for name, test in there.items() if not can_fail(test)] == []
    assert [name for name, test in there.items() if marks(test) & set(SKIPPING)] == []
    assert [name for name, test in there.items() if not marks(test) & set(ONLY_SOMEWHERE)], f"row {row}: {what}"


def test_no_test_named_after_a_row_is_missing_here() -> None:
    listed = {(file, name) for _, files in ROWS.values() for file, names in files.items() for name in names}
    named = {(file, name) for file in (VQA, CAPTIONS, RETRIEVAL) for name in written(file)
             if name.startswith(("test_row_", "test_checklist_"))}
    assert len(named) >= 24 and named - listed == set()
