"""The simulated shop: a world with known truth, and the product that decides in it."""
