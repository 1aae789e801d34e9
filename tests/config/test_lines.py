from __future__ import annotations

import pytest

from vlpbench.config.lines import find_lines, line_of, parts_of

TEXT = '''# comment
name = "x"
[optim]   # rate
lr = 1
"weight_decay" = 2
[data.coco]
splits = { train = "a" }
[[rows]]
name = "a"
optim.lr = 1
[[rows]]
"optim.lr" = 3
[rows.text]
length = 3
'''


def test_parts_are_the_same_however_a_key_is_quoted():
    assert parts_of('optim."lr"') == parts_of('"optim.lr"') == parts_of("optim . lr") == ("optim", "lr")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("optim",), 3),
        (("optim", "lr"), 4),
        (("optim", "weight_decay"), 5),
        (("data", "coco"), 6),
        (("data", "coco", "splits", "train"), 7),
        (("rows", 0), 8),
        (("rows", 0, "optim", "lr"), 10),
        (("rows", 1, "optim", "lr"), 12),
        (("rows", 1, "text", "length"), 14),
        (("rows", 1, "nowhere"), 11),
        (("nowhere",), None),
    ],
)
def test_each_key_is_found_or_the_table_around_it(path, line):
    assert line_of(find_lines(TEXT), path) == line
