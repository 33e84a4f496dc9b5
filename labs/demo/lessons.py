"""The demo's courses as files of their repositories: texts of ours, and a picture that we draw."""

from io import BytesIO

LASER = "laser-safety"
PRINTING = "first-3d-print"

LASER_MANIFEST = """\
title = "Laser safety"
summary = "Cut and engrave with a CO2 laser without a fire, without fumes and without hurting anybody's eyes."
badge = "demo-laser"
kind = "safety"
version = "1.0"
valid_months = 24
language = "en"
minutes = 35
machines = ["laser-cutter"]

[practical]
checklist = [
  "Finds the emergency stop and the extinguisher without looking for them",
  "Says which of six samples may not be cut, and why",
  "Sets the focus and frames the job with the lid closed",
  "Stays with the machine until the extraction has run on",
  "Leaves the bed and the lens clean",
]
"""

LIGHT = """\
# Light that burns

A CO2 laser sends out light of 10.6 micrometres. **You cannot see it**, so nothing in you blinks or turns away. The
clear window of the lid stops it; a thin plastic bag or your own glasses do not.

Two things go wrong with laser cutters, and the first is by far the more common:

1. the work catches **fire** while nobody looks,
2. somebody opens what keeps the beam in, and it meets an **eye or skin**.

The lid has a switch: open it, and the beam is off. Never cheat that switch, not even for a quick look at the focus.

```check choice
Why is the beam of a CO2 laser more treacherous than that of a red pointer?
- [ ] It is always stronger than sunlight
- [x] Nobody sees it, so nobody blinks or turns away
- [ ] It goes through the window of the lid
> The eye protects itself only from light that it sees.
```

```check choice
The switch of the lid is broken and the machine no longer starts. What do you do?
- [ ] Bridge the switch, and be careful
- [ ] Cut with the lid open, from the side
- [x] Leave it off, and report the fault at its page or at the desk
> What keeps the beam in is repaired, never worked around.
```
"""

MATERIALS = """\
# What goes in, and what never does

The smoke decides. What burns to carbon and water can be drawn off; what gives off acid or poison eats the lens, the
machine and your lungs.

| goes in | never goes in | because |
|---|---|---|
| plywood, solid wood, cardboard, paper | PVC, vinyl, artificial leather | its smoke turns to hydrochloric acid |
| acrylic (PMMA) | polycarbonate | it burns rather than cuts |
| cotton, felt, leather tanned with plants | ABS | it melts, burns, and gives off hydrogen cyanide |
| rubber made for stamps | carbon or glass fibre with resin | poisonous dust, and the fibres remain |

**If you do not know what it is, it does not go in.** A green flame on a hot copper wire tells of chlorine.

```check choice
Which of these may you cut?
- [x] Birch plywood of 4 mm
- [ ] Self-adhesive vinyl
- [x] Acrylic of 3 mm
- [ ] A sheet that somebody left, perhaps polycarbonate
> Vinyl is PVC. And what nobody can name stays outside.
```

```check choice
What does the smoke of PVC do?
- [x] It becomes acid with the water of the air, in the machine and in lungs
- [ ] It smells, but is harmless once the extraction is on
- [ ] It only blackens the edges of the cut
> The extraction carries it past the lens and through the fan.
```
"""

FIRE = """\
# Fire, and what you do

A cutter burns matter all the time. A flame that stays where the beam has left is a fire. So: **you stay beside it, and
you look at it.** Not at a screen, not at somebody who asks something.

When a flame stays:

1. **Emergency stop.** The beam and the air assist are off.
2. Leave the lid **closed** and count to five; most flames go out without fresh air.
3. If it burns on, open a little and use the CO2 extinguisher in short bursts. Water never.
4. If it is larger than a hand, leave, shut the door, call 112.

When the cut is done the smoke is still inside. The extraction runs on for **30 seconds** before the lid is opened.

```check order
A flame stays on the work. In which order do you act?
1. Press the emergency stop
2. Leave the lid closed and count to five
3. Use the CO2 extinguisher in short bursts
4. Leave, shut the door and call 112
> The stop comes first, since it takes the beam and the air away.
```

```check number
How many seconds does the extraction run on before you open the lid?
= 30 ± 5 s
> After that the smoke is out of the chamber.
```

```check choice
Somebody calls you from the next room while the machine cuts. What do you do?
- [ ] Go quickly, a cut takes minutes
- [x] Pause the job first, or ask them to come to you
- [ ] Leave the lid open a little, so that you hear it
> Nobody leaves a laser that cuts, not for a minute.
```
"""

LOOK = """\
# Look before you begin

Stand still for a moment before every job and look at the place, not only at the machine: ways out, extinguisher,
hose, what stands about.

```check hazard
This is how you find the room in the morning. Where is a danger?
![A laser cutter on a table between a wall with an extinguisher and a wall with the extraction; boxes, a bottle and a
cable lie about](pictures/room.png)
grid 6 x 4
! A2 A3 Boxes stand before the extinguisher.
! D1 D2 A bottle of cleaning spirit stands on the cutter.
! E3 F2 F3 The hose of the extraction hangs loose.
! B4 C4 D4 E4 A cable lies across the floor where you would run.
> None of them is the machine's fault, and each has burnt a workshop somewhere.
```

```check order
In which order do you begin a job?
1. Look at the room and the extinguisher
2. Put the material in and set the focus
3. Close the lid
4. Switch the extraction on
5. Start the job and stay
> The extraction must draw before the first smoke is there.
```
""".replace("boxes, a bottle and a\ncable lie about", "boxes, a bottle and a cable lie about")

PRINTING_MANIFEST = """\
title = "Your first 3D print"
summary = "Load filament, level the bed, watch the first layer, and know when to stop."
badge = "demo-3d-printing"
kind = "competency"
version = "1.1"
language = "en"
minutes = 20
machines = ["3d-printer"]

[practical]
checklist = ["Changes the filament", "Cleans and levels the bed", "Starts a print and judges its first layer"]
"""

PRINTING_FIRST = """\
# The first layer decides

Nine of ten prints that fail fail in the first five minutes. Clean the plate with alcohol, heat it, and stay until the
first layer lies flat: lines touch each other, and nothing curls.

```check choice
The lines of the first layer do not touch each other. What is likely?
- [x] The nozzle is too far from the plate
- [ ] The nozzle is too close to the plate
- [ ] The part is too large
> Too far, and round threads lie side by side; too close, and the plate shines through.
```

```check number
How warm is the nozzle for PLA, in °C?
= 210 ± 15 °C
> Each roll says its own range; most PLA prints between 195 and 225 °C.
```
"""

PRINTING_STOP = """\
# When to stop it

Stop a print that has come off the plate, that knocks, or that smells of anything but warm plastic. A spaghetti of
plastic costs an hour of cleaning; a knocked nozzle costs a repair. Say what happened on the machine's page, so that the
next person knows.
"""

README = """\
# {title}

A course of this city's labs. Lessons are Markdown, checks are fenced blocks; see course.toml for what it is about.
Offer a change if something is wrong or missing, or fork it and make it your lab's own.
"""


def files() -> dict[str, dict[str, bytes]]:
    """The repositories by slug: path and bytes of each file."""
    laser = {
        "README.md": README.format(title="Laser safety"),
        "course.toml": LASER_MANIFEST,
        "01-light.md": LIGHT,
        "02-materials.md": MATERIALS,
        "03-fire.md": FIRE,
        "04-look.md": LOOK,
    }
    printing = {
        "README.md": README.format(title="Your first 3D print"),
        "course.toml": PRINTING_MANIFEST,
        "01-first-layer.md": PRINTING_FIRST,
        "02-when-to-stop.md": PRINTING_STOP,
    }
    made = {slug: {path: text.encode() for path, text in texts.items()} for slug, texts in
            ((LASER, laser), (PRINTING, printing))}  # fmt: skip
    made[LASER]["pictures/room.png"] = room()
    return made


def room() -> bytes:
    """The room of the last check, 1200 x 800, as PNG: each danger lies in the fields that the lesson names."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 the web process draws nothing

    image = Image.new("RGB", (1200, 800), "#e8ebe4")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 600, 1200, 800), fill="#cbb894")
    for x in range(0, 1200, 150):
        pen.line((x, 600, x - 120, 800), fill="#bda882", width=3)
    pen.line((0, 600, 1200, 600), fill="#8c8f86", width=6)
    # a clock and a rack with tools, which are no danger
    pen.ellipse((255, 45, 345, 135), fill="white", outline="#59615c", width=6)
    pen.line((300, 90, 300, 58), fill="#59615c", width=5)
    pen.line((300, 90, 322, 102), fill="#59615c", width=5)
    pen.rectangle((830, 40, 990, 60), fill="#8a6d4b")
    for x in range(845, 985, 28):
        pen.line((x, 60, x, 120), fill="#59615c", width=7)
    # the extinguisher, and the boxes before it
    pen.rectangle((50, 215, 150, 245), fill="#b3261e")
    pen.rounded_rectangle((66, 260, 134, 520), 26, fill="#c93a2b", outline="#7d1a12", width=4)
    pen.rectangle((88, 236, 112, 266), fill="#2d3330")
    pen.line((112, 250, 160, 280), fill="#2d3330", width=8)
    for box, fill in (((8, 440, 186, 600), "#c79a5f"), ((28, 400, 150, 440), "#d7ae76")):
        pen.rectangle(box, fill=fill, outline="#8a6536", width=4)
    pen.line((97, 440, 97, 600), fill="#8a6536", width=4)
    # the cutter on its table
    pen.rectangle((390, 540, 910, 560), fill="#7a5c3e")
    pen.rectangle((410, 560, 430, 660), fill="#6a4f35")
    pen.rectangle((870, 560, 890, 660), fill="#6a4f35")
    pen.rounded_rectangle((400, 340, 900, 540), 16, fill="#f4f6f2", outline="#48524d", width=5)
    pen.polygon(((430, 300), (870, 300), (900, 345), (400, 345)), fill="#aab6b0", outline="#48524d")
    pen.rectangle((440, 375, 760, 500), fill="#5b7f93", outline="#33424a", width=4)
    pen.ellipse((800, 380, 860, 440), fill="#f1c21b", outline="#33424a", width=4)
    pen.ellipse((813, 393, 847, 427), fill="#c93a2b")
    # cleaning spirit on the lid
    pen.rounded_rectangle((660, 170, 725, 302), 12, fill="#7fb3d5", outline="#2f5d7c", width=4)
    pen.rectangle((678, 140, 706, 172), fill="#2f5d7c")
    pen.polygon(((692, 196), (717, 244), (667, 244)), fill="#f1c21b", outline="#33424a")
    pen.rectangle((689, 210, 696, 230), fill="#33424a")
    # the extraction: its pipe ends at the wall, the hose hangs down before it
    pen.rectangle((1120, 225, 1200, 305), fill="#9aa6a1", outline="#48524d", width=5)
    for y in range(400, 560, 18):
        pen.rounded_rectangle((1020, y, 1090, y + 14), 6, fill="#6f7b76", outline="#48524d")
    for x in range(905, 1025, 18):
        pen.rounded_rectangle((x, 380, x + 14, 450), 6, fill="#6f7b76", outline="#48524d")
    # a cable across the floor
    pen.line(((210, 640), (330, 700), (520, 690), (700, 745), (860, 720), (990, 760)), fill="#22282a", width=12,
             joint="curve")  # fmt: skip
    pen.rectangle((195, 625, 235, 655), fill="#22282a")
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
