export { callerEnvironment, callerToken } from "./caller.ts";
export { TestCollector, type Span } from "./collector.ts";
export { freePort } from "./freePort.ts";
export { startGateway, type TestGateway } from "./gateway.ts";
export { migrateUpTo } from "./migrations.ts";
export {
  crashPostgres,
  postgresLog,
  createDatabase,
  startPostgres,
  stopPostgres,
  type TestDatabase,
} from "./postgres.ts";
export { outcome, problemType, Replicas, type Answer } from "./replicas.ts";
export { testSeed } from "./seed.ts";
export { createStaff, type TestStaff } from "./staff.ts";
export {
  StartupError,
  UNREACHABLE_URL,
  repositoryRoot,
  startService,
  until,
  flushedLogs,
  type RunningService,
} from "./service.ts";
export { startStore, type TestStoreProcesses } from "./store.ts";
