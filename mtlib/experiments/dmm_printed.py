"""What DMM-CNN's paper prints, as far as the text has it."""

import pandas as pd

from mtlib.paths import repository


def read(name: str) -> pd.DataFrame:
    """The printed table data/papers/dmm_<name>.csv."""
    return pd.read_csv(repository() / "data" / "papers" / f"dmm_{name}.csv")


def gains() -> dict[str, float]:
    """{variant: gain over Baseline on CelebA, points}: two are printed; DMM-SPP's and DMM-CNN's follow from D-16."""
    differences, rates = read("text_differences"), read("table2_weighting")
    gain = {(row["from"], row["to"]): row["celeba_points"] for row in differences.to_dict("records")}
    scheme = dict(zip(rates["scheme"], rates["mean_acc_celeba"], strict=True))
    base = scheme["UW"] - gain["Baseline", "DMM-EQ-AT"]
    full = scheme["proposed"] - base
    return {
        "DMM-EQ-AT": gain["Baseline", "DMM-EQ-AT"],
        "DMM-DW-FIX": gain["Baseline", "DMM-DW-FIX"],
        "DMM-SPP": round(full - gain["DMM-SPP", "DMM-CNN"], 2),
        "DMM-CNN": round(full, 2),
    }


OURS, RIVAL = "DMM-CNN", "PS-MCNN-LC"
# The same columns in the task-structure paper, which are whole; its own methods, which came later, are left out.
REPRINTS = {
    "CelebA": ("mtfap_table1_celeba", ("PANDA", "LNets+ANet", "MOON", "NSA", "AUX", "MCFA", "GNAS", RIVAL)),
    "LFWA": ("mtfap_table2_lfwa", ("PANDA", "LNets+ANet", "NSA", "AUX", "MCFA", RIVAL)),
}


def leads() -> pd.DataFrame:
    """On how many of forty attributes DMM-CNN is strictly the best of the methods of Table 3 (D-17).

    Counted on the reprint, as Table 3 itself is damaged in our text (D-18); it lacks AW-CNN, which has an average only.

    Returns:
        rows CelebA and LFWA; columns "of all", "without PS-MCNN-LC".
    """
    lines = {}
    for name, (file, others) in REPRINTS.items():
        table = pd.read_csv(repository() / "data" / "papers" / f"{file}.csv").query("idx.notna()")
        rest = [other for other in others if other != RIVAL]
        lines[name] = {
            "of all": int((table[OURS] > table[list(others)].max(axis=1)).sum()),
            f"without {RIVAL}": int((table[OURS] > table[rest].max(axis=1)).sum()),
        }
    return pd.DataFrame(lines).T


def averages() -> pd.DataFrame:
    """Table 3's last column: the printed mean accuracy of every method, and how many of its 40 cells are legible."""
    lines: dict[str, dict[str, object]] = {}
    for name in ("celeba", "lfwa"):
        table = read(f"table3_{name}").set_index("attribute")
        for method in [column for column in table if column not in ("idx", "placement")]:
            line = lines.setdefault(method, {})
            line[f"{name}: average (%)"] = table.loc["Average", method]
            line[f"{name}: legible cells"] = int(table[method].drop("Average").notna().sum())
    return pd.DataFrame(lines).T


def legible(dataset: str) -> pd.DataFrame:
    """The attributes of Table 3 of which DMM-CNN's own cell can be read: it, and the best of the others.

    Args:
        dataset: ``celeba`` or ``lfwa``.
    """
    table = read(f"table3_{dataset}").set_index("attribute").drop("Average")
    table = table[table[OURS].notna()]
    others = table.drop(columns=["idx", "placement", OURS])
    best = pd.DataFrame(
        {f"{OURS} (%)": table[OURS], "best other (%)": others.max(axis=1), "it is": others.idxmax(axis=1)}
    )
    return best.assign(lead=(table[OURS] - best["best other (%)"]).round(2))
