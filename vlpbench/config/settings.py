"""The settings of a cell: frozen dataclasses, one sentence a field with unit and source. The only place of defaults.

What stands here decides a cell's numbers and is part of its id. Folders, devices, jobs and retries do not stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Budget", "CellSettings", "ImageSettings", "Init", "Optim", "Portion", "Protocol", "TextNoise",
           "TextSettings", "Tune"]


@dataclass(frozen=True)
class Budget:
    """How much every row may learn from; one rule for all rows."""

    samples: int = 36_000
    """Pairs seen in pretraining, repeats included; divided by `batch`, the number of steps, whatever they hold."""
    batch: int = 64
    """Pairs of one optimiser step."""
    texts: int = 8
    """Texts of one optimiser step beside its pairs, where `texts` names any (SimVLM: 512 beside 4,096)."""
    micro_batch: int = 0
    """Samples that go through the model at once, 0 for all: less memory, equal means but for rounding. It is rounded up
    to whole groups where samples see each other."""
    captions: int = 1
    """Captions of one picture in a step: its pairs are neighbours and it is encoded once, so `batch` pairs show
    `batch` / `captions` pictures. All are different as far as it has so many."""
    looks: int = 0
    """How often pretraining's loss is measured on the validation split, too; 0 never does."""


@dataclass(frozen=True)
class Optim:
    """AdamW with a linear warm-up, then a linear decay to zero (SimVLM, arXiv 2108.10904, section 4.1)."""

    lr: float = 2e-3
    """Highest learning rate."""
    warmup: float = 0.05
    """Share of the steps in which the rate rises from zero."""
    weight_decay: float = 0.01
    """Decoupled decay of matrices; vectors (norms, biases) have none."""
    beta1: float = 0.9
    """Decay of AdamW's mean of gradients."""
    beta2: float = 0.98
    """Decay of AdamW's mean of squared gradients."""
    clip: float = 1.0
    """Largest norm of the whole gradient; 0 does not clip."""


@dataclass(frozen=True)
class ImageSettings:
    """How a picture becomes numbers."""

    size: int = 32
    """Pixels a side of what the stem sees."""
    crop: float = 1.0
    """Least share of the area that a random resized crop keeps in training; 1 does not crop."""
    flip: bool = False
    """Whether training mirrors pictures left to right (never where captions say left and right)."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Mean of red, green, blue on a scale of 0 to 1 that is subtracted; the usual one maps pictures to -1 ... 1."""
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Standard deviation of the same, which is divided by; a stem with weights of its own may want others."""


@dataclass(frozen=True)
class TextSettings:
    """How a sentence becomes tokens."""

    length: int = 24
    """T, tokens of a row, end of sentence included; longer texts are cut, and the number of cut ones is reported."""
    lengths: Literal["one", "few"] = "one"
    """Whether all batches of pretraining are padded to one length, or each to the shortest of at most eight that holds
    its longest text: less work, another T for objectives whose corruption depends on it."""
    vocabulary: int = 1_000
    """Largest number of ids of the byte-pair tokenizer, trained on the training split only."""
    trained_on: str = ""
    """Data sets whose training texts the tokenizer is trained on ("coco + wiki"), so that rows that differ in their
    data share it; empty for all that the cell uses."""
    lowercase: bool = True
    """Whether texts are lower-cased before they are cut into tokens."""
    rewrites: bool = False
    """Whether pretraining draws a picture's text from its captions and from the texts of its field `rewrites`, each as
    likely as another (La-CLIP, arXiv 2305.20088). Without `trained_on`, the tokenizer is trained on them, too."""


@dataclass(frozen=True)
class TextNoise:
    """What makes captions as bad as those of the web (`[data.NAME.text_noise]`); training alone reads them so."""

    swapped: float = 0.0
    """Share of the samples whose captions are those of another sample."""
    dropped: float = 0.0
    """Chance of each word of a caption to be left out; at least one stays."""
    boilerplate: float = 0.0
    """Share of captions in whose place stands alt-text that tells nothing of the picture ("image 4711")."""


@dataclass(frozen=True)
class Portion:
    """What every `[data.NAME]` may say beside the keys of its kind."""

    share: float = 1.0
    """Share of the training samples that is used; a larger share holds all of a smaller one."""
    text_noise: TextNoise = TextNoise()
    """How far the training captions are spoilt."""


@dataclass(frozen=True)
class Init:
    """What weights start from instead of chance. Files are safetensors; what is in them decides, not where they are."""

    checkpoint: str = ""
    """A pretraining of ours: a cell's folder, a stage's folder, or its weights file; brings its tokenizer along."""
    stem: str = ""
    """Weights of a timm model, for a stem `timm:NAME`."""
    text: str = ""
    """Folder of `model.safetensors`, `config.json` and `tokenizer.json` of a BERT-like encoder for the text tower."""


@dataclass(frozen=True)
class Tune:
    """Settings tried for each row with equal effort; the best on the validation split is run.

    The rule, for all rows: each combination is pretrained and fine-tuned once at seed 0, the highest primary metric of
    `task` on the validation split wins, and of equals the first.
    """

    tries: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """`[tune.tries]`: setting -> values to try ("optim.lr" = [1e-3, 3e-3]); several settings are multiplied.

    Empty tunes nothing. On the command line: -S 'tune.tries={"optim.lr"=[1e-3, 3e-3]}', or one setting at a time:
    -S 'tune.tries."optim.lr"=[1e-3, 3e-3]'. Any setting of a row may be tried but those that say what is compared and
    how much is learnt from (data, texts, init, tasks, split, budget.samples, ...); none that an axis or the row says.
    """
    task: str = "vqa"
    """The task whose primary metric decides."""
    samples: int = 0
    """Pairs that each try sees in pretraining; 0 for the whole budget."""


@dataclass(frozen=True)
class Protocol:
    """The readout of one task: the short fine-tune, the same for every backbone."""

    data: str = ""
    """Name of the data set the task is learnt and tested on; empty for pretraining's (the first of several)."""
    samples: int = 6_400
    """Samples (questions, for VQA) seen in fine-tuning, repeats included; stated beside the scores."""
    batch: int = 64
    """Samples of one optimiser step."""
    lr: float = 1e-3
    """Highest learning rate."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises from zero."""
    size: int = 0
    """Pixels a side of what the stem sees in fine-tuning and evaluation, 0 for `image.size`: position tables of image
    tokens are interpolated to it (SimVLM, arXiv 2108.10904, appendix B: 224 in pretraining, 480 for VQA)."""
    answers: int = 3_129
    """VQA: the most frequent training answers that can be given (3,129 is the field's usual list for VQAv2)."""
    beams: int = 1
    """Captioning: beams of the search; 1 is greedy."""
    length_penalty: float = 0.0
    """Captioning: a sentence's log-probability is divided by its length to this power; 0 does not."""
    no_repeat: int = 0
    """Captioning: no run of so many tokens is said twice; 0 lets it."""
    top_p: float = 0.0
    """Captioning: words are drawn from the likeliest ones that have this share of the chance together; 0 searches."""
    prompt: str = ""
    """Captioning: words put before the sentence (zero-shot uses "a picture of", SimVLM section 4.2.3). VQA by ranking
    and choices: words before the question, or around "{question}"."""
    metrics: tuple[str, ...] = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "CIDEr-plain", "METEOR",
                                "SPICE")
    """Captioning: what is measured; METEOR needs Java (about ten seconds a cell), SPICE a folder of jars too. Any task:
    extra metrics of plugins, which change no cell's id; where only such are named, captioning is measured by all of its
    own, too."""
    shortlist: int = 32
    """Retrieval by match or likelihood: items a query whose scores are looked at, the nearest by vectors; 0 is all."""
    rule: Literal["match", "match + vector"] = "match"
    """Retrieval by match: what orders a shortlist, log-odds alone (ALBEF) or with the cosine added (BLIP)."""
    folds: int = 1
    """Retrieval: galleries that the split is cut into, whose recalls are averaged (5 for COCO's 1K protocol)."""
    same_texts: bool = False
    """Retrieval: whether a text that reads as a right one is neither right nor wrong, whichever image it belongs to."""
    templates: tuple[str, ...] = ("a picture of {}",)
    """Zero-shot classification: sentences that a class's name is put into, whose vectors are averaged."""


@dataclass(frozen=True)
class CellSettings:
    """One point of a grid: all that decides its numbers, defaults filled in."""

    objective: str = "prefix-lm"
    """A weighted sum of objectives, such as "contrastive + 2*language-model"; "none" does not pretrain."""
    backbone: str = "conv3/encoder-decoder/nano"
    """Stem, trunk and size."""
    data: str = "digits"
    """Data set of pairs that pretraining reads, or several by weight ("web + 2*coco"); "none" reads texts alone."""
    texts: str = "none"
    """Data set of texts without pictures that pretraining reads beside the pairs, or several by weight."""
    seed: int = 0
    """Decides initial weights, order, crops, corruption and dropout; equal seeds are paired across rows."""
    tasks: tuple[str, ...] = ("vqa", "captioning", "retrieval")
    """Tasks to evaluate. Behind an @ stands a form ("vqa@decoder", "retrieval@match"), where the task is not to choose
    one, and behind another the protocol where it is no fine-tune ("captioning@zero-shot", "classification@probe")."""
    split: Literal["test", "val"] = "test"
    """The split that scores are measured on."""
    select: Literal["last", "validation"] = "last"
    """Which weights of a fine-tune are evaluated: the last, or the best on the validation split."""
    blind: bool = False
    """Whether every image of fine-tuning and evaluation is blanked (the floor that shows what language alone gives)."""
    on_bad_sample: Literal["error", "skip"] = "error"
    """What a broken sample does: stop, naming it; or be left out, counted and named in the record."""
    budget: Budget = Budget()
    """How much pretraining sees."""
    optim: Optim = Optim()
    """How pretraining steps."""
    image: ImageSettings = ImageSettings()
    """How pictures are read."""
    text: TextSettings = TextSettings()
    """How texts are read."""
    init: Init = Init()
    """What weights start from."""
    tune: Tune = Tune()
    """What is tried on the validation split first."""
    protocol: Mapping[str, Protocol] = field(default_factory=dict)
    """`[protocol.TASK]`: the readout of each task."""
    objectives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[objective.NAME]`: the settings of each objective in the sum, filled in from its config class."""
    wiring: Mapping[str, Any] = field(default_factory=dict)
    """`[trunk.NAME]`: the settings of the trunk in use, filled in from its config class."""
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[data.NAME]`: the settings of each data set in use, `kind` first, filled in from its config class."""
