"""Scoring alone: files of the field's official layouts in, scores out. No model, no torch, no pandas.

| module | what it knows |
| --- | --- |
| `documents` | JSON files as lists of rows; what is wrong with a row is counted and named |
| `ids` | which prediction belongs to which annotation |
| `vqa_files`, `vqa`, `vqa_text` | VQA annotations, questions and results; their scores; those as a table |
| `caption_files`, `captions` | COCO caption annotations and results; their scores and table |
| `npy`, `retrieval` | score matrices; their ranks and recalls and the table |
| `scored`, `per_example`, `layout` | what every scorer gives back; one row an example in a file; aligned columns |
| `submission` | result files as the evaluation servers want them |
"""
