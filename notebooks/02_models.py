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
# # Models: who will lapse, who will answer
#
# **Question.** How far can the two scores be trusted that decisions rest on: the risk that a household lapses, and the
# chance that it answers an offer? Do they mean what they say, whom do they find, why, and where are they wrong?
#
# **Answer.** Both rank clearly better than the best single number (AUC 0.86 and 0.84) and are calibrated as a whole:
# of those scored 0.2, about a fifth lapse or answer. The highest-scored tenth holds nearly four times as many lapses,
# or answers, as a tenth chosen at random. They are *not* right everywhere: lapse is underestimated for households that
# first bought less than half a year ago, response is overestimated for those mailed most. Use the scores to rank, and
# to value messages; do not rely on the lapse risk of a new customer.
#
# **The data** are *simulated after real patterns*, and they have no control group: a high chance of an answer says who
# redeems coupons, not what a mailing changes. No figure here is an effect.

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown

from tactful.features.events import complete_journey
from tactful.features.events.dataset import write_events
from tactful.training.jobs import lapse
from tactful.training.jobs import response_imported as response
from tactful.training.studies.pictures import calibrations, curves, scoreboard, segments
from tactful.training.studies.reasons import family_weights, reasons_in_words
from tactful.training.studies.segments import bands, bias_by_segment, groups, lift

SOURCE = "Complete Journey, simulated after real patterns"
INTERVALS = "95 % bootstrap intervals over households"

# %% [markdown]
# ## What is learnt, and from when
#
# *Lapse*: a household that bought in the last 56 days buys nothing in the next 28. *Response*: a mailed household
# redeems a coupon of the campaign before it ends. Both are LightGBM on the features of `01_customer_histories`; each
# model is trained once, here, as `tactful train` does it.

# %%
journey = complete_journey.load()
with tempfile.TemporaryDirectory() as scratch:
    dataset = write_events(
        journey.events, Path(scratch) / "events", zone=complete_journey.ZONE, categories=journey.categories
    )
    results = {"lapse": lapse.train(dataset), "response": response.train(dataset, journey.campaigns)}

# %% [markdown]
# Time parts what is learnt from and what is tested on. The *pool* a model is finally fitted to was settled (`settled`)
# by the day the test begins (`from`); what was settled across that day belongs to neither.

# %%
splits = {(name, part): row for name, result in results.items() for part, row in result.metrics["split"].items()}
pd.DataFrame.from_dict(splits, orient="index")

# %% [markdown]
# ## How good they are
#
# AUC is the chance that a household that did is scored above one that did not (0.5 is chance, 1 perfect); log-loss, in
# nats, also punishes false certainty (less is better); the calibration error `ece` is the mean gap between what was
# said and what happened, over tenths of the rows. Baselines are one number alone in a logistic regression; recency,
# frequency and spend in one (`rfm`); and the BG/NBD model. In brackets: 95 % intervals over households.

# %%
scoreboard(results)

# %% [markdown]
# ## Calibration: do the probabilities mean what they say?
#
# The rows are cut into tenths by their score. A dot on the line: of those scored p, a share p did.

# %%
calibrations(
    {name: result.test for name, result in results.items()},
    note=f"{SOURCE}. Lapse as of 2017-12-03, response to campaigns that began 2017-10-04 to 2017-11-15.",
)

# %% [markdown]
# Most dots lie within their intervals of the line. One of the response model does not: of the tenth scored about 0.38,
# 31 % answered. A tenth of the test rows is about 165 to 223 rows, so that errors of five points and more could hide in
# the dots on the right.
#
# ## Lift: whom do they find?
#
# If only a share of the rows can be contacted, highest scores first, how many times as many of those sought are among
# them as in a random choice of the same size? The model stands beside each single number.

# %%
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


def lift_of(name):
    """The lift of a model and of its baselines."""
    test = results[name].test
    scores = {"the model": test.probability, **{f"{b.replace('_', ' ')} alone": p for b, p in test.baselines.items()}}
    return curves(
        {label: dict(zip(SHARES, lift(test.outcomes, score, SHARES), strict=True)) for label, score in scores.items()},
        title=f"{name}: lift of the highest scores",
        xlabel="share of the test rows chosen, highest scores first",
        ylabel="lift, times a random choice",
        note=f"{SOURCE}. n = {len(test.probability):,} test rows, {int(test.outcomes.positive.sum())} positive; "
        f"bands: {INTERVALS}.",
        reference=1.0,
    )


lift_of("lapse")

# %%
lift_of("response")

# %% [markdown]
# ## Reasons: what do the scores rest on?
#
# The log-odds of a score are a sum over the features (Shapley values of the trees). Features of a family tell much the
# same and share what they tell, so the picture adds them up by family: by how much does a family move a row's log-odds,
# up or down, on average? 0.7 doubles or halves the odds.

# %%
segments(
    {name: family_weights(result)[:6] for name, result in results.items()},
    title="What moves the scores",
    xlabel="mean size of the shift, log-odds, no unit",
    note=f"{SOURCE}. The six strongest families of each model, before calibration; bars: {INTERVALS}.",
)

# %% [markdown]
# Lapse rests on how often a household buys, response on its habit of using coupons and on the campaign's type. For one
# row the same values become reasons in words: `odds x 1.5` raised the odds by half, `odds x 0.5` halved them. They say
# what moved *the score*, not what would change the household.


# %%
def reasons_for(name, ranks):
    """The reasons of some test rows, by rank of their score."""
    result = results[name]
    order = np.argsort(-result.test.probability)
    lines = [
        f"- **{name} {result.test.probability[row]:.0%}** (rank {rank + 1:,} of {len(order):,}): "
        + "; ".join(reasons_in_words(result, int(row)))
        for rank, row in ((rank, order[rank]) for rank in ranks)
    ]
    return Markdown("\n".join(lines))


reasons_for("lapse", [0, 300, 1100, 2233])

# %%
reasons_for("response", [0, 100, 800, 1652])

# %% [markdown]
# ## Error by segment: where are they wrong?
#
# A model that is calibrated as a whole may still be wrong for a part of the customers. Each dot is the mean of
# *predicted minus what happened* in a segment: left of the line the score is too low, right of it too high. Twenty
# intervals at 95 % miss about once by chance alone: believe the far ones.


# %%
def errors_of(name, cuts):
    """Mean error of a model within each segment of each cut."""
    test = results[name].test
    return segments(
        {label: bias_by_segment(test.outcomes, test.probability, cut) for label, cut in cuts.items()},
        title=f"{name}: error by segment",
        xlabel="mean of predicted minus observed, percentage points",
        note=f"{SOURCE}. n = {len(test.probability):,} test rows in each panel; bars: {INTERVALS}.",
        reference=0.0,
        percent=True,
    )


def feature(name, column):
    """A feature of the test rows."""
    return results[name].test.features[:, results[name].feature_set.names.index(column)]


errors_of(
    "lapse",
    {
        "tenure: days since the first purchase in the log": bands(
            feature("lapse", "days_since_first_purchase"), [168, 330], "days"
        ),
        "frequency: purchases in the last 56 days": bands(
            feature("lapse", "purchases_56d"), [2, 4, 8, 16], "purchases"
        ),
        "recency: days since the last purchase": bands(feature("lapse", "days_since_purchase"), [7, 14, 28], "days"),
        "value: spend in the last 84 days": bands(feature("lapse", "spend_84d"), [100, 300, 600], "USD"),
    },
)

# %% [markdown]
# For most households the error is within a few points. The exception is the newest, whose risk is told far too low. Of
# them there are few in the log to learn from, since nearly all households bought in its first months; a programme for
# new customers should not rest on this score.

# %%
errors_of(
    "response",
    {
        "campaign type": groups([f"type {offer['campaign_type']}" for offer in results["response"].test.offers]),
        "coupons redeemed so far": bands(feature("response", "redemptions_total"), [1, 2, 5], "coupons"),
        "contacts in the last 365 days": bands(feature("response", "contacts_365d"), [3, 6, 9], "contacts"),
        "spend in the last 84 days": bands(feature("response", "spend_84d"), [300, 600, 1200], "USD"),
    },
)

# %% [markdown]
# By type of campaign and by past redemptions the response model is right within its intervals. By contacts it is not:
# those mailed least answer more than it says, those mailed more answer less, and so do those that spend most. The log
# is young: while the model learnt, few households had been mailed so often. This fits fatigue but does not show it,
# since whoever is mailed more differs in much else; what a further contact costs needs an experiment.
#
# ## What to take along
#
# - Rank by these scores, and multiply them with values: as a whole they are calibrated.
# - Distrust the lapse risk of new households, and the response of households under high contact pressure.
# - Response is not effect. To learn what a message *changes*, hold some customers out at random.
