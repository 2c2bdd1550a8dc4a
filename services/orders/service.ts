import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/api/orders"],
  database: true,
  secrets: ["STAFF_TOKENS"],
  // An order holds stock until it is paid or cancelled. One per second is more than an office behind one IP address sends.
  rateLimits: [{ method: "POST", path: "/api/orders", requests: 60, seconds: 60 }],
  dependsOn: ["inventory", "billing", "shipping"],
});
