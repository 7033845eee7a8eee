"""Claims of a paper and the verdicts on them. The rule is a committed file; code, not judgement, applies it."""

import hashlib
import textwrap
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from mtlib.metrics.intervals import LEVEL, Interval, interval, mean_of, single_run
from mtlib.paths import repository

# With the intervals that verdicts rest on; LEVEL is the error rate of a family of claims.
__all__ = ["LEVEL", "SCOPES", "VERDICTS", "Claim", "Claims", "Interval", "decide", "interval"]
__all__ += ["load", "mean_of", "single_run", "stand_in", "told"]

SCOPES = ("same-data", "stand-in")
WIDTH = 100  # characters of a line, which no notebook breaks
VERDICTS = ("reproduced", "partly", "not reproduced", "undecided", "not testable here")


@dataclass(frozen=True)
class Claim:
    """One claim and its rule; the keys of data/claims/<paper>.toml, explained there."""

    id: str
    where: str
    statement: str
    estimate: str
    key: str
    direction: Literal["greater", "less"]
    unit: str
    smallest: float
    family: str
    n: int
    updates: int = 0
    rests_on: tuple[str, ...] = ()
    printed: float | None = None
    overlap: float = 0.0


@dataclass(frozen=True)
class Claims:
    """All claims of a paper in the file's order, and the file's hash."""

    paper: str
    rule: str
    claims: tuple[Claim, ...]

    def __getitem__(self, id: str) -> Claim:
        for claim in self.claims:
            if claim.id == id:
                return claim
        raise KeyError(f"no claim {id!r} in data/claims/{self.paper}.toml; it has {[c.id for c in self.claims]}")

    def family(self, name: str) -> int:
        """How many claims share a family."""
        return sum(claim.family == name for claim in self.claims)

    def judge(
        self, id: str, samples: Sequence[float], *, data: str, updates: int = 0, scope: str = "same-data"
    ) -> dict:
        """The record of one claim: its statement, verdict, n and evidence.

        Args:
            id: of the claim.
            samples: the estimate of every fresh seed, in the claim's unit.
            data: what they were measured on.
            updates: how long each network was trained.
            scope: ``same-data``, or ``stand-in`` for data that are not the paper's: then no verdict on the
                paper is possible, and the evidence says what holds there.

        Returns:
            {"id", "where", "statement", "data", "scope", "verdict", "n", "evidence", "rule"}.
        """
        if scope not in SCOPES:
            raise ValueError(f"claim {id!r}: scope is {' or '.join(SCOPES)}, got {scope!r}")
        claim = self[id]
        verdict, evidence = decide(claim, samples, self.family(claim.family), updates)
        if scope == "stand-in":
            found = stand_in(claim, samples, self.family(claim.family), updates)
            verdict, evidence = "not testable here", f"on {data}: {found}; {evidence}"
        entry = {
            "id": claim.id,
            "where": claim.where,
            "statement": claim.statement,
            "data": data,
            "scope": scope,
        }
        return entry | {"verdict": verdict, "n": len(samples), "evidence": evidence, "rule": self.rule}

    def judge_all(self, samples: dict[str, Sequence[float]], **options: object) -> list[dict]:
        """The record of every claim whose ``key`` has samples, in the file's order; options as ``judge``'s."""
        return [self.judge(c.id, samples[c.key], **options) for c in self.claims if c.key in samples]


def load(paper: str, folder: Path | None = None) -> Claims:
    """The claims of data/claims/<paper>.toml.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a claim lacks a key, has one too many, or has an impossible rule; the claim is named.
    """
    path = (folder or repository() / "data" / "claims") / f"{paper}.toml"
    if not path.exists():
        raise FileNotFoundError(f"no claims for {paper!r}: {path.name} is not in data/claims")
    raw = path.read_bytes()
    try:
        entries = tomllib.loads(raw.decode())["claim"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ValueError(f"{path.name}: not a file of [[claim]] entries: {error}") from error
    claims = tuple(_claim(entry, path.name) for entry in entries)
    ids = [claim.id for claim in claims]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{path.name}: a claim's id stands twice among {ids}")
    return Claims(paper, hashlib.sha256(raw).hexdigest(), claims)


def _claim(entry: dict, file: str) -> Claim:
    known = {item.name for item in fields(Claim)}
    missing = known - set(entry) - {"printed", "updates", "rests_on", "overlap"}
    where = f"{file}, claim {entry.get('id', '(without id)')}"
    if missing or set(entry) - known:
        raise ValueError(f"{where}: missing {sorted(missing)}, unknown {sorted(set(entry) - known)}")
    claim = Claim(**{**entry, "rests_on": tuple(entry.get("rests_on", ()))})
    numbers = isinstance(claim.smallest, int | float) and isinstance(claim.n, int)
    if claim.direction not in ("greater", "less") or not (numbers and claim.smallest >= 0 and claim.n >= 2):
        raise ValueError(f"{where}: direction is greater or less, smallest 0 or more, n 2 or more")
    return claim


def decide(claim: Claim, samples: Sequence[float], family: int, updates: int = 0) -> tuple[str, str]:
    """The verdict and its evidence in a line.

    *reproduced*: the interval, corrected for the family, lies beyond the smallest effect, and the printed
    effect is compatible with a single run of ours. *partly*: beyond it, but the printed size is incompatible.
    *not reproduced*: wholly below it. *undecided*: the interval holds the smallest effect, or there are fewer
    seeds or updates than the rule asks for.
    """
    if len(samples) < 2:
        return "undecided", f"n = {len(samples)} of the {claim.n} that the rule asks for"
    sign = 1 if claim.direction == "greater" else -1
    found = interval(samples, LEVEL / family, claim.overlap)
    low, high = single_run(samples)
    trained = f", {updates} updates" if claim.updates else ""
    evidence = f"{found} {claim.unit}, n = {found.n}{trained} (interval corrected for {family} claims)"
    if claim.printed is not None:
        evidence += f"; printed {claim.printed:+.1f}, a single run of ours [{low:+.1f}, {high:+.1f}]"
    if len(samples) < claim.n or updates < claim.updates:
        needed = f"{claim.n} seeds" + (f" of {claim.updates} updates" if claim.updates else "")
        return "undecided", f"demonstration, {needed} needed: {evidence}"
    least, most = sorted((sign * found.low, sign * found.high))
    if least > claim.smallest:
        compatible = claim.printed is None or low <= claim.printed <= high
        return ("reproduced" if compatible else "partly"), evidence
    return ("not reproduced" if most < claim.smallest else "undecided"), evidence


def stand_in(claim: Claim, samples: Sequence[float], family: int, updates: int = 0) -> str:
    """What can be said of data that are not the paper's: which way the effect goes there.

    *holds*: the interval, corrected for the family, lies beyond the smallest effect. *reversed*: beyond it in the other
    direction. *negligible*: within it on both sides. *undecided*: none of these, or too few seeds or updates.
    """
    if len(samples) < max(2, claim.n) or updates < claim.updates:
        return "undecided"
    sign = 1 if claim.direction == "greater" else -1
    found = interval(samples, LEVEL / family, claim.overlap)
    least, most = sorted((sign * found.low, sign * found.high))
    if least > claim.smallest:
        return "holds"
    if most < -claim.smallest:
        return "reversed"
    return "negligible" if -claim.smallest < least and most < claim.smallest else "undecided"


def told(verdicts: Sequence[dict], rules: Claims) -> str:
    """Verdicts as lines of text: the claim, what was asked for and on whose readings it rests, and the evidence.

    Args:
        verdicts: entries of ``Claims.judge``, live or from a record; one that was made under other rules says so.
        rules: the claims as they stand now.
    """
    return "\n".join(_told(verdict, rules) for verdict in verdicts) or "there is no record yet"


def _told(verdict: dict, rules: Claims) -> str:
    head = f"{verdict['verdict'].upper()}, n = {verdict['n']}: {verdict['statement']} [{verdict['id']}]"
    asked = "made under other rules: does not count"
    if verdict["rule"] == rules.rule:
        claim = rules[verdict["id"]]
        asked = f"claimed {claim.direction} by {claim.smallest} {claim.unit} or more"
        asked += f"; rests on {', '.join(claim.rests_on)}" if claim.rests_on else ""
    lines = [head, asked, verdict["evidence"]]
    wrapped = [
        textwrap.fill(line, WIDTH, initial_indent=4 * " " if k else "", subsequent_indent=4 * " ")
        for k, line in enumerate(lines)
    ]
    return "\n".join(wrapped)
