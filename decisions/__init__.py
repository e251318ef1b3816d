"""The pure decision core: catalogue, triggers, gates, contact policies, arbitration, decide."""
