/** The image to publish, as publish.mjs gets it: in the environment, and the login by standard input. */
import { text } from "node:stream/consumers";

/** Name of the image: registry/name:tag. */
export const image = required("IMAGE");
export const platform = required("PLATFORM");
/** A `Build` or a `Mirror` of publishedImage.ts. */
export const from = JSON.parse(required("FROM"));
export const access = JSON.parse(await text(process.stdin));
/** @type {string} */
export const registry = access.address;

/**
 * @param {string} name
 * @returns {string}
 */
function required(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} isn't set`);
  return value;
}
