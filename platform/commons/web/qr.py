"""QR codes in pages."""

from django.utils.safestring import SafeString, mark_safe


def code_of(text: str) -> SafeString:
    """A QR code as an SVG to stand in a page; error correction M, so that a scratched label is still read."""
    import segno  # noqa: PLC0415 few pages of all need it

    drawn = segno.make(text, error="m", micro=False).svg_inline(
        scale=4, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return mark_safe(drawn)  # noqa: S308 drawn by segno from our own address
