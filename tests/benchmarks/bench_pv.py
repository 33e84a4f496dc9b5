# ruff: noqa: T201 a benchmark prints its figures
"""Solar roofs against a loop over pvlib, in one run: `python tests/benchmarks/bench_pv.py [--roofs N]`.

pvlib's loop is given the sun's position once and does, for each roof, the plane, the cell, DC and AC: as its
gallery writes it, with pandas series, and on bare arrays. A sample of roofs is timed and scaled. Ours is the
public entry with its checks and the sun. The best of several is taken.
"""

import argparse
import datetime as dt
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from energy.engine import pv  # noqa: E402 the path must be set first

SAMPLE = 12
GLASS = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_glass"]


def best_of(work: Callable[[], object], times: int) -> float:
    """Seconds of the fastest run, after one that compiles."""
    work()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def weather() -> pv.Weather:
    """A made-up year with the light of a sine and passing clouds."""
    dice, hour = np.random.default_rng(5), np.arange(8760) % 24
    light = np.maximum(0.0, np.sin((hour - 5.0) / 14 * np.pi)) * dice.uniform(0.1, 1.0, 8760)
    return pv.Weather(
        dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        60,
        52.5,
        13.4,
        ghi=700 * light,
        dni=600 * light,
        dhi=250 * light,
        air_c=dice.normal(10, 8, 8760),
        wind_m_s=dice.gamma(2, 1.5, 8760),
    )


def by_gallery(frame: pd.DataFrame, roof: pv.Roof) -> pd.Series:
    """One roof by pvlib, as its users write it."""
    poa = pvlib.irradiance.get_total_irradiance(
        roof.tilt,
        roof.azimuth,
        frame["zenith"],
        frame["azimuth"],
        frame["dni"],
        frame["ghi"],
        frame["dhi"],
        dni_extra=frame["dni_extra"],
        albedo=0.2,
        model="haydavies",
    )["poa_global"]
    cell = pvlib.temperature.sapm_cell(poa, frame["air_c"], frame["wind_m_s"], **GLASS)
    dc = pvlib.pvsystem.pvwatts_dc(poa, cell, pdc0=1000.0, gamma_pdc=-0.004) * (1 - roof.losses)
    return pvlib.inverter.pvwatts(dc, pdc0=1000.0).fillna(0.0) * (roof.kwp / 1000)


def pvlib_kwh(sky: pv.Sky, roof: pv.Roof) -> np.ndarray:
    """One roof by pvlib's functions on bare arrays."""
    around = pvlib.irradiance.haydavies(
        roof.tilt, roof.azimuth, sky.dhi, sky.dni, sky.dni_extra, sky.zenith, sky.azimuth
    )
    aoi = pvlib.irradiance.aoi(roof.tilt, roof.azimuth, sky.zenith, sky.azimuth)
    ground = pvlib.irradiance.get_ground_diffuse(roof.tilt, sky.ghi, albedo=0.2)
    poa = pvlib.irradiance.poa_components(aoi, sky.dni, around, ground)["poa_global"]
    cell = pvlib.temperature.sapm_cell(poa, sky.air_c, sky.wind_m_s, **GLASS)
    dc = pvlib.pvsystem.pvwatts_dc(poa, cell, pdc0=1000.0, gamma_pdc=-0.004) * (1 - roof.losses)
    return np.nan_to_num(np.asarray(pvlib.inverter.pvwatts(dc, pdc0=1000.0))) * roof.kwp / 1000


def main(count: int) -> None:
    """Print seconds, ratio and greatest difference."""
    dice, year = np.random.default_rng(6), weather()
    roofs = [pv.Roof(*row) for row in dice.uniform((1, 0, 90), (12, 60, 270), (count, 3)).tolist()]
    sky = pv.sky_of(year)
    index = pd.date_range(year.start, periods=8760, freq="h")
    frame = pd.DataFrame({name: getattr(sky, name) for name in sky.__slots__}, index=index)
    loops = {
        "as its gallery writes it": best_of(lambda: [by_gallery(frame, roof) for roof in roofs[:SAMPLE]], 3),
        "on bare arrays": best_of(lambda: [pvlib_kwh(sky, roof) for roof in roofs[:SAMPLE]], 3),
    }
    for threads in (1, 2):
        ours = best_of(lambda threads=threads: pv.year(roofs, year, threads=threads), 7)  # type: ignore[misc]
        print(f"pv: {count:,} roofs x 8,760 h in {ours * 1e3:.1f} ms, threads: {threads}")
        for way, sample in loops.items():
            theirs = sample / SAMPLE * count
            print(f"    pvlib one by one {way}: {theirs:.1f} s, {theirs / ours:.0f} x ours")
    found = pv.year(roofs[:SAMPLE], year)
    apart = max(
        float(np.abs(found[i] - pvlib_kwh(sky, roof)).max()) / roof.kwp * 1000 for i, roof in enumerate(roofs[:SAMPLE])
    )
    print(f"pv: greatest difference {apart:.0e} W for each kW peak")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--roofs", type=int, default=1000)
    main(parser.parse_args().roofs)
