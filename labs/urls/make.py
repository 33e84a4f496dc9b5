"""Making a design: where it can be made, and orders of makes."""

from django.urls import path

from labs.api import match as match_api
from labs.api import orders as order_api
from labs.views import make, orders

pages = [
    path("make/<slug:owner>/<slug:slug>/", make.make, name="make"),
    path("make/<slug:owner>/<slug:slug>/order/", orders.new, name="order_new"),
    path("me/orders/", orders.mine, name="my_orders"),
    path("me/orders/<uuid:order>/", orders.one, name="order"),
    path("labs/<slug:lab>/orders/", orders.queue, name="lab_orders"),
]
api = [
    path("match/", match_api.MatchView.as_view(), name="match"),
    path("orders/", order_api.Orders.as_view(), name="orders"),
    path("orders/<uuid:order>/", order_api.OneOrder.as_view(), name="order"),
    path("orders/<uuid:order>/<slug:do>/", order_api.OrderStep.as_view(), name="order_step"),
]
