"""The kernel that decides: gates, values, exploration, and the record of a decision."""
