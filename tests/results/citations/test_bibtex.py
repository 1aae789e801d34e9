"""Our own list is whole and parses; the parser takes what authors write and names what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.results.citations import framework, known_entries, parse

ROOT = Path(__file__).parents[3]


def test_fields_in_braces_quotes_and_bare() -> None:
    (one,) = parse('@Article{doe2020, author = "Doe, {J}", title = {A {B} C\n  D}, year=2020}')
    assert (one.kind, one.key) == ("article", "doe2020")
    assert one.fields == {"author": "Doe, {J}", "title": "A {B} C D", "year": "2020"}
    assert one.text.startswith("@Article{doe2020,")
    assert one.text.endswith("}")


def test_text_between_entries_is_a_comment() -> None:
    assert [one.key for one in parse("% first\n@misc{a, year = 1}\nwords\n@misc{b, year = 2,}")] == ["a", "b"]


@pytest.mark.parametrize(("text", "cause"), [
    ("@misc{a, year = {1}", "do not close"),
    ("@misc{year = 1}", "no BibTeX entry"),
    ("@misc{a, year = 1}\n@misc{a, year = 2}", "the key 'a'"),
    ("@misc{a, title = {x} year = 2}\n", None),
    ("@misc{a, only words here}", "something else"),
    ('@misc{a, title = "x}', "quote"),
])
def test_what_is_wrong_is_named(text: str, cause: str | None) -> None:
    if cause is None:  # a forgotten comma costs nothing
        assert parse(text)[0].fields == {"title": "x", "year": "2"}
        return
    with pytest.raises(UserError) as wrong:
        parse(text, "paper.bib")
    assert cause in wrong.value.cause
    assert wrong.value.place == "paper.bib"


def test_every_entry_of_ours_is_whole() -> None:
    for key, one in known_entries().items():
        if key == "vlpbench":
            continue
        assert {"author", "title", "year"} <= set(one.fields), key
        assert re.fullmatch(r"[a-z0-9]+", key), key
        assert one.fields["year"] in key, key
        assert {"journal", "booktitle", "eprint", "doi", "howpublished"} & set(one.fields), key
        surname = re.sub(r"[^a-z]", "", one.fields["author"].partition(",")[0].lower())
        assert key.startswith(surname), key
        assert all(text.isascii() for text in one.fields.values()), key


def test_arxiv_numbers_are_numbers_and_no_two_entries_are_one_paper() -> None:
    entries = known_entries().values()
    numbers = [one.fields["eprint"] for one in entries if "eprint" in one.fields]
    assert all(re.fullmatch(r"\d{4}\.\d{4,5}", number) for number in numbers)
    titles = [one.fields["title"].lower() for one in entries]
    for ids in (numbers, titles, [one.fields["doi"] for one in entries if "doi" in one.fields]):
        assert len(ids) == len(set(ids))


def test_numbers_in_titles_of_years_agree_with_arxiv() -> None:
    for key, one in known_entries().items():
        if "eprint" in one.fields:  # printed in the year of its preprint, or in one of the next three
            assert 0 <= int(one.fields["year"]) - 2000 - int(one.fields["eprint"][:2]) <= 3, key


def test_the_framework_is_cited_as_its_own_file_says() -> None:
    said = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    entry = framework().entries[0]
    assert f'title: "{entry.fields["title"]}"' in said
    assert f"version: {entry.fields['note'].removeprefix('Version ')}\n" in said
    assert '- name: "The vlpbench project"' in said
    assert entry.fields["author"] == "{The vlpbench project}"
    assert parse(entry.text)[0].fields == entry.fields
