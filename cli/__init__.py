"""The `tactful` command, one module a command group."""
