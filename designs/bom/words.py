"""What the columns of a parts list are called, in the languages in which makers write them."""

import re
import unicodedata

#: Field of a line, then the words for it, parted by commas. Compared without accents, case and punctuation.
NAMES: dict[str, str] = {
    "name": (
        "part, parts, name, item, item name, part name, component, description, title, designation, value, "
        "comment, teil, name des teils, bezeichnung, benennung, bauteil, beschreibung, artikel, piece, nom, "
        "composant, pieza, nombre, componente, descripcion, nome, descrizione, particolare, osa, nimi, kuvaus, "
        "komponentti, nimike, onderdeel, naam, omschrijving, del, namn, benamning, peca, descricao"
    ),
    "quantity": (
        "quantity, qty, quant, count, amount, number, no of parts, pcs, pieces, units, qnty, quantity per pcb, "
        "menge, anzahl, stuck, stueck, stuckzahl, quantite, qte, nombre de pieces, cantidad, cant, unidades, "
        "quantita, qta, numero, maara, kpl, lukumaara, aantal, antal, quantidade, qtd"
    ),
    "unit": (
        "unit, units of measure, uom, unit of measure, einheit, unite, unidad, unita, yksikko, eenheid, enhet, unidade"
    ),
    "mass_g": (
        "mass, weight, unit mass, unit weight, mass each, weight each, gewicht, masse, einzelgewicht, poids, masse "
        "unitaire, peso, masa, massa, paino, vikt"
    ),
    "mass_total": (
        "total mass, total weight, gesamtgewicht, gesamtmasse, poids total, peso total, kokonaispaino, kokonaismassa"
    ),
    "cost": (
        "cost, price, unit price, unit cost, price each, cost each, cost per unit, price per unit, each, price per "
        "piece, preis, einzelpreis, stuckpreis, kosten, prix, prix unitaire, cout, precio, precio unitario, coste, "
        "costo, prezzo, prezzo unitario, hinta, yksikkohinta, kappalehinta, prijs, stukprijs, pris, styckpris, "
        "preco, custo"
    ),
    "cost_total": (
        "total, total price, total cost, subtotal, sub total, ext price, extended price, line total, sum, "
        "gesamtpreis, gesamt, summe, prix total, precio total, prezzo totale, totale, yhteensa, kokonaishinta, "
        "totaal, totalpris, summa, preco total"
    ),
    "currency": "currency, wahrung, waehrung, devise, moneda, valuta, valuutta, moeda",
    "source_url": (
        "url, link, source, source url, shop, buy, purchase link, where to buy, product link, web, website, "
        "bezugsquelle, quelle, lien, enlace, collegamento, linkki, ostopaikka, lank"
    ),
    "supplier_ref": (
        "supplier ref, part number, part no, mpn, manufacturer part number, manufacturer part, sku, order number, "
        "order code, supplier part number, lcsc, lcsc part, jlcpcb part, digikey, mouser, article number, art no, "
        "bestellnummer, artikelnummer, reference fournisseur, referencia, codice, tilausnumero, tuotenumero, "
        "artikelnr"
    ),
    "path": (
        "file, path, filename, file name, model, stl, datei, fichier, archivo, file 3d, tiedosto, bestand, fil, arquivo"
    ),
    "design": (
        "design, sub assembly, subassembly, assembly, baugruppe, sous ensemble, subconjunto, sottoassieme, "
        "osakokoonpano"
    ),
    "version": "version, release, revision, rev, versio",
    "designators": "designator, designators, reference, references, reference designator, refs, ref, refdes",
    "material": "material, werkstoff, materiau, materiale, materiaali, materiaal",
    "note": (
        "note, notes, remark, remarks, comments, bemerkung, anmerkung, remarque, nota, notas, huomautus, huomio, "
        "opmerking"
    ),
}

FIELDS = {word: field for field, words in reversed(NAMES.items()) for word in words.split(", ")}
TOTALS = frozenset(
    {
        "total",
        "sum",
        "subtotal",
        "grand total",
        "summe",
        "gesamt",
        "somme",
        "suma",
        "totale",
        "yhteensa",
        "summa",
        "totaal",
    }
)

SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "US$": "USD", "kr": "", "zł": "PLN", "CHF": "CHF"}
CODES = frozenset({
    "EUR", "USD", "GBP", "SEK", "NOK", "DKK", "CHF", "PLN", "CZK", "HUF", "JPY", "CNY", "CAD", "AUD", "NZD", "INR",
    "BRL", "MXN", "ZAR", "KRW", "TRY", "RON", "BGN", "ISK", "SGD", "HKD",
})  # fmt: skip
MASS_G = {
    "g": 1.0, "gr": 1.0, "gram": 1.0, "grams": 1.0, "gramm": 1.0, "grammaa": 1.0, "kg": 1000.0, "kilogram": 1000.0,
    "kilograms": 1000.0, "mg": 0.001, "t": 1e6, "oz": 28.349523125, "lb": 453.59237, "lbs": 453.59237,
}  # fmt: skip


def plain(text: str) -> str:
    """Lower case, without accents and punctuation, one space between words."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    letters = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    return " ".join(letters.split())


def heading(text: str) -> tuple[str, str]:
    """(field of a line or nothing, the unit or currency that the heading names).

    `Preis (€)` is ("cost", "EUR"), `mass_g` ("mass_g", "g"), `Gewicht [kg]` ("mass_g", "kg").
    """
    text = text[:120]
    unit = _unit_in(text)
    words = plain(re.sub(r"[(\[].*?[)\]]", " ", text))
    for tried in (words, plain(text), _without(words, unit)):
        if tried in FIELDS:
            return FIELDS[tried], unit
    return "", unit


def _without(words: str, unit: str) -> str:
    """`cost eur` is `cost`, `total price in eur` is `total price`."""
    kept = [word for word in words.split() if word not in {"in", unit.lower(), "per", "each"}]
    return " ".join(kept)


def _unit_in(text: str) -> str:
    for symbol, code in SYMBOLS.items():
        if code and symbol in text:
            return code
    words: list[str] = re.findall(r"[A-Za-z]+", text)
    for word in words:
        if word.upper() in CODES and word.upper() != "TRY":
            return word.upper()
    return words[-1].lower() if words and words[-1].lower() in MASS_G else ""
