import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/api/billing"],
  database: true,
  secrets: ["STAFF_TOKEN"],
});
