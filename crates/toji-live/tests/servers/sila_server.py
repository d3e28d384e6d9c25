"""A SiLA 2 server of another house (sila2) for the tests: one feature, two observable properties
and two commands, of which one refuses and one breaks off."""

import sys
import threading
import time
from pathlib import Path

from sila2.framework import DefinedExecutionError, Feature
from sila2.server import FeatureImplementationBase, SilaServer
from queue import Queue


class Fermenter(FeatureImplementationBase):
    def __init__(self, server):
        super().__init__(server)
        self._Temperature_producer_queue = Queue()
        self._Cycles_producer_queue = Queue()

    def SetTemperature(self, Value, *, metadata):
        if Value > 45:
            node = self.parent_server.features["Fermenter"].defined_execution_errors["Refused"]
            raise DefinedExecutionError(node, f"{Value} is too hot")
        self.set_point = Value

    def Stop(self, *, metadata):
        raise RuntimeError("the valve is stuck")

    def Temperature_on_subscription(self, *, metadata):
        return None

    def Cycles_on_subscription(self, *, metadata):
        return None


def say(device):
    count = 0
    while True:
        device._Temperature_producer_queue.put(count + 0.5)
        device._Cycles_producer_queue.put(count)
        count += 1
        time.sleep(0.05)


server = SilaServer("Test", "Fermenter", "A server for tests", "0.1", "http://127.0.0.1")
feature = Feature((Path(__file__).parent / "Fermenter.sila.xml").read_text())
device = Fermenter(server)
server.set_feature_implementation(feature, device)
server.start_insecure("127.0.0.1", int(sys.argv[1]), enable_discovery=False)
threading.Thread(target=say, args=(device,), daemon=True).start()
threading.Event().wait()
