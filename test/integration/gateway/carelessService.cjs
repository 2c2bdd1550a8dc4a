// A service that echoes the request, and normalizes its path as far as possible. Its argument is its name. It doesn't answer a path that
// ends with "silent", and accepts each WebSocket. It listens on IPv4 only, as many programs do. With the second argument "unready", it isn't
// ready until there is a file /tmp/ready.
const [, name, start] = process.argv;
const isReady = () => start !== "unready" || require("fs").existsSync("/tmp/ready");
const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
require("http")
  .createServer((request, response) => {
    let length = 0;
    request
      .on("data", (data) => (length += data.length))
      .on("end", () => {
        if (request.url.endsWith("silent")) return;
        if (request.url === "/readyz" && !isReady()) return response.writeHead(503).end();
        const path = decode(decode(request.url.split(/[?#]/)[0]))
          .replaceAll("\\", "/")
          .replace(/^https?:\/\/[^/]*/, "");
        const leadsInside = (path) =>
          /^\/internal(\/|$)/.test(require("path").posix.normalize("/" + path));
        const inside = [path, path.replaceAll(";", ""), path.replaceAll(/;[^/]*/g, "")].some(
          leadsInside,
        );
        const own = {
          "content-security-policy": "default-src 'self'",
          "referrer-policy": "same-origin",
        };
        response.writeHead(Number(request.headers["x-answer"] ?? 200), {
          server: "careless/1.0",
          "x-answered-by": name,
          ...(request.url === "/own-policy" ? own : {}),
        });
        response.end(
          JSON.stringify({
            service: name,
            target: request.url,
            length,
            headers: request.headers,
            ...(inside ? { reached: "INTERNAL" } : {}),
          }),
        );
      });
  })
  .on("upgrade", (request, socket) => {
    const accept = require("crypto")
      .createHash("sha1")
      .update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
      .digest("base64");
    socket.on("error", () => undefined);
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
        `sec-websocket-accept: ${accept}\r\n\r\n`,
    );
  })
  .on("clientError", (_error, socket) => {
    if (socket.writable)
      socket.end(
        "HTTP/1.1 400 Bad Request\r\nx-answered-by: " + name + "\r\nconnection: close\r\n\r\n",
      );
  })
  .listen(3000, "0.0.0.0");
process.on("SIGTERM", () => process.exit());
