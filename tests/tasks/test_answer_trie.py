"""Trees of sentences: every distinct beginning is one node, every sentence a path."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.tasks.answer_trie import AnswerTrie

SENTENCES = [[7, 8, 2], [7, 2], [9, 8, 7, 2], [2], [7, 8, 2], [7, 9, 2], [9, 8, 8, 2], []]


def tree(sentences: list[list[int]], width: int = 5) -> AnswerTrie:
    tokens = np.zeros((len(sentences), width), int)
    mask = np.zeros((len(sentences), width), bool)
    for row, words in enumerate(sentences):
        tokens[row, : len(words)] = words
        mask[row, : len(words)] = True
    return AnswerTrie.of(tokens, mask)


@pytest.mark.parametrize("sentences", [SENTENCES, SENTENCES[:1], SENTENCES[::-1], [[2]]], ids=len)
def test_paths_spell_the_sentences(sentences: list[list[int]]) -> None:
    made = tree(sentences)
    for words, path in zip(sentences, made.paths, strict=True):
        assert (path[len(words) :] == made.nodes).all()
        above = 0
        for level, word, node in zip(made.levels, words, path, strict=False):
            at = node - level.first
            assert level.word[at] == word and level.parent[at] == above
            above = at


def test_nodes_are_the_distinct_beginnings() -> None:
    made = tree(SENTENCES)
    beginnings = {tuple(words[:many]) for words in SENTENCES for many in range(1, len(words) + 1)}
    assert made.nodes == len(beginnings) == sum(len(level.word) for level in made.levels)
    inner = {words for words in beginnings if any(tuple(one[: len(words)]) == words != tuple(one) for one in SENTENCES)}
    assert sum(int(level.inner.sum()) for level in made.levels) == len(inner)


def test_nodes_below_others_stand_together() -> None:
    made = tree(SENTENCES)
    for number in range(1, len(made.levels)):
        for low, high in ((0, 1), (1, 3), (0, len(made.levels[number - 1].word))):
            part = made.below(number, low, high)
            parent = made.levels[number].parent
            assert [low <= one < high for one in parent] == [part.start <= at < part.stop for at in range(len(parent))]


def test_no_sentence_has_no_node() -> None:
    assert tree([[]]).nodes == 0
    assert tree([[]]).paths.tolist() == [[0] * 5]
