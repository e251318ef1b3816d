"""The commands that train models and put them into use."""
