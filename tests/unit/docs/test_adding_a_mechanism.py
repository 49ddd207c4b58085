"""The example of docs/ADDING_A_MECHANISM.md is whole: added to a copy of the tree, as the page says, it works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest
import yaml

# A part of the suite in a copy takes half a minute, and longer where other tests run beside it.
pytestmark = pytest.mark.timeout(900)
ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "ADDING_A_MECHANISM.md").read_text(encoding="utf-8")
NAME = "tcp_nagle"


def block(language: str) -> str:
    """The page's one block in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with the example's file and its pair."""
    copy = tmp_path_factory.mktemp("added")
    for folder in ("services", "scripts", "dashboards", "tests", "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (".env", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, copy / file)
    (copy / "services" / "ipclab" / "mechanisms" / f"{NAME}.py").write_text(block("python"), encoding="utf-8")
    (network,) = re.findall(r"^- A network: `(.+?)` under `networks:`", PAGE, re.MULTILINE)
    topology = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    topology = re.sub(r"^networks:\n", f"\n{block('yaml')}\nnetworks:\n  {network}\n", topology, flags=re.MULTILINE)
    (copy / "compose.yaml").write_text(topology, encoding="utf-8")
    _make_venv(copy)
    return copy


def _make_venv(tree: Path) -> None:
    """A Python whose `ipclab` and `labctl` are the copy's, in every process; its other packages are this one's."""
    venv.create(tree / ".venv", symlinks=True)
    (site_packages,) = (tree / ".venv" / "lib").glob("python*/site-packages")
    search = [*(tree / folder for folder in ("services", "scripts", ".")), sysconfig.get_path("purelib")]
    (site_packages / "copy.pth").write_text("".join(f"{path}\n" for path in search), encoding="utf-8")


def run(tree: Path, *command: str) -> None:
    """Run Python in the copy; it must succeed."""
    done = subprocess.run(
        [tree / ".venv" / "bin" / "python", "-m", *command],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=850,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-1000:]}"


def test_the_example_is_short() -> None:
    lines = [line for line in block("python").splitlines() if line.strip()]
    facts = [line for line in lines if re.fullmatch(r" {8}\w+=.+,", line)]
    assert len(lines) - len(facts) <= 30


def test_the_example_passes_the_conformance_suite(tree: Path) -> None:
    run(tree, "pytest", "tests/conformance", "-q", "-k", NAME)


def test_the_example_is_typed_and_formatted(tree: Path) -> None:
    file = f"services/ipclab/mechanisms/{NAME}.py"
    run(tree, "ruff", "check", file)
    run(tree, "ruff", "format", "--check", file)
    run(tree, "mypy", file)


def test_its_pair_is_in_the_topology(tree: Path) -> None:
    model = yaml.safe_load((tree / "compose.yaml").read_text(encoding="utf-8"))
    assert {f"tcp-nagle-{role}" for role in ("consumer", "producer")} <= set(model["services"])
    assert model["networks"]["tcp-nagle"] == {"internal": True}


def test_with_its_pair_and_what_is_generated_the_unit_tests_are_content(tree: Path) -> None:
    """Nothing else was touched: what is outdated is README's matrix alone."""
    run(tree, "dashboards")
    (golden,) = re.findall(r"^\./lab test (\S+) --update-golden$", block("sh"), re.MULTILINE)
    run(tree, "pytest", "-q", golden, "--update-golden", "-k", "page_is_up_to_date")
    names = ("colours", "matrix", "mechanisms", "pairs", "placements", "settings", "traits")
    files = [str(file) for name in names for file in (tree / "tests" / "unit").rglob(f"test_{name}.py")]
    assert len(files) == len(names)
    run(tree, "pytest", "-q", *files, "-k", "not the_table_of_readme_is_not_outdated and not no_sdk")
