"""What framewatch can do: faces above, rooms below them, one guarded way out, and a pure core."""
