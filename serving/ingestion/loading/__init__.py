"""Histories and files of customers, brought into a store."""
