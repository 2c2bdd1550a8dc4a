import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/api/orders"],
  database: true,
  secrets: ["STAFF_TOKEN"],
  needs: ["inventory", "billing", "shipping"],
});
