"""A road network for SUMO: nodes and edges of our own, so that what a scenario changes is in it; `netconvert` adds
connections of lanes and right of way. Edge `r7` is link 7 of the network.
"""

from pathlib import Path
from xml.sax.saxutils import quoteattr

from twin.engine.network import ROAD, RoadNetwork
from twin.sumo.program import run

NODES, EDGES, NET = "city.nod.xml", "city.edg.xml", "city.net.xml"


def write(network: RoadNetwork, folder: Path) -> Path:
    """Write the network's files and convert them; closed streets are not in it. Raises NoSumo, SumoFailed."""
    _nodes(network, folder / NODES)
    _edges(network, folder / EDGES)
    words = ["--node-files", NODES, "--edge-files", EDGES, "--output-file", NET]
    words += ["--tls.guess", "true", "--tls.guess.threshold", "90", "--junctions.corner-detail", "0"]
    words += ["--no-internal-links", "false", "--roundabouts.guess", "false", "--no-warnings", "true"]
    words += ["--offset.disable-normalization", "false", "--check-lane-foes.all", "false"]
    run("netconvert", words, folder=folder, most_s=600.0)
    return folder / NET


def _nodes(network: RoadNetwork, path: Path) -> None:
    open_ = (network.kind == ROAD) & ~network.closed
    used = sorted({*network.tail[open_].tolist(), *network.head[open_].tolist()})
    lines = [f'<node id="n{i}" x="{network.xy_m[i, 0]:.2f}" y="{network.xy_m[i, 1]:.2f}"/>' for i in used]
    path.write_text("<nodes>\n" + "\n".join(lines) + "\n</nodes>\n", encoding="utf-8")


def _edges(network: RoadNetwork, path: Path) -> None:
    lines = []
    for i in range(len(network.tail)):
        if network.kind[i] != ROAD or network.closed[i]:
            continue
        per_lane = network.capacity_veh_h[i] / network.lanes[i]
        lines.append(
            f'<edge id="r{i}" from="n{network.tail[i]}" to="n{network.head[i]}" numLanes="{network.lanes[i]}" '
            f'speed="{network.speed_kmh[i] / 3.6:.3f}" length="{max(network.length_m[i], 1.0):.2f}" '
            f'priority="{round(per_lane / 100)}" name={quoteattr(network.pieces[i][0])}/>'
        )
    path.write_text("<edges>\n" + "\n".join(lines) + "\n</edges>\n", encoding="utf-8")
