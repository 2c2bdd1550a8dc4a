export { start, type Service } from "./service.ts";
export type { App } from "./http/app.ts";
export { type Database, type Queryable } from "./database/database.ts";
export { flag, httpUrl, integer, oneOf, secretFile, text } from "./environment.ts";
export {
  Problem,
  problem,
  sendProblem,
  type FieldError,
  type ProblemRenderer,
} from "./http/problems.ts";
export { staffName } from "./http/staff.ts";
export { withHeaders } from "./api/openapi.ts";
export { addDatabaseGauges } from "./database/databaseGauges.ts";
export { Counter, Gauge, Histogram, type Registry } from "./telemetry/metrics.ts";
export { forwardCorrelationHeaders, UpstreamError, type Client } from "./http/client.ts";
export { countries } from "./api/countries.ts";
export { currencies, minorUnitDigits } from "./api/currencies.ts";
export { createParser } from "./http/validation.ts";
export {
  IdempotencyKey,
  isIdempotencyKey,
  isUuid,
  Sku,
  SkuList,
  UpstreamText,
  Text,
  Uuid,
} from "./api/schemas.ts";
export { Type, type Static } from "typebox";
export type {
  FastifyBaseLogger as Log,
  FastifyReply as Reply,
  FastifyRequest as Request,
} from "fastify";
export { DatabaseUnavailable } from "./database/errors.ts";
