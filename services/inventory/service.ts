import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/api/inventory"],
  database: true,
  secrets: ["STAFF_TOKENS"],
});
