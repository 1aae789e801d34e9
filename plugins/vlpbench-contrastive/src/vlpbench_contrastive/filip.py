"""Each part of a picture finds its word, and each word its part of a picture (FILIP, arXiv 2111.07783, section 3.1).

No code of the authors is public. Where the paper is open, this follows the reproduction in Sense-GVT/DeCLIP
(prototype/model/filip.py), but for padding, which the paper leaves out and the reproduction takes for words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import normalize

from vlpbench.plugin import Backbone, Batch, ImageState, Spec, Step, TextState, gather, mine, own, parts
from vlpbench_contrastive.token_similarity import kept_tokens, token_similarity
from vlpbench_contrastive.towers import Temperature, Tempered, positives

__all__ = ["FILIP", "Config"]


@dataclass(frozen=True)
class Config(Temperature):
    """Settings of `[objective.filip]`."""

    width: int = 0
    """Numbers of a projected token (the reproduction: 256); 0 for the backbone's joint width."""
    keep: int = 0
    """How many tokens of a sample others may find while it trains: those that suit its own partner best (the
    reproduction: 16; the paper keeps a quarter, chosen within a process, to save traffic); 0 for all of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.width, self.keep) < 0:
            raise ValueError(f"width and keep are whole numbers from 0 on, not {self.width} and {self.keep}")


class FILIP(Tempered):
    """Two-sided cross-entropy over means of token-wise maxima, which differ by direction."""

    name, version, config_class = "filip", 1, Config
    needs, trains = frozenset({"image_tokens", "text_tokens"}), frozenset({"similarity"})
    cites = ("""@inproceedings{yao2022filip,
  author    = {Yao, Lewei and Huang, Runhui and Hou, Lu and Lu, Guansong and Niu, Minzhe and Xu, Hang and
               Liang, Xiaodan and Li, Zhenguo and Jiang, Xin and Xu, Chunjing},
  title     = {{FILIP}: Fine-grained Interactive Language-Image Pre-Training},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year      = {2022},
  eprint    = {2111.07783},
  eprinttype = {arXiv},
}""",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width = config.width or spec.joint_width
        self.image, self.text = nn.Linear(spec.width, width), nn.Linear(spec.width, width)

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """image (B, P, E), text (B, T, E): unit vectors of tokens."""
        return {"image": self.image_units(backbone, batch.image), "text": self.text_units(backbone, batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Half of picture to text, s s_I, and half of text to picture, s s_T (B), nats."""
        scale = self.log_scale.exp()
        of_image, of_text = self.compared(features["image"], features["text"], batch.mask)
        targets = parts.spread(positives(batch, self.config.equals))
        losses = parts.two_sided_cross_entropy(scale * of_image, scale * of_text, targets, targets)
        return Step(losses, self.figures())

    def similarity(self, backbone: Backbone, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """N, M twice: s_I and s_T by all tokens, as there is no partner to choose by; padding counts in neither."""
        return token_similarity(self.image_units(backbone, image), self.text_units(backbone, text), text.mask)

    def compared(self, image: Tensor, text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """B, N twice: s_I of own pictures and all texts, s_T of own texts and all pictures.

        Pictures of others need not be gathered: their own process compares them with all texts, and the numbers travel.
        """
        patches, words, said = image, text, mask
        if self.config.keep:
            patches, words, said = kept_tokens(image, text, mask, self.config.keep)
        of_image, of_text = token_similarity(own(image), gather(words), gather(said))
        if self.config.keep:
            of_text = token_similarity(patches, gather(text), gather(mask))[1]
        return of_image, mine(gather(of_text).T)

    def image_units(self, backbone: Backbone, image: ImageState) -> Tensor:
        """B, P, E: a picture's tokens, projected, of unit length."""
        return _unit(self.image, backbone.image_tokens(image))

    def text_units(self, backbone: Backbone, text: TextState) -> Tensor:
        """B, T, E: a text's words, projected, of unit length."""
        return _unit(self.text, backbone.text_tokens(text))


def _unit(projection: nn.Linear, tokens: Tensor) -> Tensor:
    """In fp32 even under autocast: mixed precision would make ties in a ranking."""
    with parts.full_precision(tokens):
        return normalize(projection(tokens.float()), dim=-1)
