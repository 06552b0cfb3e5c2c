"""<{ name }>: the service's code. `python -m app` starts it."""
