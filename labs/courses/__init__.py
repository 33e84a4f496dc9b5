"""Courses as files: `course.toml`, lessons in Markdown, checks in fenced blocks. Pure reading (docs/courses.md)."""

from labs.courses.answers import Judged, judge, shuffled
from labs.courses.document import Check, Course, Lesson, Problem
from labs.courses.reading import read

__all__ = ["Check", "Course", "Judged", "Lesson", "Problem", "judge", "read", "shuffled"]
