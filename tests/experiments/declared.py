"""Experiments on the retailer's catalogue, as a marketer would declare them."""

from tactful.experiments.design.declaration import Experiment, Plan
from tactful.experiments.design.loading import parse_plan
from tests.checked_text import CheckedText
from tests.decisions.retailer import RETAILER

PLAN = CheckedText("""\
holdout: {share: 0.1, salt: nobody, since: 2026-01-01, rotates: 13w}
holdbacks:
  - {programme: birthday, share: 0.2, salt: no birthdays}
layers: [choosing]
experiments:
  - id: chance
    question: Is choosing better than chance?
    layer: choosing
    space: [0, 0.5]
    salt: chance-1
    start: 2026-01-01
    stop: 2026-12-01
    arms:
      - {id: as_it_is, kind: current, share: 0.5}
      - {id: random, kind: random, share: 0.25}
      - {id: coupon, kind: message, message: come_back_coupon, share: 0.25}
    primary: {metric: revenue_per_customer, minimum_effect: 0.05}
    guard_rails:
      - {metric: unsubscribes, margin: 0.01}
  - id: tired
    population: at_risk
    salt: tired-1
    start: 2026-01-01
    ramp:
      - {at: 2026-01-01, coverage: 0.2}
      - {at: 2026-02-01, coverage: 1}
    arms:
      - {id: with_it, kind: current, share: 0.5}
      - {id: without_it, kind: without, factors: [discount, cost], share: 0.5}
    primary: {metric: conversion, minimum_effect: 0.1}
""")


def plan(text: str = PLAN) -> Plan:
    return parse_plan(text, RETAILER.catalogue)


def experiment(id_: str = "chance", **changes: object) -> Experiment:
    return plan().experiment(id_).model_copy(update=changes)
