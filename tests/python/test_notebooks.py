"""The notebooks run in a fresh kernel, and their stored outputs are what comes out but for times and ids.

`SPRONGUS_GENERATE=1` stores the outputs anew.
"""

import json
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
ULID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
# The machinery of the kernel, not of the notebooks, warns of what comes in versions to be.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The examples in a folder of their own, and the kernel's own files beside them."""
    shutil.copytree(EXAMPLES / "data", tmp_path / "examples" / "data")
    (tmp_path / "examples" / "notebooks").mkdir()
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    return tmp_path / "examples" / "notebooks"


def executed(path, folder):
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it began and ended
        if cell.cell_type == "code":
            cell.outputs = [output for output in joined(cell.outputs) if output.get("name") != "stderr"]
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def joined(outputs):
    """One output of a stream in place of the parts it happened to come in."""
    whole = []
    for output in outputs:
        if whole and output.output_type == "stream" and whole[-1].get("name") == output.get("name"):
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def steady(cell):
    """A cell's outputs without what differs from one run to the next."""
    text = json.dumps(cell.get("outputs", []), sort_keys=True, ensure_ascii=False)
    return ULID.sub("ID", TIME.sub("TIME", text))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs_and_gives_what_is_stored(path, folder):
    notebook = executed(path, folder)
    assert list(folder.iterdir()) == [], "it leaves nothing where it runs"
    if os.environ.get("SPRONGUS_GENERATE"):
        nbformat.write(notebook, path)
    stored = nbformat.read(path, as_version=4)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in stored.cells]
    for ran, kept in zip(notebook.cells, stored.cells, strict=True):
        assert steady(ran) == steady(kept), ran.source
        assert kept.get("execution_count") == ran.get("execution_count")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_tells_nothing_of_where_it_was_made(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    text = path.read_text(encoding="utf-8")
    for told in ("/tmp/", "/home/", "/root", str(EXAMPLES.parent)):
        assert told not in text
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    assert not any(output.output_type == "error" for output in outputs)


def test_there_is_one():
    assert [path.name for path in NOTEBOOKS] == ["aux_tables.ipynb"]
