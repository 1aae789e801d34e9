"""Cuts are nested, noise comes at its rate, and nothing but the captions of training samples changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from vlpbench.config.settings import Portion, TextNoise
from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.contract.noconfig import NoConfig
from vlpbench.data.errors import DataError
from vlpbench.data.sources.coco import Coco, CocoConfig
from vlpbench.data.weakened import BOILERPLATE, weakened
from vlpbench.types import Question, Sample

N = 400


class Numbered(Dataset):
    """Samples in memory, each with two captions of five words that say its id, one in forty broken."""

    name: ClassVar[str] = "numbered"
    version: ClassVar[int] = 3
    config_class: ClassVar[type] = NoConfig
    made = N

    @property
    def images(self) -> Path:
        return self.root / "pictures"

    def splits(self) -> tuple[str, ...]:
        return ("train", "val", "test")

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        for number in range(self.made):
            captions = tuple(f"text {which} is about {number}" for which in "ab")
            fields = {"oracle": f"plain {number}", "boxes": [number]}
            yield Sample(number, f"{number}.png", captions, (Question(number, "what?", ("x",)),), fields)
            if number % 40 == 0:
                yield BadSample(f"row {number}", "is broken")

    def fingerprint(self) -> str:
        return "f" * 64

    def prepare(self, heard: Any = None) -> None:
        heard(1, 1)


@pytest.fixture
def numbered(tmp_path: Path) -> Numbered:
    return Numbered(NoConfig(), tmp_path, tmp_path)


def train(dataset: Dataset, **portion: Any) -> dict[int, Sample]:
    noise = {key: portion.pop(key) for key in ("swapped", "dropped", "boilerplate") if key in portion}
    given = weakened(dataset, Portion(**portion, text_noise=TextNoise(**noise))).read("train")
    return {sample.id: sample for sample in given if isinstance(sample, Sample)}


def about(sample: Sample) -> int:
    """The sample that its captions were written for."""
    (owner,) = {int(caption.split()[-1]) for caption in sample.captions}
    return owner


def test_the_default_portion_is_the_set_itself(numbered: Numbered) -> None:
    assert weakened(numbered, Portion()) is numbered
    assert weakened(numbered, Portion(share=1, text_noise=TextNoise(0, 0, 0))) is numbered


@pytest.mark.parametrize("share", [0.9, 0.5, 0.333, 0.1, 0.01, 1e-6])
def test_a_share_is_exact_and_within_every_larger_one(numbered: Numbered, share: float) -> None:
    kept = train(numbered, share=share)
    assert len(kept) == max(1, round(share * N))
    assert kept.keys() <= train(numbered, share=min(1.0, share * 1.5)).keys()
    assert list(kept) == sorted(kept)  # in the order of the set
    assert all(kept[number] == whole for number, whole in train(numbered).items() if number in kept)


def test_which_samples_are_kept_is_decided_by_their_ids_alone(numbered: Numbered) -> None:
    kept = train(numbered, share=0.5)
    assert 60 < sum(number < N // 2 for number in kept) < 140  # neither the first nor the last ones
    numbered.made = N // 2
    assert train(numbered, share=0.25).keys() <= kept.keys()


def test_broken_samples_are_still_told(numbered: Numbered) -> None:
    given = list(weakened(numbered, Portion(share=0.1)).read("train"))
    assert sum(isinstance(one, BadSample) for one in given) == N // 40


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.0])
def test_swapped_samples_have_the_captions_of_another(numbered: Numbered, rate: float) -> None:
    given = train(numbered, swapped=rate)
    moved = {number: about(sample) for number, sample in given.items() if about(sample) != number}
    assert len(moved) == round(rate * N)
    assert sorted(moved) == sorted(moved.values())  # nobody's captions are lost, nobody's used twice
    assert all(len(sample.captions) == 2 for sample in given.values())


def test_samples_without_captions_take_no_part_in_swaps(numbered: Numbered, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = numbered.read

    def without(split: str) -> Iterator[Sample | BadSample]:
        for one in whole(split):
            odd = isinstance(one, Sample) and one.id % 2
            yield dataclasses.replace(one, captions=()) if odd else one

    monkeypatch.setattr(numbered, "read", without)
    given = train(numbered, swapped=1)
    assert all((sample.captions == ()) == bool(number % 2) for number, sample in given.items())
    assert sum(about(sample) != number for number, sample in given.items() if number % 2 == 0) == N / 2


def test_the_captions_of_two_are_the_least_that_can_be_swapped(numbered: Numbered) -> None:
    numbered.made = 3
    assert sum(about(sample) != number for number, sample in train(numbered, swapped=0.3).items()) == 2
    numbered.made = 1
    assert about(train(numbered, swapped=1)[0]) == 0


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_words_are_dropped_at_their_rate(numbered: Numbered, rate: float) -> None:
    captions = [caption for sample in train(numbered, dropped=rate).values() for caption in sample.captions]
    whole = [f"text {which} is about {number}" for number in range(N) for which in "ab"]
    left = [caption.split() for caption in captions]
    for thinned, full in zip(left, map(str.split, whole), strict=True):
        words = iter(full)
        assert thinned and all(word in words for word in thinned)  # in their order
    expected = 5 * (1 - rate) + rate**5  # the last word of a text stays
    assert abs(sum(map(len, left)) / len(left) - expected) < 0.15


def test_one_word_stays_whatever_the_rate(numbered: Numbered) -> None:
    captions = [caption for sample in train(numbered, dropped=1.0).values() for caption in sample.captions]
    assert {len(caption.split()) for caption in captions} == {1}
    assert len({caption for caption in captions if not caption.isdigit()}) == 5  # text, a, b, is, about: any may stay


@pytest.mark.parametrize("rate", [0.2, 1.0])
def test_alt_text_stands_for_captions_at_its_rate(numbered: Numbered, rate: float) -> None:
    captions = [caption for sample in train(numbered, boilerplate=rate).values() for caption in sample.captions]
    alt = [caption for caption in captions if not caption.startswith("text ")]
    assert abs(len(alt) / len(captions) - rate) < 0.05
    if rate == 1:
        for template in BOILERPLATE:
            before, after = template.split("{}")
            assert any(one.startswith(before) and one.endswith(after) for one in alt)
        assert len(set(alt)) > 0.9 * len(alt)


def test_one_samples_noise_is_not_anothers_business(numbered: Numbered) -> None:
    noise = {"dropped": 0.4, "boilerplate": 0.3}
    whole = train(numbered, **noise)
    for number, sample in train(numbered, share=0.3, **noise).items():
        assert sample == whole[number]
    assert whole == train(numbered, **noise)
    thinned = train(numbered, dropped=0.4)
    same = [whole[number].captions[0] == thinned[number].captions[0] for number in whole]
    assert 0.6 < sum(same) / N < 0.8  # alt-text stands for some, the others are thinned as they were


def test_all_but_the_captions_of_training_stays(numbered: Numbered) -> None:
    spoilt = weakened(numbered, Portion(0.5, TextNoise(swapped=0.5, dropped=0.5, boilerplate=0.5)))
    whole = {sample.id: sample for sample in numbered.read("train") if isinstance(sample, Sample)}
    for sample in spoilt.read("train"):
        if isinstance(sample, Sample):
            assert dataclasses.replace(sample, captions=whole[sample.id].captions) == whole[sample.id]
    for split in ("val", "test"):
        assert list(spoilt.read(split)) == list(numbered.read(split))


def test_the_rest_is_passed_through(numbered: Numbered) -> None:
    spoilt = weakened(numbered, Portion(share=0.5))
    assert (spoilt.name, spoilt.version, spoilt.config_class) == ("numbered", 3, NoConfig)
    assert (spoilt.config, spoilt.root, spoilt.cache) == (numbered.config, numbered.root, numbered.cache)
    assert (spoilt.images, spoilt.splits(), spoilt.describe()) == (
        numbered.images, numbered.splits(), numbered.describe())
    told: list[tuple[int, int]] = []
    spoilt.prepare(lambda done, of: told.append((done, of)))
    assert told == [(1, 1)]


def test_fingerprints_differ_where_portions_do(numbered: Numbered) -> None:
    portions = [Portion(), Portion(share=0.5), Portion(share=0.25)]
    portions += [Portion(text_noise=TextNoise(**{name: 0.5})) for name in ("swapped", "dropped", "boilerplate")]
    assert len({weakened(numbered, portion).fingerprint() for portion in portions}) == len(portions)
    again = weakened(numbered, Portion(share=0.5)).fingerprint()
    assert again == weakened(numbered, portions[1]).fingerprint() != numbered.fingerprint()


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(numbered: Numbered, share: float) -> None:
    with pytest.raises(DataError, match="share must be above 0"):
        weakened(numbered, Portion(share=share))


@pytest.mark.parametrize("name", ["swapped", "dropped", "boilerplate"])
def test_a_rate_that_is_none_is_refused(numbered: Numbered, name: str) -> None:
    with pytest.raises(DataError, match=f"text_noise.{name} must be from 0 to 1, not 1.5"):
        weakened(numbered, Portion(text_noise=TextNoise(**{name: 1.5})))


def test_a_split_that_is_not_there_is_told_as_ever(root: Path, cache: Path) -> None:
    made = Coco(CocoConfig(folder="set", captions={"val": "val.json"}), root, cache)
    with pytest.raises(DataError, match="no split 'train'"):
        list(weakened(made, Portion(share=0.5)).read("train"))


class Rewritten(Numbered):
    """The same samples, each with three rewrites that say its id; they count how often they were made."""

    name: ClassVar[str] = "rewritten"
    asked = 0

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        for one in super().read(split):
            if isinstance(one, Sample):
                yield dataclasses.replace(one, fields=self.fields_of(one))

    def fields_of(self, sample: Sample) -> Mapping[str, Any]:
        outer = self

        class Lazy(dict[str, Any]):
            def __getitem__(self, name: str) -> Any:
                outer.asked += name == "rewrites"
                return super().__getitem__(name)

        return Lazy(oracle=f"plain {sample.id}", rewrites=tuple(f"words {way} of {sample.id}" for way in "xyz"))


@pytest.fixture
def rewritten(tmp_path: Path) -> Rewritten:
    return Rewritten(NoConfig(), tmp_path, tmp_path)


def owners_of(texts: Sequence[str]) -> set[int]:
    return {int(text.split()[-1]) for text in texts}


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_swapped_samples_have_the_rewrites_of_whom_they_have_the_captions_of(rewritten: Rewritten, rate: float) -> None:
    """A truth that only rewrites tell would undo the noise."""
    given = train(rewritten, swapped=rate)
    assert sum(about(sample) != number for number, sample in given.items()) == round(rate * N)
    for number, sample in given.items():
        assert owners_of(sample.fields["rewrites"]) == {about(sample)}
        assert sample.fields["oracle"] == f"plain {number}", "all else is the sample's own"
        assert list(sample.fields) == ["oracle", "rewrites"] and "boxes" not in sample.fields


def test_rewrites_lose_words_and_are_replaced_at_the_rates_of_captions(rewritten: Rewritten) -> None:
    thinned = train(rewritten, dropped=0.4)
    words = [len(text.split()) for sample in thinned.values() for text in sample.fields["rewrites"]]
    assert abs(sum(words) / len(words) - (4 * 0.6 + 0.4**4)) < 0.1
    alt = [text for sample in train(rewritten, boilerplate=0.3).values() for text in sample.fields["rewrites"]]
    assert abs(sum(not text.startswith("words ") for text in alt) / len(alt) - 0.3) < 0.05
    assert {number: sample.fields["rewrites"] for number, sample in train(rewritten, dropped=0.4).items()} == {
        number: sample.fields["rewrites"] for number, sample in thinned.items()
    }


def test_captions_are_as_bad_as_without_rewrites(numbered: Numbered, rewritten: Rewritten) -> None:
    noise = {"swapped": 0.2, "dropped": 0.4, "boilerplate": 0.3}
    plain, more = train(numbered, **noise), train(rewritten, **noise)
    assert {number: sample.captions for number, sample in plain.items()} == {
        number: sample.captions for number, sample in more.items()
    }


def test_rewrites_are_made_when_they_are_asked_for(rewritten: Rewritten) -> None:
    given = train(rewritten, swapped=0.5, dropped=0.5)
    assert rewritten.asked == 0
    assert all("rewrites" in sample.fields for sample in given.values()) and rewritten.asked == 0
    assert given[0].fields["rewrites"] and rewritten.asked == 1


def test_a_cut_alone_leaves_them_as_they_are(rewritten: Rewritten) -> None:
    for number, sample in train(rewritten, share=0.1).items():
        assert sample.fields["rewrites"] == tuple(f"words {way} of {number}" for way in "xyz")


@pytest.mark.parametrize("held", ["one text", 5, (1, 2)])
def test_a_field_of_that_name_that_holds_something_else_stays(
    numbered: Numbered, monkeypatch: pytest.MonkeyPatch, held: Any
) -> None:
    whole = numbered.read

    def read(split: str) -> Iterator[Sample | BadSample]:
        for one in whole(split):
            yield dataclasses.replace(one, fields={"rewrites": held}) if isinstance(one, Sample) else one

    monkeypatch.setattr(numbered, "read", read)
    assert {str(sample.fields["rewrites"]) for sample in train(numbered, dropped=1.0).values()} == {str(held)}
