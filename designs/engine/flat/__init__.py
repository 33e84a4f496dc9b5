"""Drawings, programs, boards and scripts: what is flat or written, with its facts and a picture."""
