"""Tables: rows of one image join, and every odd row is named with its line."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import parquet

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.sources.table import Table, TableConfig
from vlpbench.types import Sample

TEXT = 'image,caption,number\na.png,"Red, all over",3\nb.png,NA,7\na.png,Red again,3\n'


@pytest.fixture
def read(root, cache, put, picture):
    picture("a.png")
    picture("b.png", "blue")

    def go(content, name="t.csv", **settings):
        if content is not None:
            put(name, content)
        made = Table(TableConfig(folder="set", tables={"train": name}, **settings), root, cache)
        found = list(made.read("train"))
        bad = [f"{x.where}: {x.what}" for x in found if isinstance(x, BadSample)]
        return [x for x in found if isinstance(x, Sample)], bad

    return go


def test_rows_of_one_image_join_and_text_stays_text(read):
    good, bad = read(TEXT, id="number")
    assert bad == []
    assert good == [Sample(3, "a.png", ("Red, all over", "Red again")), Sample(7, "b.png", ("NA",))]


def test_ids_made_from_names_are_the_same_in_every_table(read):
    one, _ = read(TEXT)
    other, _ = read("caption,image\nx,b.png\n")
    assert len({sample.id for sample in one}) == 2
    assert other[0].id == one[1].id
    assert all(0 <= sample.id < 2**62 for sample in one)


def test_tabs_and_line_breaks_within_quotes(read):
    good, bad = read('image\tcaption\na.png\t"two\nlines"\n\n', name="t.tsv")
    assert (good[0].captions, bad) == (("two\nlines",), [])


def test_texts_without_images(read):
    good, bad = read("caption\nfirst\nsecond\nfirst\n", image="")
    assert bad == []
    assert [sample.captions for sample in good] == [("first",), ("second",), ("first",)]
    assert {sample.image for sample in good} == {""}
    assert len({sample.id for sample in good}) == 3


def test_parquet_gives_the_same_as_csv(read, root):
    table = pa.table({"image": ["a.png", "b.png", "a.png"], "caption": ["Red, all over", "NA", "Red again"],
                      "number": [3, 7, 3]})
    parquet.write_table(table, root / "set" / "t.parquet", row_group_size=2)
    assert read(None, name="t.parquet", id="number") == read(TEXT, id="number")


def test_missing_cells_of_parquet(read, root):
    parquet.write_table(pa.table({"image": ["a.png", None], "caption": [None, "x"]}), root / "set" / "t.parquet")
    good, bad = read(None, name="t.parquet")
    assert good == []
    assert bad == ["t.parquet: row 1: caption is missing", "t.parquet: row 2: names no image file"]


@pytest.mark.parametrize(
    ("line", "what"),
    [("gone.png,x,9", "does not exist"), ("../a.png,x,9", "leads out"), (",x,9", "names no image file"),
     ("b.png, ,7", "caption is empty"), ("b.png,x", "not as many cells"), ("b.png,x,7,8", "not as many cells"),
     ("b.png,x,seven", "is not a whole number"), ("b.png,x,8", "has another id (7)"),
     ("c.png,x,7", "does not exist")],
)
def test_odd_rows_are_named(read, line, what):
    good, bad = read(TEXT + line + "\n", id="number")
    assert [len(sample.captions) for sample in good] == [2, 1]
    assert len(bad) == 1
    assert bad[0].startswith("t.csv: line 5: ")
    assert what in bad[0]


def test_id_of_two_images(read, picture):
    picture("c.png")
    _, bad = read(TEXT + "c.png,x,7\n", id="number")
    assert bad == ["t.csv: line 5: id 7 is that of another image ('b.png') further up"]


def test_bad_first_row_does_not_take_the_id(read):
    good, bad = read("image,caption,number\na.png,,3\na.png,fine,4\n", id="number")
    assert good == [Sample(4, "a.png", ("fine",))]
    assert len(bad) == 1


@pytest.mark.parametrize(
    ("content", "cause"),
    [("picture,caption\n", "no column 'image'"), ("", "no column 'image'"), (b"image,caption\na.png,\xff\n", "UTF-8"),
     ('image,caption\na.png,"open', "not a readable table"),
     ("image,caption\na.png," + "x" * 200_000, "not a readable")],
)
def test_unreadable_tables(read, content, cause):
    with pytest.raises(DataError) as caught:
        read(content)
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_nearest_column(read):
    with pytest.raises(DataError) as caught:
        read("images,caption\n")
    assert "'images'" in caught.value.remedy


def test_missing_and_broken_parquet(read, root):
    with pytest.raises(DataError, match="does not exist"):
        read(None, name="t.parquet")
    with pytest.raises(DataError, match="not a readable parquet file"):
        read(b"PAR1 and no more", name="t.parquet")


def test_classes_with_and_without_captions(read):
    text = "image,caption,kind\na.png,one, cat\nb.png,two,dog\na.png,three,cat\n"
    good, bad = read(text, label="kind")
    assert bad == []
    assert [(sample.captions, sample.fields) for sample in good] == [
        (("one", "three"), {"label": "cat"}), (("two",), {"label": "dog"})]
    alone, bad = read(text, label="kind", caption="")
    assert bad == []
    assert [(sample.captions, sample.fields["label"]) for sample in alone] == [((), "cat"), ((), "dog")]


def test_no_label_column_no_field(read):
    good, _ = read(TEXT)
    assert all(sample.fields == {} for sample in good)


@pytest.mark.parametrize(("line", "what"), [("a.png,x,dog", "has another class ('cat') further up"),
                                            ("b.png,x, ", "label is empty")])
def test_odd_classes_are_named(read, line, what):
    good, bad = read(f"image,caption,kind\na.png,one,cat\n{line}\n", label="kind")
    assert [sample.captions for sample in good] == [("one",)]
    assert len(bad) == 1
    assert what in bad[0]


def test_numbers_of_parquet_are_names_of_classes(read, root):
    table = pa.table({"image": ["a.png", "b.png"], "kind": [3, None]})
    parquet.write_table(table, root / "set" / "t.parquet")
    good, bad = read(None, name="t.parquet", label="kind", caption="")
    assert [sample.fields for sample in good] == [{"label": "3"}]
    assert bad == ["t.parquet: row 2: label is missing"]


@pytest.mark.parametrize("settings", [{"caption": ""}, {"caption": "", "label": "kind", "image": ""}])
def test_neither_caption_nor_class(read, settings):
    with pytest.raises(DataError, match="neither caption nor class"):
        read("image,kind\na.png,cat\n", **settings)
