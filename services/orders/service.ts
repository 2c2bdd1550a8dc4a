import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/api/orders"],
  database: true,
  secrets: ["STAFF_TOKEN"],
  // An order holds stock until it is paid or given up. One a second is more than an office sends that shares an address.
  rateLimits: [{ method: "POST", path: "/api/orders", requests: 60, seconds: 60 }],
  dependsOn: ["inventory", "billing", "shipping"],
});
