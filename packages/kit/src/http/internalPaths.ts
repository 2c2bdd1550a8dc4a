/** Path prefix that the gateway never routes. These routes are for other services and left out of the public document. */
export const INTERNAL = "/internal/";
