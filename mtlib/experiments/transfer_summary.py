"""What the networks of ``transfer_toy`` say: gains by place and overlap, choices made on validation points, records."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mtlib.experiments.transfer_toy import (
    AGAIN,
    ARMS,
    BANDS,
    MODES,
    OPPOSITE,
    PARTNER,
    RINGS,
    SCORES,
    SETS,
    SHARED,
    SINGLE,
    SLIDES,
    correlation,
    overlap,
)
from mtlib.metrics.intervals import mean_of

# Chosen on validation points, see ``choose``.
CHOSEN, OWN, CHANCE = "adversarial, one lambda", "adversarial, own lambda", "single, best of five"


def of(rows: pd.DataFrame, mode: str) -> pd.DataFrame:
    """The rows of a mode ("sets" or "slide") with those of ``choose`` among that mode's places."""
    return choose(rows[rows["place"].isin(MODES[mode])])


def choose(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows and three arms more, of the networks that validation points prefer, seed by seed.

    ``CHOSEN``: one lambda for all places of a seed, by their mean accuracy (L-5).  ``OWN``: one for each task.
    ``CHANCE``: for each task the best of as many single networks, which differ in their initial weights (L-6): what
    ``OWN`` gains beyond it is blindness, the rest is choice. The test points have no say; of equals the first is taken.
    """
    again = rows[rows["arm"].isin(AGAIN)]
    trained = [arm for arm in ARMS if ARMS[arm] > 0]
    tried = rows[rows["arm"].isin(trained)].assign(weight=lambda own: own["arm"].map(ARMS)).sort_values("weight")
    if tried.empty:
        return rows
    means = tried.groupby(["seed", "weight"])["validation"].mean().unstack()
    best = means.idxmax(axis=1)
    one = tried[tried["weight"] == tried["seed"].map(best)]
    own = tried.loc[tried.groupby(["seed", "place", "main"])["validation"].idxmax()]
    more = [part.drop(columns="weight").assign(arm=arm) for arm, part in ((CHOSEN, one), (OWN, own))]
    if not again.empty:
        more.append(again.loc[again.groupby(["seed", "place", "main"])["validation"].idxmax()].assign(arm=CHANCE))
    return pd.concat([rows, *more], ignore_index=True)


def gains(rows: pd.DataFrame, arm: str = SHARED, column: str = "test", *, directed: bool = False) -> pd.DataFrame:
    """An arm less ``single`` on the same points, in points of per cent: one row per seed.

    Args:
        directed: a column per (place, main); without, a column per place, the mean of its two directions.

    Returns:
        Only seeds in which all networks of the two arms have an end: another mean would be of other places.
    """
    kept = rows[rows["frozen"].isna() & rows["arm"].isin([arm, SINGLE])]
    wide = kept.pivot(index="seed", columns=["arm", "place", "main"], values=column)
    if arm not in wide or SINGLE not in wide:
        raise ValueError(f"gains need rows of {arm!r} and {SINGLE!r}, there are {', '.join(rows['arm'].unique())}")
    each = (wide[arm] - wide[SINGLE]).dropna()
    places = list(dict.fromkeys(kept["place"]))
    if directed:
        return each[[(place, main) for place in places for main in (0, 1)]]
    return each.T.groupby(level="place").mean().T[places]


def by_overlap(rows: pd.DataFrame, arms: Sequence[str] = (SHARED,), column: str = "test") -> pd.DataFrame:
    """One row per place and arm: place, overlap, correlation, arm, single (per cent), mean gain, low, high, n."""
    alone = rows[rows["arm"] == SINGLE].groupby("place")[column].mean()
    lines = []
    for arm in arms:
        for place, own in gains(rows, arm, column).items():
            known = {"place": place, "overlap": overlap(place), "correlation": correlation(place), "arm": arm}
            lines.append({**known, SINGLE: alone[place], **mean_of(own.tolist())})
    return pd.DataFrame(lines)


def by_arm(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per arm: mean gain over single with its interval, and how well the other head reads b (per cent)."""
    arms = [arm for arm in dict.fromkeys(rows["arm"]) if arm != SINGLE]
    read = rows.groupby("arm")[PARTNER].mean()
    found = {SINGLE: {PARTNER: read[SINGLE]}}
    found |= {arm: {**mean_of(gains(rows, arm).mean(axis=1).tolist()), PARTNER: read[arm]} for arm in arms}
    return pd.DataFrame(found).T


def samples(rows: pd.DataFrame) -> dict[str, list[float]]:
    """Every estimate that these rows allow, one value per seed, in points (correlations: -1 to 1)."""
    found: dict[str, pd.Series] = {}
    sets, slide = (of(rows, mode) for mode in MODES)
    names = {SHARED: "sharing", CHOSEN: "one lambda", OWN: "own lambda", CHANCE: "chance"}
    for arm, name in names.items():
        if arm in sets["arm"].values:
            found |= {f"sets: {key} of {name}": own for key, own in _sets(gains(sets, arm)).items()}
        if arm in slide["arm"].values:
            found |= {f"{key} of {name}": own for key, own in _slides(gains(slide, arm)).items()}
    for mode in ("sets", "slide"):
        pair = [f"{mode}: mean gain of {name}" for name in ("own lambda", "chance")]
        if set(pair) <= set(found):
            found[f"{mode}: own lambda minus chance"] = found[pair[0]] - found[pair[1]]
    return {key: own.tolist() for key, own in found.items()}


def _sets(gain: pd.DataFrame) -> dict[str, pd.Series]:
    """Estimates from gains (seeds x sets)."""
    found = {"mean gain": gain.mean(axis=1)} | {f"gain in {place}": own for place, own in gain.items()}
    if set(SETS) <= set(gain.columns):
        strong = [overlap(place) > 0.25 for place in gain.columns]
        rest = [not one for one in strong]
        found["gain in overlapping sets"] = gain.loc[:, strong].mean(axis=1)
        found["gain in other sets"] = gain.loc[:, rest].mean(axis=1)
    return found | _related(gain)


def _slides(gain: pd.DataFrame) -> dict[str, pd.Series]:
    """Estimates from gains (seeds x places): at both ends of each slide, at about a fifth, and their means."""
    found = {"slide: mean gain": gain.mean(axis=1)}
    where = {"1": "rings 0|bands 0", "0.2": "rings 0.1|bands 0.1", "0": f"rings {RINGS[-1]:g}|bands {BANDS[-1]:g}"}
    for text, places in where.items():
        both = [place for place in places.split("|") if place in gain]
        found |= {f"{place.split()[0]}: gain at overlap {text}": gain[place] for place in both}
        if len(both) == len(SLIDES):
            found[f"slide: gain at overlap {text}"] = gain[both].mean(axis=1)
    for text in ("0.2", "0"):
        ends = [f"slide: gain at overlap {end}" for end in ("1", text)]
        if set(ends) <= set(found):
            found[f"slide: gain at overlap 1 minus at {text}"] = found[ends[0]] - found[ends[1]]
    if OPPOSITE in gain:
        found["slide: gain of a ring from its complement"] = gain[OPPOSITE]
    return found | {f"slide: {key}": own for key, own in _related(gain).items()}


def _related(gain: pd.DataFrame) -> dict[str, pd.Series]:
    """Pearson's correlation over places of the gain with what is known of the labels, as Fig. 3, seed by seed."""
    if gain.shape[1] < 3:
        return {}
    known = {"overlap": overlap, "correlation": correlation}
    return {
        f"correlation of gain with {name}": gain.apply(
            lambda own, of=of: np.corrcoef(own, [of(place) for place in gain.columns])[0, 1], axis=1
        )
        for name, of in known.items()
    }


def to_record(rows: pd.DataFrame) -> dict[str, dict[str, dict[str, list]]]:
    """The rows as a record holds them: {arm: {place: {column: [one per seed and direction]}}}, to 0.01 points."""
    found: dict = {}
    for (arm, place), own in rows.groupby(["arm", "place"], sort=False):
        kept = {name: [round(value, 2) for value in own[name].tolist()] for name in SCORES}
        if own["frozen"].notna().any():
            kept["frozen"] = [None if pd.isna(why) else why for why in own["frozen"]]
        found.setdefault(arm, {})[place] = {name: own[name].tolist() for name in ("seed", "main")} | kept
    return found


def from_record(recorded: Mapping[str, Mapping[str, Mapping[str, list]]]) -> pd.DataFrame:
    """The rows that ``to_record`` packed, without who made them."""
    frames = [
        pd.DataFrame({"place": place, "arm": arm, "frozen": None, **columns})
        for arm, places in recorded.items()
        for place, columns in places.items()
    ]
    return pd.concat(frames, ignore_index=True)
