"""The pure core: decides from data and `now`; reads no clock, rolls no dice, touches no network or disk."""
