"""What every database promises of experiments: a plan is in force as published, the first exposure stands."""

from datetime import timedelta

from tactful.experiments.assignment.arms import Exposure
from tactful.experiments.design.declaration import Plan
from tactful.serving.store.port import Store
from tactful.serving.store.queries.experiments import expose, exposed_to, publish, published
from tests.decisions.retailer import NOON
from tests.experiments.declared import plan

T = "shop"


def exposure(customer: str, minutes: int, arm: str = "random", experiment: str = "chance") -> Exposure:
    moment = NOON + timedelta(minutes=minutes)
    return Exposure(experiment, customer, arm, f"d{minutes}", moment, {"as_it_is": "silence", "random": "win_back"})


def test_nothing_is_in_force_before_it_is_published(store: Store) -> None:
    assert published(store.database, T) is None


def test_a_plan_is_in_force_as_it_was_published(store: Store) -> None:
    publish(store.database, T, plan(), NOON)
    assert published(store.database, T) == plan()
    assert published(store.database, "another") is None


def test_a_plan_takes_the_place_of_the_one_before(store: Store) -> None:
    publish(store.database, T, plan(), NOON)
    fewer = plan().model_copy(update={"experiments": plan().experiments[:1], "holdbacks": ()})
    publish(store.database, T, fewer, NOON + timedelta(days=1))
    assert published(store.database, T) == fewer
    publish(store.database, T, plan(), NOON + timedelta(days=2))
    assert published(store.database, T) == plan()


def test_what_has_ended_is_in_force_no_more(store: Store) -> None:
    chance, tired = plan().experiments
    publish(store.database, T, plan(), NOON + timedelta(days=400))
    assert published(store.database, T) == plan().model_copy(update={"experiments": (tired,)})
    assert chance.stop is not None
    publish(store.database, T, Plan(), NOON)
    assert published(store.database, T) == Plan()


def test_the_first_exposure_of_a_customer_stands(store: Store) -> None:
    expose(store.database, T, [])
    expose(store.database, T, [exposure("ben", 5), exposure("ada", 1)])
    expose(store.database, T, [exposure("ada", 9, arm="as_it_is"), exposure("cem", 2, experiment="tired")])
    found = list(exposed_to(store.database, T, "chance"))
    assert [(one.customer, one.arm, one.decision) for one in found] == [
        ("ada", "random", "d1"),
        ("ben", "random", "d5"),
    ]
    assert found[0].moment == NOON + timedelta(minutes=1)
    assert not list(exposed_to(store.database, "another", "chance"))
