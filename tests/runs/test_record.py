import json
import math
import subprocess

import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mtlib import mime, paths
from mtlib.runs import provenance, record
from mtlib.runs.record import RecordError

CLAIM = {"id": "T1", "where": "Table I", "statement": "a < b", "data": "toy", "scope": "same-data"}
CLAIM |= {"verdict": "partly", "n": 4, "evidence": "0.1 ± 0.2", "rule": "c0ffee"}


def shown(**changed):
    return {"data": {"name": "toy"}, "seeds": [0], "metrics": {"st": {"mean": 0.5}}, "claims": [CLAIM]} | changed


def executed(*bundles):
    cells = [new_code_cell("x", outputs=[new_output("display_data", data={mime.RECORD: one})]) for one in bundles]
    return new_notebook(cells=cells)


def test_show_displays_one_bundle(monkeypatch):
    calls = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: calls.append((data, raw)))
    record.show(**shown())
    text = "record: 1 metrics, 1 claims"
    assert calls == [({mime.RECORD: shown(), "text/plain": text}, True)]


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"metrics": {"st": {"mean": np.float64(0.5)}}}, TypeError, r"metrics\.st\.mean is a numpy\.float64"),
        ({"metrics": {"st": [1, torch.tensor(2)]}}, TypeError, r"metrics\.st\[1\] is a torch\.Tensor"),
        ({"metrics": {"st": (1, 2)}}, TypeError, r"metrics\.st is a tuple"),
        ({"metrics": {1: 2}}, TypeError, "metrics: its keys must be str"),
        ({"metrics": {"st": math.nan}}, RecordError, r"metrics\.st is nan"),
        ({"data": {"noise": -math.inf}}, RecordError, r"data\.noise is -inf"),
        ({"seeds": [0, True]}, TypeError, r"seeds\[1\]"),
        ({"seeds": range(3)}, TypeError, "seeds: a list is needed"),
        ({"claims": [CLAIM | {"verdict": "yes"}]}, RecordError, r"\(T1\): 'verdict' is 'yes', not one of reproduced"),
        ({"claims": [CLAIM | {"scope": "all"}]}, RecordError, "'scope' is 'all'"),
        ({"claims": [CLAIM | {"n": -1}]}, RecordError, "'n' must be an int"),
        ({"claims": [CLAIM | {"n": True}]}, RecordError, "'n' must be an int"),
        ({"claims": [CLAIM | {"extra": 1}]}, RecordError, "key 'extra' is unknown"),
        ({"claims": [{k: v for k, v in CLAIM.items() if k != "rule"}]}, RecordError, "key 'rule' is missing"),
        ({"claims": [CLAIM, CLAIM]}, RecordError, "'T1' is there twice"),
    ],
)
def test_what_a_record_cannot_hold_is_named(changed, error, says):
    with pytest.raises(error, match=says):
        record.show(**shown(**changed))


def test_exactly_one_bundle():
    assert record.bundle(executed(shown())) == shown()
    with pytest.raises(RecordError, match="this one none"):
        record.bundle(executed())
    with pytest.raises(RecordError, match=r"this one 2 \(cells 1, 2\)"):
        record.bundle(executed(shown(), shown()))
    with pytest.raises(RecordError, match="lacks seeds"):
        record.bundle(executed({key: value for key, value in shown().items() if key != "seeds"}))


def test_build_write_read(tmp_path):
    built = record.build(executed(shown()), "01_x", "quick", {"rate": math.inf, "é": "ü"}, 1.23456)
    assert tuple(built) == record.KEYS
    assert built["parameters"] == {"rate": "inf", "é": "ü"}
    assert built["versions"]["torch"] == torch.__version__
    assert set(built["hardware"]) == {"machine", "cpu", "cores", "gpu"}
    paths.write_atomic(tmp_path / "r.json", record.dumps(built))
    text = (tmp_path / "r.json").read_text("utf-8")
    assert '"é": "ü"' in text
    assert text.endswith("}\n")
    assert record.read(tmp_path / "r.json") == built


def test_a_damaged_record_is_named(tmp_path):
    path = tmp_path / "r.json"
    with pytest.raises(RecordError, match=r"cannot read the record .*r\.json"):
        record.read(path)
    built = record.build(executed(shown()), "01_x", "quick", {}, 1.0)
    path.write_text(record.dumps(built)[:-40])
    with pytest.raises(RecordError, match=r"r\.json is truncated"):
        record.read(path)
    path.write_text(json.dumps({key: built[key] for key in built if key != "claims"}))
    with pytest.raises(RecordError, match="incomplete: it lacks claims"):
        record.read(path)
    path.write_text("[]")
    with pytest.raises(RecordError, match="incomplete"):
        record.read(path)


def test_commit(tmp_path):
    def git(*words):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert provenance.commit(tmp_path) is None
    git("init", "-q")
    assert provenance.commit(tmp_path) is None  # nothing committed yet
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "a")
    head = git("rev-parse", "HEAD").strip()
    assert provenance.commit(tmp_path) == head
    (tmp_path / "a").write_text("2")
    assert provenance.commit(tmp_path) == head + "+changes"
    (tmp_path / "inside").mkdir()
    assert provenance.commit(tmp_path / "inside") is None  # somebody else's repository


def test_no_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() is None
