export { start, type Service } from "./service.ts";
export type { App } from "./app.ts";
export { type Database, type Queryable } from "./database.ts";
export { flag, httpUrl, integer, oneOf, secretFile, text } from "./environment.ts";
export {
  Problem,
  problem,
  sendProblem,
  type FieldError,
  type ProblemRenderer,
} from "./problems.ts";
export { withHeaders } from "./openapi.ts";
export { addDatabaseGauges } from "./databaseGauges.ts";
export { Counter, Gauge, Histogram, type Registry } from "./metrics.ts";
export { passOn, UpstreamError, type Client } from "./client.ts";
export { countries } from "./countries.ts";
export { currencies } from "./currencies.ts";
export { reader } from "./validation.ts";
export { IdempotencyKey, isIdempotencyKey, isUuid, Sku, TakenText, Text, Uuid } from "./schemas.ts";
export { Type, type Static } from "typebox";
export type {
  FastifyBaseLogger as Log,
  FastifyReply as Reply,
  FastifyRequest as Request,
} from "fastify";
export { DatabaseUnavailable } from "./unavailable.ts";
