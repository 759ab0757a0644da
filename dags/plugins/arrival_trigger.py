"""Looks into the inbox from Airflow's triggerer and tells when something waits there. A plugin: DAG files are not
importable for the triggerer, the plugins folder is.
"""

import asyncio

from airflow.triggers.base import BaseEventTrigger, TriggerEvent


class ArrivalTrigger(BaseEventTrigger):
    """Fires when files wait in the inbox of a source that did not wait at the last look.

    Args:
        sources: Names of the sources.
        look_every: Seconds between two looks; one is a walk through the folders of the inbox.
    """

    def __init__(self, sources, look_every=15.0):
        super().__init__()
        self.sources, self.look_every = list(sources), look_every

    def serialize(self):
        return "arrival_trigger.ArrivalTrigger", {"sources": self.sources, "look_every": self.look_every}

    def look(self):
        """What waits, as texts that differ when the files do."""
        from dealermart import base, landing

        config = base.load_settings()
        found = [item for source in self.sources for item in landing.due(config, source)]
        return {f"{found_.source} {found_.received} {found_.mark}" for found_ in found}

    async def run(self):
        known = set()
        while True:
            try:
                waiting = await asyncio.to_thread(self.look)
            except Exception as error:  # the clock of the DAG looks as well, and its run says what is wrong
                self.log.warning("the inbox cannot be looked into: %s", error)
            else:
                if waiting - known:
                    yield TriggerEvent(sorted(waiting))
                known = waiting
            await asyncio.sleep(self.look_every)
