"""Assignment of customers to arms, and what an arm changes in a decision."""
