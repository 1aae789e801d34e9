"""What may run in a page, and data that stays data."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from vlpbench.results.page.shell import asset, embedded, policy

NASTY = "</script><script>alert(1)</script><!-- ]]> & \u2028\u2029 \ud800 'é"


def test_data_cannot_end_its_block_and_comes_back_whole() -> None:
    text = str(embedded({NASTY: [NASTY, 1.5, None, True]}))
    assert not set("<>&\u2028\u2029") & set(text)
    assert text.isascii()
    assert json.loads(text) == {NASTY: [NASTY, 1.5, None, True]}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_not_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        embedded([value])


def test_only_our_own_blocks_may_run() -> None:
    said = dict(part.split(" ", 1) for part in policy(["a {}", "b {}"], ["1"]).split("; "))
    assert said["default-src"] == "'none'" and said["img-src"] == "data:"
    wanted = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in ("a {}", "b {}")]
    assert said["style-src"] == " ".join(f"'sha256-{one}'" for one in wanted)
    assert "unsafe" not in " ".join(said.values())


@pytest.mark.parametrize("name", ["page.css", "page.js", "page.html"])
def test_assets_ship_with_the_package(name: str) -> None:
    assert len(asset(name)) > 1000 and "\r" not in asset(name)


def test_the_script_makes_no_markup_and_fetches_nothing() -> None:
    script = asset("page.js")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|fetch\(|XMLHttp", script)
    assert "</script" not in script and "<!--" not in script
    assert script.count("\n(() => {") == 1 and script.rstrip().endswith("})();")


def test_the_template_marks_nothing_as_safe_and_styles_no_element() -> None:
    shell = asset("page.html")
    assert not re.search(r"\|\s*safe|autoescape|\sstyle=|\son[a-z]+=|https?:", shell)
    assert not re.search(r"url\(|@import", asset("page.css"))
