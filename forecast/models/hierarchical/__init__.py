"""The hierarchical model of net migration rates, room by room."""
