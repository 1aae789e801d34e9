"""Metrics: pure functions of predictions and references, each by its official definition. No model, no files.

| module | what it scores | unit |
| --- | --- | --- |
| `vqa_accuracy` | answers: leave-one-out VQA accuracy under three rules, exact match | percent; 0 to 1 a question |
| `vqa_vocabulary` | answers out of a closed list: its score, its ceiling, what it cannot answer | percent |
| `choices` | multiple choice | percent |
| `captions` | captions: BLEU, ROUGE-L, CIDEr-D, plain CIDEr, METEOR, SPICE | pycocoevalcap's: 0 to 1, CIDEr 0 to 10 |
| `recall` | image-text retrieval: R@k in both directions, ranks; beside it `folds`, `shortlist`, `top` | percent |
| `classification` | classes of pictures | percent |
| `ptb_tokenizer` | nothing: it cuts captions into the tokens that `captions` compares | |
| `external` | METEOR, SPICE and the Java tokenizer as programs with a time limit, the only ones here to touch files | |

Importing this package loads nothing but itself; a module loads what it needs.
"""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = 2
"""Version of the metric set, part of a cell's id: raised when the same predictions get other scores."""
