"""The words of the islands (platform/frontend/src) in the page's language; a test compares them with the source."""

from functools import cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _


def island_words() -> dict[str, str]:
    """English words of the TypeScript, each with its translation; what is the same is left out."""
    return _in(get_language())


@cache
def _in(_language: str | None) -> dict[str, str]:
    words = {
        "The site could not take this.": _("The site could not take this."),
        "The site could not be reached; nothing was sent. Try again.": _(
            "The site could not be reached; nothing was sent. Try again."
        ),
        "Sending, {n} %": _("Sending, {n} %"),
        "{n} files, {size}": _("{n} files, {size}"),
        "Leave out": _("Leave out"),
        "Drop files or folders here, or choose them.": _("Drop files or folders here, or choose them."),
        "Choose a folder": _("Choose a folder"),
        "3D": _("3D"),
        "A model in three dimensions": _("A model in three dimensions"),
        "Arrow keys read the values.": _("Arrow keys read the values."),
        "Arrow keys turn it, plus and minus zoom, 0 goes back.": _(
            "Arrow keys turn it, plus and minus zoom, 0 goes back."
        ),
        "As at first": _("As at first"),
        "Chart": _("Chart"),
        "Drawing the map…": _("Drawing the map…"),
        "Farther": _("Farther"),
        "From above": _("From above"),
        "From below": _("From below"),
        "Hold Ctrl to zoom the map": _("Hold Ctrl to zoom the map"),
        "Hold ⌘ to zoom the map": _("Hold ⌘ to zoom the map"),
        "Layer": _("Layer"),
        "List": _("List"),
        "Loading the model…": _("Loading the model…"),
        "Map": _("Map"),
        "Nearer": _("Nearer"),
        "No news for a while; these are the last figures known.": _(
            "No news for a while; these are the last figures known."
        ),
        "Open": _("Open"),
        "Section": _("Section"),
        "Table": _("Table"),
        "There is no model to show.": _("There is no model to show."),
        "This browser cannot draw in three dimensions; the picture shows the shape.": _(
            "This browser cannot draw in three dimensions; the picture shows the shape."
        ),
        "Turn": _("Turn"),
        "Turn and zoom": _("Turn and zoom"),
        "Turn left": _("Turn left"),
        "Turn right": _("Turn right"),
        "Use two fingers to move the map": _("Use two fingers to move the map"),
        "Border between before and after": _("Border between before and after"),
        "{machine}, {day}, {start} to {end}": _("{machine}, {day}, {start} to {end}"),
        "Book it": _("Book it"),
        "Move it here": _("Move it here"),
        "Let go": _("Let go"),
        "Cancel the booking": _("Cancel the booking"),
        "With more choices": _("With more choices"),
        "A part of this time is taken or closed.": _("A part of this time is taken or closed."),
        "Moved: {what}.": _("Moved: {what}."),
        "Booked: {what}.": _("Booked: {what}."),
        "Cancelled; the time is free again.": _("Cancelled; the time is free again."),
        "Before": _("Before"),
        "After": _("After"),
        "What is shown": _("What is shown"),
        "New": _("New"),
        "Gone": _("Gone"),
        "Unchanged": _("Unchanged"),
        "See through": _("See through"),
        "Only after": _("Only after"),
        "Layer {n} of {all}, seen from above": _("Layer {n} of {all}, seen from above"),
        "of {all}": _("of {all}"),
        "of {all}, at {mm} mm": _("of {all}, at {mm} mm"),
        "Only before": _("Only before"),
        "How much of before is seen": _("How much of before is seen"),
        "Point at a spot": _("Point at a spot"),
        "Remark": _("Remark"),
        "View": _("View"),
        "We could not draw the map. The list holds the same.": _("We could not draw the map. The list holds the same."),
        "We could not draw this model. The file is safe and can be downloaded.": _(
            "We could not draw this model. The file is safe and can be downloaded."
        ),
        "Where the section is": _("Where the section is"),
        "Wide, deep, high": _("Wide, deep, high"),
        "Wires": _("Wires"),
        "Without a name": _("Without a name"),
        "from {n}": _("from {n}"),
        "no": _("no"),
        "now": _("now"),
        "yes": _("yes"),
        "You have voted. You can change it until the end.": _("You have voted. You can change it until the end."),
        "Your ballot leaves in a moment, so that its time tells nothing.": _(
            "Your ballot leaves in a moment, so that its time tells nothing."
        ),
        "Your ballot is in the box. Receipt: {receipt}": _("Your ballot is in the box. Receipt: {receipt}"),
        "Your ballot is not in the file. Show your receipt to the body’s stewards: {receipt}": _(
            "Your ballot is not in the file. Show your receipt to the body’s stewards: {receipt}"
        ),
        "Your ballot stands in the file as you cast it, in line {n}.": _(
            "Your ballot stands in the file as you cast it, in line {n}."
        ),
        "Your ballot stands in the file otherwise than you cast it, in line {n}: {choice}": _(
            "Your ballot stands in the file otherwise than you cast it, in line {n}: {choice}"
        ),
        # the map of a district
        "Close": _("Close"),
        "Choose a building, a street or a service on the map.": _(
            "Choose a building, a street or a service on the map."
        ),
        "The sun stands {n}° high in the {where}.": _("The sun stands {n}° high in the {where}."),
        "The sun is down.": _("The sun is down."),
        "This day could not be read.": _("This day could not be read."),
        "{day}, {time}: nothing was stored for this moment.": _("{day}, {time}: nothing was stored for this moment."),
        "{day}, {time}: the labs drew {power}, {n} machines at work.": _(
            "{day}, {time}: the labs drew {power}, {n} machines at work."
        ),
        "north": _("north"),
        "north-east": _("north-east"),
        "east": _("east"),
        "south-east": _("south-east"),
        "south": _("south"),
        "south-west": _("south-west"),
        "west": _("west"),
        "north-west": _("north-west"),
        # what the facts of a building are called
        "height": _("height"),
        "levels": _("levels"),
        "use": _("use"),
        "address": _("address"),
        "kind": _("kind"),
        "height_source": _("where the height is from"),
        "30 km/h": _("30 km/h"),
        "A building without a name": _("A building without a name"),
        "A new service here": _("A new service here"),
        "A new street from here": _("A new street from here"),
        "A street without a name": _("A street without a name"),
        "Beside today": _("Beside today"),
        "Bicycle street": _("Bicycle street"),
        "Border between today and scenario": _("Border between today and scenario"),
        "Bus lane": _("Bus lane"),
        "Change its use or storeys": _("Change its use or storeys"),
        "Changes": _("Changes"),
        "Choose on the map": _("Choose on the map"),
        "Click the building.": _("Click the building."),
        "Click the place.": _("Click the place."),
        "Click the street.": _("Click the street."),
        "Close it to cars": _("Close it to cars"),
        "Leave it": _("Leave it"),
        "Say something about it": _("Say something about it"),
        "Scenario": _("Scenario"),
        "This place": _("This place"),
        "Today": _("Today"),
        "Trees here": _("Trees here"),
        "as today": _("as today"),
        "below {n}": _("below {n}"),
        "{n} less": _("{n} less"),
        "{n} more": _("{n} more"),
        "{what}: {a} today, {b} in the scenario": _("{what}: {a} today, {b} in the scenario"),
    }
    return {english: text for english, text in words.items() if text != english}
