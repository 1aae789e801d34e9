"""Words a second of captioning with beams: with the cache, without it, and Hugging Face's `generate` beside both.

usage: python benchmarks/decoding.py [--trunk NAME] [--device cuda] [--clock cpu] [--words 1000] [--rounds 3]
                                     [--size small] [--json FILE]

Random weights at size `small` on 64 image tokens, batch 16, 3 beams; every sentence is forced to 20 words. All sides
alternate within each round, in one process; medians over the rounds are printed, and the ratios against their limits;
exit 1 where one is broken. One thread, as a cell has; `--clock cpu` counts processor seconds, for a machine that
others use at the same time. The vocabulary is the default of `text.vocabulary`: writing words costs the same with and
without a cache, so a larger one (`--words`) brings that ratio nearer to one.

With steps captured, on a GPU alone: each step is one launch on tensors of one shape (`tasks/fixed_steps.py`).

Without the cache: the same search, but no keys and values are kept from step to step: each step decodes all words so
far anew and makes the keys of what they look at anew, which in the decoder-only trunk is the stack on image tokens. The
stem, and the encoder of the encoder-decoder, run beforehand. "Without that of words" keeps the keys of the picture and
makes only those of the words anew (no limit, for whoever counts so). Log-odds are computed for the last word alone.

Hugging Face: beside the encoder-decoder a BART decoder, given as many vectors as encoder output, picture encoded
beforehand on both sides; its norms stand behind the layers instead of before, its word table has a bias. Beside the
decoder-only trunk a GPT-2 stack that gets the image tokens as a prompt of vectors and passes over them inside the
timed part; so ours encodes the picture inside it too, stem included (there, "and the picture"). Widths, layers, heads,
vocabulary, beams and lengths are equal; its beams, too, stop when none can win. What it computes more: with BART keys
of the memory for each beam instead of each picture, and both move their caches when beams change places.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from side_by_side import Line, begin, finish
from torch import Tensor

from vlpbench.backbones import DecoderOnly, EncoderDecoder
from vlpbench.backbones.decoder_only import layers_of
from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Linear
from vlpbench.config.settings import TextSettings
from vlpbench.contract.abilities import Backbone, Context, DecodingState, TextState
from vlpbench.device import Device
from vlpbench.tasks.fixed_steps import graph_for
from vlpbench.tasks.generate import Search, Writer, generate
from vlpbench.training.build import Blueprint
from vlpbench.types import Vocabulary

PIXELS, BEAMS = 128, 3
"""Pixels a side: eight times eight patches of sixteen; k."""
CACHED, PLAIN, FACE, SEEING = "with the cache", "without the cache", "Hugging Face", "and the picture"
HALF, CAPTURED = "without that of words", "with steps captured"
LIMITS = {PLAIN: 5.0, FACE: 1.0}
"""How many times as fast ours is to be, at least."""
TRUNKS = {"encoder-decoder": EncoderDecoder, "decoder-only": DecoderOnly}


@dataclass
class Said(DecodingState):
    """The words of each beam so far (B, k, S), and nothing of what was computed from them; no row ends early here."""

    words: Tensor

    def select(self, rows: Tensor, beams: Tensor) -> Said:
        """Pick words."""
        return Said(self.words[rows[:, None], beams])


class Uncached(torch.nn.Module):
    """A backbone whose `step` decodes all words anew, looking at what `look` gives."""

    def __init__(self, backbone: Backbone, look: Callable[[], Context]) -> None:
        super().__init__()
        self.backbone, self.spec, self.look = backbone, backbone.spec, look

    def begin(self, context: Context, beams: int, length: int) -> Said:
        """Nothing said."""
        rows = len(context.memory)
        return Said(torch.zeros(rows, beams, 0, dtype=torch.long, device=context.memory.device))

    def step(self, state: Said, token: Tensor) -> Tensor:
        """B, k -> B, k, V: through all layers with all words, but only the last one's log-odds."""
        state.words = torch.cat([state.words, token[..., None]], 2)
        text = TextState(state.words, torch.ones_like(state.words, dtype=torch.bool))
        return self.backbone.logits(self.backbone.decode(self.look(), text)[:, :, -1])


def ours(trunk: str, asked: argparse.Namespace) -> dict[str, Callable[[], int]]:
    """Our ways: each call searches once and returns the number of words it wrote."""
    vocabulary = Vocabulary(asked.words, 0, 1, 2, 3, 4)
    plan = Blueprint(Linear, "", TRUNKS[trunk], SIZES[asked.size], PIXELS, vocabulary, asked.length + 1, 0, None)
    backbone = plan.build(frozenset({"context", "decode"})).eval().to(asked.device)
    images = torch.randn(asked.batch, 3, PIXELS, PIXELS, device=asked.device)
    search = Search(BEAMS, least=asked.length)
    seen = backbone.context(backbone.see(images))

    def anew(seen: Context) -> Context:
        return Context(seen.memory, seen.mask, dict(seen.keys))  # keys of the memory are made anew in every search

    def run(model: Backbone, seen: Context) -> int:
        return sum(map(len, generate(model, anew(seen), [1], asked.length, search)))

    sides = {CACHED: lambda: run(backbone, seen)}
    graph = graph_for(Device(asked.device), "auto")
    if graph is not None:
        writer = Writer(backbone, [1], asked.length, search, graph)
        sides[CAPTURED] = lambda: sum(map(len, writer.write(anew(seen))))
    stem = backbone.see(images).once("stem", lambda whole: backbone._stem(whole))  # type: ignore[attr-defined]

    def looked() -> Context:
        if trunk == "encoder-decoder":
            return Context(seen.memory, seen.mask)
        state = backbone.see(images)
        state.once("stem", lambda whole: stem)
        return backbone.context(state)

    plain: Any = Uncached(backbone, looked)
    half: Any = Uncached(backbone, lambda: seen)
    if not asked.skip_plain:
        sides[PLAIN] = lambda: run(plain, seen)
        sides[HALF] = lambda: run(half, seen)
    if trunk == "decoder-only":
        sides[SEEING] = lambda: run(backbone, backbone.context(backbone.see(images)))
    return sides


def theirs(trunk: str, asked: argparse.Namespace) -> Callable[[], int] | None:
    """Hugging Face's search in a model of equal shape, or None where it is not installed."""
    try:
        import transformers
    except ImportError:
        return None
    transformers.logging.set_verbosity_error()
    size, tokens = SIZES[asked.size], (PIXELS // 16) ** 2
    said = {"num_beams": BEAMS, "do_sample": False, "use_cache": True, "early_stopping": False}
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    memory = torch.randn(asked.batch, tokens, size.width, device=asked.device)
    if trunk == "encoder-decoder":
        from transformers.modeling_outputs import BaseModelOutput

        config = transformers.BartConfig(
            vocab_size=asked.words, d_model=size.width, encoder_layers=1, decoder_layers=size.decoder,
            decoder_attention_heads=size.heads, encoder_attention_heads=size.heads, decoder_ffn_dim=4 * size.width,
            encoder_ffn_dim=4 * size.width, max_position_embeddings=tokens + asked.length, forced_eos_token_id=None,
            decoder_start_token_id=1, **ids,
        )
        model: Any = transformers.BartForConditionalGeneration(config).eval().to(asked.device)

        def run() -> int:
            made = model.generate(
                encoder_outputs=BaseModelOutput(last_hidden_state=memory), min_new_tokens=asked.length,
                max_new_tokens=asked.length, **said,
            )
            return int(asked.batch * (made.shape[1] - 1))

        return run
    config = transformers.GPT2Config(
        vocab_size=asked.words, n_positions=tokens + asked.length + 1, n_embd=size.width, n_layer=layers_of(size),
        n_head=size.heads, activation_function="gelu", **ids,
    )
    model = transformers.GPT2LMHeadModel(config).eval().to(asked.device)

    def run_stack() -> int:
        made = model.generate(
            inputs_embeds=memory, min_new_tokens=asked.length, max_new_tokens=asked.length,
            attention_mask=torch.ones(memory.shape[:2], dtype=torch.long, device=memory.device), **said,
        )
        return int(asked.batch * made.shape[1])

    return run_stack


@torch.no_grad()
def rate(side: Callable[[], int], asked: argparse.Namespace) -> float:
    """Words a second of one search of the whole batch; the beams that lose do not count."""
    clock = time.process_time if asked.clock == "cpu" else time.perf_counter
    wait = torch.cuda.synchronize if asked.device == "cuda" else lambda: None
    wait()
    start = clock()
    words = side()
    wait()
    return words / (clock() - start)


def compare(trunk: str, asked: argparse.Namespace) -> list[Line]:
    """Print one trunk's table; the ratios that have limits."""
    with torch.no_grad():
        sides = ours(trunk, asked)
    other = theirs(trunk, asked)
    if other is None:
        print(f"{trunk}: transformers is not installed, so Hugging Face is left out (pip install vlpbench[bench])")
    else:
        sides[FACE] = other
    for name, side in sides.items():
        if name not in (PLAIN, HALF) or asked.device == "cuda":  # long enough on a CPU not to notice
            rate(side, asked)  # the first search pays for memory and choices of kernels
    rounds = [{name: rate(side, asked) for name, side in sides.items()} for _ in range(asked.rounds)]
    lines, best = [], CAPTURED if CAPTURED in sides else CACHED
    for name in sides:
        own = SEEING if name == FACE and SEEING in sides else best if name == FACE else CACHED
        times, said = statistics.median(one[own] / one[name] for one in rounds), ""
        if name in LIMITS:
            rates = [statistics.median(one[side] for one in rounds) for side in (own, name)]
            what = f"{trunk} {asked.size}: words {own}, beside {name}"
            lines.append(Line(what, "words/s", *rates, times, LIMITS[name]))
            said = f"  ours is {times:5.2f} times as fast (limit {LIMITS[name]:g})"
            said += "" if times >= LIMITS[name] else " BROKEN"
        elif name == HALF:
            said = f"  ours is {times:5.2f} times as fast"
        words = statistics.median(one[name] for one in rounds)
        print(f"{trunk:16} {name:22} {words:9.1f} words/s{said}", flush=True)
    return lines


def main() -> int:
    """Print all tables; exit 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trunk", choices=list(TRUNKS), help="only this one")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--words", type=int, default=TextSettings().vocabulary, help="of the vocabulary")
    parser.add_argument("--size", default="small", choices=list(SIZES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results are written, too")
    parser.add_argument("--skip-plain", action="store_true", help="leave out the search without the cache")
    asked = parser.parse_args()
    device = begin(asked)
    print(
        f"torch {torch.__version__}, {asked.device}, {asked.threads} threads, {asked.clock} clock; size {asked.size}, "
        f"batch {asked.batch}, {BEAMS} beams, {asked.length} words of {asked.words}; median of {asked.rounds} rounds",
        flush=True,
    )
    lines = [line for trunk in TRUNKS if asked.trunk in (None, trunk) for line in compare(trunk, asked)]
    return finish(lines, asked, device)


if __name__ == "__main__":
    sys.exit(main())
