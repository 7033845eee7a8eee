"""The names and orders of everything a drawn face is labelled with."""

# CelebA's official names in CelebA's official order.
ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose",
    "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses",
    "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache",
    "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks",
    "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick",
    "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip
COLUMN = {name: column for column, name in enumerate(ATTRIBUTES)}

# The basic expressions of the distribution-matching paper's Table 1, after neutral, which has no action unit.
EXPRESSIONS = ("neutral", "happiness", "sadness", "fear", "anger", "surprise", "disgust")

# The union of that table's action units, and what each of them moves.
ACTION_UNITS = {
    1: "inner brow raiser", 2: "outer brow raiser", 4: "brow lowerer", 5: "upper lid raiser", 6: "cheek raiser",
    7: "lid tightener", 9: "nose wrinkler", 10: "upper lip raiser", 11: "nasolabial deepener",
    12: "lip corner puller", 15: "lip corner depressor", 17: "chin raiser", 20: "lip stretcher",
    23: "lip tightener", 24: "lip pressor", 25: "lips part", 26: "jaw drop",
}  # fmt: skip
UNIT = {unit: column for column, unit in enumerate(ACTION_UNITS)}

# The 68-point convention, image left to image right, and four more.
LANDMARKS = {
    "jaw": range(0, 17), "left brow": range(17, 22), "right brow": range(22, 27), "nose bridge": range(27, 31),
    "nose base": range(31, 36), "left eye": range(36, 42), "right eye": range(42, 48), "outer lips": range(48, 60),
    "inner lips": range(60, 68), "eye centres": range(68, 70), "ear lobes": range(70, 72),
}  # fmt: skip
POINTS_68 = tuple(range(68))
POINTS_5 = (68, 69, 30, 48, 54)  # CelebA's: left eye, right eye, nose, left and right mouth corner, as seen

# Which point stands for which in a mirrored picture: what ``Augment.positions`` asks for.
MIRRORED = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),  # jaw, brows, nose
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,  # eyes
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),  # lips
    69, 68, 71, 70,
)  # fmt: skip
