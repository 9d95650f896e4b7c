"""The one console entry: finds a command by name, loads it alone, turns errors into exit codes."""

import importlib
import multiprocessing
import sys
from typing import Any

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "play": ("game.cli.play", "Drive. One scenario ends, the next one loads."),
    "demo": ("game.cli.demo", "The whole loop on this machine, ending in a payout and a report."),
    "kiosk": ("game.cli.kiosk", "An unattended machine for events: one visitor after the other."),
    "doctor": ("game.cli.doctor", "What is here, what is missing, what to do."),
    "update": ("game.cli.update", "Look for a newer version; asks first."),
    "city": ("game.cli.city", "Look at, build and draw the city pack."),
    "scenario": ("game.cli.scenario", "List, check, show and run scenarios."),
    "session": ("game.cli.session", "Look at, verify, recover, replay and render recordings."),
    "stream": ("game.cli.stream", "Serve, probe and measure the diffusion stream."),
    "diffusion": ("game.cli.diffusion", "The embedded network: its data, training and speed."),
    "rewards": ("game.cli.rewards", "The server side: intake, checks, payouts, audit, devnet."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(entry[0])
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from game.cli.output import nearest

            ctx.fail(f"no command '{name}'; did you mean '{nearest(name, COMMANDS)}'?")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks and debug logging.")
@click.option(
    "--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="Override one setting."
)
@click.option("--settings", "settings_file", type=click.Path(dir_okay=False), help="A TOML file.")
@click.option(
    "--profile", type=click.Choice(["player", "qa", "kiosk"]), default="player", show_default=True
)
@click.version_option(package_name="scale-diffusion", prog_name="scale-diffusion")
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """Scale Diffusion: drive real Manhattan, dreamt anew, recorded so that it can be replayed."""
    ctx.obj = options


def main(argv: list[str] | None = None) -> None:
    """Run one command and exit with 0 ok, 1 check failed, 2 usage, 3 missing here, 4 network."""
    multiprocessing.freeze_support()
    from game.cli.output import fail_line, set_up_logging

    args = sys.argv[1:] if argv is None else argv
    debug = "--debug" in args
    set_up_logging(debug)
    try:
        code = cli.main(args=args, prog_name="scale-diffusion", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.ClickException as wrong:
        wrong.show()
        code = 2
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except Exception as error:
        if debug:
            raise
        code = fail_line(error)
    sys.exit(code if isinstance(code, int) else 0)
