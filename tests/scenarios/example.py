"""A small scenario that is right in every way, for tests to break."""

GOOD = """\
schema_version: 1
id: small
title: Small
description: One car ahead.
place: {at: West 34th Street & 7th Avenue, facing: east}
duration_s: 20
ego:
  line: [[-60, -1.65], [60, -1.65]]
  speed: 8
actors:
  - id: lead
    kind: vehicle
    line: [[-30, -1.65], [60, -1.65]]
    speed: {min: 5, max: 7}
success:
  - type: no_collision
  - type: reach_position
    at: [40, -1.65]
    radius: 5
"""
