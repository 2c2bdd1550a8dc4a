import {
  EnforcementLevel,
  PolicyPack,
  ReportViolation,
  ResourceValidationArgs,
} from "@pulumi/policy";
import config from "./config.json";
import { passEngineValues, plannedResource } from "./engineValues";
import { POLICIES } from "./policies";
import type { Policy } from "./policy";
import { stackOf } from "./resource";

/** Settings that every policy has. */
interface CommonSettings {
  /** Levels by stack, where they differ from the policy's own. */
  readonly stacks?: Readonly<Record<string, EnforcementLevel>>;
}

/** The type of the library lacks violations with a level. */
type ReportLevel = (violation: { message: string; enforcementLevel?: EnforcementLevel }) => void;

export function startPack(): void {
  passEngineValues();
  new PolicyPack(
    "store",
    { enforcementLevel: "mandatory", policies: POLICIES.map(enginePolicy) },
    config as never,
  );
}

function enginePolicy({ name, description, settings, check }: Policy) {
  return {
    name,
    description,
    configSchema: {
      properties: {
        ...settings,
        stacks: {
          type: "object" as const,
          additionalProperties: {
            type: "string" as const,
            enum: ["mandatory", "advisory", "disabled"],
          },
        },
      },
      required: Object.keys(settings),
    },
    validateResource: (args: ResourceValidationArgs, report: ReportViolation): void => {
      const { stacks = {}, ...values } = args.getConfig<CommonSettings>();
      const enforcementLevel = stacks[stackOf(args.urn)];
      if (enforcementLevel === "disabled") return;
      for (const violation of check(plannedResource(args), values)) {
        (report as unknown as ReportLevel)({ message: violation, enforcementLevel });
      }
    },
  };
}
