"""Signatures: tokens of customers, and webhooks."""
