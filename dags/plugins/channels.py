"""Addresses of channels that Airflow keeps, each as the password of a connection ``dealermart_alert_<channel>``.

A plugin: the triggerer asks as well. A dag never holds an address.
"""

from contextlib import suppress

from airflow.sdk import Connection


def _names():
    from dealermart import base, config

    with suppress(base.ConfigError):  # the look says what is wrong with the file, when it has kept what is to be told
        return {name: f"dealermart_alert_{name}" for name in config.load_alerts(base.load_settings()).channels}
    return {}


def addresses():
    """Address by channel; without a connection the environment may have it."""
    found = {}
    for channel, connection in _names().items():
        with suppress(Exception):
            found[channel] = Connection.get(connection).password
    return {channel: address for channel, address in found.items() if address}


async def addresses_there():
    """The same in the triggerer, where Airflow must not be asked by a call that blocks."""
    found = {}
    for channel, connection in _names().items():
        with suppress(Exception):
            found[channel] = (await Connection.async_get(connection)).password
    return {channel: address for channel, address in found.items() if address}
