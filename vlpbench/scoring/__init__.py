"""Scoring alone: files of the field's official layouts in, scores out. No model, no torch, no pandas.

| module | what it knows |
| --- | --- |
| `documents`, `kinds` | JSON files as lists of rows, faults counted and named; a swapped or wrong file recognised |
| `ids` | which prediction belongs to which annotation |
| `vqa_files`, `vocabulary`, `vqa`, `vqa_text` | VQA annotations and questions; lists of answers; scores; their table |
| `caption_files`, `captions` | COCO caption annotations and results, joined; scores and their table |
| `npy`, `retrieval`, `retrieval_text` | score matrices; ranks and recalls; their table |
| `scored`, `per_example`, `layout` | what every scorer gives back; one row an example in a file; aligned columns |
| `submission` | result files as the evaluation servers want them |
"""
