"""Sources and sinks: how rows come out of files and go into them."""
