"""Questions about customers and catalogues, which change nothing."""
