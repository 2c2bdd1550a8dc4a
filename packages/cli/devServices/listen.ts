import type { Server } from "node:net";

/**
 * Starts a server on 127.0.0.1 and returns its port.
 *
 * @param port Defaults to any free port.
 */
export function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}
