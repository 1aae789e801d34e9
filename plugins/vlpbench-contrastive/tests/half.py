"""One process of several, each with its share of one batch: prints its losses and the gradient of its vectors as JSON.

Run by test_processes.py: half.py RANK PROCESSES FILE NAME...
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.functional import normalize
from vlpbench_contrastive import OBJECTIVES

from vlpbench.testing import tiny_batches
from vlpbench.testing.rounds import crossed

N, E = 8, 5


def whole_batch(cls):
    """N pairs, two of one picture and two of one string in different halves, with all that the five objectives read."""
    text = tiny_batches(N)["texts"]
    which = np.arange(N) % 3
    label, oracle = text.rows(which), text
    fields = {
        "label": label.tokens, "label_mask": label.mask, "oracle": oracle.tokens, "oracle_mask": oracle.mask,
    }
    host = replace(
        tiny_batches(N, fields=fields)["pairs"],
        image_ids=np.array([9, 1, 2, 3, 4, 9, 6, 7]), caption_ids=np.array([11, 12, 13, 14, 15, 16, 13, 18]),
    )
    made = cls.corrupt(host, np.random.default_rng(3), cls.config_class())
    return crossed(replace(host, extras={**fields, **made}))


def losses_and_gradients(name, rank, processes):
    """Of this process's rows: the losses, and what all processes' losses say of its vectors."""
    (cls,) = [one for one in OBJECTIVES if one.name == name]
    rng = torch.Generator().manual_seed(0)
    share = slice(rank * N // processes, (rank + 1) * N // processes)
    names = ("image", "text", "caption")
    features = {one: normalize(torch.randn(N, E, generator=rng), dim=-1)[share].requires_grad_() for one in names}
    objective = cls(cls.config_class(), None)
    losses = objective.loss(features, whole_batch(cls).rows(share)).losses
    losses.sum().backward()
    gradients = {one: vectors.grad.tolist() for one, vectors in features.items() if vectors.grad is not None}
    return {"losses": losses.tolist(), **gradients}


if __name__ == "__main__":
    rank, processes, file, *names = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=processes)
    print(json.dumps({name: losses_and_gradients(name, rank, processes) for name in names}))  # noqa: T201
    dist.destroy_process_group()
