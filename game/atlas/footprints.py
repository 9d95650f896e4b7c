"""Rows of building footprints in any of the City's schemas into `BuildingRow`.

Knows the 3-D model's export, the legacy data set (HEIGHTROOF, CNSTRCT_YR, FEAT_CODE) and today's
5zhs-2jue (height_roof, construction_year, feature_code). Refuses rows without a geometry.
"""

from typing import Any

from game.atlas.rows import FOOT, BuildingRow, code, first, lowered, number, whole

# City of New York, nyc-geo-metadata, Metadata_BuildingFootprints.md: FEATURE_CODE.
SKIPPED = {
    "1000": "a parking area (feature code 1000)",
    "1001": "a gas station's canopy (feature code 1001)",
    "1003": "a triangle that holds the place of a permit (feature code 1003)",
    "1005": "a temporary structure (feature code 1005)",
    "1006": "an overhang that does not reach the ground (feature code 1006)",
    "2110": "a skybridge (feature code 2110)",
}
UNBUILT = "5100"  # under construction: a building only once it has a height
TALLEST = 2000.0  # [foot]: no roof in the city reaches it, every BIN lies above it
EARLIEST, LATEST = 1600, 2100  # years that can be


def building(row: dict[str, Any]) -> BuildingRow:
    """One feature of any schema. Raises KeyError, TypeError or ValueError where it is none."""
    own = lowered(row["properties"])
    geometry = row["geometry"]
    if not isinstance(geometry, dict) or "coordinates" not in geometry:
        raise ValueError("a building without a geometry")
    if "bin" not in own:
        raise KeyError("bin")
    feet, flaw = _height(own)
    feature = code(first(own, "feature_code", "feat_code"))
    skip = SKIPPED.get(feature, "")
    if feature == UNBUILT and feet <= 0.0:
        skip = "under construction and without a height (feature code 5100)"
    year = whole(first(own, "construction_year", "cnstrct_yr")) or 0
    return BuildingRow(
        key=code(first(own, "source_id", "doitt_id", "globalid", "objectid")),
        bin=code(own["bin"]),
        name=str(own.get("name") or ""),
        height=feet * FOOT,
        ground=(number(first(own, "ground_elevation", "groundelev")) or 0.0) * FOOT,
        top=(number(own.get("model_top_ft")) or 0.0) * FOOT,
        year=year if EARLIEST <= year <= LATEST else 0,
        geometry=geometry,
        skip=skip,
        flaw=flaw,
        today=is_today(own),
    )


def _height(own: dict[str, Any]) -> tuple[float, str]:
    """Roof above ground [foot], -1 where unknown, and what is wrong with it."""
    text = first(own, "height_roof", "heightroof")
    feet = number(text)
    if feet is None or feet == 0.0:
        return -1.0, "no height"
    if code(text) == code(own["bin"]) or feet > TALLEST:
        return -1.0, "a height that is a BIN or beyond any roof"
    return (-1.0, "a height below the ground") if feet < 0.0 else (feet, "")


def is_today(own: dict[str, Any]) -> bool:
    """Whether lower-case properties are those of today's API, whose places are shifted."""
    return "height_roof" in own or "feature_code" in own or "construction_year" in own
