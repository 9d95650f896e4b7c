"""All settings: what there is in `sections`, and where each value came from in `layers`."""

from game.settings.layers import (
    Loaded,
    has_display,
    load,
    service_socket,
    template,
    user_file,
)
from game.settings.sections import (
    GraphicsSettings,
    KioskSettings,
    PathSettings,
    PlaySettings,
    RecordSettings,
    Secret,
    ServerSettings,
    Settings,
    StreamSettings,
    UpdateSettings,
    WalletSettings,
)

__all__ = [
    "GraphicsSettings",
    "KioskSettings",
    "Loaded",
    "PathSettings",
    "PlaySettings",
    "RecordSettings",
    "Secret",
    "ServerSettings",
    "Settings",
    "StreamSettings",
    "UpdateSettings",
    "WalletSettings",
    "has_display",
    "load",
    "service_socket",
    "template",
    "user_file",
]
