"""Jobs: label, fit, evaluate, promote."""
