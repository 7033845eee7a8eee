"""What follows from the printed tables of the distribution-matching paper, by hand."""

import csv

import pytest

from mtlib.coupling.printed import relations
from mtlib.experiments import dm_printed
from mtlib.faces.names import ACTION_UNITS
from mtlib.paths import repository


def test_gains_of_table_2_by_hand():
    to_st, to_nc = dm_printed.gains("ST"), dm_printed.gains("NC")
    assert to_st["expression"]["NC"][0] == pytest.approx(64.3 - 66.4)
    assert to_st["units"]["C (database)"][-1] == pytest.approx(57.8 - 49.9)
    assert to_nc["expression"]["C (study)"] == pytest.approx([5.1, 5.0, 6.2, 6.0, 4.4, 3.9, 5.1])
    assert sum(to_nc["expression"]["C (study)"]) / 7 == pytest.approx(5.1, abs=0.01)
    assert all(len(own) == 7 for task in to_st.values() for own in task.values())
    with pytest.raises(ValueError, match="Table 2 has the rows ST, NC"):
        dm_printed.gains("MT")


def test_claims_have_the_printed_effects():
    from mtlib import claims

    rules = claims.load("dm")
    nc, st = dm_printed.gains("NC"), dm_printed.gains("ST")
    for source in ("study", "database"):
        for task, name in (("expression", "expression"), ("units", "units")):
            own = nc[task][f"C ({source})"]
            assert rules[f"dm.{source}.{name}"].printed == pytest.approx(sum(own) / 7, abs=0.01)
    assert rules["dm.negative-transfer"].printed == pytest.approx(sum(st["expression"]["NC"]) / 7, abs=0.01)
    assert rules["dm.units-gain"].printed == pytest.approx(sum(st["units"]["NC"]) / 7, abs=0.01)
    assert rules["dm.co-annotation"].printed == dm_printed.parts()["expression"]["co-annotation (study)"][0]


def test_table_3_ends_where_table_2_has_its_network():
    for task, own in dm_printed.parts().items():
        for row in ("C (study)", "C (database)"):
            assert own[row] == pytest.approx([dm_printed.gains("NC")[task][row][-1]])  # TMIF-FEA


def test_negative_transfer_is_where_the_paper_says():
    found = dm_printed.negative_transfer()
    assert found.loc[("AffectNet", "NC")].tolist() == [2, 2, 0]
    assert found.loc[("SADD", "NC")].tolist() == [3, 0, 3]
    assert found.loc[("CAD", "NC")].tolist() == [3, 3, 3]
    coupled = [row for row in found.index if row[1].startswith("C")]
    assert (found.loc[coupled, ["worse in classes", "worse in attributes"]] == 0).to_numpy().all()


def test_gains_of_table_4_are_at_least_what_the_text_quotes():
    least = dm_printed.case_two().groupby("db").min()
    assert least.loc["CelebA"].tolist() == [4.3, 5.9, 1.2, 2.3]
    assert least.loc["CUB"].tolist() == [5.0, 4.8, 2.0, 10.6]
    assert dm_printed.case_two("C_MT", "ST").loc["CAD"].drop_duplicates().to_numpy().tolist() == [[12, 14, 5, 6]]


def test_emotionet_is_not_larger_than_the_others():
    assert dm_printed.sizes()["EmotioNet is larger"].tolist() == [True, False, False]


def test_the_text_names_a_network_that_was_not_run_there():
    quoted = dm_printed.quoted()
    assert quoted.loc["Aff-Wild2", "expression, table"] == "6.2"  # one network, TMIF-FEA
    assert quoted.loc["AffectNet", "expression, table"] == "5.0, 5.1"


def test_the_action_units_are_the_union_of_the_study(tmp_path):
    path = repository() / "data" / "papers" / "dm_table1_expression_au.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    study = {int(row["au"]) for row in rows if row["kind"] in ("proto", "observational")}
    assert study == set(ACTION_UNITS)
    assert len({row["au"] for row in rows if row["kind"] == "affwild2"}) == 11
    happy = relations("study").weight[1]
    assert happy.sum().item() == pytest.approx(2.51)


def test_table_5_stands_beside_resnet_of_table_4():
    found = dm_printed.rivals()
    assert found.loc["CUB", "ResNet-50 C"] == "89.3 – 92.1"
    assert found.loc["CUB", "TR"] == "83.2 – 76.5"
