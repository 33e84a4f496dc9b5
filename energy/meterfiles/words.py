"""How column names speak of what is below them: German, English, French, Spanish, Italian, Dutch, Finnish, Swedish."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TIME_WORDS = _words("""
zeitstempel timestamp datetime horodate startzeit beginn zeitpunkt datum date fecha data datum_zeit tijdstip
aika aikaleima alkuaika tidpunkt start time von from ab
""")
CLOCK_WORDS = _words("""
uhrzeit hora heure time ora tijd kello kellonaika klockslag zeit
""")
END_WORDS = _words("""
ende end bis to fin loppu slut hora horodate
""")
METER_WORDS = _words("""
meter cups prm pdl pod ean zählpunkt zaehlpunkt messlokation malo melo marktlokation metering point
mittaripaikka käyttöpaikka zähler zaehler zählernummer contador
""")
STATUS_WORDS = _words("""
status qualität qualitaet quality obtenermetodo_obtencion método metodo obtencion nature flag
""")
FEED_IN_WORDS = _words("""
einspeisung feed export injection injectée excedente vertida inyectada surplus retour ylijäämä received
""")
SOLAR_WORDS = _words("""
erzeugung produktion generation solar pv production generación tuotanto
""")
COUNTER_WORDS = _words("""
zählerstand zaehlerstand stand counter reading register index lukema mätarställning meterstand
""")
VALUE_WORDS = _words("""
verbrauch wert bezug consumption consumo consommation valeur value kwh wh kw usage energy energie energía
energia lastgang import leistung kulutus förbrukning ae_kwh puissance
""")
