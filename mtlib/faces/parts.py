"""Which parts of the drawing an attribute has a hand in: what its mask is made of."""

# All of the colour of the hair.
HAIRY = ("back hair", "hair", "bangs", "brows", "stubble", "beard", "goatee", "sideburns", "mustache")
SKIN = (
    "head", "ears", "neck", "chin shadow", "nose", "mouth", "double chin", "cheekbones", "rosy cheeks", "wrinkles",
    "frown", "nose lines", "folds", "bags", "crow's feet", "chin raiser", "eyes",
)  # fmt: skip
WORN = ("glasses", "hat", "earrings", "clothes", "necktie", "necklace")  # fits the head
FACE = (*SKIN, *HAIRY, *WORN)
MOUTH = ("mouth",)

PARTS: dict[str, tuple[str, ...]] = {
    "5_o_Clock_Shadow": ("stubble",),
    "Arched_Eyebrows": ("brows",),
    "Attractive": (),  # an opinion: nothing is drawn
    "Bags_Under_Eyes": ("bags",),
    "Bald": ("back hair", "hair", "bangs"),
    "Bangs": ("bangs",),
    "Big_Lips": MOUTH,
    "Big_Nose": ("nose",),
    "Black_Hair": HAIRY,
    "Blond_Hair": HAIRY,
    "Blurry": ("background",),  # and everything before it: see Faces.mask
    "Brown_Hair": HAIRY,
    "Bushy_Eyebrows": ("brows",),
    "Chubby": FACE,
    "Double_Chin": ("double chin",),
    "Eyeglasses": ("glasses",),
    "Goatee": ("goatee",),
    "Gray_Hair": HAIRY,
    "Heavy_Makeup": ("eye shadow", "eyes"),
    "High_Cheekbones": ("cheekbones",),
    "Male": FACE,
    "Mouth_Slightly_Open": MOUTH,
    "Mustache": ("mustache",),
    "Narrow_Eyes": ("eyes",),
    "No_Beard": ("beard",),
    "Oval_Face": FACE,
    "Pale_Skin": SKIN,
    "Pointy_Nose": ("nose",),
    "Receding_Hairline": ("hair",),
    "Rosy_Cheeks": ("rosy cheeks",),
    "Sideburns": ("sideburns",),
    "Smiling": ("mouth", "folds"),
    "Straight_Hair": ("back hair", "hair", "bangs"),
    "Wavy_Hair": ("back hair", "hair", "bangs"),
    "Wearing_Earrings": ("earrings",),
    "Wearing_Hat": ("hat",),
    "Wearing_Lipstick": MOUTH,
    "Wearing_Necklace": ("necklace",),
    "Wearing_Necktie": ("necktie", "necklace"),
    "Young": ("wrinkles", "folds", "crow's feet"),
}

# These move an edge and leave the rest of their part as it is: their mask is where the part's cover changes.
MOVED = ("Receding_Hairline",)
