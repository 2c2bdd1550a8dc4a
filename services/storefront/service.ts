import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/"],
  network: "edge",
});
