"""Sentences that the engines wrote down about a file, in the words of whoever reads them.

Engines know no language: they keep what they found as an English sentence beside the file. The reader's language is
only known when a page is made, so the sentence is recognised here, its figures are lifted out, and it is said again
with the translation of its pattern. A sentence that stands in no pattern is shown as it was kept.
"""

import re
from functools import cache

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

SENTENCES = (
    # reading a file
    _("The file is empty."),
    _("A part of the file contains itself."),
    _("The file could not be read from its repository."),
    _("The file ends after %(n)s bytes; even an empty STL has 84."),
    _("The file says %(n)s triangles but ends after %(m)s: it is cut off, or its count is wrong."),
    _("The file says %(n)s triangles, yet %(m)s bytes more follow: its count is wrong."),
    _("The file says %(n)s bytes but has %(m)s: it is cut off, or its lengths are wrong."),
    _("The file says %(n)s elements but has only %(m)s bytes."),
    _("The file points beyond its own %(n)s bytes: it is cut off, or its lengths are wrong."),
    _("The file has %(n)s triangles; up to %(m)s are drawn."),
    _("The file has more than %(n)s groups; join them and try again."),
    _("The file lists more than %(n)s nodes."),
    _("The file lists more than %(n)s objects."),
    _("The file places more than %(n)s parts; up to that many are drawn."),
    _("The file nests brackets deeper than %(n)s."),
    _("The file needs another file beside it; export it with everything inside (GLB)."),
    _("The file defines entities; drawings are read without them."),
    _("The file holds no <svg> element."),
    _("The file's first element is not <svg>."),
    _("The file is not sound XML, so it cannot be read as SVG."),
    _("The file cannot be read as DXF."),
    _("The file cannot be read as %(format)s: %(why)s."),
    _("The file does not begin with a PLY header."),
    _("The file does not begin with “glTF”."),
    _("The file does not begin with “OFF”."),
    _("The file does not begin with “ISO-10303-21”, so it is no STEP file."),
    _("The file ends before “END-ISO-10303-21;”: it is cut off."),
    _("The file is not a whole 3MF package: its zip directory cannot be read."),
    _("The package holds %(n)s entries; %(m)s are read."),
    _("The package unpacks to %(n)s MB; %(m)s MB are read."),
    _("The package unpacks to %(n)s times its size; that is no drawing of a part."),
    _("The package holds no model."),
    _("The model in the package cannot be unpacked."),
    _("The STEP file cannot be read: %(why)s."),
    _("The text ends before “endsolid”: the file is cut off."),
    _("The counts of points and faces are missing after “OFF”."),
    _("The glTF document inside is not JSON."),
    _("The glTF document inside is not an object."),
    _("The nodes of the glTF document cannot be read."),
    _("A node of the file hangs at two places; glTF allows one."),
    _("A face has more than %(n)s corners; split it into triangles."),
    _("A triangle names a point that the file does not have."),
    _("No triangles were found in the file."),
    _("All triangles lie on one line; there is nothing to see."),
    _("The shape is larger than 10 km; its unit or its numbers are wrong."),
    # a drawing
    _("The drawing is empty."),
    _("The drawing is empty: it has no line that could be cut."),
    _("The drawing has more than %(n)s lines or %(m)s points."),
    _("The drawing has more than %(n)s lines."),
    _("The drawing has more than %(n)s points."),
    _("The drawing has more than %(n)s elements."),
    _("The drawing has too many lines for a picture."),
    _("The drawing has neither a size nor a viewBox."),
    _("The drawing nests elements deeper than %(n)s."),
    _("The drawing uses shapes within shapes deeper than %(n)s."),
    _("The drawing unfolds to more than %(n)s lines; up to that many are drawn."),
    _("The drawing is larger than 10 km; its unit or its numbers are wrong."),
    _("The drawing cannot be drawn: %(why)s."),
    _("The drawing's viewBox has no area."),
    _("The drawing's size “%(size)s” cannot be read."),
    _("The drawing's size “%(size)s” is no size of a drawing."),
    _("A path or a number of the drawing cannot be read."),
    # to look at before making it
    _("The file names no unit; it is read as millimetres."),
    _("The drawing names no unit; it is read as millimetres."),
    _("The drawing names no unit; 96 dots are read as one inch."),
    _("The file says %(unit)s, which would make it %(n)s m wide; it is read as mm."),
    _("%(n)s triangles have a corner that is not a number; they are left out."),
    _("The surface does not close, so its volume is not known."),
    _("Some of its triangles are turned inside out."),
    _("It is turned inside out; slicers usually mend this."),
    _("%(part)s: some of its triangles are turned inside out."),
    _("%(part)s: it is turned inside out; slicers usually mend this."),
    _("%(n)s texts and dimensions are not cut."),
    _("%(n)s lines on hidden layers are left out."),
    _("%(n)s hatches, solids and pictures are not cut."),
    _("%(n)s texts are not cut; turn them into paths to cut them."),
    _("%(n)s pictures inside are not cut."),
    _("%(n)s mm of line lie on another line and would be cut twice."),
    _("%(n)s contours nearly close; the widest gap is %(gap)s mm, at %(x)s, %(y)s mm."),
    # a program for a machine
    _("A line is longer than %(n)s letters; that is no G-code."),
    _("A move asks for more than a kilometre of filament."),
    _("A move goes further than 100 m; its unit or its numbers are wrong."),
    _("Commands that we do not follow: %(names)s; places and times may differ."),
    _("The file has no move that G-code would make."),
    _("The file is no text, so it cannot be read as G-code."),
    _("The program has more than %(n)s moves."),
    _("The program is larger than %(n)s MB."),
    # a circuit board
    _("%(file)s: a second file of the layer %(layer)s; the first is drawn."),
    _("%(file)s: we do not know which layer it is."),
    _("%(file)s cannot be read: %(why)s."),
    _("%(file)s has more than %(n)s commands."),
    _("%(file)s repeats itself thousands of times."),
    _("A bracket closes that was never opened."),
    _("A number in the file is larger than 10 km."),
    _("No layer is the outline of the board; its size is that of what is drawn."),
    _("None of the files is a layer or a drill file of a board."),
    _("The board has more than %(n)s files or %(m)s MB."),
    _("The board has more than %(n)s shapes."),
    _("The board has no outline on Edge.Cuts; its size is that of its pads and tracks."),
    _("The board is empty: it has no outline, no pad and no track."),
    _("The board's files are larger than %(n)s MB together."),
    _("The file ends before its last bracket: it is cut off, or no file of KiCad."),
    _("The file has more than %(n)s words."),
    _("The file is larger than %(n)s MB."),
    _("The file is neither a board nor a schematic of KiCad 4 or newer."),
    _("The files could not be read from their repository."),
    _("The outline on Edge.Cuts does not close."),
    _("The zip cannot be unpacked."),
    _("The zip holds more than %(n)s layers or %(m)s MB of them."),
    _("The zip holds no layers of a circuit board; other archives have no picture."),
    # a document, a script
    _("A file that the script asks for lies outside the design."),
    _("OpenSCAD could not make a shape of it."),
    _("OpenSCAD is not installed here, so its shape cannot be shown."),
    _("The document is larger than %(n)s MB."),
    _("The document names no pages."),
    _("The file does not begin with “%PDF”."),
    _("The script asks for files that the design does not hold: %(files)s."),
    _("The script asks for more than %(n)s files or %(m)s MB of them."),
    _("The script is longer than 2 MB."),
    _("The script is made of several files (%(files)s); shapes of scripts in one file are shown."),
    _("The script makes a flat shape, not a solid."),
    _("The script makes nothing by itself: it is meant to be used by others."),
    # a picture
    _("HEIC pictures are not read here; save it as JPEG or PNG and it is shown."),
    _("The picture cannot be read: it is cut off, or no PNG, JPEG, WebP or GIF."),
    _("The picture has more than 80 megapixels."),
    # a photo
    _("The photo has more than 80 megapixels."),
    _("The photo could not be read within the time and memory that one may take."),
    _("This is no JPEG, PNG or WebP photo that can be read."),
    # comparing two files
    _("A drawing and a solid cannot be compared."),
    _("Comparing them needs more memory than two files may take."),
    _("Comparing them was tried several times and stopped."),
    _("One of the two files could not be read."),
    # the sandbox
    _("Drawing it needs more memory than one file may take."),
    _("Drawing it took too long; it was stopped."),
    _("It made the reader stop with an error of its own."),
    _("It made the reader crash."),
    _("It needed more time or memory than one file may take."),
    _("It needed more computing time than one file may take."),
    _("Its picture or model would be larger than we keep."),
    _("Neither a picture nor a model came out."),
    _("The model cannot be packed for the viewer: %(why)s."),
    _("The reader could not cope with this file."),
    _("There is no picture for this kind of file."),
    _("What came out could not be trusted."),
)
#: What begins a sentence of one side of a comparison; the rest of it is a sentence of its own.
SIDES = {
    "The file before the change: ": _("The file before the change: %(why)s"),
    "The file after the change: ": _("The file after the change: %(why)s"),
}
_PLACE = re.compile(r"%\((\w+)\)s")


def told(sentence: str) -> str:
    """The sentence in the language of now; as it is where no pattern knows it."""
    for begin, pattern in SIDES.items():
        if sentence.startswith(begin):
            return gettext(pattern) % {"why": told(sentence.removeprefix(begin))}
    if sentence in SENTENCES:
        return gettext(sentence)
    for pattern, shape in _shapes():
        if found := shape.fullmatch(sentence):
            return gettext(pattern) % found.groupdict()
    return sentence


@cache
def _shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((pattern, _shape(pattern)) for pattern in SENTENCES if _PLACE.search(pattern))


def _shape(pattern: str) -> re.Pattern[str]:
    pieces = _PLACE.split(pattern)
    words = [f"(?P<{piece}>.+?)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)]
    return re.compile("".join(words), re.DOTALL)
