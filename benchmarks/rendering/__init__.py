"""Ways to draw 500 and 150 pixels from one cover. A module each: a process loads only the library it measures."""

SIDES_PX = (500, 150)
QUALITY = 85
