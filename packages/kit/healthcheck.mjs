// Docker runs this every few seconds in every container, so it loads as little as it can: a socket and no HTTP client.
import { connect } from "node:net";

const TIMEOUT_MS = 2_000;

const socket = connect(Number(process.env.PORT), "127.0.0.1");
socket.setTimeout(TIMEOUT_MS, () => end(1, `no answer within ${TIMEOUT_MS} ms`));
socket.once("error", (error) => end(1, error.message));
socket.once("close", () => end(1, "closed without an answer"));
socket.once("data", (data) => {
  const [statusLine = ""] = data.toString("latin1").split("\r\n", 1);
  end(/^HTTP\/1\.1 2\d\d /.test(statusLine) ? 0 : 1, data.toString("utf8"));
});
socket.write("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

/**
 * What is printed here is shown by `docker inspect` with the container's health.
 * @param {number} code
 * @param {string} message
 */
function end(code, message) {
  console.log(message);
  process.exit(code);
}
