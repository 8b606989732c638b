"""The models: what each is, and what it makes of a panel."""

#: The model that is used when none is named.
DEFAULT = "ensemble"
