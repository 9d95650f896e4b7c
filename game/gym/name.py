"""The name under which `gymnasium.make` finds the environment. Needs the extra `standards`."""

from game.errors import MissingPart

NAME = "ScaleDiffusion/Scenario-v0"


def register() -> None:
    """Enter the name in Gymnasium's registry; a second time changes nothing."""
    try:
        import gymnasium
    except ImportError as missing:
        raise MissingPart(
            "no gymnasium here", "pip install 'scale-diffusion[standards]'"
        ) from missing
    if NAME not in gymnasium.registry:
        gymnasium.register(NAME, entry_point="game.gym.env:ScenarioEnv")
