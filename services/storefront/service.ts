import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/"],
  network: "edge",
  rateLimits: [
    // The limit of the orders API, which doesn't see these requests: the storefront sends its own.
    { method: "POST", path: "/checkout", requests: 60, seconds: 60 },
    // Slows down guessing of the staff token.
    { method: "POST", path: "/office/login", requests: 10, seconds: 60 },
  ],
});
