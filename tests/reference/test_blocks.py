"""Markers in a page: what is replaced, what is left, and which mistakes are told with their line."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError


@pytest.fixture(scope="module")
def source(made, script):
    return script("quantities").Source(made / "results" / "reference" / "made")


@pytest.fixture
def refresh(source, script, tmp_path):
    """refresh(text) -> the page, as one beside the frame."""

    def made(text, shared=False):
        return script("blocks").refreshed(text, source, source.folder / "PAGE.md", is_shared=shared)

    return made


def test_numbers_in_a_sentence_and_in_a_table(refresh):
    text = "Of <!-- derived: count rows -->9<!-- end --> rows, <!-- derived: count seeds --><!-- end --> seeds."
    wanted = "Of <!-- derived: count rows -->3<!-- end --> rows, <!-- derived: count seeds -->3<!-- end --> seeds."
    assert refresh(text) == wanted == refresh(wanted)
    assert refresh("| a | <!-- derived: count rows -->0<!-- end --> |").endswith("-->3<!-- end --> |")


def test_a_table_has_lines_of_its_own(refresh):
    found = refresh("before\n\n<!-- derived: table metrics=accuracy beside= -->\nold\n<!-- end -->\n\nafter\n")
    assert found.startswith("before\n\n<!-- derived: table metrics=accuracy beside= -->\n\n| row ")
    assert found.endswith(" |\n\n<!-- end -->\n\nafter\n") and "old" not in found and refresh(found) == found


def test_fences_are_left_alone(refresh):
    text = "```\n<!-- derived: nonsense -->1<!-- end -->\n<!-- end -->\n```\n"
    assert refresh(text) == text


def test_in_a_shared_page_other_grids_are_left(refresh):
    text = "a <!-- derived: other nonsense -->1<!-- end --> b <!-- derived: made count rows -->1<!-- end -->"
    assert refresh(text, shared=True) == text.replace("rows -->1", "rows -->3")


@pytest.mark.parametrize(
    ("text", "cause", "line"),
    [
        ("x\n<!-- derived: count rows -->3<!-- end -->", "a number's marker begins a line", 2),
        ("- <!-- derived: count rows -->3<!-- end -->", "a number's marker begins a line", 1),
        ("a\nb\nx <!-- derived: count rows -->3", "without its other half", 3),
        ("x 3<!-- end -->", "without its other half", 1),
        ("x <!-- derived: count rows --> <!-- derived: count rows -->3<!-- end -->", "begins before another ends", 1),
        ("x <!-- derived: count 'rows -->3<!-- end -->", "cannot be read", 1),
        ("x\ny <!-- derived: cout rows -->3<!-- end -->", "unknown derived block 'cout'", 2),
        ("x <!-- derived:  -->3<!-- end -->", "unknown derived block ''", 1),
    ],
)
def test_mistakes(text, cause, line, refresh):
    with pytest.raises(UserError, match=cause) as error:
        refresh(text)
    assert f"PAGE.md:{line}" in error.value.place
