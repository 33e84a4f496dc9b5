"""Product passports as documents: what they say, INTERFACER's field names, the signed credential (docs/passports.md).

`fields` and `subject` are light and may load in the web process; `signing` brings a JSON-LD processor and is loaded by
a worker (or by who checks a document) alone.
"""
