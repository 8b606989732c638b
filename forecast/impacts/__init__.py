"""Did an event move anything: what happened against a forecast from before it."""
