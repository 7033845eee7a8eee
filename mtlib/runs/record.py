"""What a run leaves for machines: shown by the notebook as one bundle, written by the runner.

A notebook calls :func:`show` once. The runner takes that bundle out of the outputs and adds what the
notebook cannot know: parameters, commit, versions, hardware, seconds.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlib import mime
from mtlib.claims import SCOPES, VERDICTS
from mtlib.runs import provenance

if TYPE_CHECKING:
    from nbformat import NotebookNode

SHOWN = ("data", "seeds", "metrics", "claims")
KEYS = (
    *("notebook", "profile", "parameters", "seeds", "data", "commit", "versions", "hardware", "seconds"),
    *("metrics", "claims"),
)
CLAIM_TEXTS = ("id", "where", "statement", "data", "rule")
CLAIM_KEYS = {*CLAIM_TEXTS, "scope", "verdict", "n", "evidence"}


class RecordError(ValueError):
    """A record that is missing, double, incomplete, or holds what a record cannot: one line."""


def show(*, data: dict[str, Any], seeds: list[int], metrics: dict[str, Any], claims: list[dict[str, Any]]) -> None:
    """Display the record's part that only the notebook knows, once, at its end.

    Args:
        data: what was learned from: name, sizes, settings.
        seeds: every seed that entered the metrics.
        metrics: nested dicts of plain numbers.
        claims: one dict per claim with id, where, statement, data, scope, verdict, n, evidence, rule.

    Raises:
        TypeError: a value is not plain JSON, say a numpy or torch scalar; the message names its key.
        RecordError: a number is NaN or infinite, or a claim is incomplete; the message names it.
    """
    shown = {"data": data, "seeds": seeds, "metrics": metrics, "claims": claims}
    _validate(shown)
    from IPython.display import display

    summary = f"record: {len(metrics)} metrics, {len(claims)} claims"
    display({mime.RECORD: shown, "text/plain": summary}, raw=True)


def bundle(notebook: "NotebookNode") -> dict[str, Any]:
    """The one bundle that an executed notebook shows.

    Raises:
        RecordError: it shows none or several, or a malformed one.
    """
    from mtlib.runs import notebooks

    found = list(notebooks.displays(notebook, mime.RECORD))
    if len(found) != 1:
        cells = f" (cells {', '.join(str(number) for number, _ in found)})" if found else ""
        raise RecordError(f"a notebook shows exactly one record, this one {len(found) or 'none'}{cells}")
    shown = json.loads(json.dumps(found[0][1][mime.RECORD]))  # plain dicts instead of nbformat's
    missing = [key for key in SHOWN if not isinstance(shown, dict) or key not in shown]
    if missing:
        raise RecordError(f"the record in the notebook lacks {', '.join(missing)}")
    try:
        _validate(shown)
    except TypeError as error:
        raise RecordError(str(error)) from None
    return shown


def build(
    notebook: "NotebookNode",
    name: str,
    profile: str,
    parameters: Mapping[str, Any],
    seconds: float,
    made_with: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The full record of an executed notebook.

    Args:
        notebook: executed, with its bundle.
        name: its stem.
        profile: that it ran at.
        parameters: all of them, defaults included.
        seconds: that it took.
        made_with: :func:`provenance.made_with` as it was when the run began; now, if left out.

    Raises:
        RecordError: see :func:`bundle`.
    """
    shown = bundle(notebook)
    known = {
        "notebook": name,
        "profile": profile,
        # JSON has no infinity, though a parameter without a range may be infinite
        "parameters": {key: _as_json(value) for key, value in parameters.items()},
        "seconds": round(seconds, 1),
        **shown,
        **(made_with or provenance.made_with()),
    }
    return {key: known[key] for key in KEYS}


def dumps(record: Mapping[str, Any]) -> str:
    """The record as its file holds it."""
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path) -> dict[str, Any]:
    """A record from its file.

    Raises:
        RecordError: the file is missing, truncated or incomplete; the message says which.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"cannot read the record {path}: {error.strerror}") from None
    except ValueError:
        raise RecordError(f"the record {path} is truncated or no JSON") from None
    missing = [key for key in KEYS if not isinstance(record, dict) or key not in record]
    if missing:
        raise RecordError(f"the record {path} is incomplete: it lacks {', '.join(missing)}")
    try:
        _validate({key: record[key] for key in SHOWN})
    except (TypeError, RecordError) as error:
        raise RecordError(f"the record {path}: {error}") from None
    return record


def _as_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _validate(shown: Mapping[str, Any]) -> None:
    for key, kind in (("data", dict), ("seeds", list), ("metrics", dict), ("claims", list)):
        if type(shown[key]) is not kind:
            raise TypeError(f"{key}: a {kind.__name__} is needed, {type(shown[key]).__name__} given")
        _must_be_plain(shown[key], key)
    for number, seed in enumerate(shown["seeds"]):
        if type(seed) is not int:
            raise TypeError(f"seeds[{number}]: an int is needed, {seed!r} given")
    for number, claim in enumerate(shown["claims"]):
        _validate_claim(claim, f"claims[{number}]")
    _must_be_unique([claim["id"] for claim in shown["claims"]])


def _must_be_plain(value: Any, key: str) -> None:
    # Exact types: numpy.float64 is a float by inheritance, but not what JSON gives back.
    if type(value) is dict:
        for name, inner in value.items():
            if type(name) is not str:
                raise TypeError(f"{key}: its keys must be str, {name!r} is {type(name).__name__}")
            _must_be_plain(inner, f"{key}.{name}")
    elif type(value) is list:
        for number, inner in enumerate(value):
            _must_be_plain(inner, f"{key}[{number}]")
    elif type(value) is float:
        if not math.isfinite(value):
            raise RecordError(f"{key} is {value}, which no record can hold")
    elif value is not None and type(value) not in (str, int, bool):
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise TypeError(f"{key} is a {kind}: a record holds plain JSON only")


def _validate_claim(claim: Any, where: str) -> None:
    if type(claim) is not dict:
        raise TypeError(f"{where}: a dict is needed")
    where += f" ({claim.get('id')})"
    wrong = sorted(CLAIM_KEYS - claim.keys()) or sorted(claim.keys() - CLAIM_KEYS)
    if wrong:
        raise RecordError(f"{where}: key '{wrong[0]}' is {'unknown' if wrong[0] in claim else 'missing'}")
    for key in CLAIM_TEXTS:
        if type(claim[key]) is not str or not claim[key]:
            raise RecordError(f"{where}: '{key}' must be a text, not {claim[key]!r}")
    for key, allowed in (("scope", SCOPES), ("verdict", VERDICTS)):
        if claim[key] not in allowed:
            raise RecordError(f"{where}: '{key}' is {claim[key]!r}, not one of {', '.join(allowed)}")
    if type(claim["n"]) is not int or claim["n"] < 0:
        raise RecordError(f"{where}: 'n' must be an int, 0 or more, not {claim['n']!r}")


def _must_be_unique(ids: Sequence[str]) -> None:
    for one in ids:
        if ids.count(one) > 1:
            raise RecordError(f"claims: the id '{one}' is there twice")
