"""Assignment of customers to policies, and readouts of what worked."""
