"""An OPC UA server of another house (asyncua) for the tests: one vessel, values that tell their own time."""

import asyncio
import sys
from datetime import datetime, timezone

from asyncua import Server, ua


async def main(port: int) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:test:plant")
    vessel = await server.nodes.objects.add_object(ua.NodeId("R07", space), "R07")
    double = await vessel.add_variable(ua.NodeId("R07.T", space), "T", 0.0, varianttype=ua.VariantType.Double)
    single = await vessel.add_variable(ua.NodeId("R07.pH", space), "pH", 7.0, varianttype=ua.VariantType.Float)
    await double.add_property(
        ua.NodeId("R07.T.EU", space), "EngineeringUnits", ua.EUInformation(DisplayName=ua.LocalizedText("°C"))
    )
    async with server:
        step = 0
        while True:
            now = datetime.now(timezone.utc).replace(tzinfo=None)
            now = now.replace(microsecond=now.microsecond // 1000 * 1000)
            told = now.minute * 60_000 + now.second * 1_000 + now.microsecond // 1_000
            good = ua.StatusCode(ua.StatusCodes.Good)
            doubt = ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue)
            for node, value, kind, status in (
                (double, float(told), ua.VariantType.Double, good),
                (single, 7.02, ua.VariantType.Float, doubt if step % 2 else good),
            ):
                data = ua.DataValue(ua.Variant(value, kind), StatusCode=status, SourceTimestamp=now, ServerTimestamp=now)
                await node.write_value(data)
            step += 1
            await asyncio.sleep(0.05)


asyncio.run(main(int(sys.argv[1])))
