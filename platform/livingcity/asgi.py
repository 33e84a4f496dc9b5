"""The site on one port: event streams natively in asyncio, everything else by Django's WSGI application."""

from a2wsgi import WSGIMiddleware

from livingcity.wsgi import application as pages

application = WSGIMiddleware(pages, workers=8)
