"""Off-policy estimates from logged decisions."""
