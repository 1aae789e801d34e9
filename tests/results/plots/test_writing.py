"""Files: equal bytes twice, letters that stay letters, and nothing half written."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from vlpbench.errors import UserError
from vlpbench.results.plots import FORMATS, draw, svg, write


@pytest.mark.parametrize("form", FORMATS)
def test_equal_results_give_equal_bytes(form, vqa, tmp_path):
    results = vqa(["a", "b"])
    for kind in ("bars", "curves", "compute"):
        for name in ("one", "two"):
            write(draw(results, kind), tmp_path / f"{kind}-{name}.{form}")
        one, two = ((tmp_path / f"{kind}-{name}.{form}").read_bytes() for name in ("one", "two"))
        assert one == two
    assert not list(tmp_path.glob(".*"))


def test_another_process_writes_the_same(vqa, tmp_path):
    results = vqa(["a", "b"])
    write(draw(results, "compute"), tmp_path / "here.svg")
    code = (
        "import sys; from pathlib import Path; from vlpbench.results.frame import load;"
        "from vlpbench.results.plots import draw, write; write(draw(load(sys.argv[1]), 'compute'), Path(sys.argv[2]));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(results.folders[0]), str(tmp_path / "there.svg")], check=True)
    assert (tmp_path / "here.svg").read_bytes() == (tmp_path / "there.svg").read_bytes()


@pytest.mark.parametrize("kind", ["bars", "curves", "compute", "heatmap"])
def test_names_are_text_and_never_markup(kind, field, falling, nasty):
    name = f"{nasty} <script>alert(1)</script>\x00\x1b"
    for at, row in enumerate((name, "b")):
        field.done(
            row, 0, {"vqa": {"accuracy": 9.0 + at}}, curve=falling(3, 2.0),
            settings={"objective": "x$_1$" if at else "<y>&", "backbone": f"conv{at + 2}/$dual$/nano"},
        )
    options = {"width": "page"} if kind != "heatmap" else {}
    text = svg(draw(field.read(), kind, **options))
    root = ElementTree.fromstring(text)
    written = "".join(root.itertext())
    assert "<script>" not in text
    shown = "x$_1$" if kind == "heatmap" else r"$\alpha_1$ & <b>"
    assert shown in written
    assert root.find("{http://www.w3.org/2000/svg}title") is not None


def test_a_pdf_holds_letters_that_can_be_searched(vqa, tmp_path):
    write(draw(vqa(["a"], 1), "bars"), tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content and b"/Type3" not in content
    assert b"CreationDate" not in content


def test_a_line_stays_light(field, falling):
    for seed in range(6):
        field.done("a", seed, {"vqa": {"accuracy": 9.0}}, curve=falling(5000, 2.0))
    assert len(svg(draw(field.read(), "curves"))) < 120_000


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [("a.pfd", "no plot can be written as '.pfd'", "did you mean a.pdf"), ("a", "has no suffix", "did you mean a.pdf")],
)
def test_other_formats(name, cause, remedy, vqa, tmp_path):
    with pytest.raises(UserError, match=cause) as error:
        write(draw(vqa(["a"], 1)), tmp_path / name)
    assert remedy in error.value.remedy
    assert not list(tmp_path.glob("a*"))
