"""What a person has here: taken along as one file, and taken away when they leave."""
