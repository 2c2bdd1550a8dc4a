import type { Policy } from "./policy";
import { monthlyCostLimit, requiredTags, vmSizeAllowed } from "./rules/azure";
import {
  hasHealthCheck,
  limited,
  notPrivileged,
  notRoot,
  onlyGatewayPublishes,
  readOnlyRoot,
} from "./rules/containers";
import { dataProtected } from "./rules/data";
import { noSecretInEnvironment, noSimulatedPayments } from "./rules/environment";
import { noLatest, pinned } from "./rules/images";
import { noOtherPublicAddress, sshNotOpen } from "./rules/network";

/** All policies, in the order of docs/policies.md. Their levels and settings are in config.json. */
export const POLICIES: readonly Policy[] = [
  onlyGatewayPublishes,
  noLatest,
  pinned,
  notRoot,
  notPrivileged,
  readOnlyRoot,
  limited,
  hasHealthCheck,
  noSecretInEnvironment,
  noSimulatedPayments,
  sshNotOpen,
  noOtherPublicAddress,
  vmSizeAllowed,
  monthlyCostLimit,
  requiredTags,
  dataProtected,
];
