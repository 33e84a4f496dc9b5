"""Pages of the room, its files, and the door for git."""
