"""Reports: what people find wrong on the site, what staff does about it, and the log of that, which never changes."""
