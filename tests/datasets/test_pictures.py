"""Pictures of any size brought to one, places in them, and pictures that cannot be read."""

import io
import os
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from mtlib.datasets.geometry import Geometry
from mtlib.datasets.pictures import Files, Joined, Packets, Raw
from mtlib.faces.data import positions
from mtlib.vision import torchvision

SHAPES = [(178, 218), (250, 250), (57, 31), (31, 57), (9, 200), (333, 8), (64, 64), (65, 64)]  # width, height


def noise(wide, high, mode="RGB", seed=0):
    shape = (high, wide, 3) if mode == "RGB" else (high, wide)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype="uint8"))


def content(image, format="JPEG", **options):
    file = io.BytesIO()
    image.save(file, format=format, **options)
    return file.getvalue()


# ------------------------------------------------------------------ geometry


@pytest.mark.parametrize("size", [8, 33, 64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_bit_for_bit_as_torchvision(shape, size, mode):
    torchvision()
    from torchvision.transforms import CenterCrop, Compose, PILToTensor, Resize

    image = noise(*shape, mode)
    cropped = Compose([Resize(size), CenterCrop(size), PILToTensor()])(image)
    assert torch.equal(Geometry(size)(image), cropped)
    stretched = Compose([Resize((size, size)), PILToTensor()])(image)
    assert torch.equal(Geometry(size, "stretch")(image), stretched)


def test_grey_is_pillows():
    image = noise(40, 30)
    assert torch.equal(Geometry(channels=1)(image)[0], torch.from_numpy(np.array(image.convert("L"))))
    red, green, blue = torch.from_numpy(np.array(image)).double().unbind(2)
    weighted = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R 601
    assert (Geometry(channels=1)(image)[0] - weighted).abs().max() < 1
    assert Geometry(16, channels=1)(image).shape == (1, 16, 16)


def test_channels_and_modes():
    grey = noise(20, 30, "L")
    assert torch.equal(Geometry(channels=3)(grey), Geometry()(grey).expand(3, 30, 20))
    for mode in ("P", "RGBA", "CMYK", "1"):  # as few pictures of any set are
        found = Geometry()(grey.convert(mode))
        assert (found.shape, found.dtype) == ((3, 30, 20), torch.uint8)


@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("mode", ["I", "I;16", "F"])
def test_pixels_of_more_than_8_bits_are_refused(mode, channels):
    """Pillow would cut them off at 255 without a word."""
    kind = {"I": "int32", "I;16": "uint16", "F": "float32"}[mode]
    image = Image.fromarray(np.full((4, 5), 999, dtype=kind))
    assert image.mode == mode
    with pytest.raises(ValueError, match=f"^has pixels of mode {mode}, not of 8 bits$"):
        Geometry(channels=channels)(image)


def test_what_is_transparent_is_put_on_white():
    """By hand: none of a colour, all of it, and a fifth of it."""
    image = Image.new("RGBA", (3, 1))
    for x, colour in enumerate([(0, 0, 0, 0), (200, 100, 0, 255), (5, 105, 255, 51)]):
        image.putpixel((x, 0), colour)
    colours = [[255, 255, 255], [200, 100, 0], [205, 225, 255]]
    assert Geometry()(image)[:, 0].T.tolist() == colours
    grey = Image.new("LA", (2, 1))
    grey.putdata([(55, 51), (55, 255)])
    assert Geometry(channels=1)(grey).flatten().tolist() == [215, 55]


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_colour_may_be_the_transparent_one(mode):
    image = Image.new("RGB", (2, 1), "black")
    image.putpixel((1, 0), (255, 0, 0))
    image = image.convert(mode)
    dark = image.getpixel((0, 0))
    read = Image.open(io.BytesIO(content(image, "PNG", transparency=dark)))
    assert Geometry(channels=3)(read)[:, 0, 0].tolist() == [255, 255, 255]
    assert Geometry(channels=3)(read)[:, 0, 1].tolist() == Geometry(channels=3)(image)[:, 0, 1].tolist()


def test_without_a_size_a_picture_stays_as_it_is():
    image = noise(20, 30)
    assert torch.equal(Geometry()(image).permute(1, 2, 0), torch.from_numpy(np.array(image)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 7}, "size is 8 to 1024 pixels, or None as the files are, got 7"),
        ({"size": 1025}, "size is 8 to 1024 pixels"),
        ({"size": 64.0}, "size is 8 to 1024 pixels"),
        ({"size": True}, "size is 8 to 1024 pixels"),
        ({"channels": 2}, "channels is 1, 3 or None"),
        ({"fit": "pad"}, "crop"),
    ],
)
def test_no_other_geometry(options, message):
    with pytest.raises(ValueError, match=message):
        Geometry(**options)


@pytest.mark.parametrize(
    ("geometry", "text"),
    [
        (Geometry(), "as they are"),
        (Geometry(64), "64 pixels, crop"),
        (Geometry(64, "stretch", 1), "64 pixels, stretch, grey"),
        (Geometry(channels=3), "as they are, colour"),
    ],
)
def test_its_name_says_all_of_it(geometry, text):
    assert str(geometry) == text


# ------------------------------------------------------------------ places


@pytest.mark.parametrize("fit", ["crop", "stretch"])
@pytest.mark.parametrize(("wide", "high"), [(20, 12), (12, 20), (16, 16), (17, 13)])
def test_a_dot_is_where_its_fractions_say(wide, high, fit):
    geometry, size = Geometry(48, fit), 48
    for x, y in ((wide // 2, high // 2), (wide // 2 - 2, high // 2 + 2), (wide // 2 + 3, high // 2 - 1)):
        dot = np.zeros((high, wide), dtype="uint8")
        dot[y, x] = 255
        weight = geometry(Image.fromarray(dot))[0].double()
        rows, columns = torch.arange(size).double(), torch.arange(size).double()
        centre = torch.stack([weight.sum(0) @ columns, weight.sum(1) @ rows]) / weight.sum()
        point = geometry.fractions(torch.tensor([[float(x), float(y)]]), wide, high)
        assert (positions(point, size)[0, 0] - centre).abs().max() < 0.1  # pixels of the result


def test_places_by_hand():
    points = torch.tensor([[-0.5, -0.5, 19.5, 9.5, 9.5, 4.5]])  # two corners and the middle of 20 x 10 pixels
    assert Geometry().fractions(points, 20, 10).tolist() == [[-1, -1, 1, 1, 0, 0]]
    assert Geometry(40, "stretch").fractions(points, 20, 10).tolist() == [[-1, -1, 1, 1, 0, 0]]
    # 80 x 40 after resizing, of which the middle 40 x 40 are left: the corners lie outside.
    assert Geometry(40).fractions(points, 20, 10).tolist() == [[-2, -1, 2, 1, 0, 0]]


def test_places_do_not_depend_on_the_size():
    points = torch.rand(5, 144, generator=torch.Generator().manual_seed(0)) * 178
    found = [Geometry(size).fractions(points, 178, 218) for size in (89, 178, 890)]
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=0, atol=1e-5)


def test_a_place_that_is_missing_stays_missing():
    found = Geometry(64).fractions(torch.tensor([[float("nan"), float("nan"), 3, 4]]), 178, 218)
    assert found.isnan().tolist() == [[True, True, False, False]]


# ------------------------------------------------------------------ kinds of pictures


@pytest.fixture
def files(tmp_path):
    """Five PNG files of 12 x 10 pixels."""
    images = [noise(12, 10, seed=seed) for seed in range(5)]
    for place, image in enumerate(images):
        image.save(tmp_path / f"{place}.png")
    return Files("Set", tmp_path, [f"{place}.png" for place in range(5)], formats=("PNG",)), images


def pixels(images):
    return torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in images])


def packed(images, **options):
    parts = [content(image, "PNG") for image in images]
    offsets = torch.tensor([0, *map(len, parts)]).cumsum(0)
    joined = torch.frombuffer(bytearray(b"".join(parts)), dtype=torch.uint8)
    return Packets("Packets", joined, offsets, formats=("PNG",), **options)


def test_whatever_holds_them_they_are_the_same(files):
    files, images = files
    expected, row = pixels(images), (3, 10, 12)
    for pictures in (
        files,
        packed(images),
        Raw("Raw", expected),
        Joined([files.take(torch.tensor([0, 1])), packed(images[2:])]),
    ):
        assert len(pictures) == 5
        assert torch.equal(pictures.decode(0, 5, Geometry(), row), expected)
        assert torch.equal(pictures.decode(2, 4, Geometry(), row), expected[2:4])
        resized = pictures.decode(1, 2, Geometry(8), (3, 8, 8))
        assert torch.equal(resized[0], Geometry(8)(images[1]))


def test_some_of_them_in_another_order(files):
    files, images = files
    rows = torch.tensor([3, 0, 3])
    joined = Joined([files.take(torch.tensor([0, 1])), packed(images[2:])])
    for pictures in (files, packed(images), Raw("Raw", pixels(images)), joined):
        assert torch.equal(pictures.take(rows).decode(0, 3, Geometry(), (3, 10, 12)), pixels(images)[rows])
        assert torch.equal(pictures.take(rows).take(torch.tensor([1])).one(0, Geometry()), pixels(images)[0])


def test_other_pictures_have_another_digest(files):
    files, images = files
    for pictures in (files, packed(images), Raw("Raw", pixels(images))):
        assert pictures.digest() == pictures.take(torch.arange(5)).digest()
        others = [pictures.take(torch.tensor(rows)).digest() for rows in ([0, 1], [1, 0], [0], [0, 1, 2, 3])]
        assert len({pictures.digest(), *others}) == 5
    changed = pixels(images)
    changed[4, 2, 9, 11] ^= 1
    assert Raw("Raw", changed).digest() != Raw("Raw", pixels(images)).digest()


def test_a_file_that_was_replaced_gives_another_digest(files):
    files, _ = files
    before = files.digest()
    os.utime(files.folder / "2.png", (1, 1))
    touched = files.digest()
    assert touched != before
    (files.folder / "2.png").write_bytes(b"other")
    os.utime(files.folder / "2.png", (1, 1))
    assert files.digest() != touched


def test_missing_files_are_counted_and_the_first_is_named(files):
    files, _ = files
    for name in ("1.png", "3.png"):
        (files.folder / name).unlink()
    with pytest.raises(
        FileNotFoundError, match=r"Set: 2 of 5 pictures are not in .*, the first is 1.png \(data/README"
    ):
        files.digest()


# ------------------------------------------------------------------ damage

PHOTO = noise(40, 30).resize((80, 60))


def reframed(wide, high):
    """A JPEG that says that it is of another size."""
    found = content(PHOTO)
    frame = found.index(b"\xff\xc0") + 5
    return found[:frame] + high.to_bytes(2, "big") + wide.to_bytes(2, "big") + found[frame + 4 :]


@pytest.mark.parametrize(
    ("damaged", "formats", "message"),
    [
        (b"", ("JPEG",), "is no JPEG picture; get it again"),
        (b"hello, world", ("JPEG", "PNG"), "is no JPEG or PNG picture"),
        (content(PHOTO, "PNG"), ("JPEG",), "is no JPEG picture"),  # whatever its suffix says
        (content(PHOTO)[:1000], ("JPEG",), "is damaged"),
        (content(PHOTO)[:-2], ("JPEG",), "is damaged"),
        (content(PHOTO)[:-200] + bytes(200), ("JPEG",), "is damaged"),
        (content(PHOTO, progressive=True)[:-200] + bytes(200), ("JPEG",), "is damaged"),
        (content(PHOTO, "PNG")[:-500], ("PNG",), "is damaged"),
        (content(PHOTO, "PNG")[:300] + b"\0\1\2\3" + content(PHOTO, "PNG")[304:], ("PNG",), "is damaged"),
        (content(PHOTO, "PPM")[:-1], ("PPM",), "is damaged"),
        (content(noise(80, 61)), ("JPEG",), "has 80 x 61 pixels, not 80 x 60"),
        (reframed(80, 64), ("JPEG",), "is damaged|has 80 x 64 pixels"),
    ],
)
def test_a_damaged_picture_is_named_whatever_holds_it(tmp_path, damaged, formats, message):
    (tmp_path / "bad.jpg").write_bytes(damaged)
    files = Files("Set", tmp_path, ["bad.jpg"], formats, (80, 60))
    with pytest.raises(ValueError, match=f"^Set: bad.jpg ({message})"):
        files.one(0, Geometry(16))
    joined = torch.frombuffer(bytearray(b"." + damaged), dtype=torch.uint8)
    offsets = torch.tensor([0, 1, 1 + len(damaged)])
    with pytest.raises(ValueError, match=f"^Packets: picture 1 ({message})"):
        Packets("Packets", joined, offsets, torch.tensor([1]), formats, (80, 60)).one(0, Geometry(16))


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_cut_or_zeroed_anywhere_is_found(tmp_path, quality, progressive):
    whole = content(PHOTO, quality=quality, progressive=progressive)
    (tmp_path / "whole.jpg").write_bytes(whole)
    assert Files("Set", tmp_path, ["whole.jpg"]).one(0, Geometry()).shape == (3, 60, 80)
    for place in range(1, len(whole), len(whole) // 60):
        for rest in (b"", bytes(len(whole) - place)):
            (tmp_path / "bad.jpg").write_bytes(whole[:place] + rest)
            with pytest.raises(ValueError, match=r"^Set: bad.jpg is"):
                Files("Set", tmp_path, ["bad.jpg"]).one(0, Geometry())


def test_bytes_after_a_jpegs_end_do_no_harm(tmp_path):
    (tmp_path / "longer.jpg").write_bytes(content(PHOTO) + bytes(100))
    assert torch.equal(
        Files("Set", tmp_path, ["longer.jpg"]).one(0, Geometry()), Geometry()(Image.open(tmp_path / "longer.jpg"))
    )


def test_a_folder_in_place_of_a_picture(tmp_path):
    (tmp_path / "bad.jpg").mkdir()
    with pytest.raises(ValueError, match=r"^Set: bad.jpg cannot be read"):
        Files("Set", tmp_path, ["bad.jpg"]).one(0, Geometry())


def test_pictures_that_differ_need_a_size(tmp_path):
    noise(20, 10).save(tmp_path / "a.png")
    noise(10, 20).save(tmp_path / "b.png")
    files = Files("Set", tmp_path, ["a.png", "b.png"], ("PNG",))
    with pytest.raises(ValueError, match=r"Set: b.png is \(3, 20, 10\), others are \(3, 10, 20\); give a size"):
        files.decode(0, 2, Geometry(), (3, 10, 20))
    assert files.decode(0, 2, Geometry(8), (3, 8, 8)).shape == (2, 3, 8, 8)


def test_in_a_mixture_the_set_is_named_too(files):
    files, images = files
    joined = Joined([files, Raw("Raw", pixels(images)), packed(images)])
    assert joined.title == "Set + Raw + Packets"
    assert [joined.name(place) for place in (0, 4, 5, 14)] == [
        "0.png of Set",
        "4.png of Set",
        "picture 0 of Raw",
        "picture 4 of Packets",
    ]
    with pytest.raises(IndexError):
        joined.one(15, Geometry())


def spoiled_in_the_middle(file):
    file[len(file) // 3 : 2 * len(file) // 3] = bytes(2 * (len(file) // 3) - len(file) // 3)
    return bytes(file)


def test_a_photograph_with_a_part_zeroed_is_named_and_a_flat_drawing_is_none(tmp_path):
    (tmp_path / "face.jpg").write_bytes(spoiled_in_the_middle(bytearray(content(noise(178, 218), "JPEG"))))
    Image.new("RGB", (640, 480), "white").save(tmp_path / "sheet.jpg", optimize=True)
    with pytest.raises(ValueError, match=r"Set: face\.jpg is damaged \(a part of it is zeros\)"):
        Files("Set", tmp_path, ["face.jpg"], shape=(178, 218)).one(0, Geometry())
    assert Files("Set", tmp_path, ["sheet.jpg"]).one(0, Geometry()).min() == 255


def test_all_damaged_ones_of_a_chunk_are_counted(files):
    files, _ = files
    for place in (1, 3, 4):
        (files.folder / f"{place}.png").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"1\.png is no PNG picture; get it again \(and 2 more near it\)"):
        files.decode(0, 5, Geometry(), (3, 10, 12))


def test_a_small_chunk_keeps_all_cores_busy(files, monkeypatch):
    files, images = files
    monkeypatch.setattr("mtlib.datasets.pictures.CORES", 5)
    busy, all_of_them = set(), threading.Barrier(5, timeout=20)

    def waiting(place, geometry):
        busy.add(threading.get_ident())
        all_of_them.wait()  # breaks unless five threads come here
        return pixels(images)[place]

    monkeypatch.setattr(files, "one", waiting)
    assert torch.equal(files.decode(0, 5, Geometry(), (3, 10, 12)), pixels(images))
    assert len(busy) == 5
