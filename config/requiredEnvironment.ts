import { Mistake } from "./configError";
import { configSet, type Rule, type Services } from "./rule";
import { ConfigValues } from "./schema";

/** Checks the variables whose default is meant for development: their values, and outside of development that they are set. */
export const requiredEnvironment: Rule = {
  reads: ["host", "environment", "services", "servicesOnly"],
  check: ({ host, environment }: ConfigValues, { enabledServices, specs }: Services) =>
    enabledServices.flatMap((service) =>
      Object.entries(specs.get(service)?.requiredEnvironment ?? {}).flatMap(([name, choices]) => {
        const problem = problemOf(environment[service]?.[name], choices, host === "local");
        return problem === undefined ? [] : [mistake(service, name, problem)];
      }),
    ),
};

function mistake(service: string, name: string, problem: string): Mistake {
  const key = `environment.${service}.${name}`;
  return { key, problem: `${problem}: ${configSet(`--path ${key} VALUE`)}` };
}

function problemOf(
  value: string | undefined,
  choices: readonly string[],
  isLocal: boolean,
): string | undefined {
  const choose = `Choose ${choices.join(" or ")}`;
  if (value === undefined)
    return isLocal ? undefined : `isn't set, and its default is meant for development. ${choose}`;
  return choices.includes(value) ? undefined : `${JSON.stringify(value)} isn't a choice. ${choose}`;
}
