"""Texts of the demo's designs: READMEs, parts lists, manifests, licences."""

CLAMP_README = """
# Balcony rail clamp

Holds a balcony solar panel to a round or flat rail, up to 42 mm. Two printed parts, one bolt, no drilling.

## Print

- PETG or ASA, 0.2 mm layers, four walls, 40 % infill
- body.stl on its side, no supports; jaw.stl flat

## Put together

1. Press the nut into its trap.
2. Turn the bolt in from above until it meets the jaw.
3. Glue the rubber strip into the groove, set the clamp on the rail and tighten by hand.

| Rail | Torque |
|---|---|
| steel, 42 mm | 4 Nm |
| aluminium, 38 mm | 3 Nm |

Check it after the first storm.
"""

CLAMP_PARTS = """
part,quantity,mass g,cost EUR,material,file
Body,1,92,2.10,PETG printed,body.stl
Jaw,1,10,0.25,PETG printed,jaw.stl
Bolt M8 x 60,1,28,0.60,steel A2,
Nut M8,1,5,0.10,steel A2,
Rubber strip 2 mm,1,8,0.40,EPDM,
"""

CLAMP_MANIFEST = """
okhv = "OKH-LOSHv1.0"
name = "Balcony rail clamp"
repo = "https://livingcity.invalid/designs/aino/balcony-rail-clamp"
version = "2.1"
license = "CERN-OHL-S-2.0"
licensor = "Aino"
organization = "Neighbours of Kamppi"
function = "Holds a balcony solar panel to a round or flat rail, up to 42 mm, without drilling."
documentation-language = "en"
technology-readiness-level = "OTRL-4"
documentation-readiness-level = "ODRL-3"
bom = "bom.csv"
manufacturing-instructions = ["README.md"]
export = ["body.stl", "jaw.stl", "assembly.3mf"]
auxiliary = ["bolt.stl"]

[[part]]
name = "Body"
quantity = 1
export = ["body.stl"]

[[part]]
name = "Jaw"
quantity = 1
export = ["jaw.stl"]
"""

CLAMP_REUSE = """
version = 1

[[annotations]]
path = ["body.stl", "jaw.stl", "assembly.3mf"]
SPDX-FileCopyrightText = "2026 Aino and Otto"
SPDX-License-Identifier = "CERN-OHL-S-2.0"

[[annotations]]
path = "bolt.stl"
SPDX-FileCopyrightText = "2026 Mikko"
SPDX-License-Identifier = "CC0-1.0"
"""

CLAMP_LICENCE = """
This source describes Open Hardware and is licensed under the CERN-OHL-S v2.

You may redistribute and modify this source and make products using it under the terms of the CERN-OHL-S v2
(https://ohwr.org/cern_ohl_s_v2.txt).

This source is distributed WITHOUT ANY EXPRESS OR IMPLIED WARRANTY, INCLUDING OF MERCHANTABILITY, SATISFACTORY QUALITY
AND FITNESS FOR A PARTICULAR PURPOSE. Please see the CERN-OHL-S v2 for applicable conditions.
"""

GEAR_README = """
# Vent gear

The gear of the window vents in houses of the sixties. Count the teeth before you print: there are 18.

Print it flat, PETG, five walls.
"""

GEAR_PARTS = """
part,quantity,mass g,cost EUR,file
Gear,1,23,0.45,gear.stl
Knob,1,14,0.30,knob.stl
"""

MIT = """
MIT License

Copyright (c) 2026 Otto

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

CASE_README = """
# Air sensor case

Hang it in the shade, slots down, two metres above the ground.

Four screws 2.2 x 12 mm hold the lid.
"""

CASE_PARTS = """
part,quantity,mass g,cost EUR,file,design
Case,1,30,0.60,case.stl,
Lid,1,15,0.30,lid.stl,
Screw 2.2 x 12,4,0.4,0.04,,
Cable gland M6,1,3,0.80,,
Rail clamp,1,,,,aino/balcony-rail-clamp@2.0
"""
