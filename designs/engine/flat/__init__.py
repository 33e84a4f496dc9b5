"""Drawings, programs, boards and scripts: what is flat or written, read by our own readers, with facts and a picture."""
