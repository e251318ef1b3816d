"""Tables of the store by concern, on either database."""
