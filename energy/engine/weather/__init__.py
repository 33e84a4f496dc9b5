"""Weather of a place: files of typical years and of real ones, the clear sky, and what a calendar makes of them
(docs/energy-weather.md).
"""

from energy.engine.weather.calendar import covers, laid, over
from energy.engine.weather.files import Reading, read
from energy.engine.weather.light import clear, erbs, solis
from energy.engine.weather.typical import ReferenceYear, read_try, sky

__all__ = ["Reading", "ReferenceYear", "clear", "covers", "erbs", "laid", "over", "read", "read_try", "sky", "solis"]
