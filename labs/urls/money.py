"""Points and money: wallets, a lab's desk of money, invoices, the books."""

from django.urls import path

from labs.api import money as api_money
from labs.views import money

pages = [
    path("me/wallet/", money.my_wallet, name="my_wallet"),
    path("me/wallet/entries.csv", money.my_entries, name="my_entries"),
    path("labs/<slug:lab>/money/", money.desk, name="lab_money"),
    path("labs/<slug:lab>/money/entries.csv", money.lab_entries, name="lab_entries"),
    path("labs/<slug:lab>/money/wallets/<int:wallet>/", money.wallet, name="lab_wallet"),
    path("labs/<slug:lab>/invoices/<int:number>/", money.invoice, name="lab_invoice"),
]
api = [
    path("machines/<int:machine>/price/", api_money.MachinePrice.as_view(), name="machine_price"),
    path("wallets/", api_money.Wallets.as_view(), name="wallets"),
    path("wallets/<int:wallet>/entries/", api_money.WalletEntries.as_view(), name="wallet_entries"),
    path("labs/<slug:lab>/money/", api_money.LabMoney.as_view(), name="lab_money"),
    path("labs/<slug:lab>/money/tariffs/<int:tariff>/", api_money.OneTariff.as_view(), name="lab_tariff"),
    path("labs/<slug:lab>/wallets/", api_money.LabWallets.as_view(), name="lab_wallets"),
    path("labs/<slug:lab>/invoices/", api_money.LabInvoices.as_view(), name="lab_invoices"),
    path("labs/<slug:lab>/entries.csv", api_money.LabEntries.as_view(), name="lab_entries"),
]
