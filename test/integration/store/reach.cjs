// Prints what a container can reach: a JSON array with the outcome of each argument, an HTTP URL or `tcp://HOST:PORT`, in their order.
// The outcome is the status of the response, "connected", or the code of the error.
const { connect } = require("node:net");

// More than a look-up of a name that nobody has.
const TIMEOUT_MS = 6_000;

const request = (url) =>
  fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    ({ status }) => String(status),
    (error) => error.cause?.code ?? "timeout",
  );

const open = ({ hostname, port }) =>
  new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: TIMEOUT_MS });
    socket.on("connect", () => resolve("connected"));
    socket.on("timeout", () => resolve("timeout"));
    socket.on("error", ({ code }) => resolve(code));
  });

const reach = (url) => (url.startsWith("tcp:") ? open(new URL(url)) : request(url));
Promise.all(process.argv.slice(1).map(reach)).then((outcomes) => {
  console.log(JSON.stringify(outcomes));
  process.exit();
});
