"""What the distribution-matching paper prints (Tables 2 to 5 and its list of data bases), and what follows from it."""

from collections.abc import Mapping

import pandas as pd

from mtlib.paths import repository

FOLDER = repository() / "data" / "papers"
# {setting in Table 2: as notebooks call it}
ROWS = {
    "ST": "ST",
    "NC MT": "NC",
    "S-T NC MT": "S-T NC",
    "C MT (DM)": "C (study)",
    "C MT (DB)": "C (database)",
}
# {setting in Table 3: as notebooks call it}
PARTS = {
    "soft co-annotation (DM)": "co-annotation (study)",
    "distr-matching (DM)": "matching (study)",
    "both (DM)": "C (study)",
    "soft co-annotation (DB)": "co-annotation (database)",
    "distr-matching (DB)": "matching (database)",
    "both (DB)": "C (database)",
}
COLUMNS = {"expression": "expr_value", "units": "au_value"}
MEASURES = ("classes_acc", "classes_f1", "attributes_acc", "attributes_f1")
SETTINGS = {"ST": "ST", "NC_MT": "NC", "C_MT": "C"}  # of Table 4
# What the text says of Table 4: data base, measure, coupling's gain over which setting, from, to (None: at least).
TOLD = (
    ("CelebA", "classes_acc", "NC_MT", 4.3, None),
    ("CelebA", "classes_f1", "NC_MT", 5.9, None),
    ("CelebA", "attributes_acc", "NC_MT", 1.2, None),
    ("CelebA", "attributes_f1", "NC_MT", 2.3, None),
    ("CUB", "classes_acc", "NC_MT", 5.0, None),
    ("CUB", "classes_f1", "NC_MT", 4.8, None),
    ("CUB", "attributes_acc", "NC_MT", 2.0, None),
    ("CUB", "attributes_f1", "NC_MT", 10.6, None),
    ("SADD", "classes_acc", "ST", 4.5, None),
    ("SADD", "classes_acc", "NC_MT", 4.2, None),
    ("SADD", "attributes_acc", "ST", 2.1, None),
    ("SADD", "attributes_acc", "NC_MT", 2.7, None),
    ("CAD", "classes_acc", "ST", 10, 14),
    ("CAD", "classes_f1", "ST", 13, 15),
    ("CAD", "attributes_acc", "ST", 4, 5),
    ("CAD", "attributes_f1", "ST", 5, 7),
)
Gains = dict[str, dict[str, list[float]]]  # {task: {row: [points, one per network]}}


def table(number: int) -> pd.DataFrame:
    """Table 2, 3, 4 or 5 as printed."""
    return pd.read_csv(FOLDER / f"dm_table{number}.csv")


def gains(base: str) -> Gains:
    """Table 2: gain of every row over the row ``base``, points, one per network in the order of the print.

    Scores differ from data base to data base (accuracy, average accuracy, F1; AFA or F1): gains are of the same one.

    Raises:
        ValueError: no such row.
    """
    if base not in ROWS.values():
        raise ValueError(f"Table 2 has the rows {', '.join(ROWS.values())}, got {base!r}")
    frame = table(2)
    found: Gains = {}
    for task, column in COLUMNS.items():
        wide = frame.pivot(index="network", columns="setting", values=column).rename(columns=ROWS)
        wide = wide.loc[frame["network"].drop_duplicates()]
        found[task] = {name: (wide[name] - wide[base]).round(2).tolist() for name in ROWS.values() if name != base}
    return found


def parts() -> Gains:
    """Table 3: gain of every setting over no coupling, points, one network (TMIF-FEA)."""
    frame = table(3).set_index("setting")
    plain = frame.loc["no coupling"]
    columns = {"expression": "f1_expr", "units": "f1_au"}
    return {
        task: {name: [round(float(frame.loc[row, column] - plain[column]), 2)] for row, name in PARTS.items()}
        for task, column in columns.items()
    }


def over_nc() -> Gains:
    """Tables 2 and 3 together: gain over no coupling, by row; what Table 3 alone has is of one network."""
    whole, alone = gains("NC"), parts()
    return {task: alone[task] | whole[task] for task in whole}


def quoted() -> pd.DataFrame:
    """The gains that the text quotes of Table 2 beside those that follow from it (X-16): best coupling minus NC."""
    told = {"AffectNet": (5, 5), "RAF-DB": (6, 5), "ABAW4 LSD": (5, 6), "Aff-Wild2": (6, None)}
    frame, lines = table(2), {}
    for data, (expression, units) in told.items():
        own = frame[frame["expr_db"] == data]
        line: dict[str, str] = {}
        for task, quote in (("expression", expression), ("units", units)):
            wide = own.pivot(index="network", columns="setting", values=COLUMNS[task])
            best = wide[["C MT (DM)", "C MT (DB)"]].max(axis=1) - wide["NC MT"]
            line[f"{task}, text"] = "–" if quote is None else f"about {quote}"
            line[f"{task}, table"] = ", ".join(f"{gain:.1f}" for gain in best)
        lines[data] = line
    return pd.DataFrame(lines).T


def negative_transfer() -> pd.DataFrame:
    """How many networks of Tables 2, 4 and 5 are worse than a network of one task, in either task, as printed.

    A line per data base and setting: networks, and those worse in classes (expressions) and in attributes (units). Of
    Tables 4 and 5 accuracy counts; Table 4's F1 says the same. In Table 5 NTS stands against itself, the other methods
    against Table 4's ResNet-50 of one task.
    """
    lines: dict[tuple[str, str], dict[str, int]] = {}
    over = table(2)
    for data, own in over.groupby("expr_db", sort=False):
        for setting, name in list(ROWS.items())[1:]:
            lines[data, name] = _worse(
                {task: own.pivot(index="network", columns="setting", values=column)[[setting, "ST"]]
                 for task, column in zip(("classes", "attributes"), COLUMNS.values(), strict=True)}
            )  # fmt: skip
    for data, own in table(4).groupby("db", sort=False):
        for setting in ("NC_MT", "C_MT"):
            lines[data, SETTINGS[setting]] = _worse(
                {task: own[[f"{setting}_{task}_acc", f"ST_{task}_acc"]] for task in ("classes", "attributes")}
            )
    tasks = {"classes": "classes_acc", "attributes": "attributes_acc"}
    resnet = table(4).query("network == 'ResNet-50'").set_index("db")
    for data, own in table(5).groupby("db", sort=False):
        scores = own.set_index("method")
        for method in scores.index.drop("NTS-ST"):
            nts = method.startswith("NTS-")
            alone = {k: scores.loc["NTS-ST", c] if nts else resnet.loc[data, f"ST_{c}"] for k, c in tasks.items()}
            pairs = {k: pd.DataFrame([[scores.loc[method, c], alone[k]]]) for k, c in tasks.items()}
            lines[data, method.removesuffix(" MT").replace("NTS-", "NTS ")] = _worse(pairs)
    return pd.DataFrame(lines).T.astype(int)


def _worse(pairs: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Networks, and how many are worse in each task: {task: (networks, 2), the setting and single-task}."""
    return {"networks": len(next(iter(pairs.values())))} | {
        f"worse in {task}": int((both.iloc[:, 0] < both.iloc[:, 1]).sum()) for task, both in pairs.items()
    }


def case_two(first: str = "C_MT", second: str = "NC_MT") -> pd.DataFrame:
    """Table 4: what a setting gains over another, points: a line per data base and network (X-17)."""
    frame = table(4).set_index(["db", "network"])
    return pd.DataFrame({name: (frame[f"{first}_{name}"] - frame[f"{second}_{name}"]).round(2) for name in MEASURES})


def case_two_gains() -> pd.DataFrame:
    """The gains that the text quotes of Table 4 beside those that follow from it (X-17), points.

    "At least" is the smallest gain of three networks. Of shoes two numbers stand side by side for each task: read as
    accuracy over one task and over no coupling both follow; read as accuracy and F1 the first does not. Of clothing, of
    which the table has spreads, a range follows only where coupling's smaller spread is taken off the gain and added.

    Returns:
        a line per quoted number; columns "data base", "measure", "over", "text", "table" (least to most of the
        networks), "with spreads", "follows".
    """
    frame, lines = table(4), []
    for data, name, over, low, high in TOLD:
        own = frame[frame["db"] == data]
        gain = (own[f"C_MT_{name}"] - own[f"{over}_{name}"]).round(2)
        narrower = (own[f"{over}_{name}_spread"] - own[f"C_MT_{name}_spread"]).fillna(0.0)
        ends = float((gain - narrower).min()), float((gain + narrower).max())
        lines.append(
            {
                "data base": data,
                "measure": name,
                "over": SETTINGS[over],
                "text": f"at least {low:g}" if high is None else f"{low:g}–{high:g}",
                "table": f"{gain.min():g}–{gain.max():g}",
                "with spreads": "–" if high is None else f"{ends[0]:g}–{ends[1]:g}",
                "follows": bool(gain.min() == low) if high is None else ends == (low, high),
            }
        )
    return pd.DataFrame(lines)


def rivals() -> pd.DataFrame:
    """Table 5: accuracy of classes and attributes, a line per data base, with Table 4's ResNet-50 beside it."""
    five = table(5).assign(
        both=lambda own: [f"{c:g} – {a:g}" for c, a in zip(own["classes_acc"], own["attributes_acc"], strict=True)]
    )
    wide = five.pivot(index="db", columns="method", values="both").loc[five["db"].drop_duplicates()]
    four = table(4).query("network == 'ResNet-50'").set_index("db")
    for setting, name in SETTINGS.items():
        both = zip(four[f"{setting}_classes_acc"], four[f"{setting}_attributes_acc"], strict=True)
        wide[f"ResNet-50 {name}"] = pd.Series([f"{c:g} – {a:g}" for c, a in both], index=four.index)
    return wide


def sizes() -> pd.DataFrame:
    """X-15: images of the data bases that the text compares, and whether EmotioNet is larger, as it says."""
    frame = pd.read_csv(FOLDER / "dm_databases.csv").set_index("database")["images_approx"]
    others = ["RAF-DB", "AffectNet", "ABAW4 LSD train (synthetic)"]
    emotionet = int(frame["EmotioNet"])
    return pd.DataFrame(
        {
            "images": [int(frame[name]) for name in others],
            "EmotioNet has": [emotionet] * len(others),
            "EmotioNet is larger": [emotionet > frame[name] for name in others],
        },
        index=others,
    )
