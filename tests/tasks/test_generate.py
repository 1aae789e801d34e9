"""Searching for sentences, against searches that anybody can check: all sentences, or one word after the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import FunctionType

import pytest
import torch
from torch import Tensor

from vlpbench.backbones import DecoderOnly, DualFusion, EncoderDecoder
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.contract.abilities import Backbone, Context, DecodingState
from vlpbench.contract.decoding import FixedState
from vlpbench.data.splits import Split
from vlpbench.tasks.fixed_steps import Turn
from vlpbench.tasks.generate import Search, Writer, generate
from vlpbench.tasks.trial import Trial
from vlpbench.testing.tiny import PIXELS, VOCABULARY, tiny_backbone
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


def allowed(said: Sequence[int], word: int, end: int, search: Search) -> bool:
    """Whether the rules of a search let `word` follow what is said."""
    if word == end:
        return len(said) >= search.least
    size, whole = search.no_repeat, [*said, word]
    runs = [tuple(whole[at : at + size]) for at in range(len(whole) - size + 1)] if size else []
    return runs[-1:] == [] or runs[-1] not in runs[:-1]


def every_sentence(room: int, search: Search) -> list[list[int]]:
    """All that can be finished in so many words, the end included."""
    every = [list(words) for many in range(room) for words in itertools.product(WORDS, repeat=many)]
    whole = [[*words, TINY.eos] for words in every]
    return [
        words[:-1] for words in whole
        if all(allowed(words[:at], word, TINY.eos, search) for at, word in enumerate(words))
    ]


def exhaustive(model: Tables, row: int, room: int, search: Search) -> list[int]:
    """The best of all finished sentences."""
    return max(
        every_sentence(room, search),
        key=lambda words: model.score(row, words) / (len(words) + 1) ** search.length_penalty,
    )


def slow_beams(
    chances: Callable[[list[int]], Tensor], end: int, room: int, search: Search
) -> list[int]:
    """Beam search in lists, never stopped early: the best one-word continuations go on; those of the first beams that
    end, count. `chances` gives log P of every next word after what is said."""
    running: list[tuple[float, list[int]]] = [(0.0, [])]
    done: list[tuple[float, list[int]]] = []
    for _ in range(room):
        candidates = [
            (score + chance, [*said, word])
            for score, said in running
            for word, chance in enumerate(chances(said).tolist())
            if chance > -torch.inf and allowed(said, word, end, search)
        ]
        candidates.sort(key=lambda item: -item[0])
        done += [
            (score / len(words) ** search.length_penalty, words[:-1])
            for score, words in candidates[: search.beams] if words[-1] == end
        ]
        going = [(score, words) for score, words in candidates if words[-1] != end][: search.beams]
        if not going:
            break
        running = going
    return max(done, key=lambda item: item[0])[1] if done else running[0][1]


RULES = {
    "plain": {},
    "long ones": {"length_penalty": 1.0},
    "the longest": {"length_penalty": 3.0},
    "short ones": {"length_penalty": -1.0},
    "no word twice": {"no_repeat": 1},
    "no two words twice": {"no_repeat": 2},
    "not too soon": {"least": 2},
    "all of it": {"length_penalty": 0.7, "no_repeat": 1, "least": 1},
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("room", [1, 2, 3, 4])
def test_wide_beams_find_the_best_of_all_sentences(seed: int, room: int, rules: dict[str, float]) -> None:
    search, model = Search(beams=100, **rules), tables(4, 4, seed)  # type: ignore[arg-type]
    if search.least >= room:
        return  # nothing can be finished
    found = generate(model, model.of(range(4)), [TINY.bos], room, search)
    assert found == [exhaustive(model, row, room, search) for row in range(4)]


@pytest.mark.parametrize("beams", [1, 2, 3, 5])
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("seed", range(2))
def test_beams_against_the_slow_search(seed: int, beams: int, rules: dict[str, float]) -> None:
    if beams == 1 and "length_penalty" in rules:
        return  # refused
    search, model = Search(beams=beams, **rules), tables(8, 6, seed, sharp=1.0)  # type: ignore[arg-type]
    found = generate(model, model.of(range(8)), [TINY.bos], 6, search)
    for row in range(8):
        assert found[row] == slow_beams(partial(model.chances, row), TINY.eos, 6, search)


def test_a_number_is_so_many_beams() -> None:
    model = tables(8, 6, 0, sharp=1.0)
    assert generate(model, model.of(range(8)), [TINY.bos], 6, 3) == generate(
        model, model.of(range(8)), [TINY.bos], 6, Search(beams=3)
    )


def test_a_row_that_the_rules_leave_no_word_says_what_it_could() -> None:
    """Three words, none twice, four wanted: the end may not come, nor may any word."""
    model = tables(5, 8, 0, sharp=1.0)
    for how in ({}, {"beams": 3}, {"top_p": 1}):
        found = generate(model, model.of(range(5)), [TINY.bos], 8, Search(no_repeat=1, least=4, **how))
        assert [sorted(words) for words in found] == [list(WORDS)] * 5


def test_what_cannot_be_started_is_refused() -> None:
    model = tables(2, 6, 0)
    with pytest.raises(ValueError, match="BOS at least"):
        generate(model, model.of([0, 1]), [], 6)
    with pytest.raises(ValueError, match="at most the length of 2"):
        generate(model, model.of([0, 1]), [TINY.bos, 7, 8, 9], 2)
    with pytest.raises(ValueError, match="3 keys for 2 rows"):
        generate(model, model.of([0, 1]), [TINY.bos], 6, keys=[1, 2, 3])
    assert generate(model, model.of([]), [TINY.bos], 6) == []


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


TRUNKS = {
    "encoder-decoder": (EncoderDecoder, None),
    "decoder-only": (DecoderOnly, None),
    "own": (DualFusion, DualFusionConfig(decoder="own")),
    "split": (DualFusion, DualFusionConfig(decoder="split")),
}
SEARCHES = {
    "greedy": Search(),
    "beams": Search(beams=3),
    "rules": Search(beams=3, length_penalty=0.8, no_repeat=2, least=2),
    "drawn": Search(top_p=0.9, seed=4),
}


@pytest.fixture(scope="module", params=TRUNKS)
def lively(request: pytest.FixtureRequest) -> tuple[Backbone, Tensor, Tensor, Tensor]:
    """A backbone of each wiring whose every weight has a say, 64 pictures, and prefixes of different lengths."""
    trunk, config = TRUNKS[request.param]
    backbone = tiny_backbone({"context", "decode"}, trunk, config=config)
    rng = torch.Generator().manual_seed(5)  # of no two words that compete are the log-odds equal to 1e-5
    with torch.no_grad():
        for parameter in backbone.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=rng)
    images = torch.randn(64, 3, PIXELS, PIXELS, generator=rng)
    words = torch.randint(13, VOCABULARY.size, (64, 4), generator=rng)
    made = backbone, images, words, torch.arange(4) < torch.randint(0, 5, (64, 1), generator=rng)
    end_now_and_then(backbone, shown(made, slice(0, 64)), rng)
    return made


@torch.no_grad()
def end_now_and_then(backbone: Backbone, context: Context, rng: torch.Generator) -> None:
    """Make the end of a sentence about as likely as the likeliest word, sometimes more and sometimes less."""
    said = torch.randint(13, VOCABULARY.size, (64, 9), generator=rng)
    features = backbone.decode(context, backbone.read(said, said > 0)).flatten(0, 1)
    wanted = backbone.logits(features)[:, 13:].amax(1) + 6 * torch.randn(len(features), generator=rng) - 1
    ridge = features.T @ features + 3 * torch.eye(features.shape[1])  # large weights would magnify rounding
    backbone.words.weight[VOCABULARY.eos] = torch.linalg.solve(ridge, features.T @ wanted)


def shown(lively: tuple[Backbone, Tensor, Tensor, Tensor], rows: slice, padding: int = 0) -> Context:
    backbone, images, words, present = lively
    wide = [torch.nn.functional.pad(part[rows], (0, padding)) for part in (words, present)]
    with torch.no_grad():
        return backbone.context(backbone.see(images[rows]), backbone.read(*wide))


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_results_at_batch_sizes_1_3_and_64_and_under_padding(
    lively: tuple[Backbone, Tensor, Tensor, Tensor], search: Search
) -> None:
    start = [VOCABULARY.bos, 20]

    def said(size: int, padding: int = 0, rows: int = 64) -> list[list[int]]:
        found: list[list[int]] = []
        for row in range(0, rows, size):
            some = slice(row, min(row + size, rows))
            keys = range(some.start, some.stop)
            found += generate(lively[0], shown(lively, some, padding), start, 10, search, keys)
        return found

    whole = said(64)
    assert len({len(words) for words in whole}) > 2, "rows finish at different times"
    assert whole == said(3) == said(64, padding=3)
    assert whole[:24] == said(1, rows=24)


def test_features_at_batch_sizes_1_3_and_64_and_under_padding(lively: tuple[Backbone, Tensor, Tensor, Tensor]) -> None:
    backbone = lively[0]
    said = torch.randint(13, VOCABULARY.size, (64, 3, 5), generator=torch.Generator().manual_seed(0))

    def steps(size: int, padding: int = 0) -> Tensor:
        found = []
        for row in range(0, 64, size):
            state = backbone.begin(shown(lively, slice(row, row + size), padding), 3, 5)
            some = said[row : row + size]
            with torch.no_grad():
                found.append(torch.stack([backbone.step(state, some[:, :, at]) for at in range(5)], 2))
        return torch.cat(found)

    whole = steps(64)
    for other in (steps(3), steps(1), steps(64, padding=3)):
        assert torch.allclose(whole[..., 13:], other[..., 13:], rtol=0, atol=1e-5)


@pytest.mark.parametrize("search", [one for one in SEARCHES.values() if not one.top_p], ids=str)
def test_cached_searches_against_full_decodes(
    lively: tuple[Backbone, Tensor, Tensor, Tensor], search: Search
) -> None:
    backbone, start = lively[0], [VOCABULARY.bos, 20]
    found = generate(backbone, shown(lively, slice(0, 6)), start, 7, search)
    special = sorted(VOCABULARY.special - {VOCABULARY.eos})
    for row in range(6):
        context = shown(lively, slice(row, row + 1))

        def chances(said: list[int], context: Context = context) -> Tensor:
            words = torch.tensor([[*start, *said]])
            with torch.no_grad():
                logits = backbone.logits(backbone.decode(context, backbone.read(words, words >= 0)))[0, -1]
            logits[special] = -torch.inf
            return logits.log_softmax(-1)

        assert found[row] == slow_beams(chances, VOCABULARY.eos, 6, search)


def test_rows_leave_when_they_are_a_quarter() -> None:
    """The backbone is asked for fewer and fewer rows; those that wait for others to leave change nothing."""
    model, asked = tables(12, 6, seed=3, sharp=1.0), []
    step = model.step

    def counting(state: DecodingState, token: Tensor) -> Tensor:
        asked.append(len(token))
        return step(state, token)

    model.step = counting  # type: ignore[method-assign]
    lengths = [len(words) for words in generate(model, model.of(range(12)), [TINY.bos], 6)]
    expected, here = [12], 12
    for at in range(1, min(5, max(lengths)) + 1):
        going = sum(length >= at for length in lengths)
        here = going if 4 * (here - going) >= here else here
        expected.append(here)
    assert asked == expected
    assert len(set(asked)) > 2 and 11 not in asked, "one row of twelve does not leave alone"


def played(turn: FunctionType) -> Turn:
    """A step as it is, after it was done once as where it is captured."""
    turn()
    return turn


FIXED = {
    **SEARCHES, "four beams": Search(beams=4), "short ones": Search(beams=4, length_penalty=-1.0),
    "no word twice": Search(no_repeat=1), "drawn by rules": Search(top_p=0.8, temperature=1.5, no_repeat=2, least=3),
}


@pytest.mark.parametrize("search", FIXED.values(), ids=FIXED)
def test_steps_of_one_shape_write_what_the_plain_ones_do(
    lively: tuple[Backbone, Tensor, Tensor, Tensor], search: Search
) -> None:
    """In one batch and in several that share the room, the last of them smaller; with a prompt, to the last word."""
    start = [VOCABULARY.bos, 20]
    plain = [
        generate(lively[0], shown(lively, rows), start, 10, search, range(64)[rows])
        for rows in (slice(0, 64), slice(0, 24), slice(24, 48), slice(48, 51))
    ]
    one, several = (Writer(lively[0], start, 10, search, played) for _ in range(2))
    assert one.write(shown(lively, slice(0, 64))) == plain[0]
    for rows, expected in zip((slice(0, 24), slice(24, 48), slice(48, 51)), plain[1:], strict=True):
        assert several.write(shown(lively, rows), range(64)[rows]) == expected
    assert several.write(shown(lively, slice(0, 64))) == plain[0], "more room is made where more rows come"
    for length in (2, 3):  # room for one word, which takes no step, and for two
        writer, context = Writer(lively[0], start, length, search, played), shown(lively, slice(0, 9))
        assert writer.write(context) == generate(lively[0], context, start, length, search)


def test_log_odds_of_steps_of_one_shape(lively: tuple[Backbone, Tensor, Tensor, Tensor]) -> None:
    """Beams that change places, rows that move to the front, and another batch in the same room."""
    words = torch.randint(13, VOCABULARY.size, (12, 3, 6), generator=torch.Generator().manual_seed(1))
    backbone, fixed = lively[0], None
    for first in (0, 20):
        context = shown(lively, slice(first, first + 12))
        with torch.no_grad():
            state = backbone.begin(context, 1, 7)
            backbone.step(state, torch.full((12, 1), VOCABULARY.bos))
            fixed = state.fixed(12, 3) if fixed is None else fixed
            assert isinstance(fixed, FixedState)
            fixed.load(state)
            plain, here = state.going_on(torch.zeros(12, 3, dtype=torch.long)), fixed
            beams = torch.tensor([[1, 1, 0], [2, 0, 1]]).repeat(6, 1)
            stay = torch.tensor([3, 0, 7, 11])
            said = words
            for at in range(6):
                one, other = (backbone.step(which, said[..., at])[..., 13:] for which in (plain, here))
                assert torch.allclose(one, other, rtol=0, atol=1e-5)
                plain, here = plain.going_on(beams), here.going_on(beams)
                if at == 2:
                    plain, said, beams = plain.select(stay, beams[stay]), said[stay], beams[stay]
                    here = here.select(stay, beams)


def test_a_room_is_for_one_prompt_and_one_number_of_tokens(lively: tuple[Backbone, Tensor, Tensor, Tensor]) -> None:
    backbone, bos = lively[0], torch.full((4, 1), VOCABULARY.bos)
    state, other, longer = (
        backbone.begin(shown(lively, slice(0, 4), padding), 1, 5) for padding in (0, 0, 2)
    )
    with torch.no_grad():
        for one, times in ((state, 1), (other, 2), (longer, 1)):
            for _ in range(times):
                backbone.step(one, bos)
    fixed = state.fixed(4, 2)
    assert fixed is not None
    for one in (other, longer):
        with pytest.raises(ValueError, match="another number of words, or of tokens"):
            fixed.load(one)


def test_a_backbone_without_such_steps_takes_the_plain_way() -> None:
    model = tables(8, 6, 0, sharp=1.0)
    for search in (Search(beams=3), Search(beams=100), Search(top_p=0.9)):
        writer = Writer(model, [TINY.bos], 6, search, played)
        assert writer.write(model.of(range(8))) == generate(model, model.of(range(8)), [TINY.bos], 6, search)
