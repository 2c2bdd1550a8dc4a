import { ArmError, badRequest } from "./armError";
import { REGIONS } from "./catalogue";
import { checkWords } from "./check";
import { type Put, type ResourceType, SCOPE } from "./resourceType";
import { partsOf, resourceFields } from "./schema";
import { at, isObject, type Properties, textAt } from "./values";

/** Validates the rules that apply to every resource type. @throws ArmError */
export function validateCommonRules(
  type: ResourceType,
  { properties, name, id, cloud }: Put,
): void {
  if (!type.nameRule.test(name)) {
    throw badRequest(
      "InvalidResourceName",
      `Resource name ${name} is invalid. The name must match ${type.nameRule.source}.`,
    );
  }
  const location = textAt(properties, "location");
  if (type.located && !REGIONS.includes(location.toLowerCase().replaceAll(" ", ""))) {
    throw badRequest(
      "LocationNotAvailableForResourceType",
      `The provided location '${location}' is not available for resource type '${type.armType}'. List of available regions ` +
        `for the resource type is '${REGIONS.join(",")}'.`,
    );
  }
  const group = textAt(properties, "resourceGroupName");
  if (
    type.path.length > 1 &&
    type.path[0] !== SCOPE &&
    cloud.get(`/subscriptions/${cloud.subscription}/resourceGroups/${group}`) === undefined
  ) {
    throw new ArmError(
      404,
      "ResourceGroupNotFound",
      `Resource group '${group}' could not be found.`,
    );
  }
  validateTags(properties);
  const fields = resourceFields(...partsOf(type.token));
  const wrong = checkWords(properties, fields, type.openWords ?? []);
  if (wrong !== undefined) {
    throw badRequest(
      "InvalidParameter",
      `The value of parameter ${wrong.path} of ${id} is invalid: ${wrong.reason}.`,
    );
  }
}

function validateTags(properties: Properties): void {
  const tags = at(properties, "tags");
  if (!isObject(tags)) return;
  const names = Object.keys(tags);
  if (names.length > 50)
    throw badRequest("InvalidTags", `A resource can have at most 50 tags, not ${names.length}.`);
  const reserved = names.find((name) => /^(microsoft|azure|windows)/i.test(name));
  if (reserved !== undefined) {
    throw badRequest(
      "InvalidTagName",
      `The tag ${reserved} is invalid: the prefixes 'azure', 'windows' and 'microsoft' are reserved.`,
    );
  }
  const twice = names.find((name, i) =>
    names.slice(0, i).some((other) => other.toLowerCase() === name.toLowerCase()),
  );
  if (twice !== undefined)
    throw badRequest("InvalidTags", `The tag ${twice} is given twice: names are case-insensitive.`);
  const wrong = names.find(
    (name) => name.length > 512 || /[<>%&\\?/]/.test(name) || textAt(tags, name).length > 256,
  );
  if (wrong === undefined) return;
  throw badRequest(
    "InvalidTagNameCharacters",
    `The tag ${wrong} is invalid: a name can't contain any of <>%&\\?/ and has at most 512 characters, a value at most 256.`,
  );
}
