"""Sound objectives, each a plugin of one file as a stranger writes it; faults are changes of a few words in them."""

from __future__ import annotations

__all__ = ["SOUND"]

HEAD = '''
from dataclasses import dataclass
import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize
from vlpbench.plugin import NoConfig, Objective, Step, gather, hookimpl, own, parts
'''

WORDS = HEAD + '''
@dataclass(frozen=True)
class Config:
    """Settings."""
    share: float = 1.0
    """Weight of the loss."""

class Mine(Objective):
    """The rest of a text from the picture and its first words, with a head of its own."""
    name, version, config_class = "mine", 1, Config
    needs, uses, trains = {"context", "decode"}, {"pairs", "texts"}, {"decode"}

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.width, spec.width)

    @staticmethod
    def corrupt(batch, rng, config):
        words = batch.mask.sum(1)
        given = rng.integers(0, words)[:, None]
        at = np.arange(batch.tokens.shape[1])[None]
        inputs = np.roll(batch.tokens, 1, axis=1)
        inputs[:, 0] = batch.vocabulary.bos
        said = (at >= given) & batch.mask
        return {"known": at < given, "inputs": inputs, "said": said, "count": said.sum(1)}

    def encode(self, backbone, batch):
        context = backbone.context(batch.image, backbone.read(batch.tokens, batch["known"]))
        features = backbone.decode(context, backbone.read(batch["inputs"], batch.mask))
        features = features + self.head(features)
        return {"nll": backbone.token_losses(features, batch.tokens)}

    def loss(self, features, batch):
        losses = (features["nll"] * batch["said"]).sum(1)
        return Step(losses, {"words": batch["said"].sum(1).float().mean()})
'''

HIDDEN = HEAD + '''
class Mine(Objective):
    """One word of each text from the others and the picture."""
    name, needs = "mine", {"fused_tokens"}

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.head = nn.Linear(spec.width, spec.width)

    @staticmethod
    def corrupt(batch, rng, config):
        place = np.where(batch.mask, rng.random(batch.mask.shape), 2.0).argmin(1)
        hole = np.arange(batch.mask.shape[1]) == place[:, None]
        return {"holed": np.where(hole, batch.vocabulary.mask, batch.tokens), "hole": hole}

    def encode(self, backbone, batch):
        words = backbone.fused_tokens(batch.image, backbone.read(batch["holed"], batch.mask))[1]
        return {"nll": backbone.token_losses(self.head(words), batch.tokens)}

    def loss(self, features, batch):
        return Step((features["nll"] * batch["hole"]).sum(1))
'''

PAIRS = HEAD + '''
class Mine(Objective):
    """Pictures and texts of a pair are near each other."""
    name, needs, trains, coupled = "mine", {"image_vector", "text_vector"}, {"vectors"}, "all"

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.log_scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("mean", torch.zeros(()))

    def encode(self, backbone, batch):
        return {"image": backbone.image_vector(batch.image), "text": backbone.text_vector(batch.text)}

    def loss(self, features, batch):
        image, text = features["image"], features["text"]
        scale = self.log_scale.exp() / (1 + self.mean / 10)
        targets = parts.spread(parts.same(batch.image_ids) | parts.same(batch.caption_ids))
        to_text, to_image = scale * own(image) @ gather(text).T, scale * own(text) @ gather(image).T
        losses = parts.two_sided_cross_entropy(to_text, to_image, targets, targets)
        return Step(losses, {"scale": scale.detach()}, {"losses": losses.detach()})

    def after_step(self, carry):
        self.mean.copy_(carry["losses"].mean())
'''

TWINS = HEAD + '''
class Mine(Objective):
    """Two views of a picture say what a slow copy of the backbone says of its text."""
    name, needs, trains = "mine", {"image_vector", "text_vector"}, {"vectors"}
    views, teacher = 2, 0.9

    def encode(self, backbone, batch):
        return {
            "one": backbone.image_vector(batch.views[0]), "two": backbone.image_vector(batch.views[1]),
            "text": backbone.text_vector(batch.text), "calm": backbone.teacher.text_vector(batch.text),
        }

    def loss(self, features, batch):
        losses = 2.0 - (features["one"] * features["text"]).sum(1) - (features["two"] * features["calm"]).sum(1)
        return Step(losses)
'''

SCORES = HEAD + '''
class Mine(Objective):
    """The nearest image token of each word, and a judge of whether both belong together."""
    name, needs, trains, coupled = "mine", {"image_tokens", "text_tokens", "fused_tokens"}, {"similarity", "match"}, 2

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.judge = nn.Linear(spec.width, 1)

    def encode(self, backbone, batch):
        other = torch.arange(len(batch)) ^ 1
        rows = batch.text.rows(other)
        return {
            "near": self.paired(backbone, batch.image, batch.text), "far": self.paired(backbone, batch.image, rows),
            "yes": self.match(backbone, batch.image, batch.text), "no": self.match(backbone, batch.image, rows),
        }

    def loss(self, features, batch):
        margin = (features["far"] - features["near"]).exp().log1p()
        return Step(margin + (-features["yes"]).exp().log1p() + features["no"].exp().log1p())

    def paired(self, backbone, image, text):
        alike = self.tokens(backbone.image_tokens(image)) @ self.tokens(backbone.text_tokens(text)).transpose(1, 2)
        return parts.masked_mean(alike.amax(1)[..., None], text.mask)[:, 0]

    def tokens(self, x):
        return normalize(x, dim=-1)

    def similarity(self, backbone, image, text):
        pictures, words = self.tokens(backbone.image_tokens(image)), self.tokens(backbone.text_tokens(text))
        best = torch.einsum("npd,mtd->nmpt", pictures, words).amax(2)
        scores = (best * text.mask).sum(2) / text.mask.sum(1)
        return scores, scores

    def match(self, backbone, image, text):
        words = backbone.fused_tokens(image, text)[1]
        return self.judge(parts.masked_mean(words, text.mask))[:, 0]
'''

TAIL = '''
@hookimpl
def vlpbench_objectives():
    return [Mine]
'''

SOUND = {
    "words": WORDS + TAIL, "hidden": HIDDEN + TAIL, "pairs": PAIRS + TAIL, "twins": TWINS + TAIL,
    "scores": SCORES + TAIL,
}
"""Name -> a file; each passes every check."""
