import * as pulumi from "@pulumi/pulumi";
import { messageOf } from "@store/docker/messageOf";

/**
 * Returns the answer of a call that reads an existing resource of Azure. If it fails, for example because there is no such resource, the
 * preview ends with Azure's message and without a stack trace.
 */
export async function existing<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new pulumi.RunError(messageOf(error));
  }
}

/** Returns a function that throws a RunError if Azure's response lacks a value. @param what The value, as the start of a sentence */
export function required<T>(what: string): (value: T | undefined) => T {
  return (value) => {
    if (value === undefined) throw new pulumi.RunError(`${what} is missing in Azure's response.`);
    return value;
  };
}
