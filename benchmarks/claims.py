"""What the suite measures: each speed claim as a script with its arguments, most important first, and their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SIZES, TRUNKS = ("base", "small", "large", "tiny", "nano", "huge"), ("encoder-decoder", "decoder-only")
STEMS = ("conv3", "conv2", "conv4", "linear")


@dataclass(frozen=True)
class Claim:
    """One script with its arguments."""

    name: str
    """Names its files."""
    said: str
    """Script and arguments."""
    small: str
    """The same where the suite itself is tried."""
    minutes: float
    """Its own limit."""
    wants: tuple[str, ...] = ()
    """Modules of which one at least must be there, beside what its script imports."""

    @property
    def script(self) -> str:
        """The file's name without its ending."""
        return self.said.split()[0]


HF = ("transformers",)
CLAIMS = (
    Claim("base-step", "share_of_peak --claim base", "share_of_peak --backbone linear/encoder-decoder/tiny --rounds 2",
          8),
    Claim("small-step", "share_of_peak --claim small", "share_of_peak --rounds 2", 8),
    Claim("resident", "feeding --only training", "feeding --only training --rounds 1 --steps 2 --batch 16", 8),
    Claim("against-blip", "training_step --batch 256", "training_step --batch 8 --rounds 2 --only ours,BLIP", 12,
          (*HF, "open_clip")),
    Claim("seeds-together", "seeds_together --only together",
          "seeds_together --only together --seeds 2 --steps 1 --rounds 1 --batch 16", 6),
    Claim("packed", "seeds_together --only packed",
          "seeds_together --only packed --at-once 2 --steps 2 --rounds 1 --batch 16", 8),
    Claim("captions", "captions", "captions --pictures 16", 8),
    Claim("re-ranking", "shortlists", "shortlists --pictures 12 --k 4", 10, ("tokenizers",)),
    Claim("matching", "matching", "matching --images 40 --k 4", 10, ("tokenizers",)),
    Claim("seeds-together-tiny", "seeds_together --only together --backbone conv3/encoder-decoder/tiny",
          "seeds_together --only together --backbone linear/encoder-decoder/tiny --seeds 2 --steps 1 --rounds 1", 6),
    Claim("decode", "decoding --size small", "decoding --size nano --rounds 1 --batch 2 --skip-plain", 8, HF),
    Claim("pictures", "feeding --only pictures", "feeding --only pictures --pictures 4 --rounds 1", 4),
    Claim("tokens", "feeding --only tokens", "feeding --only tokens --texts 2000 --rounds 1", 3, ("tokenizers",)),
)
NO_JSON: tuple[str, ...] = ()
"""Scripts that write none; what they print is kept."""


def table_of_peaks(small: bool) -> list[Claim]:
    """Every size, stem and trunk; without a GPU the smallest two stems of the smallest size."""
    sizes, stems, trunks = (("nano",), STEMS[-2:], TRUNKS[:1]) if small else (SIZES, STEMS, TRUNKS)
    shapes = [f"{stem}/{trunk}/{size}" for size in sizes for trunk in trunks for stem in stems]
    return [
        Claim(f"peak-{shape.replace('/', '-')}", f"share_of_peak --backbone {shape}",
              f"share_of_peak --backbone {shape} --rounds 1", 5)
        for shape in shapes
    ]


def page(
    claims: Sequence[Claim], results: Mapping[str, Any], failed: Mapping[str, Any], why: Mapping[str, str],
    machine: Mapping[str, str],
) -> str:
    """All of it as a page of markdown."""
    here = ", ".join(f"{name} {machine[name]}" for name in ("torch", "cuda", "driver", "python") if name in machine)
    lines = [f"# {machine['model']}", "", here, ""]
    lines += ["| claim | what | ours | theirs | ratio | limit |", "|" + "---|" * 6]
    for name, found in results.items():
        for one in found["lines"]:
            limit = "no limit" if one["limit"] is None else (
                f"{'at most' if one['most'] else 'at least'} {one['limit']:g}: {'kept' if one['kept'] else 'BROKEN'}")
            lines.append(f"| {name} | {one['what']} | {one['ours']:,.4g} {one['unit']} | {one['theirs']:,.4g} "
                         f"{one['unit']} | {one['ratio']:.3g} | {limit} |")
        if not found["lines"]:
            said = "kept" if found["exit"] == 0 else "BROKEN"
            lines.append(f"| {name} | as printed in claims/{name}.json | | | | {said} |")
    left = [claim.name for claim in claims if claim.name not in {*results, *failed, *why}]
    lines += ["", *(f"- {name}: cannot run here: {said}" for name, said in why.items())]
    lines += [f"- {name}: failed {one['tries']} times: {one['why']}" for name, one in failed.items()]
    lines += [f"- not yet run: {', '.join(left)}"] if left else []
    return "\n".join(lines) + "\n"
