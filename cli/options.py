"""Options that several commands take, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

from tactful.cli.arguments import days

Events = Annotated[
    Path | None,
    typer.Option(
        "--events", help="Folder of events, as `tactful events import` leaves it. [default: the events in the store]"
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the service, whose logged decisions and events to learn from."),
]
Anyway = Annotated[
    str, typer.Option(metavar="REASON", help="Make it the champion whatever the gate says, and remember why.")
]
Campaigns = Annotated[
    Path | None,
    typer.Option("--campaigns", help="Parquet of campaigns [default: campaigns.parquet beside the events]."),
]
Window = Annotated[
    int | None,
    typer.Option(parser=days, metavar="DURATION", help="How long a contact can be answered, without campaigns."),
]
Margin = Annotated[float, typer.Option(help="Share of spend that is margin.")]
Store = Annotated[Path, typer.Option("--store", help="Folder of the MLflow store.")]
NoTrack = Annotated[bool, typer.Option("--no-track", help="Neither track nor register.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")]
Horizon = Annotated[
    int,
    typer.Option(
        parser=days, metavar="DURATION", show_default=False, help="A lapse is no purchase in this time. [default: 28d]"
    ),
]
Lookback = Annotated[
    int,
    typer.Option(
        parser=days,
        metavar="DURATION",
        show_default=False,
        help="Customers count who bought in this time before. [default: 56d]",
    ),
]

Contracts = Annotated[
    Path | None,
    typer.Option("--contracts", help="Parquet of contracts: learn who does not renew, not who does not buy."),
]
AlsoContracts = Annotated[
    Path | None, typer.Option("--contracts", help="Parquet of contracts: also learn who does not renew.")
]
Notice = Annotated[
    int,
    typer.Option(
        parser=days, metavar="DURATION", show_default=False, help="How long before a contract's end. [default: 30d]"
    ),
]
Grace = Annotated[
    int,
    typer.Option(
        parser=days, metavar="DURATION", show_default=False, help="How long after it a renewal counts. [default: 14d]"
    ),
]

STORE = Path("var/mlflow")
Tolerance = Annotated[float, typer.Option(help="Loss of value a decision that is accepted, in currency.")]
Contacts = Annotated[float, typer.Option("--max-contacts", help="Growth of contacts that is accepted, as a share.")]
Unsubscribes = Annotated[
    float, typer.Option("--max-unsubscribes", help="Growth of the share of decisions after which somebody leaves.")
]
