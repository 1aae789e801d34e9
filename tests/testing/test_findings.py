"""Findings: what passes, fails, is skipped, and what an unexpected error becomes."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.testing import REASONS, CheckFailed, CheckSkipped, n_checks, objective_checks
from vlpbench.testing.findings import ask, find


def fails(subject):
    raise CheckFailed(f"saw {subject}", "do better")


def breaks(subject):
    raise KeyError(subject)


def refuses(subject):
    raise UserError("it is wrong", remedy="write it otherwise")


def skips(subject):
    raise CheckSkipped("needs-gpu", "here")


CHECKS = {"fine": lambda subject: None, "fails": fails, "breaks": breaks, "refuses": refuses, "skips": skips}


def test_every_check_is_found_out_and_none_stops_the_others():
    found = {finding.check: finding for finding in find(CHECKS, 7)}
    assert {name: one.state for name, one in found.items()} == {
        "fine": "passed", "fails": "failed", "breaks": "failed", "refuses": "failed", "skips": "skipped",
    }
    assert found["fails"].cause == "saw 7" and found["fails"].remedy == "do better"
    assert "KeyError" in found["breaks"].cause
    assert found["refuses"].remedy == "write it otherwise"
    assert found["skips"].cause == "needs-gpu: no GPU is visible (here)"


def test_only_some_are_asked():
    assert [finding.check for finding in find(CHECKS, 7, only=["skips", "fine"])] == ["fine", "skips"]


def test_a_check_that_is_not_there_is_not_passed_over():
    with pytest.raises(ValueError, match="only names the unknown check 'fials'; did you mean 'fails'"):
        find(CHECKS, 7, only=["fials"])


def test_a_failure_carries_its_name_and_says_what_to_do():
    with pytest.raises(AssertionError, match="fails: saw 7\n  to do: do better"):
        ask("fails", fails, 7)


def test_a_reason_to_skip_is_one_of_a_closed_list():
    with pytest.raises(ValueError, match="no reason to skip"):
        CheckSkipped("no-time")
    assert all(meaning for meaning in REASONS.values())


def test_findings_can_be_read():
    lines = [str(finding) for finding in find(CHECKS, 7, only=["fine", "fails"])]
    assert lines == ["passed  fine", "failed  fails: saw 7\n        to do: do better"]


def test_checks_are_counted():
    assert n_checks() == len(objective_checks()) >= 30
    assert n_checks("backbone") >= 15 and n_checks("data set") >= 8
