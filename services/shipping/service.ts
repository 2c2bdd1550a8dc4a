import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/api/shipping"],
  database: true,
  secrets: ["STAFF_TOKENS"],
});
