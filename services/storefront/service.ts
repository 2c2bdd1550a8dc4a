import { nodeService } from "../nodeService.ts";

export default nodeService({
  routes: ["/"],
  network: "edge",
  rateLimits: [
    // As many as orders takes: what is ordered here comes to it from within.
    { method: "POST", path: "/checkout", requests: 60, seconds: 60 },
    // Nobody mistypes a token more often; who guesses is to get nowhere.
    { method: "POST", path: "/office/login", requests: 10, seconds: 60 },
  ],
});
