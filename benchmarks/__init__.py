"""One script a question; each writes `var/bench/NAME.json`, its ratios measured in one run."""
