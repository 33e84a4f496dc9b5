"""The demo's designs: their parts as solids. Each function takes the numbers that its history changes."""

import math

from designs.demo.shapes import (
    Solid,
    box,
    hexagon,
    involute_gear,
    lying,
    outline,
    rod,
    rounded,
    union,
)


def clamp_body(*, opening_mm: float = 42.0, thickness_mm: float = 14.0, width_mm: float = 40.0) -> Solid:
    """A C of one piece with a groove for a round rail below and a threaded hole with a nut trap above."""
    t, w = thickness_mm, width_mm
    height, depth = opening_mm + 2 * t, 84.0
    profile = [
        (0, 0), (depth, 0), (depth, t), (depth - 26, t), (depth - 32, t - 3.2), (depth - 44, t - 3.2),
        (depth - 50, t), (t + 6, t), (t, t + 6), (t, height - t - 6), (t + 6, height - t), (depth, height - t),
        (depth, height), (0, height),
    ]  # fmt: skip
    body = outline(profile, w, round_mm=2.4).rotate((90, 0, 0)).translate((0, w / 2, 0))
    x = depth - 38
    bolt_hole = rod(4.25, t + 2, at=(x, 0, height - t - 1))
    nut = hexagon(13.3, 7.0, at=(x, 0, height - 6.8))
    cable = lying(rod(5.5, t + 2), "x").translate((-1, 0, height / 2))
    return body - bolt_hole - nut - cable


def clamp_jaw() -> Solid:
    """A pad that the bolt presses on the rail: a pocket above, ribs below."""
    pad = rounded(36, 30, 10, 3.0, at=(-18, -15, 0))
    pocket = rod(7.2, 4.2, at=(0, 0, 6))
    ribs = union(
        *(lying(rod(1.5, 40, sides=48), "y").translate((x, -20, 0)) for x in (-13.5, -9, -4.5, 0, 4.5, 9, 13.5))
    )
    return pad - pocket - ribs


def hex_bolt(*, length_mm: float = 60.0) -> Solid:
    """An M8 hexagon bolt (13 mm across flats, 5.3 mm head), its thread left smooth."""
    shank = rod(4.0, length_mm)
    cone = rod(7.6, 5.3, at=(0, 0, length_mm))
    return union(shank, hexagon(13.0, 5.3, at=(0, 0, length_mm)) ^ cone)


def clamp_assembly(body: Solid, *, opening_mm: float) -> list[tuple[str, Solid]]:
    """Body, jaw and bolt as they stand on a rail."""
    height = opening_mm + 28.0
    return [
        ("body", body),
        ("jaw", clamp_jaw().translate((46, 0, height - 14 - 22.0))),
        ("bolt", hex_bolt().translate((46, 0, height - 14 - 22.0 + 7.5))),
    ]


def vent_gear(*, teeth: int = 18, module_mm: float = 2.5) -> Solid:
    """A gear with a hub, a keyed bore and lightening holes."""
    gear = involute_gear(teeth, module_mm, 12.0)
    hub = rod(10.0, 18.0)
    bore = rod(4.1, 20.0, at=(0, 0, -1)) - box(8, 8, 22, at=(3.2, -4, -2))
    ring = teeth * module_mm / 2 - 1.25 * module_mm
    holes = [
        rod((ring - 10.0) / 2 - 2.4, 14, at=((ring + 10) / 2 * math.cos(a), (ring + 10) / 2 * math.sin(a), -1))
        for a in (2 * math.pi * k / 6 for k in range(6))
    ]
    return union(gear, hub) - bore - union(*holes)


def vent_knob() -> Solid:
    """A knob for the gear's shaft: nine grips, a D-shaped socket."""
    body = rod(17.0, 14.0)
    grips = union(
        *(rod(4.2, 16, at=(19 * math.cos(a), 19 * math.sin(a), -1)) for a in (2 * math.pi * k / 9 for k in range(9)))
    )
    socket = rod(4.1, 11.0, at=(0, 0, -1)) - box(8, 8, 13, at=(3.2, -4, -2))
    pointer = box(11, 1.6, 1.2, at=(4, -0.8, 13.2))
    return body - grips - socket - pointer


def sensor_case(*, length_mm: float = 78.0) -> Solid:
    """A case for an air sensor: four posts, slots for the air, a hole for the cable."""
    outer = rounded(length_mm, 56, 28, 5.0)
    inner = rounded(length_mm - 5, 51, 28, 3.0, at=(2.5, 2.5, 2.4))
    posts = [rod(3.6, 22, at=(x, y, 1)) for x in (8.0, length_mm - 8.0) for y in (8.0, 48.0)]
    screws = [rod(1.3, 22, at=(x, y, 4)) for x in (8.0, length_mm - 8.0) for y in (8.0, 48.0)]
    slots = [
        rounded(3.2, 20, 40, 1.5).rotate((90, 0, 0)).translate((x, 60, 6)) for x in _steps(18, length_mm - 18, 6.4)
    ]
    cable = lying(rod(3.2, 10), "x").translate((-4, 28, 11))
    return (outer - inner + union(*posts)) - union(*screws, *slots) - cable


def sensor_lid(*, length_mm: float = 78.0) -> Solid:
    """Its lid, with a lip and rows of holes above the sensor."""
    plate = rounded(length_mm, 56, 3, 5.0)
    lip = rounded(length_mm - 5.6, 50.4, 3.2, 2.8, at=(2.8, 2.8, 2.4)) - rounded(
        length_mm - 9.6, 46.4, 6, 2.0, at=(4.8, 4.8, 1)
    )
    holes = [rod(1.7, 8, at=(x, y, -1)) for x in (8.0, length_mm - 8.0) for y in (8.0, 48.0)]
    air = [
        hexagon(4.4, 8, at=(x + (3.2 if row % 2 else 0), 17.0 + 5.5 * row, -1))
        for row in range(5)
        for x in _steps(22, length_mm - 24, 6.4)
    ]
    return union(plate, lip) - union(*holes, *air)


def sensor_roof() -> Solid:
    """A roof that stands off the case and keeps the rain off its slots: two slopes on four pins."""
    slopes = outline([(-46, 0), (0, 13), (46, 0), (46, 2.6), (0, 15.6), (-46, 2.6)], 72).rotate((90, 0, 0))
    pins = union(*(rod(2.9, 18, at=(x, y, -8)) for x in (-31.0, 31.0) for y in (-56.0, -16.0)))
    under = outline([(-46, -20), (46, -20), (46, 1), (0, 14), (-46, 1)], 72).rotate((90, 0, 0))
    return slopes + (pins ^ under)


def herb_planter(*, sides: int = 9) -> Solid:
    """A faceted pot that turns as it rises, with drains."""
    import manifold3d as m  # noqa: PLC0415 heavy, and only for seeding

    def pot(radius: float, foot: float, height: float) -> Solid:
        return m.CrossSection.circle(foot, sides).extrude(height, 14, 360 / sides, (radius / foot, radius / foot))

    outer = pot(52.0, 36.0, 84.0)
    inner = pot(49.2, 33.6, 84.0).translate((0, 0, 3.0))
    drains = union(
        *(
            rod(3.0, 8, at=(16 * math.cos(a), 16 * math.sin(a), -2), sides=48)
            for a in (2 * math.pi * k / 5 for k in range(5))
        )
    )
    return outer - inner - drains


def planter_saucer() -> Solid:
    """The dish below it, with feet that let the water through."""
    dish = rod(48, 12) - rod(45.4, 12, at=(0, 0, 2.4))
    feet = union(*(rounded(16, 4, 4, 1.5, at=(14, -2, 2)).rotate((0, 0, 72 * k)) for k in range(5)))
    return union(dish, feet)


def bearing(*, rollers: int = 11) -> list[tuple[str, Solid]]:
    """A bearing of 60 mm, printed in place: rings with a waist that hold rollers of the same shape."""
    import manifold3d as m  # noqa: PLC0415

    gap, width, pitch, fat, slim = 0.25, 16.0, 20.5, 5.4, 4.0

    def turned(profile: list[tuple[float, float]]) -> Solid:
        return m.CrossSection([profile]).revolve(120)

    inner = turned(
        [
            (11, 0),
            (pitch - fat - gap, 0),
            (pitch - fat - gap, 4),
            (pitch - slim - gap, 8),
            (pitch - fat - gap, 12),
            (pitch - fat - gap, width),
            (11, width),
        ]
    )
    outer = turned(
        [
            (pitch + fat + gap, 0),
            (30, 0),
            (30, width),
            (pitch + fat + gap, width),
            (pitch + fat + gap, 12),
            (pitch + slim + gap, 8),
            (pitch + fat + gap, 4),
        ]
    )
    roller = m.CrossSection([[(0, 0), (fat, 0), (fat, 4), (slim, 8), (fat, 12), (fat, width), (0, width)]]).revolve(48)
    turned_rollers = [
        roller.translate((pitch * math.cos(a), pitch * math.sin(a), 0))
        for a in (2 * math.pi * k / rollers for k in range(rollers))
    ]
    return [
        ("outer ring", outer),
        ("inner ring", inner),
        *((f"roller {k + 1}", r) for k, r in enumerate(turned_rollers)),
    ]


def coat_hook() -> Solid:
    """A hook that carries a wet coat: a back with two screws and an arm that thickens at its root."""
    back = rounded(30, 86, 6, 8.0, at=(-15, 0, 0))
    arm_profile = [
        (0, 12), (6, 12), (26, 10), (44, 14), (54, 26), (55, 40), (48, 40), (45, 29), (37, 23), (26, 21),
        (14, 26), (6, 40), (0, 44),
    ]  # fmt: skip
    arm = outline([(x, y) for x, y in arm_profile], 14, round_mm=2.2).rotate((0, -90, 0)).translate((7, 0, 3))
    knob = rod(8.5, 15, at=(0, 0, -7.5)).rotate((0, 90, 0)).translate((0, 39, 54))
    screws = union(
        *(rod(2.3, 10, at=(0, y, -1)) for y in (66.0, 78.0)), *(rod(4.6, 4, at=(0, y, 4.2)) for y in (66.0, 78.0))
    )
    return union(back, arm, knob) - screws


def comb_svg(*, slots: int = 8) -> str:
    """A cable comb for the laser cutter, as a drawing in mm."""
    width, height = 14 + slots * 12, 40
    path = [f"M2 38 V6 a4 4 0 0 1 4 -4 H{width - 6} a4 4 0 0 1 4 4 V38"]
    x = width - 2.0
    for _slot in range(slots):
        path.append(f"H{x - 4:g} V20 a3.2 3.2 0 0 0 -6.4 0 V38")
        x -= 12.0
    path.append("Z")
    holes = "".join(f'<circle cx="{cx}" cy="9" r="2.1"/>' for cx in (9, width - 9))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">'
        f'<g fill="none" stroke="#2f7d68" stroke-width="0.5"><path d="{" ".join(path)}"/>{holes}</g></svg>\n'
    )


def _steps(start: float, end: float, step: float) -> list[float]:
    return [start + step * k for k in range(int((end - start) / step) + 1)]
