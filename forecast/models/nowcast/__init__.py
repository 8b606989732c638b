"""Nowcast: the total of a year that is not over, from the months or quarters that are in."""
