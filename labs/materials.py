"""Materials: one word for each, whatever people write, with its Wikipedia article as Open Know-Where names them."""

import re

#: The word that we use, its article, and what people also write.
MATERIALS: dict[str, tuple[str, tuple[str, ...]]] = {
    "PLA": ("Polylactic_acid", ("pla+", "polylactic acid", "polylactide")),
    "PETG": ("Polyethylene_terephthalate", ("pet", "pet-g", "pctg")),
    "ABS": ("Acrylonitrile_butadiene_styrene", ()),
    "ASA": ("Acrylonitrile_styrene_acrylate", ()),
    "TPU": ("Thermoplastic_polyurethane", ("flex", "tpe")),
    "nylon": ("Nylon", ("pa", "pa6", "pa12", "polyamide")),
    "polycarbonate": ("Polycarbonate", ("pc",)),
    "polypropylene": ("Polypropylene", ("pp",)),
    "HDPE": ("High-density_polyethylene", ()),
    "PVC": ("Polyvinyl_chloride", ()),
    "resin": ("Stereolithography", ("photopolymer", "uv resin")),
    "acrylic": ("Poly(methyl_methacrylate)", ("pmma", "plexiglas", "plexiglass", "perspex")),
    "plywood": ("Plywood", ("ply", "birch plywood", "vaneri")),
    "MDF": ("Medium-density_fibreboard", ()),
    "wood": ("Wood", ("timber", "hardwood", "softwood")),
    "birch": ("Birch", ()),
    "cardboard": ("Cardboard", ()),
    "paper": ("Paper", ()),
    "vinyl": ("Polyvinyl_chloride#Signs", ("vinyl film", "sticker")),
    "leather": ("Leather", ()),
    "textile": ("Textile", ("fabric", "cloth", "cotton")),
    "aluminium": ("Aluminium", ("aluminum", "al", "alu")),
    "steel": ("Steel", ("mild steel",)),
    "stainless steel": ("Stainless_steel", ("inox",)),
    "brass": ("Brass", ()),
    "copper": ("Copper", ()),
    "FR-4": ("FR-4", ("fr4", "pcb")),
    "foam": ("Foam", ()),
    "rubber": ("Rubber", ()),
    "glass": ("Glass", ()),
}
WIKIPEDIA = "https://en.wikipedia.org/wiki/"
_KNOWN = {name.lower(): name for name in MATERIALS} | {
    other: name for name, (_article, others) in MATERIALS.items() for other in others
}
_ARTICLES = {article.lower(): name for name, (article, _others) in MATERIALS.items()}


def normal(text: str) -> str:
    """The material as we write it: `PET-G` is `PETG`, `Birch plywood, 4 mm` is `plywood`, `PETG printed` is
    `PETG`; others stay as they are."""
    plain = re.sub(r"\s+", " ", text.strip())
    if plain.lower().startswith(("http://en.wikipedia.org/wiki/", "https://en.wikipedia.org/wiki/")):
        article = plain.split("/wiki/", 1)[1]
        return _ARTICLES.get(article.lower(), article.replace("_", " "))[:40]
    low = plain.lower()
    if low in _KNOWN:
        return _KNOWN[low]
    words = re.split(r"[,;(/]| \d", low)[0].split()
    known = (_KNOWN.get(" ".join(words[:n])) for n in range(len(words), 0, -1))
    return next((word for word in known if word), plain)[:40]


def article(material: str) -> str:
    """The address of its Wikipedia article, or nothing."""
    known = MATERIALS.get(normal(material))
    return WIKIPEDIA + known[0] if known else ""
