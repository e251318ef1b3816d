# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Capacity: the price of a slot
#
# **Question.** Tonight there are places for some of the messages only: the mailer takes so many e-mails, the app shows
# so many banners. Who gets them, and what would one more place be worth?
#
# **Answer.** Whoever gains most from them net of a price for each channel. Sharing by prices keeps 99.7 % (99.2 to
# 100.0) of what could be had at best; letting those go first to whom a contact is worth most keeps 97 %, and first
# come, first served 70 %. One more e-mail tonight would be worth 0.46 GBP, one more banner on the web 0.21; of letters
# there are more places than anybody needs, and one more is worth nothing.
#
# **The customers are simulated** (an online shop with 36 programmes), and what a message is worth is what the catalogue
# believes of it. The method is that of a real run; the figures are not those of a real shop.

# %%
# %matplotlib inline
from datetime import timedelta
from importlib.resources import files

import numpy as np
import pandas as pd

import tactful
from tactful.decisions.analysis.explain import paragraph
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.kernel.decide import RunContext
from tactful.experiments.samples.customers import END, generate
from tactful.experiments.samples.requests import requests
from tactful.experiments.samples.rule_of_thumb import RuleOfThumb
from tactful.population.allocation import allocate
from tactful.population.capacity import best_first, by_prices, first_come, kept_of_bound, market, price_curve, worth
from tactful.training.studies.pictures import curves, table

CUSTOMERS, SEED, DRAWS = 2_000, 6, 60
PLACES = {"email": 200, "push": 30, "mail": 10, "in_app": 270, "web": 400}
CATALOGUE = ""  # your own, such as "var/shop/catalogue.yaml"; the example of a retailer where it is empty
INTERVALS = f"95 % bootstrap intervals over customers, {DRAWS} draws"

# %% [markdown]
# ## What everybody would get
#
# First each customer is decided about as if there were places for all. Gates and contact policies have been kept by
# then; what is left is, for each customer and channel, the message worth most.

# %%
catalogue = tactful.load_catalogue(
    CATALOGUE or files("tactful.decisions") / "examples" / "retail.yaml",
    tactful.Vocabulary(tactful.STANDARD.names, scores=("lapse",)),
)
people = requests(generate(CUSTOMERS, SEED), END - timedelta(days=1, hours=9), catalogue)
greedy, scorer = Greedy(kind="greedy"), RuleOfThumb()
free = tactful.decide(people, catalogue, greedy, scorer)
values = market(free, list(PLACES))
capacity = np.array(list(PLACES.values()), dtype=float)
currency = catalogue.catalogue.currency
NOTE = f"SIMULATED customers, n = {len(people):,}."
pd.DataFrame(
    {
        "customers with a message worth sending": [f"{wanted:,}" for wanted in (values > 0).sum(axis=0)],
        "would be chosen": [
            f"{(values.argmax(axis=1)[values.max(axis=1) > 0] == c).sum():,}" for c in range(len(PLACES))
        ],
        "places tonight": [f"{places:,}" for places in PLACES.values()],
        f"mean worth, {currency}": [f"{column[column > 0].mean():.2f}" for column in values.T],
    },
    index=pd.Index(list(PLACES), name="channel"),
)

# %% [markdown]
# ## Three ways to share
#
# *First come*: customers in the order of their ids each take the best that is left. *Best first*: those to whom a
# contact is worth most choose first. *Prices*: each channel has a price, and each customer takes what is worth most net
# of it; the prices rise until demand keeps to the places. No way can keep more than the bound, which the prices give
# too.

# %%
rules = {"first come": first_come, "best first": best_first, "prices": by_prices}
table(
    {
        name: {"share of the bound kept": kept_of_bound(values, capacity, rule, draws=DRAWS)}
        for name, rule in rules.items()
    }
)

# %%
found = allocate(values, np.eye(len(PLACES)), capacity)
totals = {name: worth(values, rule(values, capacity)).sum() for name, rule in rules.items()}
pd.DataFrame(
    {
        f"worth together, {currency}": [f"{total:,.0f}" for total in (*totals.values(), found.bound)],
    },
    index=[*totals, "bound"],
)

# %% [markdown]
# ## What one more place is worth
#
# The price of a channel is what one more place would bring, after everybody else has moved up. Where it is zero, places
# are left over. So the curve tells what to pay for capacity: buy places while the price is above what one costs.

# %%
levels = [40, 100, 200, 300, 400, 550, 750]
curves(
    {"e-mail": price_curve(values, capacity, list(PLACES).index("email"), levels, draws=DRAWS)},
    title="What one more e-mail is worth tonight",
    xlabel="places for e-mails",
    ylabel=f"shadow price, {currency} an e-mail",
    note=f"{NOTE} Places on other channels as above. {INTERVALS}",
    reference=0.0,
)

# %%
chosen = [(found.choice == c).sum() for c in range(len(PLACES))]
pd.DataFrame(
    {
        "places": list(PLACES.values()),
        "taken": chosen,
        f"price of one more, {currency}": [f"{price:.2f}" for price in found.prices],
    },
    index=pd.Index(list(PLACES), name="channel"),
)

# %% [markdown]
# ## Decided with prices
#
# The prices are all that a decision needs to know of everybody else: with them in its circumstances, each customer is
# decided about alone, over the API too, and the explanation says what the capacity cost.

# %%
prices = dict(zip(PLACES, found.prices.tolist(), strict=True))
priced = tactful.decide(people, catalogue, greedy, scorer, RunContext(prices=prices))
moved = next(
    (before, after)
    for before, after in zip(free, priced, strict=True)
    if before.choice and after.choice and before.choice.action.channel != after.choice.action.channel
)
for decision in moved:
    print(paragraph(decision, currency).split(" Excluded:")[0], end="\n\n")

# %%
demand = pd.Series([d.choice.action.channel if d.choice else "silence" for d in priced]).value_counts()
pd.DataFrame(
    {"decided": [int(demand.get(channel, 0)) for channel in PLACES], "places": list(PLACES.values())},
    index=pd.Index(list(PLACES), name="channel"),
)

# %% [markdown]
# Where many customers gain exactly the same from a place, as they do while a message is worth what the catalogue
# believes, the price leaves them undecided, and a few too many take it. The allocation above breaks such ties, so that
# no place is given twice; scores that differ from customer to customer leave fewer of them.
