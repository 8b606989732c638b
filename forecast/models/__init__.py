"""The models: what each is, and what it makes of a panel."""
