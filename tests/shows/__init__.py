"""Shows: the real program on a virtual display, played by a script and filmed."""
