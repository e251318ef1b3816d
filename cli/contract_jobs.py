"""The job of contractual churn, from the command's arguments."""

import hashlib
from pathlib import Path

import pandas as pd

from cli.jobs import Job
from features.dataset import open_events
from training import renewals
from training.errors import TrainingError
from training.promote import candidate_of


def contract_job(events: Path, contracts: Path, notice: int, grace: int) -> Job:
    """The model of contracts that are not renewed, from a log of events and a table of contracts."""
    if not contracts.is_file():
        raise TrainingError("no contracts", got=str(contracts), wanted="a Parquet file of contracts")
    dataset, table = open_events(events), pd.read_parquet(contracts)
    digest = hashlib.sha256(dataset.digest.encode() + contracts.read_bytes()).hexdigest()
    return Job(
        renewals.NAME,
        {
            "digest": digest,
            "events": sum(dataset.rows),
            "first": dataset.first,
            "last": dataset.last,
            "contracts": len(table),
        },
        {"notice_days": notice, "grace_days": grace, **renewals.PARAMETERS.as_dict()},
        lambda told: candidate_of(renewals.train(dataset, table, notice_days=notice, grace_days=grace, progress=told)),
    )
