import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/api/billing"],
  database: true,
  secrets: ["STAFF_TOKENS"],
  // Stripe's API.
  egress: true,
  // The default simulates payments: orders would count as paid, and goods be sent for nothing.
  requiredEnvironment: { PAYMENT_PROVIDER: ["stripe", "simulated"] },
});
