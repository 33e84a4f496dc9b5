"""What the demo's labs are: two workshops in Kamppi with eight machines, invented, and saying so."""

from typing import Any

KAMPPI_HOURS = {day: [["08:00", "21:00"]] for day in ("mon", "tue", "wed", "thu", "fri")} | {
    "sat": [["10:00", "18:00"]]
}

BADGES = {
    "demo-3d-printing": ("3D printing", "Load filament, level the bed, know when to stop."),
    "demo-laser": ("Laser cutter", "Never leave it alone, never cut PVC."),
    "demo-cnc": ("CNC level 1", "Clamp the work, set the zero, wear the glasses."),
}

LABS: dict[str, dict[str, Any]] = {
    "kamppi-open-lab": {
        "name": "Kamppi Open Lab",
        "about": "Five machines in a basement off the square. Somebody is at the desk while it is open.",
        "address": "Annankatu 30",
        "lat": 60.1669,
        "lon": 24.9366,
        "opening_hours": KAMPPI_HOURS,
    },
    "library-workshop": {
        "name": "Library Workshop",
        "about": "Three quiet machines on the second floor of the library, open at any hour of the day.",
        "address": "Töölönlahdenkatu 4",
        "lat": 60.1739,
        "lon": 24.9383,
        "opening_hours": {},
    },
}

MACHINES: dict[str, list[dict[str, Any]]] = {
    "kamppi-open-lab": [
        {
            "name": "Saimaa",
            "cls": "3d-printer",
            "model": "MK4S",
            "rated_w": 350,
            "unattended": True,
            "volume_x_mm": 250,
            "volume_y_mm": 210,
            "volume_z_mm": 220,
            "materials": ["PLA", "PETG"],
        },
        {
            "name": "Inari",
            "cls": "3d-printer",
            "model": "MK4S",
            "rated_w": 350,
            "badges": ["demo-3d-printing"],
            "volume_x_mm": 250,
            "volume_y_mm": 210,
            "volume_z_mm": 220,
            "materials": ["PLA", "PETG", "ASA"],
            "buffer_after_min": 5,
            "unattended": True,
        },
        {
            "name": "Oulujärvi",
            "slug": "oulujarvi",
            "cls": "laser-cutter",
            "model": "60 W CO2",
            "rated_w": 1200,
            "badges": ["demo-laser"],
            "volume_x_mm": 600,
            "volume_y_mm": 400,
            "materials": ["plywood", "acrylic"],
            "buffer_after_min": 5,
            "longest_h": 4,
        },
        {
            "name": "Pielinen",
            "cls": "cnc-router",
            "model": "840 mm bed",
            "rated_w": 1500,
            "badges": ["demo-cnc"],
            "volume_x_mm": 840,
            "volume_y_mm": 840,
            "volume_z_mm": 120,
            "materials": ["plywood", "birch"],
            "buffer_before_min": 5,
            "buffer_after_min": 10,
            "longest_h": 8,
        },
        {
            "name": "Lokka",
            "cls": "3d-printer",
            "model": "XL",
            "rated_w": 700,
            "badges": ["demo-3d-printing"],
            "volume_x_mm": 360,
            "volume_y_mm": 360,
            "volume_z_mm": 360,
            "materials": ["PLA", "PETG"],
            "silent": True,
        },
    ],
    "library-workshop": [
        {
            "name": "Höytiäinen",
            "slug": "hoytiainen",
            "cls": "vinyl-cutter",
            "model": "600 mm",
            "rated_w": 80,
            "volume_x_mm": 600,
            "volume_y_mm": 5000,
            "materials": ["vinyl", "paper"],
        },
        {
            "name": "Kuusi",
            "cls": "3d-printer",
            "model": "Mini",
            "rated_w": 250,
            "badges": ["demo-3d-printing"],
            "volume_x_mm": 180,
            "volume_y_mm": 180,
            "volume_z_mm": 180,
            "materials": ["PLA"],
            "unattended": True,
        },
        {
            "name": "Neula",
            "cls": "sewing-machine",
            "model": "overlock",
            "rated_w": 120,
            "materials": ["textile"],
        },
    ],
}

#: Who runs what, and who has learned what.
ROLES = {
    "kamppi-open-lab": {"aino": "owner", "otto": "trainer", "leila": "member", "mikko": "member"},
    "library-workshop": {"sanna": "owner", "aino": "trainer", "leila": "member"},
}
HOLDS = {
    "leila": ["demo-3d-printing", "demo-laser"],
    "otto": ["demo-3d-printing", "demo-laser", "demo-cnc"],
    "mikko": ["demo-cnc", "demo-3d-printing"],
    "sanna": ["demo-3d-printing"],
    "aino": ["demo-3d-printing", "demo-laser"],
}
NAMES = {"aino": "Aino", "otto": "Otto", "sanna": "Sanna", "mikko": "Mikko", "leila": "Leila"}

#: What the labs tell of themselves besides.
PROFILES: dict[str, dict[str, Any]] = {
    "kamppi-open-lab": {
        "access": "membership",
        "house_rules": "Sweep up behind you. Nobody leaves the laser alone while it cuts.\n\nWhat breaks is told at "
        "the desk at once; nobody pays for an honest mistake.",
        "directions": "Through the yard, down the stairs, the green door.",
        "wheelchair": "A lift goes down from the yard; ask at the desk.",
        "email": "desk@kamppi-open-lab.example",
        "languages": ["fi", "sv", "en"],
    },
    "library-workshop": {
        "access": "public",
        "house_rules": "It is a library: the sewing machine is the loudest thing that may run after eight.",
        "wheelchair": "Step-free from the street.",
        "languages": ["fi", "en"],
    },
}
#: Circuits with what they carry in W and the machines on them.
CIRCUITS: dict[str, tuple[tuple[str, int, tuple[str, ...]], ...]] = {
    "kamppi-open-lab": (
        ("Circuit A", 3600, ("Saimaa", "Inari", "Lokka")),
        ("Circuit B", 5500, ("Oulujärvi", "Pielinen")),
    ),
    "library-workshop": (("Second floor", 2300, ("Höytiäinen", "Kuusi", "Neula")),),
}
TOLERANCES_MM = {"Saimaa": 0.2, "Inari": 0.2, "Lokka": 0.25, "Oulujärvi": 0.1, "Pielinen": 0.15, "Kuusi": 0.3}
#: Name, unit, mark, what is there, where, for which machines.
CONSUMABLES: dict[str, tuple[tuple[str, str, int, float, str, tuple[str, ...]], ...]] = {
    "kamppi-open-lab": (
        ("PLA, 1.75 mm", "kg", 2, 7.5, "Shelf 3", ("Saimaa", "Inari", "Lokka")),
        ("Birch plywood, 4 mm", "sheets", 10, 8, "Behind the laser", ("Oulujärvi",)),
        ("End mill, 6 mm", "pcs", 2, 5, "Drawer 12", ("Pielinen",)),
    ),
    "library-workshop": (("Vinyl, white", "m", 5, 14, "Cupboard", ("Höytiäinen",)),),
}
