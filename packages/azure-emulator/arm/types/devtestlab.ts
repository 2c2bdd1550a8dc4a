import { badRequest } from "../armError";
import { invalid, alwaysRemovable, computedOnce, referenced, ResourceType } from "../resourceType";
import { textAt } from "../values";

export const globalSchedule: ResourceType = {
  token: "azure-native:devtestlab:GlobalSchedule",
  armType: "Microsoft.DevTestLab/schedules",
  path: ["resourceGroupName", "name"],
  located: true,
  immutable: [],
  nameRule: /^[\w-]{1,100}$/,
  seconds: { create: 2, update: 2, remove: 2 },
  validate: (put) => {
    const { properties, name } = put;
    const target = textAt(properties, "targetResourceId");
    const machine = referenced(
      put,
      "targetResourceId",
      target,
      "azure-native:compute:VirtualMachine",
    );
    if (name.toLowerCase() !== `shutdown-computevm-${machine.name}`.toLowerCase()) {
      throw badRequest(
        "InvalidScheduleId",
        `Schedule ${name} is invalid: the shutdown schedule of the virtual machine ${machine.name} must be named shutdown-computevm-${machine.name}.`,
      );
    }
    if (textAt(properties, "taskType") !== "ComputeVmShutdownTask") {
      throw invalid("taskType", "a schedule of a virtual machine must be a ComputeVmShutdownTask.");
    }
    const time = textAt(properties, "dailyRecurrence.time");
    if (!/^([01]\d|2[0-3])[0-5]\d$/.test(time)) {
      throw invalid(
        "dailyRecurrence.time",
        `"${time}" is not a time in the format HHmm, for example 1900.`,
      );
    }
    if (textAt(properties, "timeZoneId") === "") throw invalid("timeZoneId", "is required.");
  },
  validateRemoval: alwaysRemovable,
  compute: (put) => ({
    name: put.name,
    type: "microsoft.devtestlab/schedules",
    provisioningState: "Succeeded",
    createdDate: computedOnce(put, "createdDate", () => new Date().toISOString()),
    uniqueIdentifier: computedOnce(put, "uniqueIdentifier", () => crypto.randomUUID()),
  }),
};
