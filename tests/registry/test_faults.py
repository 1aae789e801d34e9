"""Every way to break a plugin that is known, as a file and as an installed distribution, all at once.

One load meets all of them beside good plugins: each is named with cause and remedy, and nothing else stops.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from vlpbench.errors import UserError
from vlpbench.registry import PluginError, load_registry

TOP = (
    "from dataclasses import dataclass, field\nfrom vlpbench.plugin import *\nfrom vlpbench.plugin import hookimpl\n"
)
CLASS = """
class ObjectiveMine(Objective):
    name = "NAME"
FACTS
    def encode(self, backbone, batch):
        return {}
    def loss(self, features, batch):
        return Step(features["x"])
"""
GIVEN = "\n@hookimpl\ndef vlpbench_objectives():\n    return [ObjectiveMine]\n"


def objective(facts: str = "", before: str = "", hook: str = GIVEN) -> str:
    """A plugin with one objective; `facts` stand in its class, `before` above it."""
    lines = "\n".join(f"    {line}" for line in facts.splitlines())
    return TOP + before + CLASS.replace("FACTS", lines) + hook


def config(body: str, frozen: str = "frozen=True") -> str:
    """A plugin whose objective has a config class with this body."""
    return objective("config_class = Config", f"@dataclass({frozen})\nclass Config:\n    {body}\n")


def hook(name: str, body: str, above: str = "@hookimpl", arguments: str = "") -> str:
    return objective(hook=f"\n{above}\ndef vlpbench_{name}({arguments}):\n    {body}\n")


def metric(facts: str) -> str:
    lines = "\n".join(f"    {line}" for line in facts.splitlines())
    methods = "    def values(self, rows):\n        return []\n"
    given = "@hookimpl\ndef vlpbench_metrics():\n    return [Mine]\n"
    return f'{TOP}class Mine(Metric):\n    name = "NAME"\n{lines}\n{methods}{given}'


def table(facts: str) -> str:
    given = "@hookimpl\ndef vlpbench_tables():\n    return [Mine]\n"
    return f'{TOP}class Mine(ReportTable):\n    name = "NAME"\n    {facts}\n{given}'


@dataclass(frozen=True)
class Fault:
    """A broken plugin and what must be said of it."""

    what: str
    text: str
    cause: str
    remedy: str = ""
    ways: tuple[str, ...] = ("file", "package")


BOTH, PACKAGE = ("file", "package"), ("package",)
INSTANCE = "class Plugin:\n    @hookimpl\n    def vlpbench_stems(self):\n        return []\n"
PROPERTY = "class Plugin:\n    @property\n    def fact(self):\n        return 1 / 0\nplugin = Plugin()\n"
META = "class Odd(type(Objective)):\n    @property\n    def name(cls):\n        raise RuntimeError('no name today')\n"
UNSAID = "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\nraise Mute\n"
FAULTS = [
    # what stops an import
    Fault("missing-import", "import no_such_module_at_all\n", "no module named 'no_such_module_at_all'",
          "pip install no-such-module-at-all"),
    Fault("raises", "1 / 0\n", "ZeroDivisionError while it is imported: division by zero", "tell its author, or"),
    Fault("assertion", "assert False\n", "AssertionError while it is imported", "tell its author"),
    Fault("unprintable", UNSAID, "Mute while it is imported: (its message cannot be read)"),
    Fault("exits", "import sys\nsys.exit(7)\n", "calls sys.exit(7) when it is imported", "tell its author, or"),
    Fault("base-exception", "class Odd(BaseException): pass\nraise Odd('x')\n", "Odd while it is imported: x"),
    Fault("syntax", "def broken(:\n", "syntax error at", "correct it"),
    Fault("null-bytes", "x = 1\0\n", "null bytes"),
    Fault("endless", "def f():\n    f()\nf()\n", "RecursionError while it is imported"),
    Fault("misspelt-name", "from vlpbench.plugin import Objectiv\n",
          "cannot import name 'Objectiv' from vlpbench.plugin",
          "did you mean 'Objective'? else upgrade vlpbench"),
    Fault("other-release", "import vlpbench.nowhere\n", "no module named 'vlpbench.nowhere'", "another vlpbench"),
    Fault("attribute", "import json\njson.nothing\n", "AttributeError while it is imported"),
    # hooks that would be ignored, or called wrongly
    Fault("misspelt-hook", hook("objectivs", "return []"), "there is no hook 'vlpbench_objectivs'",
          "did you mean 'vlpbench_objectives'?"),
    Fault("extra-argument", hook("objectives", "return []", arguments="cfg"),
          "vlpbench_objectives has a wrong signature",
          "arguments it may take: none"),
    Fault("wrong-argument", hook("cell_finished", "pass", arguments="cell"), "wrong signature", "may take: record"),
    Fault("default", hook("cell_finished", "pass", arguments="record=None"), "argument 'record' has a default",
          "drop the default"),
    Fault("keywords", hook("cell_finished", "pass", arguments="**all"), "'**all' stands for would never be given",
          "name those it uses: record"),
    Fault("unmarked", hook("objectives", "return [ObjectiveMine]", above=""), "not marked as a hook",
          "put @hookimpl"),
    Fault("other-marker", hook("objectives", "return []", "import pluggy\n@pluggy.HookimplMarker('other')"),
          "not marked as a hook", "from vlpbench.plugin"),
    Fault("wrapper", hook("objectives", "return (yield)", "@hookimpl(wrapper=True)"), "is a hook wrapper"),
    Fault("async", TOP + "@hookimpl\nasync def vlpbench_objectives():\n    return []\n", "is an async function"),
    Fault("no-hook", "x = 1\n", "it implements no hook", "put @hookimpl over one of: vlpbench_cell_finished"),
    Fault("none-marked-for-now", TOP + "@hookimpl(optionalhook=True)\ndef vlpbench_later():\n    return []\n",
          "it implements no hook"),
    Fault("hook-twice", hook("objectives", "return []") + '@hookimpl(specname="vlpbench_objectives")\ndef more():\n'
          "    return []\n", "vlpbench_objectives is implemented 2 times", "one function"),
    Fault("module-api", "api_version = 2\n" + objective(), "it was written for plugin contract 2",
          "upgrade vlpbench"),
    Fault("class-not-module", TOP + INSTANCE, "its entry point is the class Plugin",
          "an instance of the class", PACKAGE),
    Fault("raising-property", TOP + PROPERTY, "it implements no hook", "put @hookimpl", PACKAGE),
    Fault("missing-attribute", "x = 1\n", "AttributeError while it is imported", "tell its author", PACKAGE),
    # what a hook returns
    Fault("returns-number", hook("objectives", "return 3"), "vlpbench_objectives returned 3", "a list of classes"),
    Fault("returns-none", hook("objectives", "pass"), "returned None: does it lack its return?", "a list of classes"),
    Fault("returns-class", hook("objectives", "return ObjectiveMine"), "the class ObjectiveMine, not in a list"),
    Fault("returns-generator", hook("objectives", "yield ObjectiveMine"), "returned a generator",
          "a list of classes"),
    Fault("returns-strings", hook("objectives", "return ['NAME']"), "'NAME' is no class", "subclasses of"),
    Fault("hook-raises", hook("objectives", "raise KeyError('x')"), "vlpbench_objectives raised KeyError: 'x'",
          "author"),
    Fault("hook-exits", hook("stems", "raise SystemExit('bye')"), "vlpbench_stems raised SystemExit: bye"),
    Fault("hook-endless", hook("objectives", "return vlpbench_objectives()"), "raised RecursionError"),
    Fault("grids-as-list", hook("grids", "return ['x']"), "vlpbench_grids returned ['x']", "path of a TOML file"),
    Fault("no-such-file", hook("grids", "return {'NAME': '/no.toml'}"), "there is no file /no.toml", "with_name"),
    Fault("no-toml", hook("recipes", "return {'NAME': __file__}"), "is no TOML", "correct the file"),
    Fault("grid-name", hook("grids", "return {'My Grid': __file__}"), "a grid is called 'My Grid'", "lower-case"),
    # classes that do not keep the contract
    Fault("no-objective", TOP + "class ObjectiveMine:\n    name = 'NAME'\n" + GIVEN, "no subclass of Objective",
          "derive"),
    Fault("instance", objective(hook=GIVEN.replace("[ObjectiveMine]", "[ObjectiveMine(None, None)]")),
          "an instance of ObjectiveMine was returned", "without ()"),
    Fault("abstract", TOP + 'class ObjectiveMine(Objective):\n    name = "NAME"\n' + GIVEN, "lacks encode, loss"),
    Fault("no-name", objective("name = None"), "ObjectiveMine.name is None", "lower-case letters"),
    Fault("bad-name", objective('name = "Mine_NAME"'), "name is 'Mine_NAME'", "digits and dashes"),
    Fault("bad-signature", objective("def loss(self, features): return 1").replace(
        "    def loss(self, features, batch):\n        return Step(features[\"x\"])\n", ""),
          "loss takes (self, features) instead of (self, features, batch)", "write def loss(self, features, batch)"),
    Fault("no-method", objective("encode = loss = 3").partition("    def encode")[0] + GIVEN, "is no method, but 3"),
    Fault("version", objective("version = '1'"), "version is '1'", "raise it when numbers change"),
    Fault("newer-contract", objective("api_version = 2"), "plugin contract 2; this vlpbench has 1",
          "upgrade vlpbench"),
    Fault("older-contract", objective("api_version = 0"), "plugin contract 0", "ask for a release"),
    Fault("odd-contract", objective("api_version = 'one'"), "says api_version 'one'", "a whole number"),
    Fault("requires", objective("requires = ('no_such_thing',)"), "missing module no_such_thing", "pip install"),
    Fault("needs", objective("needs = {'decoding'}"), "needs names 'decoding'", "did you mean 'decode'?"),
    Fault("property", objective("needs = property(lambda self: 1 / 0)"), "needs is <property", "a set of names"),
    Fault("cites", objective("cites = 'someone2020'"), "cites is 'someone2020'", "a tuple of texts"),
    Fault("metaclass-raises", objective().replace("import hookimpl\n", f"import hookimpl\n{META}").replace(
        "(Objective):\n    name = \"NAME\"", "(Objective, metaclass=Odd):"), "no name today"),
    # settings
    Fault("melted", config("rate: float = 0.5", "frozen=False"), "Config is not frozen", "@dataclass(frozen=True)"),
    Fault("config-instance", objective("config_class = Config()",
          "@dataclass(frozen=True)\nclass Config:\n    x: int = 1\n"),
          "config_class is Config(x=1)", "a class under @dataclass"),
    Fault("no-json", config("made: object = field(default_factory=object)"), "Config.made",
          "use bool, int, float, str"),
    Fault("not-finite", config("rate: float = float('inf')"), "must be a finite number", "agree"),
    Fault("mismatched", config("rate: int = 'three'"), "the default of Config.rate must be a whole number", "agree"),
    Fault("factory", config("made: int = field(default_factory=lambda: 1 / 0)"), "cannot be made: ZeroDivisionError"),
    Fault("refuses", config("rate: int = 1\n    def __post_init__(self):\n        raise ValueError('too small')"),
          "Config refuses its own defaults: ValueError: too small", "let them agree"),
    # what is beside models
    Fault("metric-without-task", metric(""), "Mine names no task", "tasks = {'vqa'}"),
    Fault("metric-of-no-task", metric("tasks = {'captionin'}"), "tasks names 'captionin'",
          "did you mean 'captioning'?"),
    Fault("metric-end", metric("tasks = {'vqa'}\nhigher_is_better = 'yes'"), "higher_is_better is 'yes'",
          "True or False"),
    Fault("metric-suite", metric("tasks = {'vqa'}\nname = 'exact-normalised'"), "the shared suite's own is kept",
          "rename"),
    Fault("table-without-frame", table("description = 'x'"), "Mine lacks frame", "ReportTable say what each does"),
    Fault("table-description", table("description = 3\n    def frame(self, results): ..."), "description is 3"),
]


def name_of(fault: Fault, way: str) -> str:
    return f"{fault.what}-{way}"


CASES = [(fault, way) for fault in FAULTS for way in fault.ways]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """All broken plugins, and one good one of each way that comes last."""
    site = tmp_path_factory.mktemp("site")
    files = []
    for fault, way in [*CASES, *((Fault("zz-good", objective(), ""), way) for way in BOTH)]:
        name = name_of(fault, way)
        text = fault.text.replace("NAME", name)
        path = site / f"{name.replace('-', '_')}.py"
        path.write_text(text)
        if way == "file":
            files.append(path)
            continue
        info = site / f"{path.stem}-0.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.2\n")
        attribute = {"class-not-module": ":Plugin", "raising-property": ":plugin", "missing-attribute": ":plugin"}
        (info / "entry_points.txt").write_text(f"[vlpbench]\n{name} = {path.stem}{attribute.get(fault.what, '')}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield load_registry(files)
    for path in site.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_all_good_plugins_work_beside_all_broken_ones(registry):
    assert {"zz-good-file", "zz-good-package", "prefix-lm", "contrastive"} <= set(registry.names("objective"))
    assert {"linear", "timm"} <= set(registry.names("stem"))
    assert registry.grid("demo").is_file()
    broken = {one.name.removesuffix(".py").replace("_", "-") for one in registry.failures}
    assert broken == {name_of(fault, way) for fault, way in CASES}


@pytest.mark.parametrize(("fault", "way"), CASES, ids=[name_of(*case) for case in CASES])
def test_each_is_named_with_cause_and_remedy(registry, fault, way):
    name = name_of(fault, way)
    (failure,) = [one for one in registry.failures if one.name.removesuffix(".py").replace("_", "-") == name]
    assert failure.who == (f"{name} 0.2" if way == "package" else f"{name.replace('-', '_')}.py")
    assert fault.cause.replace("NAME", name) in failure.cause
    assert fault.remedy in failure.remedy and failure.remedy
    assert failure.who in failure.sentence()


@pytest.mark.parametrize("what", ["missing-import", "hook-raises", "needs"])
def test_asking_for_what_it_would_have_brought_tells_why(registry, what):
    asked = name_of(next(fault for fault in FAULTS if fault.what == what), "package")
    with pytest.raises(PluginError, match=rf"{asked} 0\.2\) cannot be used") as caught:
        registry.objective(asked)
    assert caught.value.exit_code == 3 and caught.value.remedy


def test_asking_for_nothing_of_the_kind_is_still_an_unknown_name(registry):
    with pytest.raises(UserError, match="unknown stem 'needs-package'"):  # an objective is refused of that name
        registry.stem("needs-package")


def test_the_plugins_own_lines_are_kept_apart(registry):
    by_name = {one.name: one for one in registry.failures}
    frames = by_name["raises-package"].frames
    assert "raises_package.py\", line 1" in frames and "ZeroDivisionError" in frames
    assert "importlib" not in frames and "importlib" in by_name["raises-package"].traceback
    assert "bad" not in by_name["no-hook-package"].frames
    assert by_name["needs-package"].place.endswith("needs_package.py, line 5")


@pytest.mark.parametrize("way", BOTH)
def test_an_interrupt_stays_one(tmp_path, install, way):
    text = "raise KeyboardInterrupt\n"
    (tmp_path / "stop.py").write_text(text)
    if way == "package":
        install("vlpbench-stop", "stop_plugin", text)
    with pytest.raises(KeyboardInterrupt):
        load_registry([tmp_path / "stop.py"] if way == "file" else [])
