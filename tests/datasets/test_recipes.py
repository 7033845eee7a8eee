"""data/README.md: a section for every reader, and every recipe run on invented files laid out as it says."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from mtlib.datasets import att, celeba, cifar, cub, digits, lfw, load, manifest, mnist, mulan, pairs, registry, school
from mtlib.faces import EXPRESSIONS

TEXT = (Path(__file__).parents[2] / "data" / "README.md").read_text()
SECTIONS = dict(re.findall(r"^### (.+)\n((?:(?!##).*\n)*)", TEXT, flags=re.M))
BEGIN = re.search(r"Every recipe begins with\n\n```python\n(.*?)```", TEXT, flags=re.S).group(1)
NEUTRAL, HAPPINESS, SADNESS, FEAR, ANGER, SURPRISE, DISGUST = range(7)


# ------------------------------------------------------------------ sections

TITLES = [
    *(title for title, _ in mnist.SETS.values()),
    *("CIFAR-10", cifar.COPY_TITLE, "CIFAR-100", celeba.TITLE, lfw.TITLE, lfw.PAIRS, cub.TITLE, att.TITLE),
    *(digits.TITLE, school.TITLE, mulan.TITLE, manifest.TITLE),
]


@pytest.mark.parametrize("title", TITLES)
def test_every_reader_has_the_section_that_its_errors_point_to(title):
    assert SECTIONS[title].strip()


def test_every_set_has_a_row_with_its_folder_and_a_link_that_leads_somewhere():
    rows = re.findall(r"^\| \[(.+?)\]\(#(.+?)\) \|(?:.*?\|){3} (.*?) \|", TEXT, flags=re.M)
    headings = [
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall("^##+ (.+)$", TEXT, flags=re.M)
    ]
    assert {link for _, link, _ in rows} <= set(headings)
    assert {folder.strip("`") for _, _, folder in rows} - {"–"} == {e.folder for e in registry.ENTRIES.values()} - {""}
    assert {title for title, _, _ in rows} >= set(TITLES) - {cifar.COPY_TITLE, manifest.TITLE}


def test_the_manifest_that_is_shown_is_one(tmp_path):
    folder = tmp_path / "manifest"
    shown = re.search(r"```csv\n(.*?)```", SECTIONS["Manifest"], flags=re.S).group(1)
    put(folder, "manifest.csv", shown)
    picture(folder, "faces/1.jpg", "faces/2.png")
    data = load("manifest", root=tmp_path, cache=tmp_path, size=8)
    assert data.train.y["expression"].tolist() == [[3]]
    assert data.test.y["looks"].tolist() == [[-1]]


def test_the_copy_of_cifar_is_packed_as_it_says(tmp_path, monkeypatch):
    """Pictures as bright as their class."""
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    folder = tmp_path / "data" / "cifar10"
    for split, each in {"train": 3, "test": 1}.items():
        for label, name in enumerate(names):
            for i in range(each):
                path = folder / "CIFAR-10-images" / split / name / f"{i:04d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (32, 32), (20 * label,) * 3).save(path)
    code = re.search(r"```python\n(.*?)```", SECTIONS[cifar.COPY_TITLE], flags=re.S).group(1)
    monkeypatch.chdir(folder)
    exec(code, {})
    data = load("cifar10", root=tmp_path / "data", cache=tmp_path / "cache")
    assert (len(data.train), len(data.test)) == (30, 10)
    for split in (data.train, data.test):
        labels = split.y["cifar10"].flatten()
        assert (split.x[:, 0, 0, 0] / 20).round().tolist() == labels.tolist()
        assert labels.tolist() != sorted(labels.tolist())  # mixed


# ------------------------------------------------------------------ recipes


def put(folder, name, text):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def picture(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9)).save(folder / name)


def raf(folder):
    put(folder, "EmoLabel/list_patition_label.txt", "train_00001.jpg 5\ntrain_00002.jpg 4\ntest_0001.jpg 7\n")
    picture(
        folder / "Image" / "aligned", *(f"{name}_aligned.jpg" for name in ("train_00001", "train_00002", "test_0001"))
    )


def affectnet(folder):
    for name, notes in {"train_set/3": "1 0.5 -0.25", "train_set/20": "7 0.1 0.1", "val_set/1": "6 -2 -2"}.items():
        part, number = name.split("/")
        picture(folder, f"{part}/images/{number}.jpg")
        (folder / part / "annotations").mkdir(exist_ok=True)
        for what, note in zip(("exp", "val", "aro"), notes.split(), strict=True):
            np.save(folder / part / "annotations" / f"{number}_{what}.npy", note)  # texts, as they are there


def emotionet(folder):
    def line(number, **units):
        values = [units.get(f"AU{unit + 1}", 999) for unit in range(60)]
        return "\t".join(map(str, [f"http://a/b/N_{number}.jpg", "http://c/d.jpg", *values]))

    put(folder, "dataFile_1000.txt", "".join(f"{line(i, AU1=i % 2, AU26=1)}\n" for i in range(10)))
    picture(folder / "images", *(f"N_{i}.jpg" for i in range(10) if i != 3))  # one could not be had


def affwild(folder):
    frames = 21  # the first, eleventh and twenty-first are taken
    annotations = folder / "annotations"

    def video(challenge, part, name, head, rows):
        lines = [rows.get(frame, rows[1]) for frame in range(1, frames + 1)]
        put(annotations, f"{challenge}_Challenge/{part}/{name}.txt", "\n".join([head, *lines, ""]))
        picture(folder / "cropped_aligned" / name, *(f"{frame:05d}.jpg" for frame in (1, 2, 11)))  # no face in 21

    expressions = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other"
    units = "AU1,AU2,AU4,AU6,AU7,AU10,AU12,AU15,AU23,AU24,AU25,AU26"
    video("EXPR_Classification", "Train_Set", "a", expressions, {1: "4", 11: "7"})
    video("EXPR_Classification", "Validation_Set", "b", expressions, {1: "-1", 11: "1"})
    video("AU_Detection", "Train_Set", "a", units, {1: ",".join("010101010101"), 11: ",".join(["-1"] * 12)})
    video("AU_Detection", "Validation_Set", "c", units, {1: ",".join("1" * 12)})
    video("VA_Estimation", "Train_Set", "b", "valence,arousal", {1: "-1.0,0.5", 11: "-5,-5"})
    video("VA_Estimation", "Validation_Set", "c", "valence,arousal", {1: "0.25,-0.5"})


def abaw(folder):
    train, test = "training_set_synthetic_images", "validation_set_real_images"
    picture(folder, f"{train}/ANGERE/1.jpg", f"{train}/FEAR/2.jpg", f"{test}/ANGER/1.jpg", f"{test}/DISGUST/x/2.jpg")


def shoes(folder):
    files = [f"womens_{name}/{i % 2}/img_womens_{name}_{i}.jpg" for name in ("boots", "flats") for i in range(4)]
    picture(folder, *files, "womens_boots/0/other.jpg")
    lines = [f"{file},{i},{'' if i == 3 else -i}" for i, file in enumerate(files[:-1])]  # one has no strengths at all
    put(folder, "strengths.csv", "\n".join(["file,pointy,open", *reversed(lines), ""]))


def clothing(folder):
    picture(folder / "images", *(f"{i + 1:06d}.jpg" for i in range(4)))
    (folder / "labels").mkdir()
    for name, values in {"black": [1, 2, np.nan, 2], "category": [1, 7, 2, 3], "neckline": [3, np.nan, 1, 2]}.items():
        savemat(folder / "labels" / f"{name}_GT.mat", {"GT": np.array(values, dtype=float).reshape(-1, 1)})


def ijb(folder):
    put(folder, "meta/ijbc_face_tid_mid.txt", "1.jpg 7 1\n2.jpg 7 2\n3.jpg 8 3\n4.jpg 9 4\n")
    put(folder, "meta/ijbc_template_pair_label.txt", "7 8 1\n7 9 0\n8 9 0\n")
    picture(folder / "loose_crop", *(f"{i + 1}.jpg" for i in range(4)))


LAYOUTS = {
    "RAF-DB": raf,
    "AffectNet": affectnet,
    "EmotioNet": emotionet,
    "Aff-Wild2": affwild,
    "ABAW4": abaw,
    "Shoes (SADD)": shoes,
    "Clothing attributes (CAD)": clothing,
    "IJB pairs": ijb,
}


@pytest.fixture
def cook(tmp_path, monkeypatch):
    """cook(section) runs a recipe in a folder ``made`` laid out for it; gives what ``load`` takes."""

    def cook(section):
        folder = tmp_path / "data" / "made"
        folder.mkdir(parents=True)
        LAYOUTS[section](folder)
        code = re.search(r"```python\n(.*?)```", SECTIONS[section], flags=re.S).group(1)
        monkeypatch.chdir(folder)
        exec(BEGIN + code, {})
        return {"root": tmp_path / "data", "set": "made", "size": 8, "cache": tmp_path / "cache"}

    return cook


def test_there_is_a_recipe_for_each_or_it_says_why_not():
    found = {title for title, text in SECTIONS.items() if "manifest.csv" in text and "```python" in text}
    assert found == set(LAYOUTS) - {"IJB pairs"}
    assert "pairs.csv" in SECTIONS["IJB pairs"]
    assert "unverified" in SECTIONS["Shoes (SADD)"]
    assert "```" not in SECTIONS["DukeMTMC"]


def test_raf(cook):
    data = load("manifest", **cook("RAF-DB"))
    assert data.train.y["expression"].flatten().tolist() == [SADNESS, HAPPINESS]
    assert data.test.y["expression"].item() == NEUTRAL


def test_affectnet(cook):
    data = load("manifest", **cook("AffectNet"))
    assert data.train.y["expression"].flatten().tolist() == [-1, HAPPINESS]  # 20.jpg, contempt, comes before 3.jpg
    assert data.train.y["affect"][1].tolist() == [0.5, -0.25]
    assert data.test.y["expression"].item() == ANGER
    assert data.test.y["affect"].isnan().all()


def test_emotionet(cook):
    data = load("manifest", **cook("EmotioNet"))
    assert (len(data.train), len(data.test)) == (7, 2)
    assert data.tasks[0].columns == tuple(f"AU{unit}" for unit in (1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26))
    assert data.train.y["action_units"][:, 0].tolist() == [0, 1, 0, 1, 0, 1, 0]  # 0 1 2 5 6 7 8
    assert data.train.y["action_units"][0].tolist() == [0, *[-1] * 9, 1]


def test_affwild(cook):
    data = load("manifest", **cook("Aff-Wild2"))
    y, test = data.train.y, data.test.y
    # Video a twice (its eleventh frame has nothing but an expression that is not taken), b's first for valence alone.
    assert y["expression"].flatten().tolist() == [HAPPINESS, -1, -1]
    assert y["action_units"][0].tolist() == [0, 1] * 6
    assert (y["action_units"][1:] == -1).all()
    assert y["affect"][2].tolist() == [-1, 0.5]
    # Of b the eleventh is to test its expression, the first is trained on for valence; c is to test the others.
    assert test["expression"].flatten().tolist() == [ANGER, -1, -1]
    assert test["action_units"].tolist() == [[-1] * 12, [1] * 12, [1] * 12]
    assert test["affect"][1].tolist() == [0.25, -0.5]


def test_abaw(cook):
    data = load("manifest", **cook("ABAW4"))
    assert data.train.y["expression"].flatten().tolist() == [ANGER, FEAR]
    assert data.test.y["expression"].flatten().tolist() == [ANGER, DISGUST]
    assert data.tasks[0].classes == len(EXPRESSIONS)


def test_shoes(cook):
    settings = cook("Shoes (SADD)")
    data = load("manifest", **settings)
    assert (len(data.train), len(data.test)) == (4, 4)
    assert [task.columns for task in data.tasks] == [("type",), ("pointy", "open")]
    with open(settings["root"] / "made" / "manifest.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["classes:type:type"] for row in rows] == ["womens_boots"] * 4 + ["womens_flats"] * 4
    strengths = [int(row["file"].rpartition("_")[2][0]) + 4 * ("flats" in row["file"]) for row in rows]
    for name, sign, missing in (("pointy", 1, {7}), ("open", -1, {3, 7})):
        trained = [
            sign * s for s, row in zip(strengths, rows, strict=True) if row["split"] == "train" and s not in missing
        ]
        expected = ["" if s in missing else str(int(sign * s > np.median(trained))) for s in strengths]
        assert [row[f"binary:attributes:{name}"] for row in rows] == expected


def test_shoes_without_strengths_have_types_alone(cook, tmp_path):
    settings = cook("Shoes (SADD)")
    (settings["root"] / "made" / "strengths.csv").unlink()
    exec(BEGIN + re.search(r"```python\n(.*?)```", SECTIONS["Shoes (SADD)"], flags=re.S).group(1), {})
    assert [task.name for task in load("manifest", **settings).tasks] == ["type"]


def test_clothing(cook):
    data = load("manifest", **cook("Clothing attributes (CAD)"))
    assert (len(data.train), len(data.test)) == (2, 2)
    every = {
        name: sorted(data.train.y[name].flatten().tolist() + data.test.y[name].flatten().tolist())
        for name in data.train.y
    }
    assert every == {"attributes": [-1, 0, 1, 1], "category": [0, 1, 2, 6], "neckline": [-1, 0, 1, 2]}


def test_ijb(cook):
    found = pairs("manifest", **cook("IJB pairs"))
    assert len(found.x) == 3  # 2.jpg is the second picture of its template
    assert sorted(found.same.tolist()) == [False, False, True]
