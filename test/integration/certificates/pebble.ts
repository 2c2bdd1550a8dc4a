import { GATEWAY_PUBLISHED_PORT } from "../../../components/gateway/rules/clients";
import type { TestAuthority } from "../../support/certificates";
import {
  PEBBLE_ARGUMENTS,
  PEBBLE_ENVIRONMENT,
  PEBBLE_MANAGEMENT_PORT,
  PEBBLE_PORT,
  pebbleBinary,
  PebbleManagement,
  writePebbleConfig,
} from "../../support/pebble/pebble";
import { eventually } from "../support/eventually";
import type { TestNetwork } from "../gateway/network";

/** Name of its container. */
export const PEBBLE = "pebble";
/** Percentage of the nonces that it refuses. */
const REFUSED_NONCES = 30;

/** Pebble in a container of the network. It finds other containers by Docker's DNS. */
export class Pebble extends PebbleManagement {
  /** ACME directory for the containers of the network. */
  readonly directory = `https://${PEBBLE}:${PEBBLE_PORT}/dir`;

  /** @param folder Folder for its files, which must exist as long as the container. */
  static async start(
    network: TestNetwork,
    authority: TestAuthority,
    folder: string,
  ): Promise<Pebble> {
    const { certificate, key } = authority.issue({ names: [PEBBLE] });
    writePebbleConfig(folder, {
      listenAddress: "0.0.0.0",
      certificate: { certificate: certificate + authority.intermediate.certificate, key },
      // In place of 80, because nothing publishes the gateway under its names.
      httpPort: GATEWAY_PUBLISHED_PORT,
    });
    const port = await network.startProgram(PEBBLE, {
      program: "/pebble-binary",
      args: PEBBLE_ARGUMENTS,
      options: [
        ...["--volume", `${await pebbleBinary()}:/pebble-binary:ro`],
        ...["--volume", `${folder}:/pebble:ro`, "--user", "0"],
        ...[...PEBBLE_ENVIRONMENT, "--env", `PEBBLE_WFE_NONCEREJECT=${REFUSED_NONCES}`],
        ...["--publish", `127.0.0.1::${PEBBLE_MANAGEMENT_PORT}`],
      ],
      port: PEBBLE_MANAGEMENT_PORT,
    });
    const pebble = new Pebble("127.0.0.1", port, authority.root.certificate, PEBBLE);
    await eventually(async () => (await pebble.rootCertificate()).length > 0, "no Pebble");
    return pebble;
  }
}
