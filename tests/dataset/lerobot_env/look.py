"""Opens an export with the real LeRobotDataset and tells what it gives back, as one JSON object.

    LD_LIBRARY_PATH=FFMPEG_FOLDER python look.py DATA_SET FPS

Runs in an environment of its own (see docs/datasets.md); imports nothing of this program.
"""

import json
import sys

import torchvision_without_cuda  # noqa: F401
from lerobot.datasets.lerobot_dataset import LeRobotDataset

CAMERAS = ("observation.images.source", "observation.images.styled")


def tick_seen(picture):
    """The number that eight squares in the lower third of a (3, h, w) picture spell in bits."""
    grey = picture.mean(0)
    bits = [float(grey[70:82, bit * 12 + 3 : bit * 12 + 9].mean()) > 0.5 for bit in range(8)]
    return 2 * sum(1 << bit for bit, on in enumerate(bits) if on)


root, fps = sys.argv[1], float(sys.argv[2])
data = LeRobotDataset(
    "local/drive", root=root, video_backend="torchcodec",
    delta_timestamps={
        **{camera: [-1 / fps, 0.0] for camera in CAMERAS},
        "action": [i / fps for i in range(4)],
    },
)  # fmt: skip
edges = sorted(
    {
        index
        for row in data.meta.episodes
        for first, end in [(row["dataset_from_index"], row["dataset_to_index"])]
        for index in (first, first + 1, (first + end) // 2, end - 2, end - 1)
    }
)
rows = []
for index in edges:
    item = data[index]
    rows.append(
        {
            "index": int(item["index"]), "asked": index, "episode": int(item["episode_index"]),
            "frame": int(item["frame_index"]), "sim_tick": int(item["sim_tick"]),
            "seen": [[tick_seen(one) for one in item[camera]] for camera in CAMERAS],
            "padded": [[bool(v) for v in item[f"{camera}_is_pad"]] for camera in CAMERAS],
            "action_padded": [bool(v) for v in item["action_is_pad"]],
            "action": [float(v) for v in item["action"][0]],
            "task": item["task"],
        }
    )  # fmt: skip
print(json.dumps({"frames": data.num_frames, "episodes": data.num_episodes, "rows": rows}))
