"""Settings of PrusaSlicer as text: read from what it exports, checked, written out again. Pure.

Taken are a plain configuration (“Export Config”) and a bundle (“Export Config Bundle”), of which the presets that it
names as chosen are joined. What would run a program or speak to a printer is left out.
"""

import re
from collections.abc import Mapping

MAX_BYTES = 512 * 1024
MAX_INHERITED = 20
KINDS = ("printer", "print", "filament")
#: What a settings file must not bring: programs that are run, printers that are spoken to, presets, notes.
REFUSED = re.compile(
    r"post_process|print_host|printhost_.*|host_type|octoprint_.*|serial_.*|inherits.*|.*_settings_id|"
    r"compatible_p.*|.*_vendor|output_filename_format|notes|.*_notes|thumbnails.*|single_instance|datadir|load|save|output"
)
NAME = re.compile(r"[a-z][a-z0-9_]{1,60}")


class BadIni(ValueError):
    """Settings that cannot be read; the message says what is wrong, with the line."""


def read(text: str) -> dict[str, str]:
    """The settings of a configuration or a bundle. Raises BadIni."""
    if len(text.encode()) > MAX_BYTES:
        raise BadIni(f"larger than {MAX_BYTES // 1024} kB")
    sections: dict[str, dict[str, str]] = {"": {}}
    here = sections[""]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().lstrip("\ufeff")
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            here = sections.setdefault(line[1:-1].strip(), {})
            continue
        key, equals, value = line.partition("=")
        if not equals or not NAME.fullmatch(key.strip()) or "\0" in value:
            raise BadIni(f"line {number}: “{line[:60]}” is no setting")
        here[key.strip()] = value.strip()
    found = sections[""] if len(sections) == 1 else sections[""] | _joined(sections)
    kept = {key: value for key, value in found.items() if not REFUSED.fullmatch(key)}
    if not kept:
        raise BadIni("it holds no setting")
    return kept


def _joined(sections: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The chosen presets of a bundle, each with what it inherits."""
    chosen, found = sections.get("presets", {}), dict[str, str]()
    for kind in KINDS:
        names = [name for name in sections if name.startswith(f"{kind}:")]
        wanted = f"{kind}:{chosen.get(kind, '')}"
        if wanted not in sections:
            visible = [name for name in names if not name.endswith("*")]
            if len(visible) != 1:
                if not names:
                    continue
                raise BadIni(f"the bundle holds {len(visible)} presets of the kind “{kind}” and chooses none")
            wanted = visible[0]
        found |= _inherited(sections, wanted, kind, 0)
    return found


def _inherited(sections: Mapping[str, Mapping[str, str]], name: str, kind: str, depth: int) -> dict[str, str]:
    if depth > MAX_INHERITED:
        raise BadIni(f"“{name[:60]}” inherits in a circle")
    own, found = sections[name], dict[str, str]()
    for parent in filter(None, (one.strip() for one in own.get("inherits", "").split(";"))):
        if f"{kind}:{parent}" not in sections:
            raise BadIni(f"“{name[:60]}” inherits from “{parent[:60]}”, which the file does not hold")
        found |= _inherited(sections, f"{kind}:{parent}", kind, depth + 1)
    return found | dict(own)


def write(settings: Mapping[str, str]) -> str:
    """The settings as a plain configuration."""
    return "".join(f"{key} = {value}\n" for key, value in sorted(settings.items()))


def plain(*, x_mm: float, y_mm: float, z_mm: float) -> dict[str, str]:
    """Careful settings of a usual printer with PLA and a nozzle of 0.4 mm, for a machine without a profile."""
    return {
        "bed_shape": f"0x0,{x_mm:g}x0,{x_mm:g}x{y_mm:g},0x{y_mm:g}", "max_print_height": f"{z_mm:g}",
        "nozzle_diameter": "0.4", "layer_height": "0.2", "first_layer_height": "0.2", "perimeters": "2",
        "fill_density": "15%", "fill_pattern": "gyroid", "skirts": "1", "filament_diameter": "1.75",
        "filament_density": "1.24", "filament_type": "PLA", "temperature": "210", "first_layer_temperature": "215",
        "bed_temperature": "60", "first_layer_bed_temperature": "60", "gcode_flavor": "marlin2",
        "use_relative_e_distances": "0", "perimeter_speed": "45", "external_perimeter_speed": "25",
        "infill_speed": "80", "solid_infill_speed": "80", "travel_speed": "150",
    }  # fmt: skip


def box_mm(settings: Mapping[str, str]) -> tuple[float, float, float] | None:
    """The box that the settings print in, where they say."""
    corners = [
        tuple(map(float, pair)) for pair in re.findall(r"(-?\d+\.?\d*)x(-?\d+\.?\d*)", settings.get("bed_shape", ""))
    ]
    if len(corners) < 3:
        return None
    wide, deep = (max(c[n] for c in corners) - min(c[n] for c in corners) for n in (0, 1))
    tall = re.match(r"\d+\.?\d*", settings.get("max_print_height", ""))
    return wide, deep, float(tall[0]) if tall else 0.0


def told(program: str) -> dict[str, float | str]:
    """What PrusaSlicer says of a program it made: "slicer", "time_s", "filament_mm", "filament_g"; what it does not say
    is not there. `program` may be its two ends alone."""
    found: dict[str, float | str] = {}
    if made := re.search(r"^; generated by (PrusaSlicer [\w.+-]{1,40})", program, re.MULTILINE):
        found["slicer"] = made[1]
    if time := re.search(r"^; estimated printing time \(normal mode\) = ([0-9dhms ]{2,40})$", program, re.MULTILINE):
        units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
        found["time_s"] = float(sum(int(n) * units[u] for n, u in re.findall(r"(\d+)([dhms])", time[1])))
    for name, key in (("filament_mm", r"filament used \[mm\]"), ("filament_g", r"(?:total )?filament used \[g\]")):
        if amounts := re.search(rf"^; {key} = ([\d., ]+)$", program, re.MULTILINE):
            found[name] = round(sum(float(n) for n in re.findall(r"\d+\.?\d*", amounts[1])), 2)
    return found
