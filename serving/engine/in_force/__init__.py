"""What a tenant decides with: models, catalogue and experiments, and how newer ones take over."""
