/** The service behind the gateway of bench/connections.ts: a page, and 256 KiB at /big. Its arguments are address and port. */
import { createServer } from "node:http";
import { argument } from "./kinds";

const page = Buffer.alloc(8 * 1024, "a page ");
const big = Buffer.alloc(256 * 1024, "many pages ");

createServer((request, response) => {
  response.end(request.url === "/big" ? big : page);
}).listen(Number(argument(3)), argument(2));
