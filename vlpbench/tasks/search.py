"""How a sentence is searched for: greedy, beams, or drawn from the nucleus."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Search"]


@dataclass(frozen=True)
class Search:
    """Settings of `generate`; the defaults are greedy search."""

    beams: int = 1
    """Sentences that go on at a time; 1 is greedy."""
    length_penalty: float = 0.0
    """Finished sentences compete by log-probability / length ** penalty, where the length counts the words said after
    the prompt and the end of the sentence; 0 is the log-probability itself, above 0 favours long sentences. It is the
    form that Hugging Face uses, not GNMT's ((5 + length) / 6) ** penalty (arXiv 1609.08144)."""
    no_repeat: int = 0
    """No run of so many words comes twice in what is said after the prompt (arXiv 1705.04304, for 3); 0 is off. The
    other words do not become likelier by it."""
    top_p: float = 0.0
    """Words are drawn from the nucleus, the fewest likeliest words whose probabilities reach `top_p` (arXiv
    1904.09751); 1 is all words, 0 draws nothing: the likeliest word is taken."""
    temperature: float = 1.0
    """What log-odds are divided by before the nucleus is found."""
    seed: int = 0
    """Of the draws, together with the key of each row."""
    least: int = 0
    """Words after the prompt before the sentence may end."""

    def __post_init__(self) -> None:
        """ValueError for settings that mean nothing, or nothing together."""
        if self.beams < 1:
            raise ValueError(f"beams is a number of sentences, 1 or more, not {self.beams}")
        if not 0 <= self.top_p <= 1:
            raise ValueError(f"top_p is a probability, not {self.top_p}")
        if self.top_p and self.beams > 1:
            raise ValueError(f"top_p {self.top_p} draws one sentence; beams must be 1 with it, not {self.beams}")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, not {self.temperature}; beams 1, top_p 0 is greedy")
        if self.no_repeat < 0 or self.least < 0:
            raise ValueError("no_repeat and least are numbers of words, 0 or more")
        if self.beams == 1 and self.length_penalty:
            raise ValueError("length_penalty compares finished sentences; one beam finishes only one")
        if self.temperature != 1 and not self.top_p:
            raise ValueError("temperature changes draws alone: set top_p (1 draws from all words)")
