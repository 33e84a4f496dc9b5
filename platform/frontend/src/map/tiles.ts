/** Vector tiles of a large district: one PMTiles file of ours, of which the browser reads the parts it needs. */
import * as maplibregl from "maplibre-gl";

let reader: Promise<void> | null = null;

/** The reader of PMTiles, fetched only where a map needs it. */
export function tileReader(): Promise<void> {
  reader ??= import("pmtiles").then(({ Protocol }) => maplibregl.addProtocol("pmtiles", new Protocol().tile));
  return reader;
}

/** The source "tiles" of a style. */
export function tileSource(address: string): maplibregl.VectorSourceSpecification {
  const url = new URL(address, location.href);
  return { type: "vector", url: `pmtiles://${url.href}`, promoteId: { areas: "id", streets: "id", buildings: "id", services: "id" } };
}

/** A layer that reads the tiles instead of a source of its own; the source `own` is not in them. */
export function fromTiles(layer: maplibregl.LayerSpecification, own: string): maplibregl.LayerSpecification {
  if (!("source" in layer) || layer.source === own) return layer;
  return { ...layer, source: "tiles", "source-layer": layer.source } as maplibregl.LayerSpecification;
}
