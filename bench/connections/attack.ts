/**
 * The attacker of bench/connections.ts: one address with thousands of connections. A process of its own, so that it doesn't delay the
 * visitors' measurements.
 *
 *     npx tsx bench/connections/attack.ts KIND HOST PORT CONNECTIONS SECONDS
 *
 * Bounded: it ends after these seconds, and opens at most {@link MOST_OPENED} connections. Prints {opened, open} as JSON at the end.
 */
import { connect, type Socket } from "node:net";
import { setPriority } from "node:os";
import { argument, type Kind } from "./kinds";

const FROM = "127.66.0.1";
const MOST_OPENED = 100_000;
/** A closed connection is opened again. A moment later, because the attacker shares the cores with the gateway. */
const REOPEN_MS = 1000;

const kind = argument(2) as Kind;
const host = argument(3);
const port = Number(argument(4));
const connections = Number(argument(5));
const seconds = Number(argument(6));

// Another machine's cores wouldn't be the gateway's.
setPriority(19);
let opened = 0;
let requests = 0;
const sockets = new Set<Socket>();

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

const START: Readonly<Record<Kind, (socket: Socket) => void>> = {
  silent: () => undefined,
  "half-sent": (socket) => {
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ");
    const timer = setInterval(() => socket.write("a"), 1000);
    socket.once("close", () => clearInterval(timer));
  },
  "slow-reading": (socket) => {
    socket.pause();
    socket.write(GET("/big"));
  },
  "kept-alive": (socket) => {
    socket.write(GET("/"));
    socket.resume();
  },
  "refused requests": (socket) => {
    const ask = (): void => {
      requests++;
      socket.write(GET("/"));
    };
    socket.on("data", ask);
    ask();
  },
  reconnecting: (socket) => {
    socket.write(GET("/"));
    socket.on("data", () => socket.destroy());
  },
};

function open(): void {
  if (opened >= MOST_OPENED) return;
  opened++;
  const socket = connect({ host, port, localAddress: FROM }, () => START[kind](socket));
  sockets.add(socket);
  socket.on("error", () => undefined);
  socket.on("close", () => {
    sockets.delete(socket);
    setTimeout(open, kind === "reconnecting" ? 0 : REOPEN_MS);
  });
}

for (let i = 0; i < connections; i++) open();
setTimeout(() => {
  console.log(JSON.stringify({ opened, open: sockets.size, requests }));
  process.exit();
}, seconds * 1000);
