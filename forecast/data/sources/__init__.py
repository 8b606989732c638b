"""Official sources: fetched over the network once, then read from the user's cache folder."""
