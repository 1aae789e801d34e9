"""One batch as a model sees it: its texts and arrays as lines, its pictures as one PNG."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vlpbench.data.images import MEAN, STD
from vlpbench.data.loader import HostBatch
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.files import written_whole
from vlpbench.types import Batch, Vocabulary

__all__ = ["batch_lines", "write_pictures"]


def batch_lines(host: HostBatch, tokenizer: Tokenizer, samples: int) -> Iterator[str]:
    """Text, tokens, and what each objective's `corrupt` made of the first `samples` rows."""
    first = next(iter(host.views.values()))
    for row in range(min(samples, len(first))):
        ids = first.tokens[row]
        yield f"sample {row}: image {first.image_ids[row]}, {int(first.mask[row].sum())} of {len(ids)} tokens"
        yield f"  text    {tokenizer.decode(ids)}"
        yield f"  tokens  {_shown('tokens', ids, first.vocabulary, tokenizer)}"
        for name, view in host.views.items():
            for key, array in view.extras.items():
                yield f"  {name}: {key}  {_shown(key, array[row], view.vocabulary, tokenizer)}"


def _shown(key: str, row: Any, vocabulary: Vocabulary, tokenizer: Tokenizer) -> str:
    """One row of an array: marks for truths, pieces for ids, numbers else."""
    values = np.asarray(row)
    if values.ndim == 1 and values.dtype == bool:
        return "".join("x" if one else "." for one in values)
    if values.ndim == 1 and key in ("tokens", "inputs", "targets") and np.issubdtype(values.dtype, np.integer):
        return "|".join(_piece(int(one), vocabulary, tokenizer) for one in values)
    return np.array2string(values, precision=3, threshold=24).replace("\n", " ")


def _piece(number: int, vocabulary: Vocabulary, tokenizer: Tokenizer) -> str:
    special = {getattr(vocabulary, name): f"<{name}>" for name in ("pad", "bos", "eos", "unk", "mask")}
    special |= {one: f"<{at}>" for at, one in enumerate(vocabulary.sentinels)}
    return special.get(number) or tokenizer.decode([number])


def write_pictures(host: HostBatch, path: Path, samples: int, zoom: int = 4) -> int:
    """Write the first pictures of a batch side by side, cropped and mirrored as the model sees them; give how many."""
    views: dict[str, Batch] = next(iter(host.to(torch.device("cpu")).values()))
    images = next(iter(views.values())).images
    if images is None:
        return 0
    seen = images[:samples].permute(0, 2, 3, 1).numpy() * np.array(STD) + np.array(MEAN)
    pixels = np.clip(np.rint(seen * 255), 0, 255).astype(np.uint8).repeat(zoom, 1).repeat(zoom, 2)
    with written_whole(path) as temporary:
        Image.fromarray(np.concatenate(list(pixels), axis=1)).save(temporary, format="PNG")
    return len(pixels)
