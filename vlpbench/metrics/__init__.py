"""Metrics: pure functions of predictions and references, each by its official definition. No model, no files.

| module | what it scores | unit |
| --- | --- | --- |
| `vqa_accuracy` | answers: leave-one-out VQA accuracy, exact match | percent in aggregates, 0 to 1 per question |
| `captions` | captions: BLEU, ROUGE-L, CIDEr-D on Penn Treebank tokens | pycocoevalcap's own: 0 to 1, CIDEr 0 to 10 |
| `recall` | image-text retrieval: R@k in both directions | percent |
| `ptb_tokenizer` | nothing: it cuts captions into the tokens that `captions` compares | |

Importing this package loads nothing but itself; a module loads what it needs.
"""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = 2
"""Version of the metric set, part of a cell's id: raised when the same predictions get other scores."""
