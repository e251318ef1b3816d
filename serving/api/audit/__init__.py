"""The record of operators' actions."""
