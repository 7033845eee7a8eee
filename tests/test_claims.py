"""Verdicts: the rule by hand, and the committed file."""

import csv
import re
from dataclasses import replace

import pytest

from mtlib.claims import Claim, decide, load, stand_in, told
from mtlib.paths import repository

FIVE = [0.8, 0.9, 1.0, 1.1, 1.2]  # mean 1, standard deviation sqrt(0.025) = 0.1581
CLAIM = Claim("id", "where", "it is", "an estimate", "key", "greater", "points", 0.5, "family", n=5, printed=1.1)


def verdict(samples=FIVE, family=1, **rule):
    return decide(replace(CLAIM, **rule), samples, family)[0]


# The interval of FIVE is [0.80, 1.20], a single run of ours lies in [0.52, 1.48].
@pytest.mark.parametrize(
    ("smallest", "printed", "expected"),
    [
        (0.7, 1.1, "reproduced"),
        (0.7, 1.4, "reproduced"),  # outside the interval of the mean, but one run could give it
        (0.7, None, "reproduced"),  # no printed size to compare with
        (0.7, 1.6, "partly"),
        (0.7, -1.1, "partly"),
        (1.0, 1.1, "undecided"),
        (0.81, 1.1, "undecided"),
        (1.3, 1.1, "not reproduced"),
    ],
)
def test_the_verdict_by_the_rule_in_both_directions(smallest, printed, expected):
    assert verdict(smallest=smallest, printed=printed) == expected
    mirrored = [-value for value in FIVE]
    less = None if printed is None else -printed
    assert verdict(mirrored, smallest=smallest, printed=less, direction="less") == expected


def test_an_effect_the_other_way_is_not_reproduced():
    assert verdict([-value for value in FIVE]) == "not reproduced"
    assert verdict(direction="less") == "not reproduced"


def test_a_family_of_claims_widens_the_interval():
    # For ten claims each interval is a 99.5 % one: t for 4 degrees of freedom is 5.598, the ends 1 -+ 0.396.
    assert verdict(smallest=0.7, family=1) == "reproduced"
    assert verdict(smallest=0.7, family=10) == "undecided"
    assert "[+0.60, +1.40]" in decide(CLAIM, FIVE, 10)[1]


def test_a_claim_about_overlapping_splits_needs_more():
    assert verdict(smallest=0.7) == "reproduced"
    assert verdict(smallest=0.7, overlap=1 / 3) == "undecided"  # the interval is [0.68, 1.32]
    assert stand_in(replace(CLAIM, smallest=0.7, overlap=1 / 3), FIVE, 1) == "undecided"


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_too_few_seeds_decide_nothing(n):
    found, evidence = decide(CLAIM, FIVE[:n], 1)
    assert found == "undecided"
    assert "5" in evidence


def test_without_any_spread_only_the_very_printed_number_is_compatible():
    assert verdict([1.0] * 5, printed=1.0) == "reproduced"
    assert verdict([1.0] * 5, printed=1.1) == "partly"
    assert verdict([0.5] * 5) == "undecided"  # exactly the smallest effect, neither beyond nor below


# ------------------------------------------------------------------ files

FILE = """
[[claim]]
id = "one"
where = "Table I"
statement = "it is"
estimate = "an estimate"
key = "key"
direction = "greater"
unit = "points"
smallest = 0.5
family = "family"
n = 5
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "paper.toml").write_text(text)
        return load("paper", tmp_path)

    return write


def test_a_record_of_a_claim(written):
    claims = written(FILE + FILE.replace('"one"', '"two"').replace('"key"', '"other"'))
    (record,) = claims.judge_all({"key": FIVE, "nobody asks": [1.0]}, data="toy set 8")
    assert record == {
        "id": "one",
        "where": "Table I",
        "statement": "it is",
        "data": "toy set 8",
        "scope": "same-data",
        "verdict": "reproduced",
        "n": 5,
        "evidence": decide(claims["one"], FIVE, 2)[1],  # a family of two
        "rule": claims.rule,
    }


def test_on_other_data_than_the_papers_nothing_is_testable(written):
    record = written(FILE).judge("one", FIVE, data="drawn faces", scope="stand-in")
    assert record["verdict"] == "not testable here"
    assert record["evidence"].startswith("on drawn faces: holds; +1.00")
    with pytest.raises(ValueError, match="scope is same-data or stand-in, got 'standin'"):
        written(FILE).judge("one", FIVE, data="drawn faces", scope="standin")


@pytest.mark.parametrize(
    ("shift", "found"), [(0.0, "holds"), (-2.0, "reversed"), (-1.0, "negligible"), (-0.5, "undecided")]
)
def test_on_other_data_it_is_said_which_way_the_effect_goes(shift, found):
    claim = CLAIM  # greater than 0.5; FIVE is 1.0 and a little noise
    assert stand_in(claim, [value + shift for value in FIVE], 1) == found
    mirrored = replace(claim, direction="less")
    assert stand_in(mirrored, [-value - shift for value in FIVE], 1) == found
    assert stand_in(claim, FIVE[:2], 1) == "undecided"  # fewer seeds than the rule asks for


def test_the_rule_is_the_hash_of_the_file(written):
    assert written(FILE).rule == written(FILE).rule
    assert written(FILE).rule != written(FILE.replace("0.5", "0.4")).rule
    assert len(written(FILE).rule) == 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("n = 5", ""), r"paper.toml, claim one: missing \['n'\]"),
        (("n = 5", "n = 5\ncolour = 1"), r"unknown \['colour'\]"),
        (('id = "one"', ""), r"claim \(without id\): missing \['id'\]"),
        (('"greater"', '"more"'), "claim one: direction is greater or less"),
        (("0.5", "-0.5"), "smallest 0 or more"),
        (("0.5", "nan"), "smallest 0 or more"),
        (("0.5", '"half"'), "smallest 0 or more"),
        (("n = 5", "n = 1"), "n 2 or more"),
        ((FILE, FILE + FILE), "stands twice"),
        ((FILE, "[[claim]\n"), "paper.toml: not a file of"),
        ((FILE, "x = 1\n"), "paper.toml: not a file of"),
    ],
)
def test_a_bad_file_is_named_with_its_claim(written, change, message):
    with pytest.raises(ValueError, match=message):
        written(FILE.replace(*change))


def test_what_is_not_there_is_named(written):
    with pytest.raises(KeyError, match=r"no claim 'three'.*'one'"):
        written(FILE)["three"]
    with pytest.raises(FileNotFoundError, match=r"nobody\.toml"):
        load("nobody")


def test_every_printed_number_of_sos_is_the_difference_in_its_table():
    with open(repository() / "data" / "papers" / "sos_table1.csv") as file:
        table = {row["data"]: row for row in csv.DictReader(file)}
    printed = {claim.key: claim.printed for claim in load("sos").claims if claim.printed is not None}
    assert len(printed) == 6
    for key, value in printed.items():
        number, models = key.removeprefix("set ").split("/")
        ours, other = (float(table[number][f"{model.lower()}_avg"]) for model in models.split("-"))
        assert value == pytest.approx(ours - other)


def test_every_claim_of_sos_rests_on_severity_a_readings():
    claims = load("sos").claims
    assert len({claim.id for claim in claims}) == len(claims) == 8
    table = (repository() / "data" / "papers" / "sos_readings.md").read_text()
    known = set(re.findall(r"^\| (S-\d+) A \|", table, re.MULTILINE))
    assert all(claim.rests_on and set(claim.rests_on) <= known for claim in claims)


def test_told_wraps_and_says_which_rules_a_verdict_was_made_under():
    rules = load("sos")
    (entry,) = rules.judge_all({"overlap/text": FIVE}, data="drawn sets")
    now = told([entry], rules).splitlines()
    assert now[0].startswith("REPRODUCED, n = 5: Sets 1, 2, 6 and 10")
    assert now[1] == "    [sos.toy.overlap.text]"  # wrapped, and between words
    assert now[2] == "    claimed greater by 0.1 share of area or more; rests on S-10"
    assert now[3].startswith("    +1.00 [")
    assert max(map(len, now)) <= 100
    assert "made under other rules: does not count" in told([{**entry, "rule": "another"}], rules)
    assert told([], rules) == "there is no record yet"


def test_every_claim_of_mtfap_rests_on_severity_a_readings_and_prints_what_the_table_says():
    claims = load("mtfap").claims
    table = (repository() / "data" / "papers" / "mtfap_readings.md").read_text()
    known = set(re.findall(r"^\| (M-\d+) A \|", table, re.MULTILINE))
    assert all(set(claim.rests_on) <= known for claim in claims)
    with open(repository() / "data" / "papers" / "mtfap_table1_celeba.csv") as file:
        rows = list(csv.DictReader(file))
    gains = [float(row["prior"]) - float(row["without_prior"]) for row in rows]
    (printed,) = (claim.printed for claim in claims if claim.key == "groups-graph")
    assert printed == pytest.approx(sum(gains) / len(gains), abs=0.005)
    assert min(gains) > 0  # on every attribute
