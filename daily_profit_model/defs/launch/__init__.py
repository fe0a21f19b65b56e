"""What a person starts: runs over ranges, the demo, the UI. What starts by itself stands in `automation`."""
