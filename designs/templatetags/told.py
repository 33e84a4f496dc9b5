"""`{{ reason|told }}`: what an engine wrote down, in the reader's language."""

from django.template import Library

from designs import told as words

register = Library()


@register.filter
def told(sentence: str | None) -> str:
    """A kept sentence in the language of the page; nothing for nothing."""
    return words.told(sentence) if sentence else ""
