"""Searching for sentences, against searches that anybody can check: all sentences, or one word after the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context, DecodingState
from vlpbench.data.splits import Split
from vlpbench.tasks.generate import generate
from vlpbench.tasks.trial import Trial
from vlpbench.types import Spec, Vocabulary

TINY = Vocabulary(size=10, pad=0, bos=1, eos=2, unk=3, mask=4, sentinels=(5, 6))
WORDS = (7, 8, 9)
SPECIAL = (0, 1, 3, 4, 5, 6)


@dataclass
class _Past(DecodingState):
    rows: Tensor  # N: which table
    last: Tensor  # N, k: the word before the last, which the tables depend on too
    words: int

    def select(self, rows: Tensor, beams: Tensor) -> _Past:
        return _Past(self.rows[rows], self.last[rows].gather(1, beams), self.words)


class Tables(Backbone):
    """A language model of known log-odds: for each row a table by the last two words and the length so far."""

    name, offers = "tables", frozenset({"context", "decode"})

    def __init__(self, table: Tensor) -> None:
        super().__init__(Spec(1, 1, (1, 1), TINY), self.offers)
        self.table = torch.nn.Parameter(table)  # R, L, V, V, V

    def of(self, rows: Sequence[int]) -> Context:
        return Context(torch.tensor(rows, dtype=torch.float32)[:, None, None], None)

    def begin(self, context: Context, beams: int, length: int) -> _Past:
        rows = context.memory[:, 0, 0].long()
        return _Past(rows, torch.zeros(len(rows), beams, dtype=torch.long), 0)

    def step(self, state: DecodingState, token: Tensor) -> Tensor:
        assert isinstance(state, _Past)
        found = self.table[state.rows[:, None], state.words, state.last, token]
        state.last, state.words = token, state.words + 1
        return found

    def word_vectors(self, tokens: Tensor) -> Tensor:
        raise self._cannot("text_tokens")

    def logits(self, features: Tensor) -> Tensor:
        raise self._cannot("decode")

    def token_losses(self, features: Tensor, targets: Tensor) -> Tensor:
        raise self._cannot("decode")

    def chances(self, row: int, sentence: Sequence[int]) -> Tensor:
        """V: log P(next word) after BOS and these words, special ids ruled out."""
        words = [0, TINY.bos, *sentence]
        found = self.table[row, len(sentence), words[-2], words[-1]].detach().clone()
        found[list(SPECIAL)] = -torch.inf
        return found.log_softmax(-1)

    def score(self, row: int, sentence: Sequence[int]) -> float:
        """log P of a finished sentence."""
        whole = [*sentence, TINY.eos]
        return sum(float(self.chances(row, whole[:at])[word]) for at, word in enumerate(whole))


def tables(rows: int, length: int, seed: int, sharp: float = 2.0) -> Tables:
    rng = torch.Generator().manual_seed(seed)
    table = sharp * torch.randn(rows, length, TINY.size, TINY.size, TINY.size, generator=rng)
    table[..., list(SPECIAL)] += 5.0  # special ids are what it would like to say most
    return Tables(table)


def exhaustive(model: Tables, row: int, room: int) -> list[int]:
    """The likeliest of all finished sentences."""
    every = [list(words) for many in range(room) for words in itertools.product(WORDS, repeat=many)]
    return max(every, key=lambda words: model.score(row, words))


def slow_beams(model: Tables, row: int, room: int, beams: int) -> list[int]:
    """Beam search in lists: the best one-word continuations go on; those of the first `beams` that end, count."""
    running: list[tuple[float, list[int]]] = [(0.0, [])]
    done: list[tuple[float, list[int]]] = []
    for _ in range(room):
        candidates = [
            (score + float(model.chances(row, words)[word]), [*words, word])
            for score, words in running
            for word in (*WORDS, TINY.eos)
        ]
        candidates.sort(key=lambda item: -item[0])
        done += [(score, words[:-1]) for score, words in candidates[:beams] if words[-1] == TINY.eos]
        running = [(score, words) for score, words in candidates if words[-1] != TINY.eos][:beams]
    return max(done, key=lambda item: item[0])[1] if done else running[0][1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("room", [1, 2, 3])
def test_wide_beams_find_the_likeliest_of_all_sentences(seed: int, room: int) -> None:
    model = tables(4, 4, seed)
    found = generate(model, model.of(range(4)), [TINY.bos], room, 40)
    assert found == [exhaustive(model, row, room) for row in range(4)]


@pytest.mark.parametrize("beams", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_beams_against_the_slow_search(seed: int, beams: int) -> None:
    model = tables(8, 6, seed, sharp=1.0)
    found = generate(model, model.of(range(8)), [TINY.bos], 6, beams)
    assert found == [slow_beams(model, row, 6, beams) for row in range(8)]


def test_wide_beams_find_sentences_at_least_as_likely_as_greedy_ones() -> None:
    model = tables(30, 3, seed=9, sharp=1.5)
    greedy, wide = (generate(model, model.of(range(30)), [TINY.bos], 3, beams) for beams in (1, 40))
    ended = [row for row in range(30) if len(greedy[row]) < 3]
    gains = [model.score(row, wide[row]) - model.score(row, greedy[row]) for row in ended]
    assert len(ended) > 10
    assert min(gains) == 0.0 and max(gains) > 0.0


@pytest.mark.parametrize("beams", [1, 3])
def test_a_sentence_does_not_depend_on_its_neighbours(beams: int) -> None:
    model = tables(12, 6, seed=3, sharp=1.0)
    together = generate(model, model.of(range(12)), [TINY.bos], 6, beams)
    alone = [generate(model, model.of([row]), [TINY.bos], 6, beams)[0] for row in range(12)]
    backwards = generate(model, model.of(range(11, -1, -1)), [TINY.bos], 6, beams)[::-1]
    assert together == alone == backwards
    assert len({len(words) for words in together}) > 1, "sentences of several lengths stand side by side"


@pytest.mark.parametrize("beams", [1, 4])
def test_special_ids_are_never_written(beams: int) -> None:
    model = tables(20, 6, seed=5)
    for words in generate(model, model.of(range(20)), [TINY.bos], 6, beams):
        assert set(words) <= set(WORDS)


@pytest.mark.parametrize("beams", [1, 2])
def test_a_model_that_never_ends_is_cut(beams: int) -> None:
    model = tables(2, 6, seed=1)
    model.table.data[..., TINY.eos] = -1e9
    assert [len(words) for words in generate(model, model.of([0, 1]), [TINY.bos], 5, beams)] == [5, 5]


def test_a_model_that_ends_at_once_says_nothing() -> None:
    model = tables(2, 6, seed=1)
    model.table.data[..., TINY.eos] = 50.0
    assert generate(model, model.of([0, 1]), [TINY.bos], 5) == [[], []]
    assert generate(model, model.of([0, 1]), [TINY.bos], 5, 3) == [[], []]


def test_a_prompt_is_read_and_left_out() -> None:
    model = tables(3, 6, seed=2, sharp=1.0)
    prompt = [7, 9]
    said = generate(model, model.of(range(3)), [TINY.bos, *prompt], 6)
    for row, words in enumerate(said):
        whole = list(prompt)
        while len(whole) < 6 and (word := int(model.chances(row, whole).argmax())) != TINY.eos:
            whole.append(word)
        assert words == whole[2:]


def test_a_prompt_that_fills_the_length_leaves_room_for_one_word() -> None:
    model = tables(1, 6, seed=2)
    model.table.data[..., TINY.eos] = -1e9
    assert len(generate(model, model.of([0]), [TINY.bos, 7, 8], 3)[0]) == 1


@pytest.fixture
def nano(trial: Callable[..., Trial], opened: Callable[..., Split]) -> tuple[Backbone, Context, Vocabulary]:
    """The nano encoder-decoder with initial weights, and what it sees in twelve pictures."""
    made = trial("captioning")
    backbone = made.build(frozenset({"context", "decode"})).eval()
    with torch.no_grad():
        context = backbone.context(backbone.see(made.pictures(opened("test"), range(12))))
    return backbone, context, made.tokenizer.vocabulary


@pytest.mark.parametrize("prompt", [[], [50, 60]])
def test_greedy_is_the_argmax_of_a_full_decode(
    nano: tuple[Backbone, Context, Vocabulary], prompt: list[int]
) -> None:
    backbone, context, vocabulary = nano
    said = generate(backbone, context, [vocabulary.bos, *prompt], 9)
    special = [vocabulary.pad, vocabulary.bos, vocabulary.unk, vocabulary.mask, *vocabulary.sentinels]
    for row in range(12):
        words = [vocabulary.bos, *prompt]
        while len(words) < 10:
            tokens = torch.tensor([words])
            with torch.no_grad():
                one = backbone.decode(context.rows(torch.tensor([row])), backbone.read(tokens, tokens >= 0))
                logits = backbone.logits(one)[0, -1]
            logits[special] = -torch.inf
            if int(logits.argmax()) == vocabulary.eos:
                break
            words.append(int(logits.argmax()))
        assert said[row] == words[1 + len(prompt) :]


@pytest.mark.parametrize("beams", [1, 3])
def test_one_picture_or_twelve(nano: tuple[Backbone, Context, Vocabulary], beams: int) -> None:
    backbone, context, vocabulary = nano
    together = generate(backbone, context, [vocabulary.bos], 9, beams)
    alone = [
        generate(backbone, context.rows(torch.tensor([row])), [vocabulary.bos], 9, beams)[0] for row in range(12)
    ]
    assert together == alone
