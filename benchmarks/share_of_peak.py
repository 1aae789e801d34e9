"""Our training step beside this device's own peak: pairs and TFLOP a second, memory, seconds to the first step.

usage: python benchmarks/share_of_peak.py [--claim base|small] [--backbone STEM/TRUNK/SIZE] [--batch N] [--device cuda]
                                          [--no-compile] [--rounds N] [--json FILE]

One cell's shape, pretrained with prefix-lm on one made-up batch that lies on the device: sizes from small on see 224
pixels, 32 tokens to read and 32 to write, 32,000 words; nano and tiny see 32 pixels, 24 tokens, 1,000 words. A batch
that does not fit is halved until it does. The peak is that of the fastest square matrix product measured here, in bf16
on a GPU and fp32 on a CPU; operations are torch's count of forward and backward. `--claim` names the two shapes that
have a rate to reach on an H200: "base" (ResNet-101 depths, group norm) and "small" with ResNet-50 depths and batch
norm, 512 pairs a step. Steps are timed by events on a GPU; median and spread are told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from ours import STEMS, TRUNKS, Ours, Setting, as_published, training_of
from side_by_side import Line, alternate, arguments, begin, finish, middle, operations, peak_of, short, spread

from vlpbench.backbones.sizes import SIZES
from vlpbench.device import Device
from vlpbench.training.cost import parameters
from vlpbench.training.shortage import is_out_of_memory

CLAIMS = {"base": 1510.0, "small": 3500.0}
"""Pairs a second to reach on an H200: 40 % of 790 TFLOP/s, and about as much at size small."""
AIMS = {"base": 2270.0, "small": 4400.0}
"""What is aimed for."""


def claimed(name: str, batch: int) -> Setting:
    """The shape that a claim is about."""
    setting = as_published(f"conv3/encoder-decoder/{name}", batch)
    if name == "small":
        setting = replace(setting, size=replace(SIZES["small"], stages=(3, 4, 6, 3), batch_norm=True))
    return setting


def fitting(setting: Setting, device: Device, compiled: bool) -> tuple[Ours, Setting, int, float]:
    """A training whose first step went through: with its shape, its operations a pair, seconds to its first step."""
    while True:
        start = device.seconds()
        try:
            ours = training_of(setting, device, compiled)
            built = device.seconds() - start
            flops = operations(ours.gradient) // 2
            device.forget_peak()
            start = device.seconds()
            ours.step()
            return ours, setting, flops, built + device.seconds() - start
        except Exception as error:
            if not is_out_of_memory(error) or setting.batch < 4:
                raise
        device.release()
        setting = replace(setting, batch=setting.batch // 2)
        print(f"out of memory; now with {setting.batch} pairs", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rates; exit 1 where a rate to reach is not reached."""
    parser = arguments(__doc__ or "", rounds=0)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--claim", choices=list(CLAIMS))
    what.add_argument("--backbone", default="conv3/encoder-decoder/nano",
                      help=f"of stems {', '.join(STEMS)}; trunks {', '.join(TRUNKS)}; sizes {', '.join(SIZES)}")
    parser.add_argument("--batch", type=int, help="pairs of a step; 512 on a GPU; else 64 for nano and tiny, 2")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="on a GPU by default")
    asked = parser.parse_args(argv)
    device = begin(asked)
    large = device.kind == "cuda"
    toy = not asked.claim and asked.backbone.endswith(("/nano", "/tiny"))
    batch = asked.batch or (512 if large else 64 if toy else 2)
    compiled = large if asked.compile is None else asked.compile
    wanted = claimed(asked.claim, batch) if asked.claim else as_published(asked.backbone, batch)
    ours, setting, flops, first = fitting(wanted, device, compiled)
    rounds = asked.rounds or (50 if large else 5)
    seconds = alternate({"step": ours.step}, rounds, device, asked.clock, warm=5 if large else 1)["step"]
    memory = device.peak_bytes()
    rate, peak = setting.batch / middle(seconds), peak_of(device, asked.clock)
    tera = rate * flops / 1e12
    facts = {
        "pairs_per_second": rate, "tflops": tera, "share_of_peak": tera / peak, "peak_bytes": memory,
        "first_step_seconds": first, "flops_per_pair": flops, "parameters": parameters(ours.learner.backbone),
        "batch": setting.batch, "spread": spread(seconds), "peak_tflops": peak, "compiled": compiled,
        "backbone": setting.backbone,
    }
    print(f"{setting.backbone}, {facts['parameters'] / 1e6:.0f} M weights, {setting.batch} pairs of "
          f"{flops / 1e9:.3g} GFLOP, {'compiled' if compiled else 'not compiled'}: {short(rate)} pairs/s "
          f"(spread {facts['spread']:.0%}), peak memory {memory / 2**30:.1f} GiB, first step after {first:.1f} s")
    if tera > peak:
        print("more than the peak: others used the processor while it was measured (--clock cpu leaves them out)")
    name = f"{asked.claim}: {setting.backbone}" if asked.claim else setting.backbone
    lines = [Line(f"{name}, {setting.batch} pairs, against the peak of a matrix product", "TFLOP/s", tera, peak,
                  tera / peak, beside={"pairs_per_second": rate})]
    if asked.claim:
        aim, reach = AIMS[asked.claim], CLAIMS[asked.claim]
        lines.append(Line(f"{name}, {setting.batch} pairs, against the rate to reach (aim {aim:,.0f})", "pairs/s",
                          rate, reach, rate / reach, 1.0 if large else None))
    return finish(lines, asked, device, rates=facts)


if __name__ == "__main__":
    sys.exit(main())
