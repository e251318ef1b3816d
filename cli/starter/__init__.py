"""`tactful init`: the folder of a new service."""
