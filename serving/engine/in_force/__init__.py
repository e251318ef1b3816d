"""The models, catalogue and experiments that a tenant decides with, and how newer ones replace them."""
